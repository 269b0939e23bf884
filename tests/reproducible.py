#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The same policy gives the same bytes.

From another folder, under another name of that folder, on another day, in
another time zone and locale, and by a bpflockc that was built in another
folder from the same sources.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
POLICY = TOP / "policies/no-new-modules.bpflock"
NOT_SOURCES = {"build", ".git", "build.ninja", ".ninja_log", ".ninja_deps",
               "__pycache__"}


def compile_in(folder: Path, compiler: Path, **environment: str) -> bytes:
    folder.mkdir(parents=True)
    shutil.copy(POLICY, folder)
    subprocess.run([compiler, POLICY.name, "-o", "bundle.o"], cwd=folder,
                   check=True, env={**os.environ, **environment})
    return (folder / "bundle.o").read_bytes()


def build_in(folder: Path) -> Path:
    """A bpflockc from a copy of the sources."""
    shutil.copytree(TOP, folder,
                    ignore=lambda _, names: NOT_SOURCES.intersection(names))
    subprocess.run(["./configure.py"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "--quiet", "build/bpflockc"], cwd=folder,
                   check=True)
    return folder / "build/bpflockc"


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        ours = TOP / "build/bpflockc"
        first = compile_in(top / "a", ours)
        others = {
            "another folder": compile_in(top / "b/with a longer name", ours),
            "another day": compile_in(top / "c", ours,
                                      SOURCE_DATE_EPOCH="1000000000"),
            "another locale and time zone": compile_in(
                top / "d", ours, LC_ALL="C", TZ="Asia/Kathmandu"),
            "another build folder": compile_in(
                top / "e", build_in(top / "elsewhere/sources")),
        }
    failed = [name for name, bytes_ in others.items() if bytes_ != first]
    for name in failed:
        print(f"not the same bytes: {name}")
    print(f"{len(others) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
