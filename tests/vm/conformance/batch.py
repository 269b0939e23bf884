# SPDX-License-Identifier: GPL-2.0-only
"""Many sets of bundles of the same policies, one after another in one boot.

For who breaks templates on purpose (tests/mutate_templates.py): a boot, and
the rows without a policy, cost more than those of one mutant. A mutant is
judged only if all was as at first before it. One that cannot be unloaded ends
the machine, and those behind it wait for the next boot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import guest, judge, rows
from .judge import Outcome, Report
from .rows import Facts, Policy, Probe

MARK = "B"  # a line of the guest's: what follows is of that set

# Who tells whether all is as it was before the set.
SENTINELS = ("host", "container")

END_IF_STUCK = """
for pin in /sys/fs/bpf/bpflock/*; do
	[ ! -e "$pin" ] || exit 0
done
"""


@dataclass(frozen=True)
class Work:
    """The rows that each set is held to."""
    policies: list[Policy]
    tables: dict[str, dict]

    @property
    def probes(self) -> list[Probe]:
        protections = {policy.protection for policy in self.policies}
        return [probe for probe in rows.PROBES
                if probe.protection in protections]

    @property
    def subjects(self) -> list[rows.Subject]:
        names = {name for policy in self.policies for name in policy.subjects}
        return [subject for subject in rows.SUBJECTS
                if subject.name in names | set(SENTINELS)]


def script(work: Work, sets: list[str]) -> str:
    """The bundles of a set are in p/SET."""
    probes = work.probes
    sentinels = [rows.BY_NAME[name] for name in SENTINELS]
    lines = [guest.FUNCTIONS, "mv p sets", *guest.start(work.subjects),
             *guest.preload(work.subjects, probes),
             *guest.orders("control", work.subjects, probes)]
    for name in sets:
        lines += [f"echo {MARK} {name}", f"ln -sfn sets/{name} p"]
        for policy in work.policies:
            mine = [probe for probe in probes
                    if probe.protection == policy.protection]
            lines += guest.policy_lines(policy, mine)
        lines += [*guest.preload(sentinels, probes),
                  *guest.orders("after", sentinels, probes), END_IF_STUCK]
    return "\n".join([*lines, f"echo {MARK} end", "exit 0\n"])


def split(text: str) -> tuple[str, dict[str, str]]:
    """(what was said before the first set, what was said in each)"""
    before: list[str] = []
    parts: dict[str, list[str]] = {}
    current = before
    for line in text.splitlines():
        kind, _, name = line.partition(" ")
        if kind == MARK:
            current = parts.setdefault(name, [])
        else:
            current.append(line)
    return "\n".join(before), {name: "\n".join(lines)
                               for name, lines in parts.items()}


def is_as_before(report: Report, work: Work) -> bool:
    """Whether nothing is left of what was loaded."""
    if any(report.unloaded.get(name) != 0
           for name, status in report.loaded.items() if status == 0):
        return False
    controls = {key[1:]: line.result for key, line in report.results.items()
                if key[0] == "control" and key[1] in SENTINELS}
    afters = {key[1:]: line.result for key, line in report.results.items()
              if key[0] == "after"}
    return all(afters.get(key) == result for key, result in controls.items())


def judge_set(report: Report, work: Work, facts: Facts) -> list[Outcome]:
    # Who is no sentinel was not asked again.
    for (phase, *who), line in list(report.results.items()):
        if phase == "control" and who[0] not in SENTINELS:
            report.results["after", *who] = line
    outcomes = []
    for policy in work.policies:
        outcomes += judge.judge_policy(
            report, policy, work.tables[policy.name],
            rows.probes_of(policy.protection), facts)
    return outcomes


def judge_sets(text: str, ended: bool, work: Work, facts: Facts,
               sets: list[str]) -> dict[str, list[Outcome]]:
    """What came of the rows of each set that could be judged; @ended: whether
    the machine did, by itself."""
    before, parts = split(text)
    judged: dict[str, list[Outcome]] = {}
    whole = [name for name in parts if name in sets]
    if not ended and len(whole) > 1:
        whole.pop()  # it may be that time was up
    for name in whole:
        report = Report().read(before + "\n" + parts[name])
        as_before = is_as_before(report, work)
        judged[name] = judge_set(report, work, facts)
        if not as_before:
            break
    return judged


def fill(overlay: Path, programs: Path, kernel: object, bundles: Path,
         work: Work, sets: list[str]) -> Facts:
    """As guest.fill(), with the script."""
    facts = guest.fill(overlay, programs, kernel, bundles)
    (overlay / "t/script").write_text(script(work, sets))
    return facts
