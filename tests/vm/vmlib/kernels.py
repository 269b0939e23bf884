# SPDX-License-Identifier: GPL-2.0-only
"""The kernels of kernels.tsv: their rows, and fetching them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import hosttools, packages, store
from .report import HostError, progress

TABLE = Path(__file__).resolve().parent.parent / "kernels.tsv"

# What a meta package leads to. Up to trixie one image package has it all; in
# sid it is empty and depends on the others. The digit keeps meta packages out:
# they are empty too, and some mirrors drop them first.
KERNEL_PACKAGES = r"linux-(image|binary|modules|base)-\d"


@dataclass(frozen=True)
class Row:
    name: str
    default: bool
    suite: str
    architecture: str
    package: str
    lsm: str


@dataclass(frozen=True)
class Kernel:
    """A kernel that is here: what it is, and where."""
    row: Row
    release: str
    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def version(self) -> str:
        """As bpflockc's --target takes it: 5.10 of 5.10.0-39-cloud-amd64."""
        found = re.match(r"\d+\.\d+", self.release)
        if not found:
            raise ValueError(f"{self.release} is no kernel's release")
        return found[0]

    @property
    def modules(self) -> Path:
        return self.folder / "lib" / "modules" / self.release


def table() -> dict[str, Row]:
    rows = {}
    for line in TABLE.read_text().splitlines():
        fields = line.split("#")[0].split()
        if fields:
            name, default, *rest = fields
            rows[name] = Row(name, default == "yes", *rest)
    return rows


def row(name: str) -> Row:
    rows = table()
    if name not in rows:
        raise HostError(f"no kernel '{name}' in {TABLE.name}; it has: "
                        + ", ".join(rows))
    return rows[name]


def matrix() -> list[str]:
    """The ids of the default matrix, oldest first."""
    return [name for name, entry in table().items() if entry.default]


def get(name: str, refresh: bool = False) -> Kernel:
    """The kernel, fetched if it is not here yet, or anew with refresh."""
    entry = row(name)
    key = store.digest("2", entry.suite, entry.architecture, entry.package)
    folder = store.directory(f"kernels/{name}", key,
                             lambda work: _fetch(entry, work), refresh)
    release = (folder / "release").read_text().strip()
    return Kernel(entry, release, folder)


def _fetch(entry: Row, work: Path) -> None:
    progress(f"fetching kernel {entry.name}: {entry.package} of "
             f"{entry.suite} ({entry.architecture})")
    unpacked = work / "unpacked"
    with store.locked(f"apt-{entry.suite}-{entry.architecture}"):
        archive = packages.Archive(entry.suite, entry.architecture)
        try:
            found = _download(archive, entry.package, unpacked)
        except HostError as error:
            # A mirror keeps a retired suite's index longer than its security
            # updates: what is listed there may be gone.
            progress(f"{error}\ntrying without the security archive")
            shutil.rmtree(unpacked, ignore_errors=True)
            archive.security = False
            found = _download(archive, entry.package, unpacked)
    packages.merge_usr(unpacked)
    release = _keep_useful(unpacked, work)
    shutil.rmtree(unpacked)
    (work / "release").write_text(release + "\n")
    packages.write_versions(work / "versions.tsv", found)
    depmod = hosttools.find("depmod")
    subprocess.run([depmod, "-b", str(work), release], check=True)


def _download(archive: packages.Archive, meta: str,
              target: Path) -> list[packages.Package]:
    archive.update()
    found = archive.follow(meta, KERNEL_PACKAGES)
    target.mkdir()
    archive.unpack(found, target)
    return found


def _keep_useful(unpacked: Path, work: Path) -> str:
    """Move the image and the modules to where Kernel says they are."""
    images = [*unpacked.glob("boot/vmlinuz-*"),
              *unpacked.glob("usr/lib/modules/*/vmlinuz")]
    releases = [path.name for path in unpacked.glob("usr/lib/modules/*")]
    if len(images) != 1 or len(releases) != 1:
        raise HostError(f"expected one kernel in the package, found images "
                        f"{images} and modules {releases}")
    images[0].rename(work / "vmlinuz")
    (work / "lib" / "modules").mkdir(parents=True)
    (unpacked / "usr/lib/modules" / releases[0]).rename(
        work / "lib" / "modules" / releases[0])
    return releases[0]
