# SPDX-License-Identifier: GPL-2.0-only
"""What each row has to come to, by the oracle, and whether it did."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import oracle

from . import rows
from .rows import Facts, Policy, Probe, Reach, Step, Subject

LABEL_BYTES = 15


@dataclass
class Line:
    """What a probe said."""
    result: str
    comm: str
    pid: int


@dataclass
class Report:
    """What the machine said, by kind of line."""
    pids: dict[str, int] = field(default_factory=dict)
    results: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    loaded: dict[str, int] = field(default_factory=dict)
    unloaded: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, list[dict]] = field(default_factory=dict)
    floods: dict[str, tuple[int, int]] = field(default_factory=dict)
    flooded: dict[str, tuple[int, str]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def read(self, text: str) -> Report:
        for line in text.splitlines():
            self.line(line)
        return self

    def line(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        words = rest.split(" ")
        if kind == "P":
            self.pids[words[0]] = int(words[1])
        elif kind == "R" and ":" in words[2]:
            self.flooded[words[0]] = int(words[3]), words[4]
        elif kind == "F":
            lost = re.search('"lost":([0-9]+)', rest)
            self.floods[words[0]] = (int(words[1]),
                                     int(lost[1]) if lost else 0)
        elif kind == "R" and len(words) == 6:
            self.results[tuple(words[:3])] = Line(words[3], words[4],
                                                  int(words[5]))
        elif kind in "LU" and len(words) == 2:
            (self.loaded if kind == "L" else self.unloaded)[words[0]] = \
                int(words[1])
        elif kind == "M":
            self.said.setdefault(words[0], []).append(rest.partition(" ")[2])
        elif kind == "E":
            self.event(words[0], rest.partition(" ")[2])
        else:
            self.strange.append(line)

    def event(self, policy: str, text: str) -> None:
        try:
            self.events.setdefault(policy, []).append(json.loads(text))
        except json.JSONDecodeError:
            self.strange.append(f"event of {policy}: {text}")


@dataclass
class Outcome:
    """Of a row. No wrong and no skipped: it passed."""
    name: str
    wrong: list[str] = field(default_factory=list)
    skipped: str | None = None
    proof: tuple[str, str] | None = None  # (protection, operation) denied

    @property
    def passed(self) -> bool:
        return not self.wrong and self.skipped is None


@dataclass
class Expected:
    denied: bool
    events: list[tuple[str, str, str]]  # verdict, operation, file:line
    cgroup: str | None                  # that the class is named after


def class_of(table: dict, place: str, cgroup: str | None) -> tuple[int, str]:
    """(class, its cgroup): the deepest on the path that the table names."""
    found, name = 0, None
    for number, entry in enumerate(table["classes"]):
        named = entry["cgroup"]
        if entry["place"] != place:
            continue
        if named is None and name is None:
            found = number
        elif named and cgroup and is_below(cgroup, named) \
                and len(named) > len(name or ""):
            found, name = number, named
    return found, name


def is_below(cgroup: str, named: str) -> bool:
    return cgroup == named or cgroup.startswith(named.rstrip("/") + "/")


def operations_of(table: dict, step: Step) -> Collection[str]:
    if isinstance(step.operations, Reach):
        return oracle.operations_of(table, step.operations.address,
                                    step.operations.port)
    return step.operations


def decide(table: dict, step: Step, number: int) -> tuple[str, dict]:
    """(operation, cell) that an access comes to: the first one denied, or
    else the first."""
    operations = operations_of(table, step)
    cells = {operation["name"]: operation["cells"][number]
             for operation in table["operations"]}
    for name in cells:
        if name in operations and cells[name]["verdict"] != "allow":
            return name, cells[name]
    first = next(name for name in cells if name in operations)
    return first, cells[first]


def strictest(table: dict, step: Step) -> int:
    """A class that is denied it, if there is one."""
    numbers = range(len(table["classes"]))
    return next((number for number in numbers
                 if decide(table, step, number)[1]["verdict"] != "allow"), 0)


def expect(table: dict, policy: Policy, probe: Probe, subject: Subject,
           facts: Facts) -> Expected:
    own, cgroup = class_of(table, subject.place, subject.cgroup)
    events = []
    for step in probe.steps:
        if step.when and step.when not in facts.words:
            continue
        number = own
        if step.place == rows.ANYONE:
            number = strictest(table, step)
        elif step.place:
            number, _ = class_of(table, step.place, None)
        operation, cell = decide(table, step, number)
        if cell["logged"] and not step.place:
            rule = f"{cell['by']['file']}:{cell['by']['line']}"
            events.append((cell["verdict"], operation, rule))
        if cell["verdict"] == "deny":
            return Expected(True, events, cgroup)
    return Expected(probe.name in policy.denies, events, cgroup)


def number_of(line: Line, subject: Subject) -> int:
    """Of the descriptor that a probe executes."""
    return (1000 + 100 * rows.SUBJECTS.index(subject)
            + int(line.comm.rsplit(".", 1)[1]))


def events_of(events: list[dict], line: Line, probe: Probe,
              subject: Subject) -> list[dict]:
    """Those of one probe, by its comm: the label, or what executing a
    descriptor makes of it."""
    number = number_of(line, subject)
    comms = {line.comm, str(number), f"memfd:{line.comm}"[:LABEL_BYTES],
             f"memfd:{number}"}
    return [event for event in events
            if event.get("comm") in comms
            and event["protection"] == probe.protection]


def without_repeats(events: list[tuple]) -> list[tuple]:
    """The verifier asks for a helper twice, an ELF file has two executable
    segments: one call may be asked about several times in a row."""
    return [event for number, event in enumerate(events)
            if number == 0 or events[number - 1] != event]


def is_told(value: object, event: dict, key: str) -> bool:
    """Kernels that do not tell whole paths tell the last part."""
    found = event.get(key)
    if key == "object" and event.get("object_is") == "last-part":
        value = str(value).rsplit("/", 1)[-1].removesuffix(" (deleted)")
    return found == value


def judge_told(found: list[dict], told: tuple[dict, ...], line: Line,
               subject: Subject) -> list[str]:
    wrong = []
    for event, fields in zip(found, told):
        for key, value in fields.items():
            words = {"{label}": line.comm,
                     "{number}": str(number_of(line, subject))}
            text = json.dumps(value)
            for word, instead in words.items():
                text = text.replace(word, instead)
            if not is_told(json.loads(text), event, key):
                wrong.append(f"event's {key} {event.get(key)!r}, not {text}")
    return wrong


def judge_events(found: list[dict], expected: Expected, line: Line,
                 subject: Subject) -> list[str]:
    seen = without_repeats([(event["verdict"], event["operation"],
                             event["rule"]) for event in found])
    wanted = without_repeats(expected.events)
    if seen != wanted:
        return [f"events {seen}, not {wanted}"]
    wrong = []
    for event in found:
        if event["place"] != subject.place:
            wrong.append(f"event's place {event['place']}")
        if event.get("cgroup") != expected.cgroup:
            wrong.append(f"event's cgroup {event.get('cgroup')}")
        if not subject.own_pids and line.pid not in (event["pid"],
                                                     event["ppid"]):
            wrong.append(f"event's pid {event['pid']}, not {line.pid}")
        if event["parent"] not in (f"serve.{subject.name[:9]}", line.comm):
            wrong.append(f"event's parent {event['parent']}")
    return wrong


def judge_objects(found: list[dict], probe: Probe) -> list[str]:
    if probe.object is None:
        return []
    return [f"event's object {event.get('object')}, not {probe.object}"
            for event in found if event.get("object") != probe.object]


def judge_row(report: Report, policy: Policy, table: dict, probe: Probe,
              subject: Subject, facts: Facts) -> Outcome:
    outcome = Outcome(f"{policy.name}/{subject.name}/{probe.name}")
    line, control, after = (
        report.results.get((phase, subject.name, probe.name))
        for phase in (policy.name, "control", "after"))
    if not line or not control or not after:
        outcome.wrong.append(
            f"no line: {line and 'control or after' or 'the probe itself'}")
        return outcome
    expected = expect(table, policy, probe, subject, facts)
    if "SETUP" in (line.result, control.result, after.result):
        outcome.wrong.append("what the probe needs is not there")
    outcome.wrong += judge_result(probe, expected, line, control, after)
    if policy.no_events is None:
        found = events_of(report.events.get(policy.name, []), line, probe,
                          subject)
        outcome.wrong += judge_events(found, expected, line, subject)
        if expected.events:
            told = probe.told_denied if expected.denied else probe.told
            outcome.wrong += judge_told(found, told, line, subject)
        outcome.wrong += judge_objects(found, probe)
    elif expected.events and not outcome.wrong:
        outcome.skipped = f"verdict right, events not read: {policy.no_events}"
    if probe.told and expected.events:
        outcome.proof = (rows.TRACE, probe.protection)
    elif expected.denied and expected.events:
        outcome.proof = (probe.protection, expected.events[-1][1])
    return outcome


def judge_result(probe: Probe, expected: Expected, line: Line, control: Line,
                 after: Line) -> list[str]:
    wrong = []
    if probe.steps and control.result in probe.denied | {"EPERM"}:
        wrong.append(f"control is {control.result}: the row proves nothing")
    if after.result != control.result:
        wrong.append(f"{after.result} after --unload, {control.result} "
                     "before")
    if expected.denied:
        if line.result not in probe.denied:
            wrong.append(f"{line.result}, has to be denied "
                         f"({' or '.join(sorted(probe.denied))})")
        return wrong
    through = {control.result}
    if control.result == "ok":
        through |= probe.through
    if line.result not in through:
        wrong.append(f"{line.result}, has to be let through "
                     f"({' or '.join(sorted(through))})")
    return wrong


def judge_load(report: Report, policy: Policy) -> Outcome:
    outcome = Outcome(f"{policy.name}/load")
    status = report.loaded.get(policy.name)
    if status != 0:
        outcome.wrong = [f"bpflock-load: status {status}",
                         *report.said.get(policy.name, [])]
    elif report.unloaded.get(policy.name) != 0:
        outcome.wrong = ["bpflock-load --unload: status "
                         f"{report.unloaded.get(policy.name)}",
                         *report.said.get(policy.name, [])]
    lost = [event for event in report.events.get(policy.name, [])
            if "lost" in event]
    outcome.wrong += [f"events were lost: {event}" for event in lost]
    report.events[policy.name] = [
        event for event in report.events.get(policy.name, [])
        if "lost" not in event]
    return outcome


def judge_flood(report: Report, policy: Policy, count: int) -> Outcome:
    """All are denied, and each is either read or counted as lost."""
    outcome = Outcome(f"{policy.name}/{count} denials")
    denied, other = report.flooded.get(policy.name, (0, "no line"))
    read, lost = report.floods.get(policy.name, (0, 0))
    if (denied, other) != (count, "ok"):
        outcome.wrong.append(f"{denied} denied of {count}; other: {other}")
    if read + lost != denied:
        outcome.wrong.append(f"{read} events and {lost} lost are not "
                             f"{denied} denials")
    return outcome


def lacking(table: dict, protection: str, facts: Facts) -> list[str]:
    """The operations that the policy denies or logs, and the kernel lacks."""
    return [operation["name"] for operation in table["operations"]
            if f"{protection}.{operation['name']}" in facts.lacks
            and any(cell["verdict"] != "allow" or cell["logged"]
                    for cell in operation["cells"])]


def judge_refusal(report: Report, policy: Policy,
                  names: list[str]) -> Iterator[Outcome]:
    """It is not loaded, and these are named, no others."""
    said = " ".join(report.said.get(policy.name, []))
    found = re.findall(r"no (?:lockdown reason|hook \w+) for \w+\.(\w+)", said)
    outcome = Outcome(f"{policy.name}/refused")
    if report.loaded.get(policy.name) != 1 or found != names:
        outcome.wrong = [f"status {report.loaded.get(policy.name)}, {said}"]
    yield outcome
    for name in names:
        yield Outcome(f"{policy.name}/refused/{name}", skipped="cannot: the "
                      "kernel does not ask about it, and bpflock-load "
                      "refuses it by name", proof=(policy.protection, name))


def judge_no_trace(report: Report, policy: Policy) -> Iterator[Outcome]:
    """The kernel cannot do it, and it is not loaded."""
    said = " ".join(report.said.get(policy.name, []))
    outcome = Outcome(f"{policy.name}/refused")
    if report.loaded.get(policy.name) != 1 \
            or f"as trace {policy.protection} does" not in said:
        outcome.wrong = [f"status {report.loaded.get(policy.name)}, {said}"]
    yield outcome
    yield Outcome(f"{policy.name}/refused/{policy.protection}",
                  skipped="cannot: the kernel lets no program keep count for "
                  "a task, and bpflock-load refuses it by name",
                  proof=(rows.TRACE, policy.protection))


def judge_policy(report: Report, policy: Policy, table: dict,
                 probes: list[Probe], facts: Facts) -> Iterator[Outcome]:
    if policy.protection in facts.lacks:
        yield from judge_no_trace(report, policy)
        return
    missing = lacking(table, policy.protection, facts)
    if missing:
        yield from judge_refusal(report, policy, missing)
        return
    yield judge_load(report, policy)
    for name in policy.subjects:
        subject = rows.BY_NAME[name]
        for probe in probes:
            if probe.needs_module and not subject.module:
                continue
            if report.loaded.get(policy.name) != 0:
                yield Outcome(f"{policy.name}/{name}/{probe.name}",
                              skipped="the policy was not loaded")
                continue
            yield judge_row(report, policy, table, probe, subject, facts)
