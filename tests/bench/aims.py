# SPDX-License-Identifier: GPL-2.0-only
"""What was aimed at, beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rows
from results import Measured

NEAR_EMPTY = 25          # instructions
WITH_EVENT = 700         # instructions
ONE_PROTECTION = 16      # KiB
EVERYTHING = 96          # KiB
COMPILE_MS, COMPILE_MIB = 5, 16
LOADING = 1.2
SAME = 0.001             # of a call's instructions: from run to run

Tables = dict[str, Measured]


@dataclass(frozen=True)
class Aim:
    words: str
    aim: str
    measured: str
    met: bool


def calls(tables: Tables) -> dict[str, dict[str, int]]:
    return tables["instructions"].data["calls"]


def more_than_empty(cells: dict[str, int], key: str) -> int:
    verdict = key.split()[1]
    return cells[key] - cells[f"empty {verdict}"]


def event_cost(cells: dict[str, int], key: str) -> int:
    """More than nothing. A denied call ends early: what it costs is what it
    costs more than an empty program that denies, and that program itself."""
    return (more_than_empty(cells, key)
            + cells["empty allowed"] - cells["nothing"])


def worst(found: dict[str, int]) -> str:
    least, most = min(found, key=found.get), max(found, key=found.get)
    if found[least] == found[most]:
        return f"{found[most]:,}"
    return (f"{found[least]:,} ({least}) to {found[most]:,} ({most})")


def near_empty(tables: Tables) -> Aim:
    found = {call: more_than_empty(cells, "folded allowed unlogged 0")
             for call, cells in calls(tables).items()}
    return Aim("Instructions more than an empty LSM program: allowed, "
               "unlogged, no cgroup named", f"{NEAR_EMPTY} at most",
               worst(found), max(found.values()) <= NEAR_EMPTY)


def with_event(tables: Tables) -> Aim:
    found = {f"{call}, {verdict}": event_cost(
        cells, f"folded {verdict} logged 0")
        for call, cells in calls(tables).items()
        for verdict in rows.VERDICTS}
    return Aim("Instructions more than without LSM programs: with an event",
               f"under {WITH_EVENT}", worst(found),
               max(found.values()) < WITH_EVENT)


def untouched(tables: Tables) -> Aim:
    cells = tables["syscalls"].data["cells"]
    nothing, again = cells["nothing"], cells["nothing again"]
    found, met = {}, True
    for key, row in cells.items():
        level, _, name = key.partition(" ")
        if level != "folded":
            continue
        touched = set().union(*(
            calls for protection, calls in rows.TOUCHED.items()
            if name in (protection, "everything")))
        for call in rows.SYSTEM_CALLS:
            if call in touched:
                continue
            more = row[call] - nothing[call]
            noise = max(abs(again[call] - nothing[call]),
                        SAME * nothing[call])
            found[f"{call}, {name}"] = more
            met &= more <= noise
    return Aim("Instructions more of system calls that a policy does not "
               f"touch (noise: {100 * SAME:g} %)", "0", worst(found), met)


def sealed(tables: Tables) -> Aim:
    cells = tables["syscalls"].data["cells"]
    nothing, again = cells["nothing"], cells["nothing again"]
    found, met = {}, True
    for call in rows.SYSTEM_CALLS:
        more = (cells["sealed everything"][call]
                - cells["folded everything"][call])
        found[call] = more
        met &= more <= max(abs(again[call] - nothing[call]),
                           SAME * nothing[call])
    return Aim("Instructions that the seal adds to the same system calls",
               "0", worst(found), met)


def sizes(tables: Tables) -> list[Aim]:
    found = {key.removesuffix(" folded"): row["bytes"]
             for key, row in tables["bundles"].data.items()
             if key.endswith(" folded")}
    everything = found.pop("everything")
    return [Aim("Bytes of a bundle with one protection, BTF included",
                f"under {ONE_PROTECTION} KiB", worst(found),
                max(found.values()) < ONE_PROTECTION << 10),
            Aim(f"Bytes of a bundle with all protections that were there "
                f"({', '.join(found)})",
                f"under {EVERYTHING} KiB", f"{everything:,}",
                everything < EVERYTHING << 10)]


def compiling(tables: Tables) -> Aim:
    rules = tables["compile"].data["rules"]
    most = max(rules, key=int)
    row = rules[most]["bpflockc"]
    return Aim(f"Compiling with {most} cgroups",
               f"under {COMPILE_MS} ms and {COMPILE_MIB} MiB",
               f"{row['spent']:.1f} ms of the processor, "
               f"{row['memory']:.1f} MiB",
               row["spent"] < COMPILE_MS and row["memory"] < COMPILE_MIB)


def loading(tables: Tables) -> Aim:
    ratios = {name: row["ours"] / row["theirs"]
              for name, row in tables["loading"].data.items()}
    least, most = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
    return Aim("Loading and attaching, times what bpftool takes",
               f"{LOADING} at most",
               f"{ratios[least]:.2f} ({least}) to {ratios[most]:.2f} ({most})",
               ratios[most] <= LOADING)


def all_aims(tables: Tables) -> list[Aim]:
    return [near_empty(tables), with_event(tables), untouched(tables),
            sealed(tables),
            *sizes(tables), compiling(tables), loading(tables)]


def needs() -> set[str]:
    return {"instructions", "syscalls", "bundles", "compile", "loading"}


def figures(tables: Tables) -> dict[str, Any]:
    """For the chart: by call, what it costs more than without programs."""
    found = {}
    for call, cells in calls(tables).items():
        found[call] = {
            "empty": cells["empty allowed"] - cells["nothing"],
            "allowed": cells["folded allowed unlogged 0"] - cells["nothing"],
            "event": event_cost(cells, "folded allowed logged 0"),
        }
    return found
