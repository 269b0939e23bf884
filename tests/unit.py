#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the cmocka programs of each build folder: tests/unit.py DIR..."""

import re
import subprocess
import sys
from pathlib import Path

PASSED = re.compile(r"\[  PASSED  \] (\d+) test")
FAILED = re.compile(r"\[  FAILED  \].* (\d+) test")

SECONDS = 120  # for one program


def run(program: Path) -> tuple[int, int]:
    try:
        result = subprocess.run([program], check=False, text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=SECONDS)
    except subprocess.TimeoutExpired as stopped:
        print(f"{program}: stopped after {SECONDS} s:\n{stopped.stdout}")
        return 0, 1
    passed = sum(int(count) for count in PASSED.findall(result.stdout))
    failed = sum(int(count) for count in FAILED.findall(result.stdout))
    if result.returncode and not failed:
        failed = 1  # it ended before cmocka could count
    if failed:
        print(f"{program}:\n{result.stdout}")
    return passed, failed


def main() -> int:
    passed = failed = 0
    for folder in sys.argv[1:]:
        programs = sorted(path for path in Path(folder).glob("test_*")
                          if path.suffix == "")
        if not programs:
            print(f"{folder}: no tests")
            failed += 1
        for program in programs:
            one_passed, one_failed = run(program)
            passed += one_passed
            failed += one_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
