# SPDX-License-Identifier: GPL-2.0-only
"""The parts of tests/vm/conformance.py, one idea a module."""

import sys
from pathlib import Path

# Where the oracle is.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
