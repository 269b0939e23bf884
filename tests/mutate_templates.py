#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Breaks the templates, one place at a time, and sees whether a row fails.

    tests/mutate_templates.py [--limit N] [--template NAME]... [--list]

Each comparison, logical operator and verdict in bpf/templates is turned into
its opposite, in a copy of the sources; bpflockc is built of it and the rows of
that protection run on a kernel. A mutant that no row fails with has survived:
either a row is missing, or the place is for another kernel. What was found is
kept in build/mutants.json, so that a run goes on where the last one ended;
tests/reports/mutation-templates.md is written from it.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TEMPLATES = TOP / "bpf/templates"
STATE = TOP / "build/mutants.json"
REPORT = TOP / "tests/reports/mutation-templates.md"
PREFIXES = {"kernel_modules": "modules", "bpf": "bpf", "fileless_exec": "exec"}
# What every template includes is tried with one that uses most of it.
OF_INCLUDES = "modules"

# Each with what it becomes. None of them is in a comment or a string here.
CHANGES = [
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "),
    (r" \|\| ", " && "), (r" < ", " >= "), (r" >= ", " < "), (r" > ", " <= "),
    (r" <= ", " > "), (r"\bif \((.*)\)( \{)?$", r"if (!(\1))\2"),
    (r"return 0;", "return -1;"), (r"return verdict;", "return 0;"),
    (r"return true;", "return false;"), (r"return false;", "return true;"),
    (r"= true;", "= false;"), (r"= false;", "= true;"),
    (r"\? (\w+) : 0", "? 0 : \\1"), (r"return !", "return !!"),
]
NOT_CODE = re.compile(r"^\s*(#|/?\*|//|_Static_assert|static_assert|})")


@dataclass(frozen=True)
class Mutant:
    file: str  # below bpf/templates
    line: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """The same as long as the line and what is around it stay."""
        text = (TEMPLATES / self.file).read_text()
        return hashlib.sha256(f"{self}{text}".encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        return f"{self.file}:{self.line}: {self.after.strip()}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if NOT_CODE.match(line) or line.rstrip().endswith("\\"):
            continue
        for pattern, instead in CHANGES:
            for match in re.finditer(pattern, line):
                after = (line[:match.start()] + match.expand(instead)
                         + line[match.end():])
                yield Mutant(str(path.relative_to(TEMPLATES)), number, line,
                             after)


def all_mutants(names: list[str]) -> list[Mutant]:
    paths = [*sorted(TEMPLATES.glob("*.bpf.c")),
             *sorted(TEMPLATES.glob("include/*.h"))]
    return [mutant for path in paths
            if not names or path.name.split(".")[0] in names
            for mutant in mutants_of(path)]


def copy_sources(target: Path) -> None:
    """The files as they are here, without what was built of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True,
        text=True, stdout=subprocess.PIPE).stdout.splitlines()
    for name in listed:
        if (TOP / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, target / name)
    subprocess.run(["./configure.py"], cwd=target, check=True,
                   stdout=subprocess.DEVNULL)


def build(tree: Path) -> bool:
    return subprocess.run(
        ["ninja", "build/bpflockc", "build/bpflock-load", "build/bpflock-log"],
        cwd=tree, check=False, stdout=subprocess.DEVNULL).returncode == 0


def run_rows(tree: Path, mutant: Mutant, kernel: str) -> str:
    """killed, and by what; or survived"""
    prefix = PREFIXES.get(mutant.file.split(".")[0], OF_INCLUDES)
    ran = subprocess.run(
        [sys.executable, "tests/vm/conformance.py", "--kernel", kernel,
         "--only", f"{prefix}-[!f]*"], cwd=tree, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    failed = [line for line in ran.stdout.splitlines()
              if line.startswith("not ok")]
    if not ran.returncode:
        return "survived"
    return f"killed by {len(failed)}: {' '.join(failed[:1])[:100]}"


def judge(tree: Path, mutant: Mutant, kernel: str) -> str:
    path = tree / "bpf/templates" / mutant.file
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    lines[mutant.line - 1] = mutant.after + "\n"
    path.write_text("".join(lines))
    try:
        if not build(tree):
            return "does not build"
        return run_rows(tree, mutant, kernel)
    finally:
        path.write_text(whole)


def write_report(found: dict[str, dict], mutants: list[Mutant],
                 kernel: str) -> None:
    """Of the mutants that there are now, whatever was tried before."""
    results = [(mutant, found[mutant.key]["result"]) for mutant in mutants
               if mutant.key in found]
    killed = sum(result.startswith("killed") for _, result in results)
    survived = [mutant for mutant, result in results if result == "survived"]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines = [f"# Mutants of the templates, {today}", "",
             f"By the conformance rows of {kernel}: of {len(mutants)} "
             f"mutants {len(results)} were tried, {killed} killed, "
             f"{len(survived)} survived, "
             f"{len(results) - killed - len(survived)} do not build.", "",
             "Survivors: each is a missing row, a place for another kernel, "
             "or no change in meaning.", ""]
    lines += [f"- `{mutant.words}`" for mutant in survived]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    print(f"{len(results)} tried, {killed} killed, {len(survived)} survived; "
          f"{REPORT.relative_to(TOP)}")


def try_all(mutants: list[Mutant], found: dict[str, dict],
            kernel: str) -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tree = Path(scratch)
        copy_sources(tree)
        if not build(tree) or run_rows(tree, mutants[0], kernel) != "survived":
            sys.exit("the rows fail without any mutation: nothing to learn")
        for mutant in mutants:
            result = judge(tree, mutant, kernel)
            found[mutant.key] = {"words": mutant.words, "result": result}
            STATE.write_text(json.dumps(found, indent=1))
            print(f"{mutant.words}: {result}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.1", metavar="ID")
    parser.add_argument("--template", action="append", default=[],
                        metavar="NAME", help="a file's name up to its dot")
    parser.add_argument("--limit", type=int, metavar="N",
                        help="try so many that were not tried yet")
    parser.add_argument("--list", action="store_true", help="show them only")
    args = parser.parse_args()
    mutants = all_mutants(args.template)
    if args.list:
        print("\n".join(mutant.words for mutant in mutants))
        return 0
    found = json.loads(STATE.read_text()) if STATE.exists() else {}
    left = [mutant for mutant in mutants if mutant.key not in found]
    if left:
        try_all(left[:args.limit], found, args.kernel)
    write_report(found, all_mutants([]), args.kernel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
