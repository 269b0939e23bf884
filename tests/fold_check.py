#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds folded programs against unfolded ones.

    tests/fold_check.py [--cases N] [--seed N] [--builddir build]

Random programs, with a policy in a frozen map, run before and after folding:
in an interpreter and, where this kernel lets a process load raw_tracepoint
programs and run them for a test, in the kernel too. They are never attached.
A difference prints the program before and after.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Hold folded programs against unfolded ones.")
    parser.add_argument("--cases", type=int, default=10_000,
                        help="programs times inputs (default: 10000)")
    parser.add_argument("--seed", type=int, help="default: another each time")
    parser.add_argument("--no-kernel", action="store_true",
                        help="in the interpreter alone")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int(time.time())
    command = [args.builddir / "tests/fold-driver", str(args.cases), str(seed)]
    if args.no_kernel:
        command.append("nokernel")
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
