#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What folding gains: instructions, bytes, and cost in a kernel.

    tests/bench/fold.py [--kernel 6.1] [--builddir build]

Prints Markdown. The cost is that of an access which the policy allows and does
not log, in instructions, on an emulated processor that counts them: without
LSM programs, with an empty one on each hook, with the policy as -O0 leaves it,
and folded.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))
import vm  # noqa: E402

POLICIES = {
    "no-new-modules": (TOP / "policies/no-new-modules.bpflock").read_text(),
    "nobody-unlogged": "language 1;\npolicy nobody-unlogged { seal open; "
                       "kernel_modules { profile allow; log none; block "
                       "autoload_module; block load_module for container; } }\n",
}

EMPTY = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
SEC("lsm/kernel_read_file") int read_file(void *context) { return 0; }
SEC("lsm/kernel_load_data") int load_data(void *context) { return 0; }
"""

# A machine each: calls cost a little more the longer one runs.
EMPTY_SCRIPT = """
bpftool prog loadall /empty.o /sys/fs/bpf/empty || exit 1
fold_guest /sys/fs/bpf/empty/*
"""


def compile_policy(build: Path, policy: Path, bundle: Path, *options: str):
    subprocess.run([build / "bpflockc", *options, policy, "-o", bundle],
                   check=True, stderr=subprocess.DEVNULL)


def least_milliseconds(command: list, runs: int = 50) -> float:
    least = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        least = min(least, time.perf_counter() - begin)
    return 1000 * least


def print_programs(build: Path, policy: Path) -> None:
    listed = subprocess.run([build / "bpflockc", "--emit=asm", policy],
                            check=True, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.DEVNULL)
    for name, before, after in re.findall(
            r"^program (\S+) .*: (\d+) slots, (.*)$", listed.stdout, re.M):
        print(f"| {policy.stem} | {name} | {before} | "
              f"{after.replace(' when folded', '')} |")


def make_overlay(build: Path, overlay: Path) -> None:
    programs = overlay / "usr/bin"
    programs.mkdir(parents=True)
    (overlay / "bundles").mkdir()
    shutil.copy(build / "bpflock-load", programs)
    subprocess.run(["gcc", "-O2", "-static", "-o", programs / "fold_guest",
                    TOP / "tests/bench/fold_guest.c"], check=True)
    source = overlay / "empty.c"
    source.write_text(EMPTY)
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3",
                    "-I/usr/include/x86_64-linux-gnu", "-c", source, "-o",
                    overlay / "empty.o"], check=True)


def cost(kernel: str, overlay: Path, script: str) -> list[int]:
    result = vm.run(kernel, ["sh", "-c", script], overlay=overlay, icount=True,
                    timeout=300)
    if not result.ok:
        sys.exit(f"{result.text}{result.errors}{result.explain()}")
    return [int(word) for word in result.text.split("\n")[-2].split()]


def print_costs(kernel: str, overlay: Path) -> None:
    scripts = {"nothing": "fold_guest", "an empty program": EMPTY_SCRIPT}
    for bundle in sorted((overlay / "bundles").glob("*.o")):
        scripts[bundle.stem] = (f"bpflock-load /bundles/{bundle.name} >&2 && "
                                "fold_guest")
    print(f"\nInstructions a call, Linux {kernel}:\n")
    print("| with | finit_module | more than empty | init_module "
          "| more than empty |\n|---|---|---|---|---|")
    rows = {name: cost(kernel, overlay, script)
            for name, script in scripts.items()}
    empty = rows["an empty program"]
    for name, (file, data) in rows.items():
        print(f"| {name} | {file} | {file - empty[0]} | {data} | "
              f"{data - empty[1]} |")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what folding gains.")
    parser.add_argument("--kernel", default="6.1", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "overlay"
        make_overlay(args.builddir, overlay)
        print("| policy | program | slots at -O0 | folded |\n|---|---|---|---|")
        sizes = []
        for name, text in POLICIES.items():
            policy = Path(folder) / f"{name}.bpflock"
            policy.write_text(text)
            print_programs(args.builddir, policy)
            for level, options in {"O0": ["-O0"], "folded": []}.items():
                bundle = overlay / f"bundles/{name}.{level}.o"
                compile_policy(args.builddir, policy, bundle, *options)
                took = least_milliseconds([args.builddir / "bpflockc",
                                           *options, policy, "-o", bundle])
                sizes.append(f"| {name} | {level} | {bundle.stat().st_size} | "
                             f"{took:.1f} |")
        print("\n| policy | | bytes of the bundle | ms to compile |\n"
              "|---|---|---|---|\n" + "\n".join(sizes))
        print_costs(args.kernel, overlay)
    return 0


if __name__ == "__main__":
    sys.exit(main())
