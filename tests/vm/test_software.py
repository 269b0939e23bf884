#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What real software needs: container runtimes, sandboxes, modprobe, bpftool,
perf, ssh, dpkg.

    tests/vm/test_software.py [--kernel ID]... [--only PATTERN] [--table]

Each program does its work without a policy, under `profile baseline` and
`profile restricted` of one protection at a time, under ready policies, as far
as they can be compiled, and without one again.
software/cases.py says which of them is denied what, and why: the program's
status, what it says and the operations of the events have to be those. One
boot a kernel. docs/breaks.md is written by hand from what was seen (--table).
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import vm
from software.cases import CASES, NOT_HERE, Case, Denied

HERE = Path(__file__).resolve().parent
SOFTWARE = HERE / "software"
CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
          "-static", "-s"]
BPF_FLAGS = ["-target", "bpf", "-O2", "-g", "-Wall", "-Werror",
             "-I/usr/include/x86_64-linux-gnu"]
PROTECTIONS = {"modules": "kernel_modules", "bpf": "bpf",
               "exec": "fileless_exec", "image": "kernel_image",
               "secrets": "kernel_secrets", "namespaces": "namespaces"}
PROFILES = ("baseline", "restricted")
POLICIES = {
    **{f"{short}-{profile}": f"{protection} {{ profile {profile}; }}"
       for short, protection in PROTECTIONS.items() for profile in PROFILES},
    # What the policies for machines with containers say.
    "namespaces-runtimes": "namespaces { profile baseline; "
                           "allow all - (user, time) for container; }",
}
# policies/NAME.bpflock, and what it comes to: all of these at once.
TOGETHER = ("modules-baseline", "bpf-baseline", "exec-baseline",
            "image-baseline", "secrets-baseline", "namespaces-runtimes")
READY = {"baseline": TOGETHER, "container-host": TOGETHER}
STAGES = [*POLICIES, *READY]
CONTROLS = ("before", "after")
TIMEOUT = 1500

# Who tries what a policy denies while it is loaded.
LOADERS = ("bpflock-load", "bpflock-canary")

# Nobody is let through by restricted, bpflock-log neither.
NO_EVENTS = {"bpf-restricted"}

# Says in /out/STAGE.NUMBER what a case said, its status in .status, and in .log
# which events there were.
FUNCTIONS = r"""
mkdir -p /out
# case STAGE NUMBER COMMAND UNDO
case_() {
	sh -c "$3" >/out/$1.$2 2>&1
	echo $? >/out/$1.$2.status
	bpflock-log --json >/out/$1.$2.log 2>/dev/null
	sh -c "$4" >/dev/null 2>&1
}
"""


@dataclass
class Seen:
    status: int
    said: str
    denied: list[str]  # operations, each once, in order

    @property
    def words(self) -> str:
        if not self.status and not self.denied:
            return "works"
        how = "fails" if self.status else "works all the same"
        return f"{how} ({', '.join(self.denied)})" if self.denied else how


def fill(overlay: Path, build: Path, scratch: Path) -> None:
    """What the guest needs besides its user space."""
    shutil.copytree(vm.userland.software("amd64") / "tree", overlay,
                    symlinks=True)
    for name in ("bpflock-load", "bpflock-log"):
        shutil.copy(build / name, overlay / "usr/bin")
    work = overlay / "sw"
    work.mkdir()
    subprocess.run(["gcc", *CFLAGS, SOFTWARE / "memfd_self.c", "-o",
                    work / "memfd-self"], check=True)
    subprocess.run(["clang", *BPF_FLAGS, "-c", SOFTWARE / "filter.bpf.c", "-o",
                    work / "filter.o"], check=True)
    shutil.copy(SOFTWARE / "setup.sh", work)
    package(work)
    texts = {name: f"language 1;\npolicy {name} {{ {body} seal open; }}\n"
             for name, body in POLICIES.items()}
    texts |= {name: ready(name, build, scratch) for name in READY}
    for name, text in texts.items():
        policy = scratch / f"{name}.bpflock"
        policy.write_text(text)
        subprocess.run([build / "bpflockc", "-Wno-lock-out", policy, "-o",
                        work / f"{name}.o"], check=True)


def package(work: Path) -> None:
    """A Debian package with a file and a script."""
    tree = work / "package"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: day\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@localhost>\nDescription: a test\n")
    script_ = tree / "DEBIAN/postinst"
    script_.write_text("#!/bin/sh\necho configured\n")
    script_.chmod(0o755)
    (tree / "etc").mkdir()
    (tree / "etc/day").write_text("hello\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree,
                    work / "day.deb"], check=True, stdout=subprocess.DEVNULL)


def ready(name: str, build: Path, scratch: Path) -> str:
    """That ready policy, without the protections that have no template, and
    without the assertions, which speak of them."""
    text = (HERE.parents[1] / f"policies/{name}.bpflock").read_text()
    text = re.sub(r"\n\tassert [^;]*;", "", text)
    source = scratch / "ready.bpflock"
    source.write_text(text)
    said = subprocess.run([build / "bpflockc", "-Wno-lock-out", source, "-o",
                           scratch / "ready.o"], check=False, text=True,
                          stderr=subprocess.PIPE).stderr
    for missing in re.findall(r"error: (\w+) has no template", said):
        print(f"{name}: without {missing}, which has no template yet")
        text = re.sub(rf"\n\t{missing}\s*\{{[^}}]*\}}", "", text)
    return text


