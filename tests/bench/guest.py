# SPDX-License-Identifier: GPL-2.0-only
"""The machine that is measured in: its clock counts instructions.

What is to be measured is a list of steps, each with a key; all of them run in
one machine. Addresses are not randomized there, so that the same step comes to
the same number of instructions again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rows import TOP, cgroup

sys.path.insert(0, str(TOP / "tests/vm"))
import vm  # noqa: E402
from vmlib import hosttools  # noqa: E402

HERE = Path(__file__).resolve().parent
TIMEOUT = 1800
EPERM = 1
SUBJECT = f"/sys/fs/cgroup{cgroup(0)}"

SETUP = f"""
modprobe virtio_blk && modprobe ext4 && mkdir -p /disk &&
mount -t ext4 -o ro /dev/vda /disk && mkdir -p {SUBJECT} || exit 1
[ ! -e /empty.o ] || bpftool prog loadall /empty.o /sys/fs/bpf/empty || exit 1
# The calls are made in a cgroup that policies name, and on the host.
calls_in_cgroup() {{
	(echo 0 >{SUBJECT}/cgroup.procs && exec calls "$@")
}}
"""

EMPTY = """
SEC("lsm/{hook}") int allow_{hook}(void *context) {{ return 0; }}
SEC("lsm/{hook}") int deny_{hook}(void *context) {{ return -1; }}
"""
EMPTY_HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
"""


class Failed(Exception):
    """Something could not be measured, and why."""


@dataclass(frozen=True)
class Sample:
    """Instructions of a call, or thousands of them of a command."""
    least: int
    tenth: int
    median: int
    error: int  # how it ended: 0 or an errno


@dataclass(frozen=True)
class Step:
    """Shell words; what they print stands under the key."""
    key: str
    script: str


def with_empty(verdict: str, hooks: Sequence[str]) -> str:
    """Options of calls: an empty LSM program on each of the hooks."""
    return " ".join(f"-a /sys/fs/bpf/empty/{verdict}_{hook}" for hook in hooks)


def compile_bundle(build: Path, text: str, bundle: Path,
                   *options: str) -> None:
    source = bundle.with_suffix(".bpflock")
    source.write_text(text)
    done = subprocess.run([build / "bpflockc", *options, source, "-o", bundle],
                          check=False, capture_output=True, text=True)
    source.unlink()
    if done.returncode:
        raise Failed(f"{done.stderr}\nof the policy\n{text}")


class Guest:
    """Collects what has to be in the machine, and runs steps in it."""

    def __init__(self, kernel: str, build: Path, scratch: Path) -> None:
        self.kernel, self.build, self.scratch = kernel, build, scratch
        self.overlay = scratch / "overlay"
        self.bundles = self.overlay / "bundles"
        programs = self.overlay / "usr/bin"
        programs.mkdir(parents=True)
        self.bundles.mkdir()
        self.release = ""
        for name in ("bpflock-load", "bpflock-log"):
            shutil.copy(build / name, programs)
        self._c(programs / "calls", "calls.c", "-static")
        self._c(programs / "programs", "programs.c", "-lbpf")
        self._disk(programs / "calls")

    def _c(self, program: Path, source: str, *options: str) -> None:
        subprocess.run(["gcc", "-O2", "-o", program, HERE / source, *options],
                       check=True)

    def _disk(self, program: Path) -> None:
        """A file on ext4, as most are that a machine executes."""
        folder = self.scratch / "disk"
        folder.mkdir()
        shutil.copy(program, folder)
        self.disk = self.scratch / "disk.img"
        subprocess.run([hosttools.find("mke2fs"), "-q", "-F", "-t", "ext4", "-d",
                        folder, self.disk, "8M"], check=True,
                       stdout=subprocess.DEVNULL)

    def bundle(self, name: str, text: str, *options: str) -> Path:
        path = self.bundles / f"{name}.o"
        compile_bundle(self.build, text, path, *options)
        return path

    def empty_programs(self, hooks: list[str]) -> None:
        source = self.scratch / "empty.c"
        source.write_text(EMPTY_HEAD + "".join(EMPTY.format(hook=hook)
                                               for hook in hooks))
        subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3",
                        "-I/usr/include/x86_64-linux-gnu", "-c", source, "-o",
                        self.overlay / "empty.o"], check=True)

    def run(self, steps: list[Step]) -> dict[str, list[list[str]]]:
        """The words of the lines that each step printed, by its key."""
        script = SETUP + "".join(
            f"echo '== {step.key}'\n{step.script} || exit 1\n"
            for step in steps) + "true\n"
        (self.overlay / "script").write_text(script)
        result = vm.run(self.kernel, ["sh", "/script"], overlay=self.overlay,
                        icount=True, timeout=TIMEOUT, disks=(str(self.disk),),
                        append="norandmaps loglevel=3")
        if not result.ok:
            tail = "\n".join(result.text.splitlines()[-5:])
            raise Failed(f"{result.errors}\n{tail}\n{result.explain()}")
        self.release = result.release
        found: dict[str, list[list[str]]] = {}
        lines: list[list[str]] = []
        for line in result.text.splitlines():
            if line.startswith("== "):
                lines = found.setdefault(line[3:], [])
            else:
                lines.append(line.split())
        return found


def samples(lines: list[list[str]]) -> dict[str, Sample]:
    """By the name of the call, from what calls.c printed."""
    return {name: Sample(*map(int, numbers)) for name, *numbers in lines}


def loaded(name: str, policy: str, script: str) -> str:
    """The script, run while a bundle is loaded."""
    return (f"bpflock-load /bundles/{name}.o >&2 && {script} && "
            f"bpflock-load --unload {policy} >&2")
