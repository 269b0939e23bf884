#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Folded programs load on real kernels.

    tests/vm/test_folded.py [--kernel ID]... [--generated 20] [--seed N]

Every ready policy that can be compiled today, and generated ones that the kernel
can decide, are compiled folded and with -O0. On each kernel, in one machine, the folded one is loaded and
unloaded. One that does not load is tried unfolded: if that loads, the folded one
must; if not, the kernel cannot enforce that policy and the row is skipped. The
last line is
"N passed, N failed, N skipped".
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import vm
from test_loader import programs_for

TOP = Path(__file__).resolve().parent.parent.parent
PROFILES = ["allow", "baseline", "restricted"]
LOGS = ["denied", "all", "none"]
SUBJECTS = ["host", "container", "all"]
TRACES = ["exec all", "privileged chown, sys_admin"]

# Says in /out/NAME.LEVEL how the loading of each bundle went.
SCRIPT = """
# try NAME LEVEL
try() {
	{ bpflock-load /bundles/$1.$2.o && bpflock-load --unload $1 &&
		echo WELL; } >/out/$1.$2 2>&1
}
for bundle in /bundles/*.folded.o; do
	file=${bundle##*/}
	try ${file%%.*} folded || try ${file%%.*} plain
done
true
"""


def operations(build: Path, scratch: Path) -> dict[str, list[str]]:
    """What can be compiled today: operations by protection."""
    policy = scratch / "all.bpflock"
    policy.write_text("language 1;\npolicy all { seal open; "
                      "default profile restricted; }\n")
    explained = subprocess.run(
        [build / "bpflockc", "--explain", "--format=json", policy],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found: dict[str, list[str]] = {}
    for protection in json.loads(explained.stdout)["protections"]:
        name = protection["name"]
        for operation in protection["operations"]:
            text = (f"{name} {{ profile allow; "
                    f"block {operation['name']}; }}")
            if compile_text(build, scratch, "one", text):
                found.setdefault(name, []).append(operation["name"])
    return found


def compile_text(build: Path, scratch: Path, name: str, body: str,
                 *options: str) -> Path | None:
    policy = scratch / f"{name}.bpflock"
    policy.write_text(f"language 1;\npolicy {name} {{ seal open; {body} }}\n")
    return compile_file(build, policy, scratch / f"{name}.bundle", *options)


def compile_file(build: Path, policy: Path, bundle: Path,
                 *options: str) -> Path | None:
    result = subprocess.run([build / "bpflockc", *options, "-I",
                             TOP / "policies", policy, "-o", bundle],
                            check=False,
                            stderr=subprocess.DEVNULL)
    return bundle if result.returncode == 0 else None


def generate(chance: random.Random, known: dict[str, list[str]]) -> str:
    """Some protections, each with its profile, its log and a few rules."""
    body = ["mode audit;"] if chance.random() < 0.2 else []
    names = chance.sample(sorted(known), chance.randint(1, len(known)))
    for name in names:
        rules = [f"profile {chance.choice(PROFILES)};",
                 f"log {chance.choice(LOGS)};"]
        picked = chance.sample(known[name],
                               chance.randint(0, min(4, len(known[name]))))
        for operation in picked:
            subject = chance.choice(SUBJECTS)
            rules.append(f"{chance.choice(['block', 'allow'])} {operation}"
                         + ("" if subject == "all" else f" for {subject}")
                         + ";")
        body.append(f"{name} {{ {' '.join(rules)} }}")
    traces = [f"{trace} for {chance.choice(SUBJECTS)};" for trace in TRACES
              if chance.random() < 0.3]
    if traces:
        body.append(f"trace {{ {' '.join(traces)} }}")
    return " ".join(body)


def compile_all(build: Path, scratch: Path, bundles: Path, count: int,
                seed: int, target: str) -> list[str]:
    """Both forms of each policy into the folder; their names. The generated
    ones are for kernels of that version."""
    names = []
    for path in sorted((TOP / "policies").glob("*.bpflock")):
        name = path.stem
        # A machine is sealed once, and many are loaded here.
        policy = scratch / path.name
        policy.write_text(path.read_text().replace("seal locked;",
                                                   "seal open;"))
        if compile_file(build, policy, bundles / f"{name}.folded.o"):
            compile_file(build, policy, bundles / f"{name}.plain.o", "-O0")
            names.append(name)
    chance = random.Random(seed)
    known = operations(build, scratch)
    made = 0
    while made < count:
        name = f"generated-{made}"
        body = generate(chance, known)
        folded = compile_text(build, scratch, name, body, "--target", target)
        if not folded:
            continue
        shutil.copy(folded, bundles / f"{name}.folded.o")
        shutil.copy(compile_text(build, scratch, name, body, "-O0"),
                    bundles / f"{name}.plain.o")
        shutil.copy(scratch / f"{name}.bpflock", bundles)
        names.append(name)
        made += 1
    return names


def run_kernel(kernel: str, programs: Path, bundles: Path,
               names: list[str]) -> tuple[int, int, int]:
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch)
        (overlay / "usr/bin").mkdir(parents=True)
        shutil.copy(programs / "bpflock-load", overlay / "usr/bin")
        shutil.copytree(bundles, overlay / "bundles")
        result = vm.run(kernel, ["sh", "-c", SCRIPT], overlay=overlay,
                        timeout=300 + 20 * len(names))
    if not result.ok:
        print(f"{kernel}: {result.explain()}")
        return 0, 1, 0
    passed = failed = skipped = 0
    for name in names:
        said = {level: result.out.get(f"{name}.{level}", b"").decode()
                for level in ("plain", "folded")}
        if said["folded"].endswith("WELL\n"):
            passed += 1
        elif said["plain"].endswith("WELL\n"):
            failed += 1
            print(f"{kernel}: {name} loads, and folded it does not:\n"
                  f"{said['folded']}")
            policy = bundles / f"{name}.bpflock"
            if policy.exists():
                print(policy.read_text())
        else:
            skipped += 1
            print(f"{kernel}: {name} is not for this kernel: "
                  + (said["plain"].strip().splitlines() or ["?"])[0])
    print(f"{kernel} ({result.release}): {passed} of {len(names)} load folded")
    return passed, failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Load folded programs on real kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID",
                        help="a row of kernels.tsv; the whole matrix without")
    parser.add_argument("--generated", type=int, default=20)
    parser.add_argument("--seed", type=int, help="default: another each time")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int(time.time())
    print(f"seed {seed}")
    kernels = args.kernel or vm.kernels.matrix()
    totals = [0, 0, 0]
    for kernel in kernels:
        with tempfile.TemporaryDirectory() as folder:
            scratch, bundles = Path(folder) / "scratch", Path(folder) / "made"
            scratch.mkdir()
            bundles.mkdir()
            names = compile_all(args.builddir, scratch, bundles,
                                args.generated, seed,
                                vm.kernels.get(kernel).version)
            counts = run_kernel(kernel, programs_for(kernel, args.builddir),
                                bundles, names)
            totals = [sum(pair) for pair in zip(totals, counts)]
    print("{} passed, {} failed, {} skipped".format(*totals))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
