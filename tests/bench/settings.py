# SPDX-License-Identifier: GPL-2.0-only
"""What a run was asked for, and how much of everything it measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import rows
from results import Results


@dataclass(frozen=True)
class Settings:
    kernel: str
    build: Path
    quick: bool
    results: Results
    again: bool

    @property
    def samples(self) -> int:
        # Fewer than the ring has room for, of two calls.
        return 20 if self.quick else 200

    @property
    def loads(self) -> int:
        return 1 if self.quick else 3

    @property
    def runs(self) -> int:
        return 3 if self.quick else 50

    @property
    def cgroups(self) -> list[int]:
        return [0, 8] if self.quick else rows.CGROUPS

    @property
    def prefixes(self) -> list[int]:
        return [0, 10] if self.quick else [0, 1, 10, 100, 1000, 4000]

    @property
    def rules(self) -> list[int]:
        return [1, 10] if self.quick else [1, 10, 100, 1000]
