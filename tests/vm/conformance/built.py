# SPDX-License-Identifier: GPL-2.0-only
"""Modules of ours for a kernel, by what one of the kernel's own says."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "module"
NAMES = ("asker", "folders")
CFLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-c",
          "-ffreestanding", "-fno-pic", "-fno-stack-protector",
          "-fno-asynchronous-unwind-tables", "-fno-common"]
MACHINE = {
    "amd64": ["-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only",
              "-fcf-protection=branch"],
    "arm64": ["-mgeneral-regs-only", "-mbranch-protection=bti"],
}
THIS_MODULE = b".gnu.linkonce.this_module"


def section_size(module: bytes, name: bytes) -> int:
    """Of a section of a 64-bit little-endian ELF file."""
    offset, = struct.unpack_from("<Q", module, 0x28)
    size, count, names = struct.unpack_from("<HHH", module, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", module, offset + size * number)
               for number in range(count)]
    text = headers[names][4]
    for header in headers:
        start = text + header[0]
        if module[start:module.index(b"\0", start)] == name:
            return header[5]
    raise ValueError(f"a module without {name.decode()}")


def build(compiler: str, architecture: str, module: bytes,
          folder: Path) -> None:
    """All of them, NAME.ko in that folder."""
    vermagic = re.search(rb"\0vermagic=([^\0]*)\0", module)[1].decode()
    for name in NAMES:
        subprocess.run(
            [compiler, *CFLAGS, *MACHINE[architecture],
             f"-DLAYOUT_SIZE={section_size(module, THIS_MODULE)}",
             f'-DVERMAGIC="{vermagic}"', "-o", folder / f"{name}.ko",
             SOURCES / f"{name}.c"], check=True)
