#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every test: what ./check does once all is installed.

A suite is a command. It says how it went in its last line, as "N passed, N
failed" with or without ", N skipped"; one that says nothing of the kind counts
as one test, by its exit status. What a suite prints goes to build/check/NAME.log,
and its end is shown where it failed.

Most suites wait for one emulated processor, so as many run at once as there are
processors. One that takes them all, or reads what others left, runs alone.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from counts import Counts

TOP = Path(__file__).resolve().parent.parent
LOGS = TOP / "build/check"
REPORTS = TOP / "tests/reports"
CELLS = ["passed", "failed", "skipped", "seconds"]  # of a report's row
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\.?$")
SHOWN_LINES = 60  # of a suite that failed
MAX_JOBS = 4  # each may hold a machine of up to 2 GiB

PYTHON = sys.executable


@dataclass(frozen=True)
class Suite:
    name: str
    command: list[str]
    full_only: bool = False
    minutes: float = 10  # then it counts as failed
    alone: bool = False  # begins when all before it have ended

    @property
    def is_build(self) -> bool:
        return self.name.startswith("build-")

    def needs(self, build: Suite) -> bool:
        """Whether its command uses what that one builds: build/NAME, and a
        kernel of another architecture the programs in build/ARCHITECTURE."""
        name = build.name.removeprefix("build-")
        return name == "gcc" or any(
            word.startswith((f"build/{name}", f"{name}-"))
            for word in self.command)


def build(name: str, *options: str, **more: object) -> Suite:
    """Builds one configuration, warnings being errors."""
    folder = "build" if name == "gcc" else f"build/{name}"
    ninja = "" if name == "gcc" else f"-f {folder}/build.ninja"
    configure = " ".join(["./configure.py", "--werror", "--builddir", folder,
                          *options])
    return Suite(f"build-{name}", ["sh", "-ec", f"{configure}; ninja {ninja}"],
                 alone=True, **more)


def python(name: str, *command: str, **more: object) -> Suite:
    return Suite(name, [PYTHON, *command], **more)


def conformance(kernel: str, *options: str, name: str = "",
                **more: object) -> Suite:
    return python(f"conformance-{kernel}{name and '-'}{name}",
                  "tests/vm/conformance.py", "--kernel", kernel, *options,
                  minutes=45, **more)


def kernels(*names: str) -> list[str]:
    return [word for name in names for word in ("--kernel", name)]


# The matrix of tests/vm/kernels.tsv.
KERNELS = ("5.10", "6.1", "6.12", "newest", "arm64-6.12")

