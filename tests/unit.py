#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the cmocka programs of each build folder: tests/unit.py DIR..."""

import re
import subprocess
import sys
from pathlib import Path

from counts import Counts

PASSED = re.compile(r"\[  PASSED  \] (\d+) test")
FAILED = re.compile(r"\[  FAILED  \].* (\d+) test")
SKIPPED = re.compile(r"\[  SKIPPED \] (\d+) test")

SECONDS = 120  # for one program


def run(program: Path) -> Counts:
    try:
        result = subprocess.run([program], check=False, text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=SECONDS)
    except subprocess.TimeoutExpired as stopped:
        print(f"{program}: stopped after {SECONDS} s:\n{stopped.stdout}")
        return Counts(failed=1)
    counts = Counts(*(sum(map(int, kind.findall(result.stdout)))
                      for kind in (PASSED, FAILED, SKIPPED)))
    if result.returncode and not counts.failed:
        counts.failed = 1  # it ended before cmocka could count
    if counts.failed or counts.skipped:
        print(f"{program}:\n{result.stdout}")
    return counts


def main() -> int:
    total = Counts()
    for folder in sys.argv[1:]:
        programs = sorted(path for path in Path(folder).glob("test_*")
                          if path.suffix == "")
        if not programs:
            print(f"{folder}: no tests")
            total.failed += 1
        for program in programs:
            total.add(run(program))
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
