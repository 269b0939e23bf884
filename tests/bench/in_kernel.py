# SPDX-License-Identifier: GPL-2.0-only
"""The tables that count instructions in a machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rows
from guest import (EPERM, Failed, Guest, Sample, Step, loaded, samples,
                   with_empty)
from results import progress
from settings import Settings


Table = dict[str, Any]


# --- instructions an operation ------------------------------------------------


def count_calls(settings: Settings, calls: list[str], options: str = "") -> str:
    return (f"calls_in_cgroup {options} {settings.samples} "
            f"{' '.join(calls)}")


def count_events(settings: Settings, calls: list[str]) -> str:
    """No more of each than the ring has room for events of all of them."""
    samples = min(settings.samples, 400 // len(calls))
    return f"calls_in_cgroup {samples} {' '.join(calls)}"


def no_drop(log: str) -> str:
    """A full ring would count something cheaper than an event."""
    if log != "logged":
        return ""
    return ' && bpflock-load --status | grep -q "drops  *0$"'


def empty_steps(settings: Settings,
                operations: list[rows.Operation]) -> list[Step]:
    return [Step(f"empty {verdict} {row.call}",
                 count_calls(settings, [row.call],
                             f"{with_empty('allow', row.others)} "
                             f"{with_empty(word, [row.hook])}"))
            for row in operations
            for verdict, word in (("allowed", "allow"), ("denied", "deny"))]


def bundle_steps(settings: Settings, guest: Guest,
                 operations: list[rows.Operation]) -> list[Step]:
    steps = []
    calls = [row.call for row in operations]
    for verdict in rows.VERDICTS:
        for log in rows.LOGS:
            for cgroups in settings.cgroups:
                for level, options in rows.LEVELS.items():
                    name = f"{verdict}-{log}-{cgroups}-{level}"
                    body = rows.deciding(operations, verdict, log, cgroups)
                    guest.bundle(name, rows.policy("measured", body),
                                 *options)
                    steps.append(Step(
                        f"{level} {verdict} {log} {cgroups}",
                        loaded(name, "measured", count_events(settings, calls)
                               + no_drop(log))))
    return steps


def check_verdict(key: str, call: str, sample: Sample) -> None:
    """A figure of something else than what it says would be worth nothing."""
    denied = "denied" in key.split()
    if (sample.error == EPERM) != denied:
        raise Failed(f"{key}: {call} ended with {sample.error}")


def measure_protection(settings: Settings,
                       protection: str) -> tuple[str, Table]:
    operations = rows.operations_of(protection)
    calls = [row.call for row in operations]
    with TemporaryDirectory() as scratch:
        guest = Guest(settings.kernel, settings.build, Path(scratch))
        guest.empty_programs(sorted({hook for row in operations
                                     for hook in (row.hook, *row.others)}))
        steps = [Step("nothing", count_calls(settings, calls)),
                 *empty_steps(settings, operations),
                 *bundle_steps(settings, guest, operations),
                 Step("nothing again", count_calls(settings, calls))]
        found = guest.run(steps)
    cells: Table = {}
    for key, lines in found.items():
        for call, sample in samples(lines).items():
            check_verdict(key, call, sample)
            name = key.removesuffix(f" {call}")
            cells.setdefault(call, {})[name] = sample.least
    return guest.release, cells


def measure_instructions(settings: Settings) -> tuple[str, Table]:
    """A machine a protection takes minutes: each is kept for itself."""
    release, cells = "", {}
    for protection in rows.measured_protections():
        part = f"instructions-{protection}"
        if settings.again or not settings.results.is_done(part):
            progress(part)
            settings.results.put(part,
                                 *measure_protection(settings, protection))
        found = settings.results.get(part)
        release = found.release
        cells.update(found.data)
    return release, {"calls": cells, "cgroups": settings.cgroups}


# --- system calls -------------------------------------------------------------


def hooks_of(build: Path, text: str) -> list[str]:
    """The hooks that a policy's programs are on."""
    with TemporaryDirectory() as scratch:
        source = Path(scratch) / "policy.bpflock"
        source.write_text(text)
        listed = subprocess.run([build / "bpflockc", "--emit=asm", source],
                                check=True, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.DEVNULL)
    return sorted(set(re.findall(r"^program \S+ \(lsm/(\w+)\)", listed.stdout,
                                 re.M)))


def policies() -> dict[str, list[str]]:
    """Each protection alone, and all of them."""
    names = rows.protections()
    return {**{name: [name] for name in names}, "everything": names}


def measure_system_calls(settings: Settings) -> tuple[str, Table]:
    everything = rows.policy("all", rows.baseline(rows.protections()))
    hooks = hooks_of(settings.build, everything)
    calls = count_calls(settings, rows.SYSTEM_CALLS)
    with TemporaryDirectory() as scratch:
        guest = Guest(settings.kernel, settings.build, Path(scratch))
        guest.empty_programs(hooks)
        steps = [Step("nothing", calls), Step("nothing again", calls),
                 Step("empty programs", count_calls(
                     settings, rows.SYSTEM_CALLS, with_empty("allow", hooks)))]
        for name, protections in policies().items():
            for level, options in rows.LEVELS.items():
                text = rows.policy("measured", rows.baseline(protections))
                guest.bundle(f"{name}-{level}", text, *options)
                steps.append(Step(f"{level} {name}",
                                  loaded(f"{name}-{level}", "measured",
                                         calls)))
        # A sealed machine is one until it is off; and before, it wants nobody
        # else's programs on its hooks.
        guest.bundle("sealed", rows.policy(
            "measured", rows.baseline(rows.protections()), "locked"))
        steps.append(Step("sealed everything",
                          "rm -r /sys/fs/bpf/empty && sleep 1 && "
                          f"bpflock-load /bundles/sealed.o >&2 && {calls}"))
        progress("syscalls: in the machine")
        found = guest.run(steps)
    cells = {key: {call: sample.least
                   for call, sample in samples(lines).items()}
             for key, lines in found.items()}
    return guest.release, {"cells": cells, "hooks": hooks}


