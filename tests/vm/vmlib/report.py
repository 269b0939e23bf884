# SPDX-License-Identifier: GPL-2.0-only
"""How the machinery speaks: progress on stderr, and errors of the host."""

from __future__ import annotations

import sys


class HostError(Exception):
    """Something about this machine stops us; the text says what and how to
    mend it. Never raised for what happens inside a guest."""


quiet = False


def progress(text: str) -> None:
    if not quiet:
        print(f"vm: {text}", file=sys.stderr, flush=True)
