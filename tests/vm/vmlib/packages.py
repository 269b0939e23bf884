# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages of any suite and architecture, by a private apt.

Nothing of the system's apt is touched: configuration, sources, lists, status
and cache are our own. Only three things come from the system: the address of
its mirror (asked from apt, never written down), its Acquire settings (proxies)
and Debian's archive keys.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import store
from .report import HostError, progress

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
USERLAND_SUITE = "bookworm"

# No security archive of its own.
ROLLING = {"sid"}
# Past its support: its security Release file has passed its Valid-Until. It
# is still signed, and old is just what it is wanted for.
RETIRED = {"bullseye"}

# Folders of / that are links into /usr.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str


def _run(command: list[str], environment: dict[str, str] | None = None,
         directory: Path | None = None) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment,
                          cwd=directory)
    if done.returncode != 0:
        # apt says what went wrong on lines of their own.
        told = [line for line in done.stderr.splitlines()
                if line.startswith(("E:", "W:", "dpkg"))]
        raise HostError(f"{' '.join(command[:3])} failed:\n"
                        + "\n".join(told or done.stderr.splitlines()[-5:]))
    return done.stdout


@functools.cache
def mirrors() -> dict[str, str]:
    """The system's own mirrors: label of the archive -> address."""
    listing = _run(["apt-get", "indextargets", "--format",
                    "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)",
                    "Created-By: Packages"])
    found: dict[str, str] = {}
    for line in listing.splitlines():
        origin, label, address = line.split("\t")
        if origin == "Debian":
            found.setdefault(label, address)
    if "Debian" not in found:
        raise HostError("apt knows no Debian mirror on this machine: add one "
                        "to its sources, then run apt-get update")
    return found


class Archive:
    """One suite for one architecture."""

    def __init__(self, suite: str, architecture: str) -> None:
        self.suite = suite
        self.architecture = architecture
        self.security = suite not in ROLLING
        self.home = store.root() / "apt" / f"{suite}-{architecture}"
        self.environment = dict(os.environ, LC_ALL="C",
                                APT_CONFIG=str(self.home / "apt.conf"))

    def update(self) -> None:
        """Read the archive's index. Others may wait for us meanwhile."""
        progress(f"reading the index of {self.suite} ({self.architecture})")
        self._write_configuration()
        _run(["apt-get", "update", "-qq", "--error-on=any"],
             self.environment)

    def with_dependencies(self, names: list[str]) -> list[Package]:
        """The packages, and all they depend on, as apt would install them
        on a machine that has nothing."""
        plan = _run(["apt-get", "install", "--simulate", *names],
                    self.environment)
        # Inst libc6 (2.36-9 Debian:12.15/oldstable [amd64]) []
        found = re.findall(r"^Inst (\S+) \((\S+) [^\[]*\[(\w+)\]\)", plan,
                           re.MULTILINE)
        return [Package(*fields) for fields in found]

    def follow(self, name: str, pattern: str) -> list[Package]:
        """Those of the package's dependencies, and of theirs, whose name
        matches."""
        found: dict[str, Package] = {}
        todo = [name]
        while todo:
            record = self._record(todo.pop())
            package = Package(record["Package"], record["Version"],
                              record["Architecture"])
            if re.match(pattern, package.name):
                found[package.name] = package
            wanted = re.findall(r"(?:^|[,|] ?)([a-z0-9][a-z0-9+.-]+)",
                                record.get("Depends", ""))
            todo += [other for other in wanted
                     if re.match(pattern, other) and other not in found]
        return sorted(found.values(), key=lambda package: package.name)

    def unpack(self, packages: list[Package], target: Path) -> None:
        """Download and unpack into target, maintainer scripts unseen."""
        downloads = target / ".downloads"
        downloads.mkdir()
        wanted = [f"{package.name}={package.version}"
                  for package in packages]
        _run(["apt-get", "download", "-qq", *wanted], self.environment,
             downloads)
        for deb in sorted(downloads.iterdir()):
            _run(["dpkg-deb", "-x", str(deb), str(target)])
            deb.unlink()
        downloads.rmdir()

    def _record(self, name: str) -> dict[str, str]:
        text = _run(["apt-cache", "show", "--no-all-versions", name],
                    self.environment)
        lines = text.split("\n\n")[0].splitlines()
        return dict(line.split(": ", 1) for line in lines
                    if ": " in line and not line.startswith(" "))

    def _write_configuration(self) -> None:
        for folder in ("lists/partial", "cache/archives/partial", "state"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "status").write_text("")
        (self.home / "sources.list").write_text(self._sources())
        (self.home / "apt.conf").write_text(self._settings())

    def _sources(self) -> str:
        known = mirrors()
        option = f"[signed-by={KEYRING}]"
        lines = [f"deb {option} {known['Debian']} {self.suite} main"]
        if "Debian-Security" in known and self.security:
            lines.append(f"deb {option} {known['Debian-Security']} "
                         f"{self.suite}-security main")
        return "\n".join(lines) + "\n"

    def _settings(self) -> str:
        # The system's other settings stay out: its hooks would run commands
        # on the system's own files.
        lines = _run(["apt-config", "dump", "Acquire"]).splitlines()
        own = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::sourcelist": self.home / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": self.home / "state",
            "Dir::State::lists": self.home / "lists",
            "Dir::State::status": self.home / "status",
            "Dir::Cache": self.home / "cache",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Install-Recommends": "false",
            # As root, apt would download as a user who cannot write here.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        if self.suite in RETIRED:
            own["Acquire::Check-Valid-Until"] = "false"
        lines += [f'{name} "{value}";' for name, value in own.items()]
        return "\n".join(lines) + "\n"


def read_list(path: Path) -> list[str]:
    """The words of a list file, without its comments."""
    lines = path.read_text().splitlines()
    return [word for line in lines for word in line.split("#")[0].split()]


def write_versions(path: Path, packages: list[Package]) -> None:
    path.write_text("".join(f"{package.name}\t{package.version}\t"
                            f"{package.architecture}\n"
                            for package in packages))


def merge_usr(tree: Path) -> None:
    """Make /bin, /sbin and /lib links into /usr, as Debian machines have
    them; the packages themselves still ship both."""
    for name in MERGED:
        old = tree / name
        if old.is_dir() and not old.is_symlink():
            _move_into(old, tree / "usr" / name)
            old.symlink_to(f"usr/{name}")


def _move_into(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        there = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and there.exists():
            _move_into(entry, there)
        else:
            entry.rename(there)
    source.rmdir()
