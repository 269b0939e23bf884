# SPDX-License-Identifier: GPL-2.0-only
"""Parts of docs/ that are written from what runs on every kernel left behind."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType


def write_or_check(part: ModuleType, update: bool, folder: Path,
                   *what: object) -> int:
    """part is a module with DOCUMENT, update(folder, ...) and check(folder,
    ...), which returns the lines that differ. Returns the exit status."""
    if update:
        part.update(folder, *what)
        return 0
    wrong = part.check(folder, *what)
    for line in wrong:
        print(f"{part.DOCUMENT.name}: differs: {line}")
    return 1 if wrong else 0
