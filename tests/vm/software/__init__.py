# SPDX-License-Identifier: GPL-2.0-only
"""What tests/vm/test_software.py runs, and what has to come of it."""
