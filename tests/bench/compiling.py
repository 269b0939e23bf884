# SPDX-License-Identifier: GPL-2.0-only
"""How long compiling takes, and how much memory, beside other compilers.

All of them take turns on this machine. Wall times say little elsewhere, so
what is compared is the ratio of two runs that followed one another. The
processor's own time is less disturbed by what else a machine does.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rows
from guest import HERE, Failed, hosttools
from results import progress
from settings import Settings

Table = dict[str, Any]

CIL_HEAD = """
(handleunknown allow)
(mls false)
(class file (read))
(classorder (file))
(sid kernel)
(sidorder (kernel))
(user u)
(role r)
(type t)
(category c0)
(categoryorder (c0))
(sensitivity s0)
(sensitivityorder (s0))
(sensitivitycategory s0 (c0))
(level low (s0))
(levelrange range (low low))
(userrole u r)
(userlevel u low)
(userrange u range)
(roletype r t)
(context start (u r t range))
(sidcontext kernel start)
"""


# --- as many rules for each ---------------------------------------------------


def bpflock_rules(count: int) -> str:
    return rows.policy("made-up", rows.many_rules(count))


def nft_rules(count: int) -> str:
    """For addresses and ports."""
    lines = [f"ip saddr 10.{number // 250}.{number % 250}.1 tcp dport "
             f"{1024 + number} {'drop' if number % 2 else 'accept'}"
             for number in range(count)]
    return ("table inet made_up { chain input {\n"
            "type filter hook input priority 0; policy drop;\n"
            + "\n".join(lines) + "\n}\n}\n")


def cil_rules(count: int) -> str:
    """For a type each."""
    return CIL_HEAD + "".join(
        f"(type vm_{number})\n(roletype r vm_{number})\n"
        f"(allow t vm_{number} (file (read)))\n" for number in range(count))


def apparmor_rules(count: int) -> str:
    """For a folder each."""
    lines = [f"  {'deny ' if number % 2 else ''}/machine/vm-{number}/** r,"
             for number in range(count)]
    return ("profile made-up /usr/bin/made-up {\n" + "\n".join(lines)
            + "\n}\n")


# --- measuring ----------------------------------------------------------------


@dataclass
class Compiler:
    """A command that ends in the file's name."""
    name: str
    command: list[str]
    text: str
    wall: list[float] = field(default_factory=list)  # ms
    spent: list[float] = field(default_factory=list)  # of the processor, ms
    mebibytes: list[float] = field(default_factory=list)


def tool(name: str) -> str:
    found = hosttools.find(name)
    if not found:
        raise Failed(f"{name} is not installed")
    return found


def compilers(build: Path, count: int) -> list[Compiler]:
    """Ours twice, first and last: what differs there is noise."""
    ours = [str(build / "bpflockc"), "-o", "bundle.o"]
    null = "/dev/null"
    return [
        Compiler("bpflockc", ours, bpflock_rules(count)),
        Compiler("nft -c", [tool("nft"), "-c", "-f"], nft_rules(count)),
        Compiler("secilc", [tool("secilc"), "-o", null, "-f", null],
                 cil_rules(count)),
        Compiler("apparmor_parser", [tool("apparmor_parser"), "-Q", "-K",
                                     "-S"], apparmor_rules(count)),
        Compiler("bpflockc again", ours, bpflock_rules(count)),
    ]


def entering(folder: Path) -> list[str]:
    """What gives nft -c a network that it may read, if it needs one."""
    probe = folder / "probe.nft"
    probe.write_text(nft_rules(1))
    for before in ([], ["unshare", "-n"], ["unshare", "-rn"]):
        done = subprocess.run([*before, tool("nft"), "-c", "-f", probe],
                              check=False, capture_output=True)
        if done.returncode == 0:
            return before
    raise Failed(f"nft -c cannot run here: {done.stderr.decode()}")


def measure_program(folder: Path) -> Path:
    program = folder / "measure"
    subprocess.run(["gcc", "-O2", "-o", program, HERE / "measure.c"],
                   check=True)
    return program


def take_turns(measure: Path, before: list[str], compared: list[Compiler],
               runs: int, folder: Path) -> None:
    words: list[str] = []
    for number, compiler in enumerate(compared):
        source = folder / f"input-{number}.bpflock"
        source.write_text(compiler.text)
        words += [*(["--"] if words else []), *compiler.command, str(source)]
    done = subprocess.run([*before, measure, str(runs), *words], cwd=folder,
                          check=False, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        number, wall, spent, memory, status = map(int, line.split())
        if status:
            raise Failed(f"{compared[number].name}: status {status}: "
                         f"{done.stderr[:2000]}")
        compared[number].wall.append(wall / 1e6)
        compared[number].spent.append(spent / 1e6)
        compared[number].mebibytes.append(memory / 1024)
    if done.returncode:
        raise Failed(done.stderr)


def summary(compiler: Compiler, first: Compiler) -> Table:
    pairs = zip(compiler.wall, first.wall)
    return {
        "wall": min(compiler.wall),
        "spent": min(compiler.spent),
        "memory": max(compiler.mebibytes),
        "ratio": statistics.median(theirs / ours for theirs, ours in pairs),
    }


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def measure_compiling(settings: Settings) -> tuple[str, Table]:
    runs = settings.runs
    found: Table = {}
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        measure, before = measure_program(folder), entering(folder)
        for count in settings.rules:
            progress(f"compile: {count} rules")
            compared = compilers(settings.build.resolve(), count)
            take_turns(measure, before, compared, runs, folder)
            found[str(count)] = {
                compiler.name: summary(compiler, compared[0])
                for compiler in compared}
            found[str(count)]["bytes"] = os.path.getsize(folder / "bundle.o")
    return platform.release(), {"rules": found, "runs": runs,
                                "processor": processor()}
