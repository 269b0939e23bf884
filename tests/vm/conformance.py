#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What policies decide, held to by real system calls on real kernels.

    tests/vm/conformance.py [--kernel ID]... [--only PATTERN] [--full]

A row is a call (conformance/probes/), made by a subject, under a policy. Its
verdict and event have to be what tests/oracle.py says; the same call by the
same subject without the policy, before and after, has to end otherwise. All
rows of a kernel are one boot. conformance/rows.py has the tables.
"""

from __future__ import annotations

import argparse
import fnmatch
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import documents
import vm
from conformance import bundles as compiling
from conformance import cannot, guest, judge, rows, support
from conformance.bundles import Compiled
from conformance.judge import Outcome

SHORT = ["6.1", "newest"]
FLOOD, FLOOD_FULL = 100_000, 1_000_000
TIMEOUT = 2400


def refusals(build: Path, folder: Path) -> list[Outcome]:
    """What has to fail while compiling."""
    outcomes = []
    for number, refusal in enumerate(rows.REFUSALS):
        source = folder / f"refused-{number}.bpflock"
        source.write_text(refusal.text)
        ran = subprocess.run([build / "bpflockc", source, "-o",
                              folder / "refused.o"], check=False, text=True,
                             stderr=subprocess.PIPE)
        outcome = Outcome(f"compile/{refusal.name}")
        if ran.returncode != 1 or refusal.check not in ran.stderr:
            outcome.wrong = [f"status {ran.returncode}", ran.stderr]
        outcomes.append(outcome)
    return outcomes


def run_kernel(kernel: str, build: Path, compiled: Compiled,
               bundles: Path, flood: int) -> tuple[str, list[Outcome]]:
    """(its release, what came of its rows)"""
    architecture = vm.kernels.row(kernel).architecture
    programs = build if architecture == "amd64" else build / architecture
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        facts = guest.fill(overlay, programs, vm.kernels.get(kernel),
                           bundles)
        text = guest.script(rows.SUBJECTS, rows.PROBES, compiled.bundles,
                            flood)
        (overlay / "t/script").write_text(text)
        result = vm.run(kernel, ["sh", "/t/script"], overlay=overlay,
                        timeout=TIMEOUT)
    keep(build, kernel, result)
    report = judge.Report().read(result.text)
    outcomes = [came_up(result, report)]
    for policy in compiled.bundles:
        if policy.flood:
            outcomes += [judge.judge_load(report, policy),
                         judge.judge_flood(report, policy, flood)]
            continue
        outcomes += judge.judge_policy(
            report, policy, compiled.tables[policy.name],
            rows.probes_of(policy.protection), facts)
    return result.release, outcomes


def keep(build: Path, kernel: str, result: vm.Result) -> None:
    """All that the machine said, for who looks into a failure."""
    folder = build / "conformance"
    folder.mkdir(exist_ok=True)
    (folder / f"{kernel}.log").write_bytes(result.stdout + result.stderr)


def came_up(result: vm.Result, report: judge.Report) -> Outcome:
    outcome = Outcome("machine")
    if not result.ok:
        outcome.wrong.append(result.explain() or f"status {result.status}")
    down = [subject.name for subject in rows.SUBJECTS
            if not report.pids.get(subject.name)]
    if down:
        outcome.wrong.append(f"subjects that are not there: {down}")
    outcome.wrong += report.strange
    return outcome


def not_built(compiled: Compiled, policies: list[rows.Policy],
              ) -> list[Outcome]:
    """The rows of policies that have no bundle."""
    outcomes = []
    for policy in policies:
        if policy.name in compiled.wrong:
            outcomes.append(Outcome(f"{policy.name}/compile",
                                    [compiled.wrong[policy.name]]))
        if policy.name not in compiled.lacking:
            continue
        reason = f"not built yet: {compiled.lacking[policy.name]}"
        for name in policy.subjects:
            outcomes += [Outcome(f"{policy.name}/{name}/{probe.name}",
                                 skipped=reason)
                         for probe in rows.probes_of(policy.protection)]
    return outcomes


def defects(outcomes: list[Outcome]) -> list[Outcome]:
    """The original's, each by the rows that show it."""
    found = []
    for defect in rows.DEFECTS:
        result = Outcome(f"defect: {defect.words}")
        reasons = set()
        for pattern in defect.rows:
            mine = [outcome for outcome in outcomes
                    if fnmatch.fnmatchcase(outcome.name, pattern)]
            bad = [outcome.name for outcome in mine if outcome.wrong]
            if bad:
                result.wrong.append(f"{pattern}: {', '.join(bad[:5])}")
            if not any(outcome.passed for outcome in mine):
                reasons.add(pattern)
        if reasons and not result.wrong:
            result.skipped = f"no row passed: {', '.join(sorted(reasons))}"
        found.append(result)
    return found


