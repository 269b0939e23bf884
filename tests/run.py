#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every test: what ./check does once all is installed.

A suite is a command. It says how it went in its last line, as "N passed, N
failed" with or without ", N skipped"; one that says nothing of the kind counts
as one test, by its exit status. What a suite prints goes to build/check/NAME.log,
and its end is shown where it failed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from counts import Counts

TOP = Path(__file__).resolve().parent.parent
LOGS = TOP / "build/check"
STATE = LOGS / "full.json"
REPORTS = TOP / "tests/reports"
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\.?$")
SHOWN_LINES = 60  # of a suite that failed

PYTHON = sys.executable


@dataclass(frozen=True)
class Suite:
    name: str
    command: list[str]
    full_only: bool = False
    minutes: float = 10  # then it counts as failed


def build(name: str, *options: str, **more: object) -> Suite:
    """Builds one configuration, warnings being errors."""
    folder = "build" if name == "gcc" else f"build/{name}"
    ninja = "" if name == "gcc" else f"-f {folder}/build.ninja"
    configure = " ".join(["./configure.py", "--werror", "--builddir", folder,
                          *options])
    return Suite(f"build-{name}", ["sh", "-ec", f"{configure}; ninja {ninja}"],
                 **more)


def python(name: str, *command: str, **more: object) -> Suite:
    return Suite(name, [PYTHON, *command], **more)


def conformance(kernel: str, **more: object) -> Suite:
    return python(f"conformance-{kernel}", "tests/vm/conformance.py",
                  "--kernel", kernel, minutes=25, **more)


