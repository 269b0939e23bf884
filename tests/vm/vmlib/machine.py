# SPDX-License-Identifier: GPL-2.0-only
"""Boot a kernel in QEMU, run one command in it, bring back what it did."""

from __future__ import annotations

import enum
import fcntl
import io
import os
import selectors
import subprocess
import tarfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from . import hosttools, initramfs, kernels
from .report import HostError, progress

# Exit statuses of ours, above those that commands and shells use (a command
# ended by signal N has 128 + N).
EXIT_HOST = 250      # this machine lacks something
EXIT_PANIC = 251     # the guest's kernel died
EXIT_TIMEOUT = 252   # the guest did not end in time
EXIT_NO_RESULT = 253  # the guest ended without a word

CONSOLE_TAIL_LINES = 30
PANIC = "Kernel panic - not syncing"


class Outcome(enum.Enum):
    EXITED = "exited"
    PANIC = "the guest's kernel panicked"
    TIMEOUT = "the guest did not end in time"
    NO_RESULT = "the guest ended without reporting a result"


OWN_STATUS = {
    Outcome.PANIC: EXIT_PANIC,
    Outcome.TIMEOUT: EXIT_TIMEOUT,
    Outcome.NO_RESULT: EXIT_NO_RESULT,
}


@dataclass
class Result:
    """What a run came to. Check `outcome`, or use `ok` or `check()`."""
    kernel: str                 # the row's id
    release: str                # uname -r, as the booted kernel said it
    outcome: Outcome
    status: int                 # the command's, or one of EXIT_*
    stdout: bytes
    stderr: bytes
    console: str                # the kernel's
    seconds: float              # of wall time, QEMU's start to its end
    out: dict[str, bytes] = field(repr=False)  # files of /out, by name

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.EXITED and self.status == 0

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.stdout.decode(errors="replace")

    @property
    def errors(self) -> str:
        """stderr as text."""
        return self.stderr.decode(errors="replace")

    def console_tail(self) -> str:
        """Its last lines, and before them why it died, if it did."""
        lines = self.console.splitlines()
        tail = lines[-CONSOLE_TAIL_LINES:]
        cause = [line for line in lines if PANIC in line]
        return "\n".join([*cause[:1], *tail])

    def explain(self) -> str:
        """Why there is no result of the command; empty if there is one."""
        if self.outcome is Outcome.EXITED:
            return ""
        return (f"{self.outcome.value} ({self.kernel}, "
                f"{self.seconds:.1f} s); the end of its console:\n"
                + self.console_tail())

    def check(self) -> Result:
        """Raise unless the command ran and returned 0."""
        if not self.ok:
            raise RuntimeError(self.explain() or
                               f"status {self.status}: {self.errors}")
        return self


@dataclass
class Machine:
    """How to boot. run() may be called any number of times; each run is a
    fresh machine."""
    kernel: str
    append: str = ""             # more words for the kernel command line
    bpf_lsm: bool = True         # False takes "bpf" out of lsm=
    icount: bool = False         # the guest's clock counts instructions
    memory: int = 768            # MB
    cpus: int = 1
    timeout: float = 120.0       # seconds of wall time
    disks: tuple[str, ...] = ()  # raw images: /dev/vda, /dev/vdb, ...
    devices: tuple[str, ...] = ()  # more QEMU arguments, as they are

    def run(self, command: list[str], *, overlay: Path | str | None = None,
            env: dict[str, str] | None = None,
            stdout: BinaryIO | None = None, stderr: BinaryIO | None = None,
            ) -> Result:
        """Run a command as root in the guest.

        overlay is a folder whose files are laid over the guest's root.
        stdout and stderr, if given, get the output while it comes; it is in
        the result all the same.
        """
        if self.icount and self.cpus != 1:
            raise HostError("--icount counts one processor's instructions: "
                            "it needs --cpus 1")
        hosttools.check({kernels.row(self.kernel).architecture})
        kernel = kernels.get(self.kernel)
        job = {"argv": _strings(command),
               "env": _strings([f"{name}={value}" for name, value
                                in (env or {}).items()])}
        with TemporaryDirectory(prefix="bpflock-vm-") as scratch:
            initrd = Path(scratch) / "initrd"
            initramfs.build(kernel, job, Path(overlay) if overlay else None,
                            initrd)
            progress(f"booting {self.kernel} ({kernel.release})")
            return self._boot(kernel, initrd, stdout, stderr)

    def command_line(self, row: kernels.Row) -> str:
        """The kernel's."""
        lsm = [name for name in row.lsm.split(",")
               if self.bpf_lsm or name != "bpf"]
        console = {"amd64": "ttyS0", "arm64": "ttyAMA0"}[row.architecture]
        words = [f"console={console}", f"lsm={','.join(lsm)}",
                 # QEMU ends at once when the kernel dies (-no-reboot).
                 "panic=-1", "oops=panic", "rdinit=/init"]
        if row.architecture == "amd64":
            # On a busy host a timer can come late, and the kernel gives up.
            words.append("no_timer_check")
        return " ".join([*words, self.append]).strip()

    def qemu(self, kernel: kernels.Kernel, initrd: Path,
             ports: dict[str, int]) -> list[str]:
        """The command that boots it. ports: name -> file descriptor."""
        command = [*_architecture(kernel.row.architecture), *self._clock(),
                   "-m", str(self.memory), "-smp", str(self.cpus),
                   "-nodefaults", "-no-user-config", "-display", "none",
                   "-no-reboot",
                   "-kernel", str(kernel.image), "-initrd", str(initrd),
                   "-append", self.command_line(kernel.row),
                   "-device", "virtio-serial-pci,id=channel"]
        for name, descriptor in ports.items():
            command += ["-chardev",
                        f"file,id={name},path=/proc/self/fd/{descriptor}"]
        command += ["-serial", "chardev:console"]
        # The numbers are init.c's /dev/vport0pN; 0 is taken.
        for number, name in enumerate(PORTS[1:], start=1):
            command += ["-device", f"virtserialport,bus=channel.0,"
                                   f"nr={number},chardev={name}"]
        for number, disk in enumerate(self.disks):
            command += ["-drive", f"file={disk},format=raw,if=none,"
                                  f"id=disk{number}",
                        "-device", f"virtio-blk-pci,drive=disk{number}"]
        return command + list(self.devices)

    def _clock(self) -> list[str]:
        if not self.icount:
            # Processors take turns.  As threads, QEMU 7.2 lets one of them
            # run what another is patching: a loop that attaches any BPF
            # program beside one that calls bpf() ends 6.1 and 7.2 within 50.
            return ["-accel", "tcg,thread=single"]
        # Nothing the guest sees may depend on the host's clock or luck.
        return ["-accel", "tcg,thread=single",
                "-icount", "shift=0,sleep=off", "-seed", "1",
                "-rtc", "base=2026-01-01T00:00:00,clock=vm"]

    def _boot(self, kernel: kernels.Kernel, initrd: Path,
              stdout: BinaryIO | None, stderr: BinaryIO | None) -> Result:
        pipes = {name: os.pipe() for name in PORTS}
        # What finds no room in a pipe when the guest is off is lost.
        for _, end in pipes.values():
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        writing = {name: ends[1] for name, ends in pipes.items()}
        start = time.monotonic()
        qemu = subprocess.Popen(self.qemu(kernel, initrd, writing),
                                pass_fds=list(writing.values()),
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)
        for descriptor in writing.values():
            os.close(descriptor)
        try:
            reader = _Reader({name: ends[0] for name, ends in pipes.items()},
                             {"stdout": stdout, "stderr": stderr})
            in_time = reader.read_until(start + self.timeout)
            if not in_time:
                qemu.kill()
                reader.read_until(time.monotonic() + 5)
        finally:
            qemu.kill()
            complaint = qemu.stderr.read().decode(errors="replace")
            qemu.stderr.close()
            qemu.wait()
        if qemu.returncode not in (0, -9):
            raise HostError(f"QEMU failed: {complaint.strip()}")
        return _result(self.kernel, reader.data, in_time,
                       time.monotonic() - start)


