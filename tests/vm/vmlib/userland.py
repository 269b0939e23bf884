# SPDX-License-Identifier: GPL-2.0-only
"""The guest's user space, and sysroots: trees of unpacked Debian packages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import packages, store
from .report import progress

HERE = Path(__file__).resolve().parent.parent

# Dependencies that only maintainer scripts or login sessions want.
NOT_WANTED = {
    "debconf", "gcc-12-base", "libaudit-common", "libpam0g", "libdb5.3",
    "perl-base", "dpkg", "tar", "adduser", "passwd", "init-system-helpers",
}

# What a guest never reads.
STRIPPED = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
    "usr/share/lintian", "usr/share/bash-completion", "usr/share/zsh",
    "usr/share/bug", "usr/share/doc-base", "usr/share/common-licenses",
    "usr/share/menu", "usr/share/initramfs-tools", "usr/share/applications",
    "usr/lib/firmware", "usr/share/gcc", "usr/share/polkit-1",
)
STRIPPED_PATTERNS = ("usr/lib/*/gconv", "usr/lib/*/*.a")


def get(architecture: str, refresh: bool = False) -> Path:
    """The user space for guests of this architecture."""
    names = packages.read_list(HERE / "userland.packages")
    key = store.digest("1", *names, *sorted(NOT_WANTED), *STRIPPED,
                       *STRIPPED_PATTERNS)
    return store.directory(
        f"userland/{architecture}", key,
        lambda work: _fetch(f"userland for {architecture}", architecture,
                            names, NOT_WANTED,
                            STRIPPED + STRIPPED_PATTERNS, work),
        refresh)


def software(architecture: str, refresh: bool = False) -> Path:
    """What tests/vm/test_software.py runs, and no other guest has: laid over
    the user space."""
    names = packages.read_list(HERE / "software.packages")
    key = store.digest("1", *names, *STRIPPED)
    return store.directory(
        f"userland/software-{architecture}", key,
        lambda work: _fetch(f"software for {architecture}", architecture,
                            names, None, STRIPPED, work),
        refresh)


def sysroot(architecture: str, refresh: bool = False) -> Path:
    """A tree for `gcc --sysroot`."""
    names = packages.read_list(HERE / "sysroot.packages")
    key = store.digest("1", *names)
    return store.directory(
        f"sysroot/{architecture}", key,
        lambda work: _fetch(f"sysroot for {architecture}", architecture,
                            names, set(), ("usr/share",), work),
        refresh)


def _fetch(what: str, architecture: str, names: list[str],
           not_wanted: set[str] | None, stripped: tuple[str, ...],
           work: Path) -> None:
    """With all that they depend on but @not_wanted; None: without."""
    progress(f"fetching the {what}")
    with store.locked(f"apt-{packages.USERLAND_SUITE}-{architecture}"):
        archive = packages.Archive(packages.USERLAND_SUITE, architecture)
        archive.update()
        found = [package for package in archive.with_dependencies(names)
                 if (package.name in names if not_wanted is None
                     else package.name not in not_wanted)]
        tree = work / "tree"
        tree.mkdir()
        archive.unpack(found, tree)
    packages.merge_usr(tree)
    for pattern in stripped:
        for path in tree.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _make_links_relative(tree)
    packages.write_versions(work / "versions.tsv", found)


def _make_links_relative(tree: Path) -> None:
    """A link to /lib/... must stay inside the tree when the tree is a
    sysroot; in a guest it makes no difference."""
    for path in tree.rglob("*"):
        if path.is_symlink() and os.readlink(path).startswith("/"):
            target = tree / os.readlink(path).lstrip("/")
            path.unlink()
            path.symlink_to(os.path.relpath(target, path.parent))
