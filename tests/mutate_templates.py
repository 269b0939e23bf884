#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Breaks the templates, one place at a time, and sees what notices.

    tests/mutate_templates.py [--kernel ID] [--limit N] [--template NAME]...
                              [--one-in K] [--again] [--whole]
                              [--no-rows] [--list] [--report]

Each comparison, logical operator and verdict in bpf/templates is turned into
its opposite, in a copy of the sources. Of each mutant is asked, cheapest first:

    does it build
    is it other code at all, and not that of a mutant that was tried
    does the compiler's evaluator refuse a policy that is made of it
    does a row fail of a few policies, in a machine
    does one of some more
    with --whole: does one of all the rows of that protection

The rows are those of a compiler without the evaluator: they have to notice by
themselves. With --one-in 4 they are asked of one in four of those that the
evaluator notices, chosen by their digest; of all others in any case. With another --kernel those are tried that no row of any kernel
noticed so far. What was found is kept in build/mutants.json, by the line that
was changed and those around it, so that a run goes on where the last one
ended; tests/reports/mutation-templates.md is written from it.
tests/equivalent-templates.tsv names those that mean the same, and why.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))

# pylint: disable=wrong-import-position
import vm  # noqa: E402
from conformance import batch, bundles, cannot, rows  # noqa: E402
from conformance.judge import Outcome  # noqa: E402

TEMPLATES = TOP / "bpf/templates"
STATE = TOP / "build/mutants.json"
REPORT = TOP / "tests/reports/mutation-templates.md"
EQUIVALENT = TOP / "tests/equivalent-templates.tsv"
AROUND = 3  # lines

# A file's rows are those of the protections that use it.
PROTECTIONS = {
    "kernel_modules.bpf.c": ["modules"], "bpf.bpf.c": ["bpf"],
    "fileless_exec.bpf.c": ["exec"], "include/event.h": ["modules", "exec"],
    "include/loader.h": ["bpf"], "kernel_image.bpf.c": ["image"],
    "kernel_secrets.bpf.c": ["secrets"], "sysfs.bpf.c": ["sysfs"],
    "exec.bpf.c": ["trace-exec"],
    "privileged.bpf.c": ["trace-privileged"],
    "include/function.h": ["trace-exec", "trace-privileged"],
    "network.bpf.c": ["network"], "include/destination.h": ["network"],
    "include/lockdown.h": ["image", "secrets"],
    "namespaces.bpf.c": ["namespaces"],
    "include/syscall.h": ["modules", "namespaces"],
}
OF_INCLUDES = ["modules"]

# What notices most, by a few who call. To load a policy that names cgroups
# takes the emulated verifier ten seconds, and others one.
FEW = {"log-all": ("host", "container"), "restricted": ("host", "hostnet"),
       "to-nested": ("host", "container"), "exec-all": ("host", "container"),
       "privileged-some": ("host", "container")}
FEW_OF = {"include/cgroup.h": {"allow-cgroup": ("container", "apps-c",
                                                "other-h")}}
MORE = {"baseline": ("host", "hostnet", "hostpid", "ownnet"),
        "audit": ("host", "container"), "log-none": ("host",),
        "allow-cgroup": ("container", "apps-c", "other-h"),
        "nested": ("apps-h", "below-c", "inner-h"),
        "late": ("late-h", "late-c"), "to-blocked": ("host",),
        "to-ports": ("host", "container"), "to-many": ("host", "container"),
        "to-cgroup": ("container", "apps-h"), "to-fifty": ("host",),
        "exec-container": ("host", "hostnet", "hostpid", "ownnet"),
        "exec-cgroup": ("container", "apps-h", "other-h"),
        "exec-denied": ("host", "container"),
        "privileged-container": ("host", "hostnet", "hostpid", "ownnet"),
        "privileged-cgroup": ("container", "apps-h", "other-h")}
# Whose code says whether a mutant is one.
SHAPES = ("restricted", "allow-cgroup", "exec-all", "exec-cgroup",
          "privileged-some", "privileged-cgroup")
