# SPDX-License-Identifier: GPL-2.0-only
"""What the host must have, and the Debian package that brings it.

The one table: `vm.py packages` prints it for the install step, and every
command checks it before anything else can fail.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from .report import HostError


@dataclass(frozen=True)
class Tool:
    what: str                  # a command, or the absolute path of a file
    package: str
    architecture: str = "any"  # of the guests that need it


TOOLS = (
    Tool("apt-get", "apt"),
    Tool("dpkg-deb", "dpkg"),
    Tool("/usr/share/keyrings/debian-archive-keyring.gpg",
         "debian-archive-keyring"),
    Tool("depmod", "kmod"),
    Tool("qemu-system-x86_64", "qemu-system-x86", "amd64"),
    Tool("/usr/share/seabios/bios-256k.bin", "seabios", "amd64"),
    Tool("x86_64-linux-gnu-gcc", "gcc", "amd64"),
    Tool("/usr/lib/x86_64-linux-gnu/libc.a", "libc6-dev", "amd64"),
    Tool("qemu-system-aarch64", "qemu-system-arm", "arm64"),
    Tool("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "arm64"),
    Tool("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross",
         "arm64"),
)

# depmod lives in /usr/sbin, which is not in everybody's PATH.
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def needed(architectures: set[str]) -> list[Tool]:
    return [tool for tool in TOOLS
            if tool.architecture in architectures | {"any"}]


def find(command: str) -> str | None:
    return shutil.which(command, path=SEARCH_PATH)


def is_there(tool: Tool) -> bool:
    if tool.what.startswith("/"):
        return os.path.exists(tool.what)
    return find(tool.what) is not None


def check(architectures: set[str]) -> None:
    missing = [tool for tool in needed(architectures) if not is_there(tool)]
    if not missing:
        return
    lines = [f"  {tool.what}: package {tool.package}" for tool in missing]
    packages = " ".join(sorted({tool.package for tool in missing}))
    raise HostError("this machine lacks:\n" + "\n".join(lines)
                    + f"\ninstall with: apt-get install {packages}")


def packages(architectures: set[str]) -> list[str]:
    return sorted({tool.package for tool in needed(architectures)})