PORTS = ("console", "stdout", "stderr", "report", "out")
PIPE_SIZE = 1 << 20  # as much as Linux lets anybody have


class _Reader:
    """Reads all ports until QEMU has closed them."""

    def __init__(self, descriptors: dict[str, int],
                 copies: dict[str, BinaryIO | None]) -> None:
        self.data = {name: bytearray() for name in descriptors}
        self._copies = copies
        self._selector = selectors.DefaultSelector()
        for name, descriptor in descriptors.items():
            self._selector.register(descriptor, selectors.EVENT_READ, name)

    def read_until(self, deadline: float) -> bool:
        """False if the deadline came first."""
        while self._selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self._selector.select(left):
                self._read(key.fd, key.data)
        return True

    def _read(self, descriptor: int, name: str) -> None:
        data = os.read(descriptor, 1 << 16)
        if not data:
            self._selector.unregister(descriptor)
            os.close(descriptor)
            return
        self.data[name] += data
        copy = self._copies.get(name)
        if copy is not None:
            copy.write(data)
            copy.flush()


def _architecture(name: str) -> list[str]:
    # Software emulation even where /dev/kvm is: a machine's own kernel may
    # forbid LSM programs to its guests' host, CI machines have no KVM, and
    # the instruction counts must be the same everywhere. "max" because the
    # oldest emulated processor lacks features that kernels now expect.
    if name == "amd64":
        return ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"]
    if name == "arm64":
        return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57"]
    raise HostError(f"no QEMU machine for architecture {name}")


def _strings(strings: list[str]) -> bytes:
    return b"".join(os.fsencode(string) + b"\0" for string in strings)


def _result(kernel: str, data: dict[str, bytearray], in_time: bool,
            seconds: float) -> Result:
    report = dict(line.split(" ", 1) for line
                  in data["report"].decode().splitlines() if " " in line)
    console = data["console"].decode(errors="replace").replace("\r", "")
    if PANIC in console:
        outcome = Outcome.PANIC
    elif not in_time:
        outcome = Outcome.TIMEOUT
    elif "exit" in report or "signal" in report:
        outcome = Outcome.EXITED
    else:
        outcome = Outcome.NO_RESULT
    if outcome is not Outcome.EXITED:
        status = OWN_STATUS[outcome]
    elif "signal" in report:
        status = 128 + int(report["signal"])
    else:
        status = int(report["exit"])
    return Result(kernel, report.get("release", ""), outcome, status,
                  bytes(data["stdout"]), bytes(data["stderr"]), console,
                  seconds, _files(data["out"]))


def _files(archive: bytes | bytearray) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if not archive:
        return files
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.isfile():
                    files[member.name] = tar.extractfile(member).read()
    except tarfile.ReadError:
        pass  # cut off: the guest died while sending; keep what came whole
    return files


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write a result's /out below folder, and nowhere else."""
    for name, data in files.items():
        if name.startswith("/") or ".." in Path(name).parts:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