BATCH = 12  # mutants a boot
# Of a boot, and of a mutant and a policy; the machine is shared, and emulated.
BOOT_SECONDS, POLICY_SECONDS = 120, 20

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
MACRO = re.compile(r"\s*\\$")


@dataclass(frozen=True)
class Mutant:
    file: str  # below bpf/templates
    line: int
    before: str
    after: str
    around: str

    @property
    def key(self) -> str:
        """The same as long as the line and what is around it stay."""
        words = "\0".join((self.file, self.before, self.after, self.around))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        return f"{self.file}:{self.line}: {MACRO.sub('', self.after).strip()}"

    @property
    def protections(self) -> list[str]:
        return PROTECTIONS.get(self.file, OF_INCLUDES)


def mutants_of(path: Path) -> Iterator[Mutant]:
    file = str(path.relative_to(TEMPLATES))
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if NOT_CODE.match(line):
            continue
        around = "\n".join(lines[max(number - AROUND, 0):number + AROUND + 1])
        end = MACRO.search(line)
        code = line[:end.start()] if end else line
        for pattern, instead in CHANGES:
            for match in re.finditer(pattern, code):
                after = (code[:match.start()] + match.expand(instead)
                         + code[match.end():] + line[len(code):])
                yield Mutant(file, number + 1, line, after, around)


def all_mutants(names: list[str]) -> list[Mutant]:
    paths = [*sorted(TEMPLATES.glob("*.bpf.c")),
             *sorted(TEMPLATES.glob("include/*.h"))]
    return [mutant for path in paths
            if not names or path.name.split(".")[0] in names
            for mutant in mutants_of(path)]


def policies_of(protections: Iterable[str]) -> list[rows.Policy]:
    return [policy for short in protections
            for policy in bundles.policies_like(f"{short}-*")
            if not policy.flood]


def select(policies: list[rows.Policy],
           shapes: dict[str, tuple[str, ...]]) -> list[rows.Policy]:
    return [replace(policy, subjects=shapes[shape]) for policy in policies
            if (shape := policy.name.split("-", 1)[1]) in shapes]


# --- the copy that is broken --------------------------------------------------


