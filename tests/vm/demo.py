#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a policy denies, shown on a real kernel: the end of ./try.

    tests/vm/demo.py POLICY [--kernel ID] [--builddir build]

Compiles the policy, boots a machine that is thrown away, and makes the same
real calls there three times: before the bundle is loaded, while it is, and
after --unload. A denial that happens anyway proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import vm


@dataclass(frozen=True)
class Probe:
    """One operation, by a real program."""
    protection: str
    operation: str
    call: str  # succeeds where the operation is allowed
    undo: str = "true"


PROBES = [
    Probe("kernel_modules", "load_module", "modprobe dummy", "rmmod dummy"),
    # The kernel itself asks for the module of a link of that type.
    Probe("kernel_modules", "autoload_module",
          "ip link add bpflock0 type ifb",
          "ip link del bpflock0; rmmod ifb"),
]

SUBJECTS = {"host": "", "container": "in-container "}

# Each column of the table: what is done in the machine before its calls.
STAGES = {
    "without": "",
    "loaded": "bpflock-load /bundle.o",
    "unloaded": "bpflock-load --unload {policy}",
}


def say(text: str = "") -> None:
    print(text, flush=True)


def compile_policy(build: Path, policy: Path, bundle: Path) -> dict:
    """The bundle, and its decision table as bpflockc explains it."""
    subprocess.run([build / "bpflockc", policy, "-o", bundle], check=True)
    explained = subprocess.run(
        [build / "bpflockc", "--explain", "--format=json", bundle],
        check=True, stdout=subprocess.PIPE)
    return json.loads(explained.stdout)


def chosen_probes(table: dict) -> tuple[list[Probe], list[str]]:
    """The probes of what the policy decides, and what has none."""
    decided = [(protection["name"], operation["name"])
               for protection in table["protections"]
               for operation in protection["operations"]
               if any(cell["verdict"] != "allow"
                      for cell in operation["cells"])]
    known = {(probe.protection, probe.operation): probe for probe in PROBES}
    return ([known[name] for name in decided if name in known],
            [".".join(name) for name in decided if name not in known])


def script(probes: list[Probe], policy: str, locked: bool) -> str:
    """Every stage, and in it every call; /out/STAGE.SUBJECT.OPERATION holds
    what the call said, and its status behind that."""
    lines = ["mkdir -p /out"]
    for stage, command in STAGES.items():
        if command:
            lines.append(f"echo '# {command.format(policy=policy)}'")
            refused = locked and stage == "unloaded"
            lines.append(f"{command.format(policy=policy)} "
                         + ("&& exit 1" if refused else "|| exit 1"))
        if stage == "loaded":
            lines.append("bpflock-load --status || exit 1")
        for probe in probes:
            for subject, prefix in SUBJECTS.items():
                name = f"/out/{stage}.{subject}.{probe.operation}"
                lines.append(
                    f"{prefix}sh -c '{probe.call}' >{name} 2>&1; s=$?; "
                    f"echo $s >>{name}; [ $s != 0 ] || "
                    f"{prefix}sh -c '{probe.undo}' >/dev/null 2>&1")
        if stage == "loaded":
            lines.append("command -v bpflock-log >/dev/null && "
                         "{ bpflock-log || exit 1; }")
    return "\n".join(lines) + "\ntrue\n"


def outcome(raw: bytes) -> tuple[str, str]:
    """(ok or denied, what the program said)"""
    *said, status = raw.decode(errors="replace").strip().split("\n")
    words = " ".join(said).strip()
    return ("ok" if status == "0" else "DENIED"), words


def print_table(probes: list[Probe], out: dict[str, bytes],
                locked: bool) -> bool:
    """The results side by side; false where the control did not succeed, or
    a locked policy went."""
    titles = ["without", "with the policy", "after --unload"]
    say(f"{'subject':<10}{'operation':<18}"
        + "".join(f"{title:<17}" for title in titles)
        + "what the program said with the policy")
    controls_good = True
    for probe in probes:
        for subject in SUBJECTS:
            cells = [outcome(out.get(f"{stage}.{subject}.{probe.operation}",
                                     b"1"))
                     for stage in STAGES]
            say(f"{subject:<10}{probe.operation:<18}"
                + "".join(f"{verdict:<17}" for verdict, _ in cells)
                + cells[1][1])
            controls_good &= cells[0][0] == "ok"
            controls_good &= cells[2][0] == (cells[1][0] if locked else "ok")
    return controls_good


def demonstrate(build: Path, policy: Path, kernel: str) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        programs = overlay / "usr/bin"
        programs.mkdir(parents=True)
        say(f"$ bpflockc {policy} -o bundle.o")
        table = compile_policy(build, policy, overlay / "bundle.o")
        say(f"  {os.path.getsize(overlay / 'bundle.o')} bytes")
        probes, without_probe = chosen_probes(table)
        locked = table["seal"] == "locked"
        for name in ("bpflock-load", "bpflock-log"):
            if (build / name).exists():
                shutil.copy(build / name, programs)
        result = vm.run(kernel,
                        ["sh", "-c", script(probes, table["policy"], locked)],
                        overlay=overlay, timeout=300)
    say(f"\nLinux {result.release}, booted in {result.seconds:.0f} s; "
        "in the machine, as root:")
    say(result.text.rstrip())
    if not result.ok:
        say(result.errors.rstrip())
        say(result.explain())
        return 1
    say()
    good = print_table(probes, result.out, locked)
    for name in without_probe:
        say(f"{name}: decided by the policy, not demonstrated here")
    if not good:
        say("a call failed without the policy too: that shows nothing")
    return 0 if good else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Shows what a policy denies, on a real kernel.")
    parser.add_argument("policy", type=Path)
    parser.add_argument("--kernel", default="6.1", metavar="ID",
                        help="a row of kernels.tsv (default: 6.1)")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    try:
        return demonstrate(args.builddir, args.policy, args.kernel)
    except subprocess.CalledProcessError:
        return 1  # bpflockc has said why
    except vm.HostError as error:
        say(str(error))
        return vm.EXIT_HOST


if __name__ == "__main__":
    sys.exit(main())
