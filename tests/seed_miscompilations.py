#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Breaks finished objects, one thing each, and asks the evaluator.

Every change that means something must be noticed. A change means something
unless the object, run beside the unchanged one in a few thousand random
environments, gives the same result, the same event and the same maps each
time: such a change is left out, and how many were is said. (So are changes
that leave the bytes as they were.) Neither the evaluator's accesses nor its
table has a part in that rule.

    seed_miscompilations.py [--seed N] [--count N] [--build DIR] [-v]
"""

from __future__ import annotations

import argparse
import random
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ENVIRONMENTS = 4000
SEEDS = 3  # so many runs of them

# Each template is in one of them: tests/test_tables.py looks.
POLICIES = {
    "modules": """
        kernel_modules {
            profile baseline;
            allow load_module for container because "test";
            log all;
        }
    """,
    "audit": "kernel_modules { profile baseline; }",
    "bpf": """
        bpf {
            profile baseline;
            allow map_create for container because "test";
            block obj_pin for host because "test";
        }
        kernel_modules { profile restricted; log all; }
    """,
    "fileless": """
        fileless_exec {
            profile baseline;
            allow script for container because "test";
            log all;
        }
    """,
    "sysfs": """
        sysfs {
            profile baseline;
            allow class, firmware for container because "test";
            block fs for host because "test";
        }
    """,
    "network": """
        network {
            profile baseline;
            allow bind, netlink_route for container because "test";
            block listen for host because "test";
            log all;
        }
    """,
    "destinations": """
        network {
            profile baseline;
            destination inside {
                prefixes "10.0.0.0/8", "2001:db8::/32"; ports 443, "8000-8080";
            }
            destination mail { ports 25; }
            destination printers { prefixes "10.7.0.0/16"; }
            allow inside for container because "test";
            block printers, mail because "test";
        }
    """,
    "lockdown": """
        kernel_image {
            profile baseline;
            allow kexec, hibernation for container because "test";
            block debugfs for host because "test";
            log all;
        }
        kernel_secrets {
            profile baseline;
            allow perf for container because "test";
            block kprobes for host because "test";
        }
    """,
    "namespaces": """
        namespaces {
            profile baseline;
            allow uts, ipc for container because "test";
            block enter, net for host because "test";
            log all;
        }
    """,
    "traces": """
        trace {
            exec all for container;
            privileged chown, sys_admin;
        }
    """,
    "cgroups": """
        kernel_modules {
            profile baseline;
            allow load_module for cgroup "/a/b" because "test";
            block autoload_module for cgroup "/a" because "test";
            block all for cgroup "/system.slice/a service" because "test";
        }
        fileless_exec {
            profile baseline;
            allow memfd for cgroup "/a/b" because "test";
        }
    """,
    # More than all accesses are tried in, of protections with other operations.
    "many-cgroups": "kernel_image { profile baseline; "
    + "".join(f'allow {("kexec", "msr", "all")[i % 3]} for cgroup "/m/c{i}" '
              'because "test"; ' for i in range(12))
    + '} fileless_exec { profile baseline; allow memfd for cgroup "/m/c3", '
    'cgroup "/m/c7/below" because "test"; }',
}

HEAD = 'language 1; policy seeded {{ version 1; mode {mode}; seal open; {body} }}'

# Opposites of jumps, by the upper half of their code.
OPPOSITES = {0x10: 0x50, 0x50: 0x10, 0x20: 0xB0, 0xB0: 0x20, 0x30: 0xA0,
             0xA0: 0x30, 0x60: 0xD0, 0xD0: 0x60, 0x70: 0xC0, 0xC0: 0x70}
SYMBOL, RELOCATION, INSN = 24, 16, 8


@dataclass(frozen=True)
class Section:
    index: int
    name: str
    type: int
    offset: int
    size: int
    info: int


class Elf:
    """Where things are in an object; nothing is checked, it is our own."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        table, = struct.unpack_from("<Q", data, 0x28)
        count, names = struct.unpack_from("<HH", data, 0x3C)
        raw = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i)
               for i in range(count)]
        self.sections = [
            Section(i, self.string(raw[names][4] + each[0]), each[1], each[4],
                    each[5], each[7])
            for i, each in enumerate(raw)]

    def string(self, offset: int) -> str:
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def code(self) -> list[Section]:
        return [each for each in self.sections
                if each.name.startswith(("lsm/", "fexit/"))
                or each.name == ".text"]

    def named(self, name: str) -> Section | None:
        return next((each for each in self.sections if each.name == name), None)

    def insns(self, section: Section) -> list[int]:
        """The offsets of instructions, each of two words once."""
        found, at = [], section.offset
        while at < section.offset + section.size:
            found.append(at)
            at += 2 * INSN if self.data[at] == 0x18 else INSN
        return found

    def symbols(self, prefix: str) -> list[tuple[int, int]]:
        """Where the variables are whose names begin so, and their sizes."""
        table = self.named(".symtab")
        names = self.named(".strtab").offset
        found = []
        for at in range(table.offset, table.offset + table.size, SYMBOL):
            name, _, section, value, size = struct.unpack_from(
                "<IHHQQ", self.data, at)
            if self.string(names + name).startswith(prefix):
                found.append((self.sections[section].offset + value, size))
        return found

    def core(self) -> list[int]:
        """The offsets of CO-RE relocation records."""
        extension = self.named(".BTF.ext")
        base = extension.offset
        header, = struct.unpack_from("<I", self.data, base + 4)
        offset, size = struct.unpack_from("<II", self.data, base + 24)
        at = base + header + offset
        end = at + size
        record, = struct.unpack_from("<I", self.data, at)
        at += 4
        found = []
        while at < end:
            count, = struct.unpack_from("<I", self.data, at + 4)
            at += 8
            found += range(at, at + count * record, record)
            at += count * record
        return found


