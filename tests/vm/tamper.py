# SPDX-License-Identifier: GPL-2.0-only
"""Bundles that differ from a good one in one place, with a right digest.

    python3 tests/vm/tamper.py BUNDLE DIR

makes DIR/instruction.o, where a program denies with another error where its
event finds no room, DIR/allows.o, where no program denies, and DIR/byte.o, where
the policy's last byte of what it decides is another one.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from forge import finish

TRAILER = 56
MOVES = (0xb4, 0xb7)  # a constant into a register, 32 bits and 64
EPERM, EACCES = -1, -13


def sections(elf: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each."""
    table, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + i * size)
               for i in range(count)]
    for name, _, _, _, offset, length in headers:
        start = headers[names][4] + name
        yield elf[start:elf.index(b"\0", start)].decode(), offset, length


def changed(elf: bytes, offset: int, new: bytes) -> bytes:
    return elf[:offset] + new + elf[offset + len(new):]


def denials(elf: bytes) -> Iterator[int]:
    """Where the instructions are that deny."""
    for name, offset, size in sections(elf):
        if not name.startswith(("lsm/", "lsm.s/", ".text")):
            continue
        for at in range(offset, offset + size, 8):
            code, _, _, value = struct.unpack_from("<BBhi", elf, at)
            if code in MOVES and value == EPERM:
                yield at


def other_instruction(elf: bytes) -> bytes:
    return changed(elf, next(denials(elf)) + 4, struct.pack("<i", EACCES))


def without_denials(elf: bytes) -> bytes:
    for at in list(denials(elf)):
        elf = changed(elf, at + 4, struct.pack("<i", 0))
    return elf


def other_byte(elf: bytes) -> bytes:
    """struct policy, bundle/policy.h: the operations come first, then what
    tells which protection it is, and whether it only audits."""
    for name, offset, size in sections(elf):
        if name == ".rodata.policy":
            last = offset + size - 1
            return changed(elf, last, bytes([elf[last] ^ 1]))
    raise ValueError("no policy")


def tamper(bundle: Path, folder: Path) -> None:
    elf = bundle.read_bytes()[:-TRAILER]
    (folder / "instruction.o").write_bytes(finish(other_instruction(elf)))
    (folder / "allows.o").write_bytes(finish(without_denials(elf)))
    (folder / "byte.o").write_bytes(finish(other_byte(elf)))


if __name__ == "__main__":
    tamper(Path(sys.argv[1]), Path(sys.argv[2]))