def script(cases: list[Case]) -> str:
    def all_cases(stage: str) -> list[str]:
        return [f"case_ {stage} {number} '{case.command}' '{case.undo}'"
                for number, case in enumerate(cases)]

    lines = ["sh /sw/setup.sh || exit 1", FUNCTIONS, *all_cases("before")]
    for policy in STAGES:
        lines += [f"bpflock-load /sw/{policy}.o || exit 1", *all_cases(policy),
                  f"bpflock-load --unload {policy} || exit 1"]
    return "\n".join([*lines, *all_cases("after"), "exit 0\n"])


def read(out: dict[str, bytes], stage: str, number: int) -> Seen | None:
    status = out.get(f"{stage}.{number}.status")
    if status is None:
        return None
    said = out.get(f"{stage}.{number}", b"").decode(errors="replace").strip()
    denied: dict[str, None] = {}
    for line in out.get(f"{stage}.{number}.log", b"").splitlines():
        event = json.loads(line)
        if event.get("verdict") == "deny" and \
                event.get("comm") not in LOADERS:
            denied[event["operation"]] = None
    return Seen(int(status), said, list(denied))


def judge(case: Case, policy: str, seen: Seen) -> list[str]:
    """What is not as the table has it."""
    parts = [case.denied[part] for part in READY.get(policy, (policy,))
             if part in case.denied] or [Denied()]
    fails = any(part.fails for part in parts)
    operations = {name for part in parts for name in part.operations}
    wrong = []
    if bool(seen.status) != fails:
        wrong.append(f"status {seen.status}: it has to "
                     + ("fail" if fails else "work"))
    if not any(part.says in seen.said for part in parts):
        wrong.append(f"does not say {[part.says for part in parts]}")
    # What is denied first may keep it from what another part would deny.
    if policy not in NO_EVENTS and (
            not set(seen.denied) <= operations
            or len(parts) == 1 and set(seen.denied) != operations):
        wrong.append(f"denied {seen.denied}, not {sorted(operations)}")
    return wrong + ([seen.said] if wrong else [])


def judge_case(kernel: str, number: int, case: Case,
               out: dict[str, bytes]) -> tuple[int, int]:
    """(rows passed, rows failed)"""
    counts = [0, 0]
    controls = [read(out, stage, number) for stage in CONTROLS]
    proven = all(seen and not seen.status and case.says in seen.said
                 for seen in controls)
    for policy in STAGES:
        seen = read(out, policy, number)
        wrong = judge(case, policy, seen) if seen else ["no result"]
        if not proven:
            wrong.append("it fails without a policy too: "
                         + " / ".join(seen.said if seen else "no result"
                                      for seen in controls))
        counts[bool(wrong)] += 1
        print(f"{'not ok' if wrong else 'ok'} {kernel} {policy}/{case.name}")
        for line in "\n".join(wrong).splitlines():
            print(f"    {line}")
    return counts[0], counts[1]


def print_table(cases: list[Case], out: dict[str, bytes]) -> None:
    print("| what | " + " | ".join(STAGES) + " |")
    print("|---" * (len(STAGES) + 1) + "|")
    for number, case in enumerate(cases):
        cells = [seen.words if (seen := read(out, policy, number)) else "?"
                 for policy in STAGES]
        print(f"| {case.name} | " + " | ".join(cells) + " |")


def run_kernel(kernel: str, cases: list[Case],
               args: argparse.Namespace) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        fill(overlay, args.builddir, Path(scratch))
        (overlay / "sw/script").write_text(script(cases))
        result = vm.run(kernel, ["sh", "/sw/script"], overlay=overlay,
                        timeout=TIMEOUT)
    if not result.ok:
        print(f"not ok {kernel}: {result.explain() or result.status}\n"
              f"{result.text}\n{result.errors}")
        return 0, 1
    if args.table:
        print_table(cases, result.out)
    counts = [judge_case(kernel, number, case, result.out)
              for number, case in enumerate(cases)]
    passed, failed = map(sum, zip(*counts))
    print(f"{kernel} ({result.release}): {passed} passed, {failed} failed",
          flush=True)
    return passed, failed


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", action="append", metavar="ID",
                        help="a row of kernels.tsv (default: 6.1, newest)")
    parser.add_argument("--only", metavar="PATTERN", default="*",
                        help="cases with such a name (as in a shell)")
    parser.add_argument("--table", action="store_true",
                        help="print what was seen, in Markdown")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    cases = [case for case in CASES if fnmatch.fnmatchcase(case.name,
                                                           args.only)]
    total = [0, 0]
    try:
        for kernel in args.kernel or ["6.1", "newest"]:
            counts = run_kernel(kernel, cases, args)
            total = [sum(pair) for pair in zip(total, counts)]
    except vm.HostError as error:
        print(error)
        return vm.EXIT_HOST
    for what, reason in NOT_HERE.items():
        print(f"skipped {what}: {reason}")
    print(f"{total[0]} passed, {total[1]} failed, {len(NOT_HERE)} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
