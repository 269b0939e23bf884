#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bpf/bpf_commands.def beside what kernels have.

    tests/vm/test_commands.py [--kernel ID]...

Every command and type of program that a kernel's BTF names has to have that
number in the table. One that the table lacks is decided as `other`; it is
shown, so that whoever adds a kernel sees it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import vm

TABLE = Path(__file__).resolve().parents[2] / "bpf/bpf_commands.def"
ENUMS = {"COMMAND": ("bpf_cmd", "BPF_"),
         "PROGRAM_TYPE": ("bpf_prog_type", "BPF_PROG_TYPE_")}
# Other names of the same number, ends of lists, and flags.
NOT_ONE = re.compile(r"^__|^BPF_PROG_RUN$|^BPF_COMMON_ATTRS$")


def read_table(kind: str) -> dict[str, int]:
    rows = re.findall(rf"^{kind}\((\d+), (\w+), \w+\)$", TABLE.read_text(),
                      re.MULTILINE)
    if [int(number) for number, _ in rows] != list(range(len(rows))):
        sys.exit(f"{TABLE}: {kind} has a gap or is out of order")
    return {ENUMS[kind][1] + name: int(number) for number, name in rows}


def read_kernel(kernel: str, enum: str) -> dict[str, int]:
    result = vm.run(kernel, [
        "sh", "-c", "bpftool btf dump file /sys/kernel/btf/vmlinux | "
        f"sed -n \"/ENUM '{enum}'/,/^\\[/p\""])
    result.check()
    return {name: int(value) for name, value
            in re.findall(r"^\t'(\w+)' val=(\d+)$", result.text, re.MULTILINE)}


def compare(kernel: str, kind: str) -> int:
    """How many numbers differ."""
    table, enum = read_table(kind), ENUMS[kind][0]
    there = read_kernel(kernel, enum)
    wrong = [name for name, number in table.items()
             if there.get(name, number) != number]
    new = [name for name, number in there.items()
           if name not in table and not NOT_ONE.match(name)
           and number not in table.values()]
    for name in wrong:
        print(f"    {name} is {there[name]}, not {table[name]}")
    for name in new:
        print(f"    {name} is in no row: other")
    bad = bool(wrong) or len(there) < 30
    print(f"{'not ok' if bad else 'ok'} {kernel}: {enum}, {len(there)} names")
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", action="append", metavar="ID")
    args = parser.parse_args()
    failed = sum(compare(kernel, kind) for kernel in args.kernel or ["newest"]
                 for kind in ENUMS)
    print(f"{failed} failed" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