def show(kernel: str, outcomes: list[Outcome]) -> tuple[int, int, int]:
    counts = [0, 0, 0]
    for outcome in outcomes:
        if outcome.wrong:
            counts[1] += 1
            print(f"not ok {kernel} {outcome.name}")
            for line in outcome.wrong:
                print(f"    {line}")
        elif outcome.skipped is not None:
            counts[2] += 1
            print(f"skipped {kernel} {outcome.name}: {outcome.skipped}")
        else:
            counts[0] += 1
            print(f"ok {kernel} {outcome.name}")
    return tuple(counts)


def words(counts: tuple[int, int, int]) -> str:
    return "{} passed, {} failed, {} skipped".format(*counts)


def run_all(args: argparse.Namespace) -> tuple[int, int, int]:
    total = (0, 0, 0)
    policies = compiling.policies_like(
        args.only, True if args.quick else False if args.rest else None)
    usual = not args.only and not args.rest  # all that ./check runs
    options = ["-O0"] if args.unfolded else []
    whole = usual and not args.quick and not args.unfolded
    flood = FLOOD_FULL if args.full else FLOOD
    with tempfile.TemporaryDirectory() as scratch:
        bundles = Path(scratch) / "p"
        compiled = compiling.compile_policies(args.builddir / "bpflockc",
                                              policies, bundles, *options)
        early = refusals(args.builddir, Path(scratch))
        for kernel in args.kernel:
            release, outcomes = run_kernel(kernel, args.builddir, compiled,
                                           bundles, flood)
            outcomes += early + not_built(compiled, policies)
            outcomes += cannot.apply(kernel, outcomes, cannot.read(),
                                     whole)
            if usual:
                outcomes += defects(outcomes)
            if not args.unfolded:
                support.save(args.builddir / "conformance", kernel, release,
                             outcomes, compiling.whole(policies))
            counts = show(kernel, outcomes)
            print(f"{kernel} ({release}): {words(counts)}", flush=True)
            total = tuple(map(sum, zip(total, counts)))
    return total


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", action="append", metavar="ID",
                        help="rows of kernels.tsv (default: "
                             f"{', '.join(SHORT)}; with --full all)")
    parser.add_argument("--only", metavar="PATTERN",
                        help="policies with such a name (as in a shell)")
    parser.add_argument("--unfolded", action="store_true",
                        help="what -O0 makes of the policies")
    parser.add_argument("--full", action="store_true",
                        help="every kernel, and longer floods")
    parser.add_argument("--quick", action="store_true",
                        help="leave out policies that others make likely")
    parser.add_argument("--rest", action="store_true",
                        help="what --quick leaves out")
    parser.add_argument("--update-docs", action="store_true",
                        help="write docs/support.md from the last whole runs")
    parser.add_argument("--check-docs", action="store_true",
                        help="compare it with them")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    if args.update_docs or args.check_docs:
        return documents.write_or_check(support, args.update_docs,
                                        args.builddir / "conformance",
                                        vm.kernels.matrix(),
                                        compiling.operations()
                                        | {rows.TRACE: rows.TRACED})
    if not args.kernel:
        args.kernel = vm.kernels.matrix() if args.full else SHORT
    try:
        total = run_all(args)
    except vm.HostError as error:
        print(error)
        return vm.EXIT_HOST
    print(words(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
