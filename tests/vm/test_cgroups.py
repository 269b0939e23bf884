#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Named cgroups on a real kernel: who is in one, and how many there may be.

    tests/vm/test_cgroups.py [--kernel ID]... [--builddir build]

Policies that name 1 to 2000 cgroups are loaded one after another; a task in
each of some cgroups then tries to load what is no module. That is refused as
not permitted where the policy denies it, and as no module where it does not.
All cgroups are made after loading.

Then each protection is loaded with the deepest cgroup and the longest name that
there may be: nothing is more work for a verifier.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import vm

COUNTS = (1, 8, 64, 1000, 2000)
DEEP = "".join(f"/d{level}" for level in range(1, 17))  # as deep as may be named
LONG = "/" + "n" * 255
TIMEOUT = 1500
TEMPLATES = Path(__file__).resolve().parent.parent.parent / "bpf/templates"
TRACES = ("exec", "privileged")
# A verifier walks a million instructions at most.
REFUSED = {("5.10", "network"): "Argument list too long",
           ("newest", "kernel_image"): "Argument list too long",
           ("newest", "network"): "Argument list too long"}

# try CGROUP EXPECTED: says so where it is otherwise, and goes on.
GUEST = r"""
cgroups=/sys/fs/cgroup
failed=0
try() {
	mkdir -p "$cgroups$1" || exit 1
	said=$(sh -c "echo \$\$ >'$cgroups$1/cgroup.procs' || exit
		insmod /bin/sh" 2>&1)
	case $said in
	*'not permitted'*) verdict=deny ;;
	*rmat*) verdict=allow ;;
	*) verdict="'$said'" ;;
	esac
	[ "$verdict" = "$2" ] && return
	echo "$policy: in $1: $verdict, not $2"
	failed=1
}
again() { rmdir "$cgroups$1" && try "$1" "$2"; }
# fits PROTECTION [WHY]: whether the verifier takes it, or refuses it for that.
# Some kernels lack what a protection asks for.
fits() {
	if bpflock-load "/corner-$1.o" >/dev/null 2>/tmp/said; then
		bpflock-load --unload "corner-$1" >/dev/null && return
	elif grep -q "the kernel refused it: ${2:-.}" /tmp/said; then
		[ "$2" ] && echo "corner-$1: $2" && return
	else
		echo "corner-$1: cannot: $(head -n 1 /tmp/said)"
		return
	fi
	cat /tmp/said
	failed=1
}
"""


def named(index: int) -> str:
    return f"/pods.slice/pod{index // 7}/c{index}.scope"


def subjects(paths: list[str]) -> str:
    return ", ".join(f'cgroup "{path}"' for path in paths)


def policy_text(count: int) -> str:
    """load_module is denied in every other named cgroup, and in two corners."""
    denied = [named(index) for index in range(0, count, 2)] + [DEEP, LONG]
    others = [named(index) for index in range(1, count, 2)]
    rules = [f"block load_module for {subjects(denied)};"]
    if others:
        rules.append(f"block autoload_module for {subjects(others)};")
    return (f"language 1; policy many-{count} {{ version 1; seal open; "
            f"kernel_modules {{ profile baseline; {' '.join(rules)} }} }}\n")


def corner_text(name: str) -> str:
    if name in TRACES:
        body = f"trace {{ {name} all for {subjects([DEEP, LONG])}; }}"
    else:
        body = (f"{name} {{ profile baseline; "
                f"block all for {subjects([DEEP, LONG])}; }}")
    return f"language 1; policy corner-{name} {{ version 1; seal open; {body} }}\n"


def policies() -> dict[str, str]:
    """All that are loaded, by their names, in that order."""
    names = sorted(path.name.removesuffix(".bpf.c")
                   for path in TEMPLATES.glob("*.bpf.c"))
    return {**{f"many-{count}": policy_text(count) for count in COUNTS},
            **{f"corner-{name}": corner_text(name) for name in names}}


def cases(count: int) -> list[tuple[str, str]]:
    last = count - 1
    pod = last // 7
    return [
        (named(0), "deny"),
        (named(0) + "/inner/inner", "deny"),
        ("/pods.slice", "allow"),
        ("/pods.slice/pod0/other", "allow"),
        (named(0)[:-1], "allow"),
        (named(0) + "e", "allow"),
        ("/c0.scope", "allow"),
        (named(last), "allow" if last % 2 else "deny"),
        (f"/pods.slice/pod{pod + 1}/c{last}.scope", "allow"),
        (DEEP.rpartition("/")[0], "allow"),
        (DEEP, "deny"),
        (DEEP + "/d17/d18", "deny"),
        (DEEP + "0", "allow"),
        (LONG, "deny"),
        (LONG[:-1], "allow"),
        (LONG[:-1] + "m", "allow"),
        ("/q" * 200, "allow"),
        ("/q" * 280, "deny"),  # more than is climbed: the strictest class
    ]


def script(kernel: str) -> str:
    lines = [GUEST]
    for count in COUNTS:
        lines.append(f"policy=many-{count}")
        lines.append(f"bpflock-load /many-{count}.o >/dev/null || exit 1")
        lines += [f"try {path} {verdict}" for path, verdict in cases(count)]
        lines.append("mkdir -p $cgroups/pods.slice/pod0/c0.scope/x && "
                     "rmdir $cgroups/pods.slice/pod0/c0.scope/x "
                     "$cgroups/pods.slice/pod0/c0.scope/inner/inner "
                     "$cgroups/pods.slice/pod0/c0.scope/inner; "
                     f"again {named(0)} deny")
        lines.append(f"bpflock-load --unload many-{count} >/dev/null || exit 1")
    for name in policies():
        protection = name.removeprefix("corner-")
        if protection != name:
            lines.append(f"fits {protection} "
                         f"'{REFUSED.get((kernel, protection), '')}'")
    lines.append("[ $failed = 0 ]")
    return "\n".join(lines) + "\n"


def run_kernel(kernel: str, build: Path) -> bool:
    loaders = build / "arm64" if kernel.startswith("arm64") else build
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        (overlay / "usr/bin").mkdir(parents=True)
        for name, text in policies().items():
            source = Path(scratch) / f"{name}.bpflock"
            source.write_text(text)
            subprocess.run([build / "bpflockc", source, "-o",
                            overlay / f"{name}.o"], check=True)
        shutil.copy(loaders / "bpflock-load", overlay / "usr/bin")
        (overlay / "script").write_text(script(kernel))
        result = vm.run(kernel, ["sh", "/script"], overlay=overlay,
                        timeout=TIMEOUT)
    total = len(COUNTS) * (len(cases(1)) + 1)
    if result.ok:
        print(result.text, end="")  # what cannot be
        print(f"{kernel}: {total} cases in up to {max(COUNTS)} named cgroups, "
              f"{len(policies()) - len(COUNTS)} protections in corners")
        return True
    print(f"{kernel}: {result.explain()}\n{result.text}{result.errors}")
    return False


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Tries named cgroups on real kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    try:
        results = [run_kernel(kernel, args.builddir)
                   for kernel in args.kernel or vm.kernels.matrix()]
    except subprocess.CalledProcessError:
        return 1  # bpflockc has said why
    except vm.HostError as error:
        print(error)
        return vm.EXIT_HOST
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
