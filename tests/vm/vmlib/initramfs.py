# SPDX-License-Identifier: GPL-2.0-only
"""The guest's file system: three cpio archives, one after the other.

user space   per architecture, cached: packages, /init, tools, applets
modules      per kernel, cached: those of guest/modules.list
job          per run: the caller's files and the command

None is compressed: the guest is emulated, and unpacking costs it more than
the host saves (README.md has the figures).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from . import cpio, hosttools, packages, store, userland
from .cpio import Writer
from .kernels import Kernel
from .report import HostError, progress

GUEST = Path(__file__).resolve().parent.parent / "guest"
TOOLS = ("in-container", "in-bwrap")  # of GUEST, copied to /usr/bin

FOLDERS = ("dev", "proc", "sys", "run", "tmp", "mnt", "root", "out", "job",
           "etc", "var", "var/lib", "var/tmp", "usr/local", "usr/local/bin")

ETC = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                  "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/hostname": "guest\n",
}

COMPILERS = {
    "amd64": "x86_64-linux-gnu-gcc",
    "arm64": "aarch64-linux-gnu-gcc",
}

MODULES_INDEX = ("modules.order", "modules.builtin",
                 "modules.builtin.modinfo")


def build(kernel: Kernel, job: dict[str, bytes], overlay: Path | None,
          out: Path) -> None:
    """Write the whole initramfs of one run."""
    bases = (_userland(kernel.row.architecture), _modules(kernel))
    with open(out, "wb") as file:
        for base in bases:
            with open(base, "rb") as part:
                shutil.copyfileobj(part, file, 1 << 20)
        writer = Writer(file)
        if overlay is not None:
            writer.tree(overlay, _in_usr)
        for name, data in job.items():
            writer.file(f"job/{name}", data)
        writer.close()


def _in_usr(name: str) -> str:
    """/bin and the like are links in the guest; a folder of that name in a
    later archive would take the link's place."""
    first = name.split("/")[0]
    return f"usr/{name}" if first in packages.MERGED else name


def prepare(kernel: Kernel) -> None:
    """Make what is cached, so that no run has to."""
    _userland(kernel.row.architecture)
    _modules(kernel)


def _writers() -> list[bytes]:
    """The code that decides what is in an archive is part of its key."""
    return [Path(__file__).read_bytes(), Path(cpio.__file__).read_bytes()]


def _userland(architecture: str) -> Path:
    tree = userland.get(architecture)
    sources = [path.read_bytes() for path in sorted(GUEST.iterdir())
               if path.name != "modules.list"]
    key = store.digest((tree / "versions.tsv").read_bytes(),
                       (tree / "key").read_bytes(),
                       *_writers(), *sources)
    return store.file(f"initramfs/userland-{architecture}", key,
                      lambda path: _write_userland(architecture, tree / "tree",
                                                   path))


def _write_userland(architecture: str, tree: Path, path: Path) -> None:
    progress(f"packing the user space for {architecture}")
    with open(path, "wb") as file, TemporaryDirectory() as scratch:
        writer = Writer(file)
        writer.folder(".")
        for name in FOLDERS:
            writer.folder(name, 0o1777 if name in ("tmp", "var/tmp")
                          else 0o755)
        # Open before /dev is mounted: the kernel gives it to /init.
        writer.device("dev/console", 0o020600, 5, 1)
        writer.tree(tree)
        for name, text in ETC.items():
            writer.file(name, text.encode())
        for name in packages.read_list(GUEST / "applets.list"):
            if not _has_command(tree, name):
                writer.link(f"usr/bin/{name}", "busybox")
        for name in TOOLS:
            writer.file(f"usr/bin/{name}", (GUEST / name).read_bytes(), 0o755)
        writer.file("init", _compile_init(architecture, Path(scratch)), 0o755)
        writer.close()


def _has_command(tree: Path, name: str) -> bool:
    return any((tree / folder / name).is_symlink()
               or (tree / folder / name).exists()
               for folder in ("usr/bin", "usr/sbin"))


def _compile_init(architecture: str, scratch: Path) -> bytes:
    program = scratch / "init"
    done = subprocess.run(
        [COMPILERS[architecture], "-std=gnu11", "-D_GNU_SOURCE", "-Wall",
         "-Wextra", "-Werror", "-O2", "-s", "-static", "-o", str(program),
         str(GUEST / "init.c")], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise HostError(f"cannot compile the guest's init:\n{done.stderr}")
    return program.read_bytes()


def _modules(kernel: Kernel) -> Path:
    names = packages.read_list(GUEST / "modules.list")
    key = store.digest(kernel.release,
                       (kernel.folder / "versions.tsv").read_bytes(),
                       *_writers(), *names)
    return store.file(f"initramfs/modules-{kernel.row.name}", key,
                      lambda path: _write_modules(kernel, names, path))


def _write_modules(kernel: Kernel, names: list[str], path: Path) -> None:
    progress(f"packing the modules of {kernel.row.name}")
    with TemporaryDirectory() as scratch:
        tree = Path(scratch)
        target = tree / "usr/lib/modules" / kernel.release
        target.mkdir(parents=True)
        for name in _closure(kernel.modules, names):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kernel.modules / name, target / name)
        for name in MODULES_INDEX:
            if (kernel.modules / name).exists():
                shutil.copyfile(kernel.modules / name, target / name)
        subprocess.run([hosttools.find("depmod"), "-b", str(tree / "usr"),
                        kernel.release], check=True)
        with open(path, "wb") as file:
            writer = Writer(file)
            writer.tree(tree)
            writer.close()


def _closure(folder: Path, names: list[str]) -> list[str]:
    """The files of these modules and of all that they depend on."""
    needs: dict[str, list[str]] = {}
    by_name: dict[str, str] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[file] = others.split()
        by_name[_module_name(file)] = file
    wanted: set[str] = set()
    for name in names:
        file = by_name.get(name.replace("-", "_"))
        if file:
            # modules.dep lists dependencies of dependencies as well.
            wanted.update([file, *needs[file]])
    return sorted(wanted)


def _module_name(file: str) -> str:
    return file.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")