Change = tuple[str, dict[int, bytes]]  # words, and bytes by offset


def any_insn(rng: random.Random, elf: Elf, wanted) -> int | None:
    found = [at for section in elf.code() for at in elf.insns(section)
             if wanted(elf.data[at:at + 2 * INSN])]
    return rng.choice(found) if found else None


def invert_jump(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] & 7 in (5, 6)
                  and insn[0] & 0xF0 in OPPOSITES)
    if at is None:
        return None
    code = elf.data[at]
    return "jump inverted", {at: bytes([OPPOSITES[code & 0xF0] | code & 0x0F])}


def move_jump(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] & 7 in (5, 6)
                  and insn[0] & 0xF0 not in (0x80, 0x90))
    if at is None:
        return None
    offset, = struct.unpack_from("<h", elf.data, at + 2)
    moved = offset + rng.choice([-2, -1, 1, 2])
    return "jump goes elsewhere", {at + 2: struct.pack("<h", moved)}


def drop_insn(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] not in (0x18, 0x95))
    if at is None:
        return None
    return "instruction dropped", {at: b"\x05" + bytes(7)}


def change_number(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] & 7 in (2, 4, 5, 6, 7)
                  and not insn[0] & 8 and insn[0] not in (0x05, 0x95))
    if at is None:
        return None
    number, = struct.unpack_from("<I", elf.data, at + 4)
    changed = rng.choice([number ^ 1 << rng.randrange(8), number + 1,
                          number - 1, 0]) & 0xFFFFFFFF
    return "number in code changed", {at + 4: struct.pack("<I", changed)}


def change_shift(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] & 0xF7 in (0x64, 0x67, 0x74, 0x77)
                  and not insn[0] & 8)
    if at is None:
        return None
    return "shift changed", {at + 4: bytes([rng.randrange(64)])}


def change_register(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] not in (0x05, 0x85, 0x95))
    if at is None:
        return None
    registers = elf.data[at + 1]
    if rng.randrange(2):
        registers = registers & 0xF0 | rng.randrange(10)
    else:
        registers = registers & 0x0F | rng.randrange(10) << 4
    return "register changed", {at + 1: bytes([registers])}


