#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every template is in every table that needs it: reads sources, builds and
runs nothing.

docs/architecture.md lists all that a protection needs. Most tables go on without
one that they lack, and nobody would see it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TOP = TESTS.parent
sys.path[:0] = [str(TOP), str(TESTS), str(TESTS / "vm"), str(TESTS / "bench")]

# pylint: disable=wrong-import-position
import configure  # noqa: E402
import mutate_templates  # noqa: E402
import rows as bench  # noqa: E402
import seed_miscompilations  # noqa: E402
from attacks import variants  # noqa: E402
from conformance import guest, rows  # noqa: E402

PROBES = TESTS / "vm/conformance/probes"
NO_PROBES = {"main", "payload"}  # the programs themselves
# In variants.py, of what has none.
UNTEMPLATED = "it has no template yet"


def read(path: str) -> str:
    return (TOP / path).read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """Those of configure.py that are in a text, as words of their own."""
    return {name for name in configure.TEMPLATES
            if re.search(rf"(?<![\w.]){name}(?!\w)", text)}


def defined(macro: str) -> set[str]:
    """The rows of that macro in operations.def."""
    return set(re.findall(rf"^{macro}\((\w+),", read("bpf/operations.def"),
                          re.MULTILINE))


def section(path: str, title: str) -> str:
    return read(path).split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str) -> set[str]:
    """The protections and traces that a policy's text names."""
    return set(re.findall(r"^\s*(\w+) (?:\{|all|\w+,)", text, re.MULTILINE))


def probe_names() -> set[str]:
    return {name for path in PROBES.glob("*.c")
            for name in re.findall(r'^\t\{ "(\w+)", \w+', path.read_text(),
                                   re.MULTILINE)}


TEMPLATES = set(configure.TEMPLATES)
TRACES = TEMPLATES & defined("TRACE")
PROTECTIONS = TEMPLATES - TRACES


def missing() -> Iterator[tuple[str, set[str]]]:
    """(what, names that it lacks): no names where all is well."""
    sources = {path.name.removesuffix(".bpf.c")
               for path in (TOP / "bpf/templates").glob("*.bpf.c")}
    yield "configure.py TEMPLATES, of bpf/templates", sources - TEMPLATES
    yield "bpf/templates, of configure.py TEMPLATES", TEMPLATES - sources
    yield ("bpf/operations.def, PROTECTION or TRACE",
           TEMPLATES - defined("PROTECTION") - defined("TRACE"))
    yield "loader/trial.c", TEMPLATES - named(read("loader/trial.c"))
    yield ("compiler/proof/accesses.def",
           TEMPLATES - named(read("compiler/proof/accesses.def")))
    yield "tests/oracle.py", TEMPLATES - named(read("tests/oracle.py"))
    yield ("README.md, What is there",
           TEMPLATES - named(section("README.md", "What is there")))
    yield "docs/breaks.md", TEMPLATES - named(read("docs/breaks.md"))
    yield ("docs/breaks.md, who needs",
           set(re.findall(r"^\| `(\w+)` \| not written yet", read("docs/breaks.md"),
                          re.MULTILINE)))
    yield from of_miscompilations()
    yield from of_mutants()
    yield from of_bench()
    yield from of_attacks()
    yield from of_conformance()


def of_miscompilations() -> Iterator[tuple[str, set[str]]]:
    yield ("tests/seed_miscompilations.py POLICIES", TEMPLATES - set().union(
        *map(blocks, seed_miscompilations.POLICIES.values())))


def of_mutants() -> Iterator[tuple[str, set[str]]]:
    files = {f"{name}.bpf.c" for name in TEMPLATES}
    yield ("tests/mutate_templates.py PROTECTIONS",
           files - set(mutate_templates.PROTECTIONS))
    known = {*rows.PROTECTIONS, *(f"{rows.TRACE}-{name}"
                                  for name in rows.TRACED)}
    yield ("tests/vm/conformance/rows.py, of tests/mutate_templates.py",
           {short for shorts in mutate_templates.PROTECTIONS.values()
            for short in shorts} - known)


def of_bench() -> Iterator[tuple[str, set[str]]]:
    yield "tests/bench/rows.py OPERATIONS or TRACES", set(bench.without_row())
    calls = set(re.findall(r'\{ "(\w+)", call_\w+', read("tests/bench/calls.c")))
    yield ("tests/bench/calls.c",
           {row.call for row in bench.OPERATIONS} - calls)


def of_attacks() -> Iterator[tuple[str, set[str]]]:
    attacked, others = set(variants.PROTECTIONS), set(variants.NOT_NAMED)
    untemplated = {name for name, why in variants.NOT_NAMED.items()
                   if why == UNTEMPLATED}
    yield ("tests/attacks/variants.py PROTECTIONS or NOT_NAMED",
           (PROTECTIONS | defined("PROTECTION")) - attacked - others)
    yield ("a template, of tests/attacks/variants.py PROTECTIONS",
           attacked - TEMPLATES)
    yield ("a reason but the template, in tests/attacks/variants.py NOT_NAMED",
           untemplated & TEMPLATES)
    yield ("tests/attacks/variants.py CANARIES",
           attacked - {name for name, tried in variants.CANARIES.items()
                       if tried})
    yield ("probes, of tests/attacks/variants.py CANARIES",
           {name for tried in variants.CANARIES.values()
            for name in tried} - probe_names())


def of_conformance() -> Iterator[tuple[str, set[str]]]:
    where = "tests/vm/conformance"
    yield (f"{where}/rows.py PROTECTIONS",
           PROTECTIONS - set(rows.PROTECTIONS.values()))
    yield f"{where}/rows.py TRACES", TRACES - set(rows.TRACED)
    yield (f"{where}/rows.py, probes",
           TEMPLATES - {probe.protection for probe in rows.PROBES
                        if probe.steps})
    yield (f"{where}/rows.py QUICK_SHAPES (or all of them are in ./check)",
           set(rows.PROTECTIONS) - set(rows.QUICK_SHAPES) - {"modules"})
    yield (f"{where}/policies",
           {f"{short}-{shape}" for short in rows.PROTECTIONS
            for shape in rows.SHAPES}
           - {path.stem for path in rows.FOLDER.glob("*.bpflock")})
    sources = {path.stem for path in PROBES.glob("*.c")} - NO_PROBES
    yield f"{where}/guest.py SOURCES", sources - set(guest.SOURCES)
    yield (f"{where}/probes, of rows.py",
           {probe.name for probe in rows.PROBES} - probe_names())


def main() -> int:
    failed = passed = 0
    for what, names in missing():
        failed += bool(names)
        passed += not names
        if names:
            print(f"not ok {what}: {', '.join(sorted(names))} missing")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
