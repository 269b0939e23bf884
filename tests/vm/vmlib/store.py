# SPDX-License-Identifier: GPL-2.0-only
"""The cache folder: safe against interrupted runs and against two at once.

An entry is built under a temporary name, then renamed: it is there whole or
not at all. One lock per entry keeps two runs from building it twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

UNUSED_SECONDS = 24 * 60 * 60


def root() -> Path:
    """The cache folder, made if need be."""
    chosen = os.environ.get("BPFLOCK_VM_CACHE")
    if chosen:
        path = Path(chosen).absolute()
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(home) / "bpflock" / "vm"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one entry. The file stays: removing it would race."""
    locks = root() / "locks"
    locks.mkdir(exist_ok=True)
    with open(locks / name.replace("/", "-"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(*parts: str | bytes) -> str:
    """A short name for a set of inputs."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:16]


def directory(name: str, key: str, build: Callable[[Path], None],
              refresh: bool = False) -> Path:
    """The folder `name`, built by `build(folder)` unless it is there already
    with the same key."""
    final = root() / name
    with locked(name):
        if not refresh and _key_of(final) == key:
            return final
        final.parent.mkdir(parents=True, exist_ok=True)
        _sweep(final)
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}.",
                                     dir=final.parent))
        work.chmod(0o755)
        try:
            build(work)
            (work / "key").write_text(key + "\n")
            _replace(work, final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return final


def file(stem: str, key: str, build: Callable[[Path], None]) -> Path:
    """The file `stem`-`key`, built by `build(path)` unless it is there."""
    final = root() / f"{stem}-{key}"
    with locked(stem):
        if final.exists():
            os.utime(final)
            return final
        final.parent.mkdir(parents=True, exist_ok=True)
        _forget_unused(final, key)
        work = final.with_name(f".{final.name}.new")
        try:
            build(work)
            work.rename(final)
        finally:
            work.unlink(missing_ok=True)
    return final


def _forget_unused(final: Path, key: str) -> None:
    """Remove the same file for other keys, if no run used it for a day."""
    stem = final.name.removesuffix(key)
    for path in final.parent.iterdir():
        if (path.name.startswith(stem) and len(path.name) == len(final.name)
                and path.stat().st_mtime < time.time() - UNUSED_SECONDS):
            path.unlink()


def _key_of(path: Path) -> str | None:
    try:
        return (path / "key").read_text().strip()
    except FileNotFoundError:
        return None


def _replace(work: Path, final: Path) -> None:
    # A folder cannot be renamed over a full one. A reader that opened the
    # old one keeps what it opened.
    if final.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{final.name}.",
                                    dir=final.parent))
        final.rename(old / "old")
        work.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    else:
        work.rename(final)


def _sweep(final: Path) -> None:
    """Remove what an interrupted run left behind (we hold the lock)."""
    for left in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