class Tree:
    """The sources, and what is built of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP,
            check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
        for name in listed:
            if (TOP / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, folder / name)
        subprocess.run(["./configure.py"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        # What clang would rather not see is no reason not to try it.
        ninja = folder / "build.ninja"
        text = ninja.read_text()
        ninja.write_text(text.replace("-Wno-unused-parameter -Werror", "-w"))
        if not self.build("build/bpflock-load", "build/bpflock-log"):
            sys.exit("the sources do not build")

    @property
    def programs(self) -> Path:
        return self.folder / "build"

    def build(self, *more: str) -> bool:
        return subprocess.run(
            ["ninja", "build/bpflockc", "build/tests/bpflockc-unproven",
             *more], cwd=self.folder, check=False,
            stdout=subprocess.DEVNULL).returncode == 0

    def change(self, mutant: Mutant) -> None:
        path = self.folder / "bpf/templates" / mutant.file
        lines = (TEMPLATES / mutant.file).read_text().splitlines()
        lines[mutant.line - 1] = mutant.after
        path.write_text("\n".join(lines) + "\n")

    def restore(self, mutant: Mutant) -> None:
        path = self.folder / "bpf/templates" / mutant.file
        path.write_text((TEMPLATES / mutant.file).read_text())

    def code(self, protections: list[str]) -> str:
        """A digest of all instructions of the templates. The names behind
        their numbers are not in it, and no mutant changes those alone."""
        text = []
        source = self.folder / "build/mutant.bpflock"
        for policy in policies_of(protections):
            if policy.name.split("-", 1)[1] not in SHAPES:
                continue
            source.write_text(policy.text)
            ran = subprocess.run(
                ["build/bpflockc", "-O0", "--emit=asm", source],
                cwd=self.folder, check=False, text=True,
                stdout=subprocess.PIPE)
            text += [line for line in ran.stdout.splitlines()
                     if not line.startswith("  ;")]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]

    def compile(self, compiler: str, policies: list[rows.Policy],
                folder: Path) -> bundles.Compiled:
        return bundles.compile_policies(self.programs / compiler, policies,
                                        folder)


def prepare(tree: Tree, mutant: Mutant, found: dict[str, dict],
            sets: Path) -> dict:
    """All that needs no machine; its bundles are in @sets then."""
    record = {"words": mutant.words}
    tree.change(mutant)
    try:
        if not tree.build():
            return {**record, "build": "does not build"}
        record["code"] = tree.code(mutant.protections)
        if record["code"] == found["original"][mutant.file]:
            return {**record, "build": "same code"}
        for key, other in found.items():
            if key not in (mutant.key, "original") \
                    and other.get("code") == record["code"] \
                    and other["build"] == "builds":
                return {**record, "build": "twin", "twin": key}
        record["build"] = "builds"
        policies = policies_of(mutant.protections)
        with tempfile.TemporaryDirectory() as scratch:
            wrong = tree.compile("bpflockc", policies,
                                 Path(scratch) / "p").wrong
        record["evaluator"] = next(iter(wrong.values()), "").strip()[:200]
        shutil.rmtree(sets / mutant.key, ignore_errors=True)
        wrong = tree.compile("tests/bpflockc-unproven", policies,
                             sets / mutant.key).wrong
        if wrong:
            record["rows"] = {"compiler": next(iter(wrong.values()))[:200]}
        return record
    finally:
        tree.restore(mutant)


# --- rows ---------------------------------------------------------------------


def boot(tree: Tree, kernel: str, work: batch.Work, sets: Path,
         names: list[str]) -> dict[str, list[Outcome]]:
    """What came of the rows of those that could be judged in one boot."""
    architecture = vm.kernels.row(kernel).architecture
    programs = (tree.programs if architecture == "amd64"
                else TOP / "build" / architecture)
    with tempfile.TemporaryDirectory() as scratch:
        mine, overlay = Path(scratch) / "sets", Path(scratch) / "overlay"
        for name in names:
            (mine / name).mkdir(parents=True)
            for policy in work.policies:
                bundle = f"{policy.name}.o"
                shutil.copy(sets / name / bundle, mine / name)
        facts = batch.fill(overlay, programs, vm.kernels.get(kernel), mine,
                           work, names)
        result = vm.run(kernel, ["sh", "/t/script"], overlay=overlay,
                        timeout=BOOT_SECONDS + POLICY_SECONDS
                        * len(names) * len(work.policies))
    judged = batch.judge_sets(result.text, result.ok, work, facts, names)
    for outcomes in judged.values():
        cannot.apply(kernel, outcomes, cannot.read(), False)
    return judged


def verdict_of(outcomes: list[Outcome]) -> str:
    failed = [outcome for outcome in outcomes if outcome.wrong]
    if not failed:
        return "survived"
    first = failed[0]
    return f"killed by {len(failed)}: {first.name}: {first.wrong[0]}"[:200]


def run_rows(tree: Tree, kernel: str, work: batch.Work, sets: Path,
             names: list[str]) -> Iterator[tuple[str, str]]:
    """(name, survived or killed by what) of each, in as many boots as it
    takes."""
    left = list(names)
    while left:
        judged = boot(tree, kernel, work, sets, left[:BATCH])
        if not judged:
            print("the machine did not come up; once more", flush=True)
            judged = boot(tree, kernel, work, sets, left[:1])
        if not judged:
            judged = {left[0]: [Outcome("machine", ["does not come up"])]}
        for name, outcomes in judged.items():
            left.remove(name)
            yield name, verdict_of(outcomes)


class Rows:
    """The policies of those who use a file, and their tables."""

    def __init__(self, tree: Tree, mutant: Mutant, sets: Path,
                 whole: bool) -> None:
        policies = policies_of(mutant.protections)
        few = FEW_OF.get(mutant.file, FEW)
        self.name = "-".join(["original", *mutant.protections])
        shutil.rmtree(sets / self.name, ignore_errors=True)
        tables = tree.compile("bpflockc", policies, sets / self.name).tables
        chosen = {"few": select(policies, few), "more": select(policies, MORE)}
        if whole:
            chosen["all"] = policies
        self.sizes = {size: batch.Work(mine, tables)
                      for size, mine in chosen.items()}


def try_rows(tree: Tree, kernel: str, chosen: Rows, sets: Path,
             records: dict[str, dict]) -> Iterator[str]:
    """Few rows, and more of them for those who survive; the keys as they are
    done."""
    left = list(records)
    for size, work in chosen.sizes.items():
        survived = []
        for name, verdict in run_rows(tree, kernel, work, sets, left):
            records[name].setdefault("rows", {})[kernel] = verdict
            if verdict == "survived":
                survived.append(name)
            else:
                records[name]["size"] = size
                yield name
        left = survived
    yield from left


# --- a run --------------------------------------------------------------------


def load_state() -> dict[str, dict]:
    return json.loads(STATE.read_text()) if STATE.exists() else {}


def is_killed(record: dict) -> bool:
    return any(verdict != "survived"
               for verdict in record.get("rows", {}).values())


def is_chosen(key: str, record: dict, one_in: int) -> bool:
    return not record["evaluator"] or int(key, 16) % one_in == 0


def is_left(mutant: Mutant, found: dict[str, dict],
            args: argparse.Namespace) -> bool:
    """Whether rows of that kernel may still tell something."""
    record = found.get(mutant.key)
    if record is None:
        return True
    if record["build"] != "builds" or is_killed(record):
        return False
    if args.kernel in record.get("rows", {}):
        return args.again
    return not args.no_rows and is_chosen(mutant.key, record, args.one_in)


def save(found: dict[str, dict]) -> None:
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(json.dumps(found, indent=1))


def by_file(mutants: list[Mutant]) -> dict[str, list[Mutant]]:
    """The rows of a boot are those of one file's mutants."""
    files: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        files.setdefault(mutant.file, []).append(mutant)
    return files


