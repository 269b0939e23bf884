# SPDX-License-Identifier: GPL-2.0-only
"""Write cpio archives in the "newc" format, the one the kernel unpacks.

The same tree gives the same bytes: sorted names, no times, everything owned
by root. Several archives one after the other are one initramfs; where two
have the same name, the later one wins.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


class Writer:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0

    def _entry(self, name: str, mode: int, data: bytes,
               device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        path = name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._inode, mode, 0, 0, links, 0, len(data), 0, 0,
                  *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._out.write(_padded(header + path))
        self._out.write(_padded(data))

    def folder(self, name: str, mode: int = 0o755) -> None:
        self._entry(name, stat.S_IFDIR | mode, b"")

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name: str, target: str) -> None:
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name: str, mode: int, major: int, minor: int) -> None:
        self._entry(name, mode, b"", (major, minor))

    def tree(self, top: Path,
             rename: Callable[[str], str] = lambda name: name) -> None:
        """Everything below top. Special files are left out."""
        for path in sorted(top.rglob("*")):
            self.path(path, rename(str(path.relative_to(top))))

    def path(self, path: Path, name: str) -> None:
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            self.folder(name, mode)
        elif stat.S_ISLNK(status.st_mode):
            self.link(name, os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            self.file(name, path.read_bytes(), mode)

    def close(self) -> None:
        """The end mark, and zeros up to a whole block: the kernel skips
        them before the next archive."""
        self._entry("TRAILER!!!", 0, b"")
        self._out.write(b"\0" * (-self._out.tell() % 512))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