SUITES = [
    build("gcc"),
    build("clang", "--cc", "clang"),
    build("sanitize", "--sanitize"),
    build("fuzz", "--fuzz"),
    build("arm64", "--cross", "arm64", full_only=True),
    # The longest first, so that nothing long is left for the end.
    conformance("6.1", "--quick"),
    conformance("newest", "--quick"),
    python("loader-6.1", "tests/vm/test_loader.py", "--kernel", "6.1",
           minutes=30),
    python("unit", "tests/unit.py", "build/tests", "build/sanitize/tests"),
    python("layers", "tests/layers.py"),
    python("reproducible", "tests/reproducible.py"),
    python("diag", "tests/diag.py"),
    python("diag-sanitize", "tests/diag.py", "--compiler",
           "build/sanitize/bpflockc"),
    python("docs", "tests/docs.py"),
    python("bad-input", "tests/bad_input.py"),
    python("bad-input-sanitize", "tests/bad_input.py", "--sanitized",
           "--compiler", "build/sanitize/bpflockc"),
    python("oracle", "tests/test_oracle.py"),
    python("attack-rules", "tests/test_attacks.py"),
    python("tables", "tests/test_tables.py"),
    python("reach", "tests/reach.py", "--compiler", "build/bpflockc"),
    python("agree", "tests/agree.py", "--compiler", "build/bpflockc",
           "--count", "2000", "--seed", "1"),
    # What is made up is the same each time; --full looks for new ones.
    python("fuzz", "tests/fuzz.py", "--builddir", "build/fuzz", "--seconds",
           "30", "--seed", "1"),
    python("fuzz-full", "tests/fuzz.py", "--builddir", "build/fuzz",
           "--seconds", "300", full_only=True, minutes=30),
    python("fold", "tests/fold_check.py", "--seed", "1"),
    python("miscompiled", "tests/seed_miscompilations.py"),
    python("demo-6.1", "tests/vm/demo.py", "policies/no-new-modules.bpflock"),
    python("demo-newest", "tests/vm/demo.py", "--kernel", "newest",
           "policies/no-new-modules.bpflock"),
    python("folded-6.1", "tests/vm/test_folded.py", "--kernel", "6.1",
           "--seed", "1"),
    python("loader-full", "tests/vm/test_loader.py",
           *kernels("5.10", "6.12", "newest", "arm64-6.12"), full_only=True,
           minutes=150),
    python("seal-6.1", "tests/vm/test_seal.py", "--quick"),
    python("seal-full", "tests/vm/test_seal.py", *kernels(*KERNELS),
           full_only=True, minutes=60),
    python("log-6.1", "tests/vm/test_log.py"),
    python("log-full", "tests/vm/test_log.py",
           *kernels("5.10", "6.12", "newest"), full_only=True),
    python("verify-6.1", "tests/vm/test_verify.py"),
    python("verify-full", "tests/vm/test_verify.py",
           *kernels("5.10", "6.12", "newest"), full_only=True),
    # What one machine can try without a control in less than a minute.
    python("attacks-6.1", "tests/attacks/attacks.py", "--quick"),
    conformance("6.1", name="whole", full_only=True),
    conformance("newest", name="whole", full_only=True),
    conformance("6.1", "--quick", "--unfolded", name="O0", full_only=True),
    conformance("5.10", full_only=True),
    conformance("6.12", full_only=True),
    conformance("arm64-6.12", full_only=True),
    python("conformance-flood", "tests/vm/conformance.py", "--full",
           *kernels("6.1", "newest"), "--only", "*-flood", full_only=True,
           minutes=60),
    python("software", "tests/vm/test_software.py",
           *kernels("6.1", "6.12", "newest"), full_only=True, minutes=45),
    python("soak", "tests/vm/test_soak.py", "--minutes", "60",
           full_only=True, minutes=80),
    *[python(f"attacks-{kernel}-full", "tests/attacks/attacks.py", "--kernel",
             kernel, full_only=True, minutes=40)
      for kernel in KERNELS],
    python("cgroups", "tests/vm/test_cgroups.py", *kernels(*KERNELS),
           full_only=True, minutes=30),
    python("commands", "tests/vm/test_commands.py", full_only=True),
    *[python(f"folded-{kernel}-full", "tests/vm/test_folded.py", "--kernel",
             kernel, "--generated", "500", full_only=True, minutes=120)
      for kernel in KERNELS],
    python("fold-full", "tests/fold_check.py", "--cases", "1000000",
           full_only=True),
    python("reach-full", "tests/reach.py", "--compiler", "build/bpflockc",
           "--count", "1000", "--seed", "7", full_only=True, minutes=30),
    python("agree-full", "tests/agree.py", "--compiler", "build/bpflockc",
           "--count", "10000", "--seed", "7", full_only=True),
    # What the others found, beside what the documents say.
    python("attacks-score", "tests/attacks/attacks.py", "--check-docs",
           full_only=True, alone=True),
    python("support", "tests/vm/conformance.py", "--check-docs",
           full_only=True, alone=True),
    python("coverage", "tests/coverage.py", full_only=True,
           alone=True),
    # Installs what the others do not need.
    Suite("bench", ["./bench", "--quick"], full_only=True, minutes=60,
          alone=True),
]


def counts_of(output: str, status: int) -> Counts:
    """What the suite's last line says, or its exit status."""
    lines = output.strip().splitlines()
    match = SUMMARY.search(lines[-1].strip()) if lines else None
    if not match:
        return Counts(passed=int(status == 0), failed=int(status != 0))
    counts = Counts(*(int(number or 0) for number in match.groups()))
    if status and not counts.failed:
        counts.failed = 1  # it says that all is well, and does not end well
    return counts


commands: set[subprocess.Popen] = set()  # that run now


def stop(process: subprocess.Popen) -> None:
    """With all it started: a machine that nobody waits for would go on."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def run_command(suite: Suite, out: BinaryIO) -> int:
    """Its exit status; -1 where it had to be stopped."""
    with subprocess.Popen(suite.command, cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=out, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        commands.add(process)
        try:
            return process.wait(timeout=60 * suite.minutes)
        except subprocess.TimeoutExpired:
            stop(process)
        finally:
            commands.discard(process)
    out.write(f"\nstopped after {suite.minutes} minutes\n".encode())
    return -1


def run(suite: Suite) -> dict:
    """Runs it, prints how it went, and returns its row of the report."""
    log = LOGS / f"{suite.name}.log"
    begin = time.monotonic()
    with log.open("wb") as out:
        status = run_command(suite, out)
    output = log.read_text(errors="replace")
    counts = counts_of(output, status)
    seconds = round(time.monotonic() - begin)
    shown = [f"{suite.name:<18} {counts}   ({seconds} s)"]
    if counts.failed:
        shown += [f"    {line}"
                  for line in output.strip().splitlines()[-SHOWN_LINES:]]
        shown.append(f"    all of it: {log.relative_to(TOP)}")
    print("\n".join(shown), flush=True)
    return {**vars(counts), "seconds": seconds, "commit": COMMIT}


def git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], cwd=TOP, check=False, text=True,
                          capture_output=True)


def current_commit() -> str:
    """Changed reports do not count: a run writes one."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".",
                  ":!tests/reports").stdout.strip()
    commit = git("rev-parse", "--short", "HEAD").stdout.strip() or "unknown"
    return commit + ("-dirty" if changed else "")