def begin(tree: Tree, first: Mutant, sets: Path, found: dict[str, dict],
          args: argparse.Namespace) -> Rows:
    """What is not mutated has to pass, or nothing can be learnt."""
    if not tree.build():  # the last mutant may still be there
        sys.exit("the sources do not build")
    chosen = Rows(tree, first, sets, args.whole)
    original = found.setdefault("original", {})
    code = tree.code(first.protections)
    original[first.file] = code
    save(found)
    for size, work in chosen.sizes.items():
        done = f"{args.kernel} {size} {' '.join(first.protections)}"
        if args.no_rows or original.get(done) == code:
            continue
        for _, verdict in run_rows(tree, args.kernel, work, sets, [chosen.name]):
            if verdict != "survived":
                sys.exit(f"the rows fail without any mutation: {verdict}")
        original[done] = code
        save(found)
    return chosen


def try_file(tree: Tree, chosen: Rows, sets: Path, mutants: list[Mutant],
             found: dict[str, dict], args: argparse.Namespace) -> None:
    to_run = {}
    for mutant in mutants:
        old = found.get(mutant.key, {})
        record = prepare(tree, mutant, found, sets)
        if old.get("build") == "builds":
            record["rows"] = {**old.get("rows", {}), **record.get("rows", {})}
        found[mutant.key] = record
        save(found)
        print(f"{mutant.words}: {record['build']}"
              f"{', the evaluator notices' * bool(record.get('evaluator'))}",
              flush=True)
        if record["build"] == "builds" and not is_killed(record) \
                and not args.no_rows and (
                    old.get("rows")
                    or is_chosen(mutant.key, record, args.one_in)):
            to_run[mutant.key] = record
        else:
            shutil.rmtree(sets / mutant.key, ignore_errors=True)
    for key in try_rows(tree, args.kernel, chosen, sets, to_run):
        print(f"{found[key]['words']}: {found[key]['rows'][args.kernel]}",
              flush=True)
        save(found)
        shutil.rmtree(sets / key)
    save(found)