def change_result(rng: random.Random, elf: Elf) -> Change | None:
    """What r0 is set to, where that is a constant."""
    at = any_insn(rng, elf, lambda insn: insn[0] in (0xB4, 0xB7, 0x18)
                  and insn[1] == 0)
    if at is None:
        return None
    number, = struct.unpack_from("<I", elf.data, at + 4)
    changed = 0 if number else rng.choice([0xFFFFFFFF, 1])
    return "result changed", {at + 4: struct.pack("<I", changed)}


def change_call(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] == 0x85)
    if at is None:
        return None
    return "another helper", {at + 4: struct.pack("<I", rng.choice(
        [1, 5, 14, 15, 35, 80, 113, 125, 131, 132, 133, 147, 158]))}


def change_offset(rng: random.Random, elf: Elf) -> Change | None:
    at = any_insn(rng, elf, lambda insn: insn[0] & 7 in (1, 3))
    if at is None:
        return None
    offset, = struct.unpack_from("<h", elf.data, at + 2)
    moved = offset + rng.choice([-8, -4, -1, 1, 4, 8])
    return "load or store moved", {at + 2: struct.pack("<h", moved)}


# Where a policy is, beside the instructions.
BAKED = [".rodata.policy", ".rodata.cgroups", ".rodata.destinations"]


def flip_policy(rng: random.Random, elf: Elf) -> Change | None:
    """A bit of the masks, or of what stands beside them."""
    section = elf.named(rng.choice(BAKED))
    if not section or not section.size:
        return None
    at = section.offset + rng.randrange(section.size)
    return f"bit flipped in {section.name}", {
        at: bytes([elf.data[at] ^ 1 << rng.randrange(8)])}


def swap_masks(rng: random.Random, elf: Elf) -> Change | None:
    section = elf.named(rng.choice(BAKED))
    if not section or section.size < 16:
        return None
    count = section.size // 8
    one, other = (section.offset + 8 * rng.randrange(count) for _ in range(2))
    return f"words swapped in {section.name}", {
        one: elf.data[other:other + 8], other: elf.data[one:one + 8]}


