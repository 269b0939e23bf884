# SPDX-License-Identifier: GPL-2.0-only
"""Rows that a kernel cannot run: cannot.tsv."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from .judge import Outcome

FILE = Path(__file__).resolve().parents[1] / "cannot.tsv"


@dataclass(frozen=True)
class Cannot:
    """A row that a kernel cannot run, and why."""
    kernel: str
    row: str
    reason: str


def read() -> list[Cannot]:
    lines = [line for line in FILE.read_text().splitlines()
             if line and not line.startswith("#")]
    return [Cannot(*line.split("\t", 2)) for line in lines]


def apply(kernel: str, outcomes: list[Outcome], cannot: list[Cannot],
          complete: bool) -> list[Outcome]:
    """Rows that this kernel cannot run become skipped; an entry all of whose
    rows would have passed is stale."""
    added = []
    for entry in cannot:
        if entry.kernel != kernel:
            continue
        mine = [outcome for outcome in outcomes
                if fnmatch.fnmatchcase(outcome.name, entry.row)]
        if all(outcome.passed for outcome in mine) and (mine or complete):
            added.append(Outcome(f"cannot.tsv: {entry.row}",
                                 ["stale: its rows run, or there is none"]))
            continue
        for outcome in mine:
            outcome.wrong = []
            outcome.skipped = f"cannot: {entry.reason}"
    return added