# --- bundles ------------------------------------------------------------------


PROGRAM_FIELDS = ["slots", "xlated", "jited", "verified", "time", "memory"]


def sum_programs(lines: list[list[str]]) -> Table:
    """Of the lines of programs.c, over all programs and maps."""
    total = dict.fromkeys(["programs", *PROGRAM_FIELDS, "map_memory"], 0)
    for kind, _, *numbers in lines:
        if kind == "map":
            total["map_memory"] += int(numbers[0])
            continue
        total["programs"] += 1
        for field, number in zip(PROGRAM_FIELDS, numbers):
            total[field] += int(number)
    return total


def measure_bundles(settings: Settings) -> tuple[str, Table]:
    found: Table = {}
    with TemporaryDirectory() as scratch:
        guest = Guest(settings.kernel, settings.build, Path(scratch))
        steps = []
        for name, protections in policies().items():
            for level, options in rows.LEVELS.items():
                path = guest.bundle(
                    f"{name}-{level}",
                    rows.policy("measured", rows.baseline(protections)),
                    *options)
                found[f"{name} {level}"] = {"bytes": path.stat().st_size}
                steps += [Step(f"{name} {level} {run}",
                               f"programs show /bundles/{path.name}")
                          for run in range(settings.loads)]
        progress("bundles: in the machine")
        shown = guest.run(steps)
    for key, row in found.items():
        runs = [sum_programs(shown[f"{key} {run}"])
                for run in range(settings.loads)]
        row.update(runs[0])
        row["time"] = min(run["time"] for run in runs)
        row["slowest"] = max(run["time"] for run in runs)
    return guest.release, found


# --- loading ------------------------------------------------------------------


UNPIN = "rm -r /sys/fs/bpf/loaded"


def measure_loading(settings: Settings) -> tuple[str, Table]:
    """Audited: what bpftool loads knows no loader that may attach it."""
    with TemporaryDirectory() as scratch:
        guest = Guest(settings.kernel, settings.build, Path(scratch))
        steps = []
        for name, protections in policies().items():
            text = rows.policy("measured",
                               "mode audit; " + rows.baseline(protections))
            guest.bundle(name, text)
            path = f"/bundles/{name}.o"
            ours = (f"calls -r {settings.loads} "
                    "'bpflock-load --unload measured' "
                    f"/usr/bin/bpflock-load {path}")
            theirs = (f"calls -r {settings.loads} '{UNPIN}' /bin/sh -c "
                      f"'bpftool prog loadall {path} /sys/fs/bpf/loaded && "
                      "programs attach /sys/fs/bpf/loaded'")
            steps += [Step(f"{name} ours", ours),
                      Step(f"{name} theirs", theirs)]
        progress("loading: in the machine")
        found = guest.run(steps)
    taken = {key: samples(lines)["command"] for key, lines in found.items()}
    return guest.release, {
        name: {"ours": taken[f"{name} ours"].least,
               "theirs": taken[f"{name} theirs"].least,
               "again": taken[f"{name} ours"].median}
        for name in policies()}


# --- growth -------------------------------------------------------------------


def load_step(settings: Settings, name: str, bundle: str) -> Step:
    return Step(name, f"calls -r {settings.loads} "
                "'bpflock-load --unload measured' "
                f"/usr/bin/bpflock-load /bundles/{bundle}")


def measure_growing(settings: Settings, what: str, call: str, hook: str,
                    bodies: dict[str, str]) -> tuple[str, Table]:
    """Of policies that decide the same call in tables of other lengths: bytes,
    what the call costs more than an empty program, and loading."""
    found: Table = {}
    with TemporaryDirectory() as scratch:
        guest = Guest(settings.kernel, settings.build, Path(scratch))
        guest.empty_programs([hook])
        steps = [Step("empty", count_calls(settings, [call],
                                           with_empty("allow", [hook])))]
        for name, body in bodies.items():
            path = guest.bundle(name, rows.policy("measured", body))
            found[name] = {"bytes": path.stat().st_size}
            steps += [Step(name, loaded(name, "measured",
                                        count_calls(settings, [call]))),
                      load_step(settings, f"load {name}", path.name)]
        progress(f"{what}: in the machine")
        shown = guest.run(steps)
    empty = samples(shown["empty"])[call].least
    for name, row in found.items():
        sample = samples(shown[name])[call]
        check_verdict("allowed", call, sample)
        row["instructions"] = sample.least - empty
        row["load"] = samples(shown[f"load {name}"])["command"].least
    return guest.release, found


def measure_growth(settings: Settings) -> tuple[str, Table]:
    """One protection with a rule each for 1, 10, ... cgroups; asked by a task
    in the first of them."""
    call = "init_module"
    hook = next(row.hook for row in rows.OPERATIONS if row.call == call)
    return measure_growing(settings, "growth", call, hook,
                           {str(count): rows.many_rules(count)
                            for count in settings.rules})


def measure_destinations(settings: Settings) -> tuple[str, Table]:
    """One destination of so many prefixes, and a connection to one of them."""
    return measure_growing(settings, "destinations", rows.FAR_CALL,
                           "socket_connect",
                           {str(count): rows.many_prefixes(count)
                            for count in settings.prefixes})
