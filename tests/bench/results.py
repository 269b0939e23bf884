# SPDX-License-Identifier: GPL-2.0-only
"""What was measured: kept in build/bench, so that a run can go on later."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rows import TOP

FOLDER = TOP / "build/bench"


def progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=TOP,
                          check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


@dataclass(frozen=True)
class Measured:
    """One table of one run."""
    date: str
    commit: str
    release: str  # of the kernel in the machine, or of this one
    data: dict[str, Any]


class Results:
    """A file a table."""

    def __init__(self, name: str) -> None:
        self.folder = FOLDER / name
        self.commit = commit()
        self.folder.mkdir(parents=True, exist_ok=True)

    def get(self, table: str) -> Measured | None:
        path = self.folder / f"{table}.json"
        if not path.exists():
            return None
        return Measured(**json.loads(path.read_text()))

    def is_done(self, table: str) -> bool:
        """Whether this very commit has been measured."""
        found = self.get(table)
        return (found is not None and found.commit == self.commit
                and not found.commit.endswith("-dirty"))

    def put(self, table: str, release: str, data: dict[str, Any]) -> None:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        measured = Measured(today.isoformat(), self.commit, release, data)
        path = self.folder / f"{table}.json"
        path.write_text(json.dumps(asdict(measured), indent=1) + "\n")