SUITES = [
    build("gcc"),
    build("clang", "--cc", "clang"),
    build("sanitize", "--sanitize"),
    build("arm64", "--cross", "arm64", full_only=True),
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
    python("agree", "tests/agree.py", "--compiler", "build/bpflockc",
           "--count", "2000", "--seed", "1"),
    build("fuzz", "--fuzz"),
    # The same inputs each time; --full looks for new ones.
    python("fuzz", "tests/fuzz.py", "--seconds", "60", "--seed", "1"),
    python("fuzz-full", "tests/fuzz.py", "--seconds", "300", full_only=True,
           minutes=30),
    python("fold", "tests/fold_check.py"),
    python("miscompiled", "tests/seed_miscompilations.py"),
    python("demo-6.1", "tests/vm/demo.py", "policies/no-new-modules.bpflock"),
    python("demo-newest", "tests/vm/demo.py", "--kernel", "newest",
           "policies/no-new-modules.bpflock"),
    python("folded-6.1", "tests/vm/test_folded.py", "--kernel", "6.1"),
    python("loader-6.1", "tests/vm/test_loader.py", "--kernel", "6.1",
           minutes=30),
    python("seal-6.1", "tests/vm/test_seal.py", "--quick"),
    python("seal-full", "tests/vm/test_seal.py", "--kernel", "5.10",
           "--kernel", "6.1", "--kernel", "6.12", "--kernel", "newest",
           "--kernel", "arm64-6.12", full_only=True, minutes=60),
    python("verify-6.1", "tests/vm/test_verify.py"),
    python("verify-full", "tests/vm/test_verify.py", "--kernel", "5.10",
           "--kernel", "6.12", "--kernel", "newest", full_only=True),
    # What one machine can try without a control in less than a minute.
    python("attacks-6.1", "tests/attacks/attacks.py", "--quick"),
    conformance("6.1"),
    conformance("newest"),
    conformance("5.10", full_only=True),
    conformance("6.12", full_only=True),
    conformance("arm64-6.12", full_only=True),
    python("conformance-flood", "tests/vm/conformance.py", "--full", "--kernel",
           "6.1", "--kernel", "newest", "--only", "*-flood", full_only=True,
           minutes=60),
    python("software", "tests/vm/test_software.py", "--kernel", "6.1",
           "--kernel", "6.12", "--kernel", "newest", full_only=True,
           minutes=45),
    *[python(f"attacks-{kernel}-full", "tests/attacks/attacks.py", "--kernel",
             kernel, full_only=True, minutes=40)
      for kernel in ("5.10", "6.1", "6.12", "newest", "arm64-6.12")],
    python("attacks-score", "tests/attacks/attacks.py", "--check-docs",
           full_only=True),
    python("cgroups", "tests/vm/test_cgroups.py", full_only=True, minutes=30),
    python("commands", "tests/vm/test_commands.py", full_only=True),
    python("support", "tests/vm/conformance.py", "--check-docs",
           full_only=True),
    python("coverage", "tests/coverage.py", full_only=True),
    # Installs what the others do not need.
    Suite("bench", ["./bench", "--quick"], full_only=True, minutes=60),
    python("folded-full", "tests/vm/test_folded.py", full_only=True),
    python("fold-full", "tests/fold_check.py", "--cases", "1000000",
           full_only=True),
    python("agree-full", "tests/agree.py", "--compiler", "build/bpflockc",
           "--count", "10000", "--seed", "7", full_only=True),
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


def run_command(suite: Suite, out: BinaryIO) -> int:
    """Its exit status; -1 where it had to be stopped, with all it started:
    a machine that nobody waits for would go on for ever."""
    with subprocess.Popen(suite.command, cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=out, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            return process.wait(timeout=60 * suite.minutes)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    out.write(f"\nstopped after {suite.minutes} minutes\n".encode())
    return -1


def run(suite: Suite) -> tuple[Counts, float]:
    log = LOGS / f"{suite.name}.log"
    begin = time.monotonic()
    with log.open("wb") as out:
        status = run_command(suite, out)
    output = log.read_text(errors="replace")
    counts = counts_of(output, status)
    seconds = time.monotonic() - begin
    print(f"{suite.name:<16} {counts}   ({seconds:.0f} s)", flush=True)
    if counts.failed:
        for line in output.strip().splitlines()[-SHOWN_LINES:]:
            print(f"    {line}")
        print(f"    all of it: {log.relative_to(TOP)}", flush=True)
    return counts, seconds


def commit() -> str:
    described = subprocess.run(["git", "describe", "--always", "--dirty"],
                               cwd=TOP, check=False, text=True,
                               capture_output=True)
    return described.stdout.strip() or "unknown"


def load_state() -> dict:
    """What an interrupted --full of this very commit has done already."""
    if STATE.exists():
        state = json.loads(STATE.read_text())
        if state["commit"] == commit():
            return state
    return {"commit": commit(), "suites": {}}


def write_report(state: dict) -> None:
    REPORTS.mkdir(exist_ok=True)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines = [f"# ./check --full, {today}", "", f"Commit {state['commit']}.",
             "", "| suite | passed | failed | skipped | seconds |",
             "|---|---|---|---|---|"]
    for name, row in state["suites"].items():
        lines.append(f"| {name} | {row['passed']} | {row['failed']} | "
                     f"{row['skipped']} | {row['seconds']} |")
    path = REPORTS / f"full-{today}.md"
    path.write_text("\n".join(lines) + "\n")
    print(f"report: {path.relative_to(TOP)}")


def run_all(chosen: list[Suite], full: bool) -> Counts:
    total = Counts()
    state = load_state() if full else {"commit": "", "suites": {}}
    for suite in chosen:
        done = state["suites"].get(suite.name)
        if done and not done["failed"] and not suite.name.startswith("build"):
            print(f"{suite.name:<16} done before", flush=True)
            total.add(Counts(done["passed"], done["failed"], done["skipped"]))
            continue
        counts, seconds = run(suite)
        total.add(counts)
        state["suites"][suite.name] = {**vars(counts),
                                       "seconds": round(seconds)}
        if full:
            STATE.write_text(json.dumps(state))
        if counts.failed and suite.name.startswith("build"):
            break  # nothing behind it would mean anything
    if full:
        write_report(state)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description="Run every test.")
    parser.add_argument("--full", action="store_true",
                        help="what takes longer too")
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help=", ".join(suite.name for suite in SUITES))
    args = parser.parse_args()
    unknown = set(args.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    chosen = [suite for suite in SUITES
              if (suite.name in args.suites if args.suites
                  else args.full or not suite.full_only)]
    os.umask(0o022)
    LOGS.mkdir(parents=True, exist_ok=True)
    total = run_all(chosen, args.full)
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
