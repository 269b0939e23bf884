#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measures what bpflock costs: what ./bench does once all is installed.

    ./bench [--only TABLE]... [--kernel 6.1]

prints each table and, for the kernel that the document is about, writes
docs/performance.md and the chart beside it. What has been measured of this very
commit is not measured again: an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import document
from compiling import measure_compiling
from guest import Failed, vm
from in_kernel import (measure_bundles, measure_destinations, measure_growth,
                       measure_instructions, measure_loading,
                       measure_system_calls)
from results import Results, progress
from rows import TOP
from settings import Settings

KERNEL = "6.1"
DOCUMENT = TOP / "docs/performance.md"

# Name, and what measures it; the quick ones first.
TABLES = {
    "compile": measure_compiling,
    "bundles": measure_bundles,
    "loading": measure_loading,
    "growth": measure_growth,
    "destinations": measure_destinations,
    "syscalls": measure_system_calls,
    "instructions": measure_instructions,
}

def measure(args: argparse.Namespace, results: Results) -> list[str]:
    """Names of the tables that could not be measured."""
    settings = Settings(args.kernel, args.builddir, args.quick, results,
                        args.again)
    failed = []
    for name in args.only or TABLES:
        if results.is_done(name) and not args.again:
            progress(f"{name}: measured before, of this very commit")
            continue
        progress(name)
        try:
            results.put(name, *TABLES[name](settings))
        except (Failed, subprocess.CalledProcessError) as error:
            progress(f"{name}: {error}")
            failed.append(name)
    return failed


def target(args: argparse.Namespace, results: Results) -> Path:
    """The document itself, or a copy that nobody reads."""
    if args.kernel == KERNEL and not args.quick and not args.dry_run:
        return DOCUMENT
    path = results.folder / DOCUMENT.name
    shutil.copy(DOCUMENT, path)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", metavar="TABLE",
                        choices=list(TABLES), help=", ".join(TABLES))
    parser.add_argument("--kernel", default=KERNEL, metavar="ID",
                        help=f"a row of tests/vm/kernels.tsv (default: {KERNEL})")
    parser.add_argument("--again", action="store_true",
                        help="measure what has been measured, too")
    parser.add_argument("--quick", action="store_true",
                        help="a little of everything; writes no document")
    parser.add_argument("--dry-run", action="store_true",
                        help="leave docs/ as it is")
    parser.add_argument("--builddir", type=Path, default=TOP / "build")
    args = parser.parse_args()
    results = Results(f"{args.kernel}{'-quick' if args.quick else ''}")
    try:
        failed = measure(args, results)
    except vm.HostError as error:
        progress(str(error))
        return vm.EXIT_HOST
    tables = {name: found for name in TABLES
              if (found := results.get(name)) is not None}
    for name, text in document.sections(tables).items():
        if name == "aims" or name in (args.only or TABLES):
            print(f"## {name}\n\n{text}")
    for path in document.write(target(args, results), tables):
        progress(f"wrote {path.relative_to(TOP)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
