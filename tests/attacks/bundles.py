# SPDX-License-Identifier: GPL-2.0-only
"""Attacks 55 to 64: on bundles and on loading, not on what is loaded.

tests/vm/test_loader.py tries them; here they are counted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import test_loader
import vm

from .score import Kernel, Line

# number, words, the rows of test_loader.py that are it
ATTACKS = [
    (55, "a flipped bit", ("a flipped bit",)),
    (56, "cut off, appended to", ("cut off", "appended to")),
    (58, "a lower version, the same one of another bundle",
     ("a lower version", "the same version of another")),
    (59, "a symbolic link", ("a symbolic link",)),
    (60, "programs for other prototypes",
     ("forged: pointer", "forged: structure", "forged: enumeration",
      "forged: parameters")),
    (61, "as many programs on a hook as it takes", ("a hook without",)),
    (62, "a kernel without bpf in lsm=", ("without bpf in lsm=",)),
    (64, "loading twice", ("twice",)),
]
# What shows that the same bundle is taken where nothing is wrong with it.
CONTROLS = ("load", "check")

NOT_BUILT = [
    (42, "a raw write to the root's block device",
     "the protection root_filesystem is not built yet"),
    (52, "mount_setattr makes the root writable, then a write",
     "the protection root_filesystem is not built yet"),
    (57, "an unsigned bundle, another key, another signature",
     "signing is not built yet"),
    (58, "rollback across reboots", "signing is not built yet"),
]


def rows_for(names: tuple[str, ...]) -> list[test_loader.Row]:
    """In the order of test_loader, which one builds on the other."""
    return [row for row in test_loader.ORDINARY if row.name in names]


def run(kernel: str, build: Path, table: Kernel) -> None:
    wanted = tuple(name for _, _, names in ATTACKS for name in names)
    rows = [row for row in test_loader.ORDINARY
            if row.name in (*wanted, *CONTROLS)]
    passed: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        test_loader.fill_own(overlay, build,
                             test_loader.programs_for(kernel, build))
        passed |= boot(kernel, rows, overlay)
        passed |= boot(kernel, test_loader.WITHOUT_LSM[:1], overlay,
                       bpf_lsm=False)
    table.boots += 2
    control = all(passed.get(name) for name in CONTROLS)
    for number, words, names in ATTACKS:
        held = all(passed.get(name) for name in names)
        table.lines.append(Line(
            "bundle", number, names[0].replace(" ", "-"), words,
            "held" if held else "through", "refused",
            "succeeds" if control else "fails", "the whole bundle is loaded"))
    for number, words, why in NOT_BUILT:
        table.lines.append(Line("bundle", number, "", words, "", "",
                                "not applicable", why))


def boot(kernel: str, rows: list[test_loader.Row], overlay: Path,
         **settings: object) -> dict[str, bool]:
    result = vm.run(kernel, ["sh", "-c", "mkdir -p /out\n"
                             + test_loader.script(rows)],
                    overlay=overlay, timeout=300, **settings)
    return {row.name: not test_loader.judge(
                row, int(result.out.get(f"{number}.status", b"-1")),
                result.out.get(str(number), b"").decode(errors="replace"))
            for number, row in enumerate(rows)}