COMMIT = current_commit()


def read_report() -> dict[str, dict]:
    """The rows of the newest report, by suite: --full goes on from there, on
    another machine too."""
    rows = {}
    for path in sorted(REPORTS.glob("full-*.md"))[-1:]:
        for line in path.read_text().splitlines():
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            if len(cells) == len(CELLS) + 1 and cells[0].isdecimal():
                rows[name] = {**dict(zip(CELLS, map(int, cells))),
                              "commit": cells[-1]}
    return rows


class Results:
    """What suites came to; of --full, in a report."""

    def __init__(self, full: bool, since: str) -> None:
        self.full = full
        self.since = since
        self.lock = threading.Lock()
        self.rows: dict[str, dict] = {}
        if full:
            self.rows = {name: row for name, row in read_report().items()
                         if self.counts_still(row["commit"])}

    def counts_still(self, commit: str) -> bool:
        """Whether what was found at that commit is taken as it is."""
        if commit == COMMIT:
            return True
        return bool(self.since) and not commit.endswith("-dirty") and \
            git("merge-base", "--is-ancestor", self.since,
                commit).returncode == 0

    def is_done(self, suite: Suite) -> bool:
        row = self.rows.get(suite.name)
        return bool(row) and not row["failed"] and not suite.is_build

    def put(self, suite: Suite, row: dict) -> None:
        with self.lock:
            self.rows[suite.name] = row
            if self.full:
                self.write_report()

    def total(self, suites: list[Suite]) -> Counts:
        total = Counts()
        for suite in suites:
            row = self.rows.get(suite.name)
            if row:
                total.add(Counts(row["passed"], row["failed"],
                                 row["skipped"]))
        return total

    def write_report(self) -> Path:
        """Of all suites, as far as they have been run."""
        REPORTS.mkdir(exist_ok=True)
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        missing = sum(suite.name not in self.rows for suite in SUITES)
        not_run = f"; {missing} suites not run" if missing else ""
        lines = [f"# ./check --full, {today}", "",
                 f"{self.total(SUITES)}{not_run}.", "",
                 "| suite | passed | failed | skipped | seconds | commit |",
                 "|---|---|---|---|---|---|"]
        for suite in SUITES:
            row = self.rows.get(suite.name)
            cells = [str(row[cell]) if row else "" for cell in CELLS]
            commit = row["commit"] if row else "not run"
            lines.append(f"| {suite.name} | {' | '.join(cells)} | {commit} |")
        path = REPORTS / f"full-{today}.md"
        path.write_text("\n".join(lines) + "\n")
        return path


def run_all(suites: list[Suite], jobs: int, results: Results) -> None:
    """Runs them in their order, up to so many at once."""
    running: set[concurrent.futures.Future] = set()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for suite in suites:
            if results.is_done(suite):
                print(f"{suite.name:<18} done before", flush=True)
                continue
            if suite.alone:
                concurrent.futures.wait(running)
            future = pool.submit(lambda suite=suite:
                                 results.put(suite, run(suite)))
            running.add(future)
            if suite.alone:
                future.result()
            if suite.is_build and results.rows[suite.name]["failed"]:
                return  # nothing behind it would mean anything
        for future in running:
            future.result()


def choose(names: list[str], full: bool) -> list[Suite]:
    """Those named, behind what builds what they test; or all."""
    if not names:
        return [suite for suite in SUITES if full or not suite.full_only]
    named = [suite for suite in SUITES if suite.name in names]
    return [suite for suite in SUITES if suite in named or suite.is_build
            and any(one.needs(suite) for one in named)]


def stop_all(*_: object) -> None:
    for process in list(commands):
        stop(process)
    os._exit(1)  # without the suites that still wait


def main() -> int:
    parser = argparse.ArgumentParser(description="Run every test.")
    parser.add_argument("--full", action="store_true",
                        help="what takes longer too")
    parser.add_argument("--since", default="", metavar="COMMIT",
                        help="with --full: take what passed at COMMIT or "
                        "later as it is")
    parser.add_argument("--jobs", type=int,
                        default=min(os.cpu_count() or 1, MAX_JOBS),
                        help="suites at once (default: %(default)s)")
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help=", ".join(suite.name for suite in SUITES))
    args = parser.parse_args()
    unknown = set(args.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    chosen = choose(args.suites, args.full)
    if not args.suites:  # those of ./check first
        chosen.sort(key=lambda suite: suite.full_only)
    os.umask(0o022)
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGINT, stop_all)
    signal.signal(signal.SIGTERM, stop_all)
    results = Results(args.full, args.since)
    run_all(chosen, args.jobs, results)
    if args.full:
        print(f"report: {results.write_report().relative_to(TOP)}")
    total = results.total(chosen)
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