def change_class(rng: random.Random, elf: Elf) -> Change | None:
    """A bit of what one class is denied or has logged: of operations that there
    are, as a rule."""
    tables = elf.symbols("cgroup_classes_")
    if not tables:
        return None
    start, size = rng.choice(tables)
    at = start + 8 * rng.randrange(size // 8) + rng.randrange(2)
    return "a class's mask changed", {
        at: bytes([elf.data[at] ^ 1 << rng.randrange(8)])}


def change_core(rng: random.Random, elf: Elf) -> Change | None:
    """Another enumerator, field, type or question in a CO-RE record."""
    records = elf.core()
    if not records:
        return None
    one, other = rng.choice(records), rng.choice(records)
    field = rng.choice([4, 8, 12])
    return "CO-RE record changed", {
        one + field: elf.data[other + field:other + field + 4]}


def retarget(rng: random.Random, elf: Elf) -> Change | None:
    """A relocation for another symbol, of those that have one."""
    found = [section.offset + at for section in elf.sections
             if section.type == 9
             and section.name.startswith((".rellsm/", ".relfexit/"))
             for at in range(0, section.size, RELOCATION)]
    if not found:
        return None
    one, other = rng.choice(found), rng.choice(found)
    return "relocation retargeted", {
        one + 8: elf.data[other + 8:other + 16]}


def rename(rng: random.Random, elf: Elf) -> Change | None:
    """A letter of a name that CO-RE may look for."""
    section = elf.named(".BTF")
    strings, size = struct.unpack_from("<II", elf.data, section.offset + 16)
    header, = struct.unpack_from("<I", elf.data, section.offset + 4)
    at = section.offset + header + strings + rng.randrange(1, size)
    if not elf.data[at]:
        return None
    return "name changed", {at: b"Z"}


OPERATORS = [invert_jump, move_jump, drop_insn, change_number, change_shift,
             change_register, change_result, change_call, change_offset,
             flip_policy, swap_masks, change_class, change_core, retarget, rename]


class Objects:
    """The bundles that are broken, and the programs that look."""

    def __init__(self, build: Path, folder: Path) -> None:
        self.build, self.folder = build, folder
        self.bundles: list[tuple[str, Path, Elf]] = []

    def compile(self, name: str, body: str) -> None:
        mode = "audit" if name == "audit" else "enforce"
        source = self.folder / f"{name}.bpflock"
        source.write_text(HEAD.format(mode=mode, body=body))
        for option in ([], ["-O0"]):
            bundle = self.folder / f"{name}{''.join(option)}.o"
            subprocess.run([self.build / "bpflockc", *option, "-Wno-no-effect",
                            "-Wno-lock-out", source, "-o", bundle], check=True)
            self.bundles.append((bundle.name, bundle,
                                 Elf(bundle.read_bytes())))

    def ask(self, options: list[str], bundle: Path,
            objects: list[Path]) -> list[str]:
        """A line for each object."""
        run = subprocess.run([self.build / "tests/evaluate", *options, bundle,
                              *objects], text=True, capture_output=True,
                             check=False)
        lines = run.stdout.splitlines()
        if run.returncode or len(lines) != len(objects):
            raise SystemExit(f"evaluate ended with {run.returncode}: "
                             f"{run.stderr}")
        return lines

    def means_something(self, bundle: Path, object_: Path, seed: int) -> str:
        """How the change shows, or "" where it never did."""
        for i in range(SEEDS):
            line, = self.ask(["-r", str(seed + i), str(ENVIRONMENTS)], bundle,
                             [object_])
            if line != "same":
                return line
        return ""


def make_changes(rng: random.Random, elf: Elf, count: int) -> list[Change]:
    changes: list[Change] = []
    while len(changes) < count:
        change = rng.choice(OPERATORS)(rng, elf)
        if change and any(elf.data[at:at + len(new)] != new
                          for at, new in change[1].items()):
            changes.append(change)
    return changes


def apply(data: bytes, change: Change) -> bytes:
    broken = bytearray(data)
    for at, new in change[1].items():
        broken[at:at + len(new)] = new
    return bytes(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100,
                        help="changes that mean something (default: 100)")
    parser.add_argument("--build", type=Path, default=TOP / "build")
    parser.add_argument("-v", action="store_true", dest="verbose")
    args = parser.parse_args()
    print(f"seed {args.seed}")
    rng = random.Random(args.seed)
    noticed, left_out, kinds = 0, 0, Counter()
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        objects = Objects(args.build, Path(name))
        for policy, body in POLICIES.items():
            objects.compile(policy, body)
        turn = 0
        while noticed + len(missed) < args.count:
            label, bundle, elf = objects.bundles[turn % len(objects.bundles)]
            turn += 1
            share = max(1, min(args.count - noticed - len(missed),
                               -(-args.count // len(objects.bundles))))
            changes = make_changes(rng, elf, share)
            paths = []
            for i, change in enumerate(changes):
                paths.append(objects.folder / f"broken-{i}")
                paths[-1].write_bytes(apply(elf.data, change))
            for path, change, line in zip(paths, changes,
                                          objects.ask([], bundle, paths)):
                where = ", ".join(f"0x{at:x}" for at in change[1])
                if line != "agrees":
                    noticed += 1
                    kinds[change[0]] += 1
                    if args.verbose:
                        print(f"{label}: {change[0]} at {where}: {line}")
                    continue
                how = objects.means_something(bundle, path, args.seed)
                if how:
                    missed.append(f"{label}: {change[0]} at {where}: {how}")
                else:
                    left_out += 1
    for kind, number in sorted(kinds.items()):
        print(f"{number:5} {kind}")
    for line in missed:
        print(f"not noticed: {line}")
    print(f"{left_out} left out: the same in {SEEDS * ENVIRONMENTS} random "
          "environments")
    print(f"{noticed} passed, {len(missed)} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