def try_all(mutants: list[Mutant], found: dict[str, dict],
            args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tree, sets = Tree(Path(scratch) / "tree"), Path(scratch) / "sets"
        sets.mkdir()
        for mine in by_file(mutants).values():
            chosen = begin(tree, mine[0], sets, found, args)
            try_file(tree, chosen, sets, mine, found, args)


# --- the report ---------------------------------------------------------------


def equivalents() -> dict[tuple[str, str, str], str]:
    """(file, line, what it becomes) -> why it means the same"""
    if not EQUIVALENT.exists():
        return {}
    lines = [line.split("\t") for line in EQUIVALENT.read_text().splitlines()
             if line and not line.startswith("#")]
    return {(file, before, after): why for file, before, after, why in lines}


def why_same(known: dict[tuple[str, str, str], str],
             mutant: Mutant) -> str | None:
    return known.get((mutant.file, MACRO.sub("", mutant.before).strip(),
                      MACRO.sub("", mutant.after).strip()))


COLUMNS = ["mutants", "do not build", "same code", "twins", "evaluator",
           "not asked", "few rows", "more rows", "other kernels",
           "same meaning", "survived"]


def column_of(record: dict, kernel: str, same: str | None) -> str:
    if record["build"] != "builds":
        return {"does not build": "do not build", "same code": "same code",
                "twin": "twins"}[record["build"]]
    if is_killed(record):
        if record["rows"].get(kernel, "survived") == "survived":
            return "other kernels"
        return "few rows" if record.get("size", "few") == "few" else "more rows"
    if same:
        return "same meaning"
    return "survived" if record.get("rows") else "not asked"


def count(mutants: list[Mutant], found: dict[str, dict],
          kernel: str) -> dict[str, dict[str, int]]:
    known = equivalents()
    counts: dict[str, dict[str, int]] = {}
    for mutant in mutants:
        for name in (mutant.file, "all"):
            row = counts.setdefault(name, dict.fromkeys(COLUMNS, 0))
            record = found[mutant.key]
            row["mutants"] += 1
            row[column_of(record, kernel, why_same(known, mutant))] += 1
            row["evaluator"] += bool(record.get("evaluator"))
    all_of_them = counts.pop("all", dict.fromkeys(COLUMNS, 0))
    return {**counts, "all": all_of_them}


def score(row: dict[str, int]) -> str:
    killed = row["few rows"] + row["more rows"] + row["other kernels"]
    return percent(killed, killed + row["survived"])


def summary(tried: list[Mutant], found: dict[str, dict]) -> str:
    """Of those that are code of their own and mean something else."""
    known = equivalents()
    records = [record for mutant in tried
               if (record := found[mutant.key])["build"] == "builds"
               and (is_killed(record) or not why_same(known, mutant))]
    asked = [record for record in records if record.get("rows")]
    killed = sum(map(is_killed, asked))
    evaluator = sum(bool(record["evaluator"]) for record in records)
    either = sum(is_killed(record) or bool(record["evaluator"])
                 for record in records)
    return (f"Of {len(records)} that are code of their own the evaluator "
            f"notices {evaluator} ({percent(evaluator, len(records))}), it or "
            f"the rows {either} ({percent(either, len(records))}). "
            f"{len(asked)} were held against the rows, which notice {killed} "
            f"by themselves ({percent(killed, len(asked))}).")


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def write_report(found: dict[str, dict], kernel: str) -> None:
    """Of the mutants that there are now, whatever was tried before."""
    everything = all_mutants([])
    tried = [mutant for mutant in everything if mutant.key in found]
    known = equivalents()
    counts = count(tried, found, kernel)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines = [
        "# Mutants of the templates", "",
        f"{today}, `tests/mutate_templates.py`: one comparison, logical "
        "operator or verdict at a", "time is its own opposite. Of "
        f"{len(everything)} there are, {len(tried)} were tried. The rows "
        f"are those of", f"tests/vm/conformance.py on {kernel}; other kernels "
        "only where none of these noticed.", "", summary(tried, found), "",
        "| file | " + " | ".join(COLUMNS) + " | score of the rows |",
        "|" + "---|" * (len(COLUMNS) + 2)]
    for name, row in counts.items():
        cells = " | ".join(str(row[column]) for column in COLUMNS)
        lines.append(f"| {name} | {cells} | {score(row)} |")
    lines += [
        "", "- same code: the compiler made the same instructions of it.",
        "- twins: the same instructions as of another mutant, which alone "
        "counts.",
        "- evaluator: bpflockc refuses to write a policy made of it. The rows "
        "are those of", "  a compiler that does not look: they notice by "
        "themselves, or do not.",
        "- not asked: the evaluator notices, and no row was tried yet.",
        "- few rows: those of two policies by two who call; more rows: those "
        "of eight, or", "  all.",
        "- The score is what rows killed, of those that they were asked of and "
        "that do not", "  mean the same.", ""]
    details = [(mutant, found[mutant.key]) for mutant in tried]
    lines += ["## Killed by the rows of another kernel alone", ""]
    lines += [f"- `{mutant.words}`: {other_kernel(record)}"
              for mutant, record in details
              if record["build"] == "builds"
              and column_of(record, kernel, None) == "other kernels"]
    lines += ["", "## Means the same", ""]
    lines += [f"- `{mutant.words}`: {why_same(known, mutant)}"
              for mutant, record in details if record["build"] == "builds"
              and not is_killed(record) and why_same(known, mutant)]
    lines += ["", "## Survivors", "", "No row noticed these.", ""]
    lines += [f"- `{mutant.words}` ({', '.join(record['rows'])}"
              f"{'; the evaluator notices' * bool(record['evaluator'])})"
              for mutant, record in details
              if column_of(record, kernel, why_same(known, mutant))
              == "survived"]
    lines += ["", "## Left to the rows", "",
              "The evaluator does not notice these, and no row was tried yet.",
              ""]
    lines += [f"- `{mutant.words}`" for mutant, record in details
              if column_of(record, kernel, why_same(known, mutant))
              == "not asked" and not record["evaluator"]]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    print(f"{counts['all']}, {score(counts['all'])}; "
          f"{REPORT.relative_to(TOP)}")


def other_kernel(record: dict) -> str:
    return next(f"{kernel}, {verdict}"
                for kernel, verdict in record["rows"].items()
                if verdict != "survived")


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.1", metavar="ID")
    parser.add_argument("--template", action="append", default=[],
                        metavar="NAME", help="a file's name up to its dot")
    parser.add_argument("--limit", type=int, metavar="N",
                        help="try so many of those left")
    parser.add_argument("--again", action="store_true",
                        help="survivors too, after rows were added")
    parser.add_argument("--one-in", type=int, default=1, metavar="K",
                        help="rows for so many that the evaluator notices")
    parser.add_argument("--no-rows", action="store_true",
                        help="what needs no machine")
    parser.add_argument("--whole", action="store_true",
                        help="all the rows for those who survive the others")
    parser.add_argument("--list", action="store_true", help="show them only")
    parser.add_argument("--report", action="store_true",
                        help="write it only, from what is known")
    args = parser.parse_args()
    mutants = all_mutants(args.template)
    if args.list:
        print("\n".join(mutant.words for mutant in mutants))
        return 0
    found = load_state()
    left = [mutant for mutant in mutants
            if is_left(mutant, found, args)]
    if left and not args.report:
        try_all(left[:args.limit], found, args)
    write_report(found, "6.1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
