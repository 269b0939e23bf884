#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a command on a real kernel, in a machine that is thrown away.

    vm.py run --kernel 6.1 -- cat /sys/kernel/security/lsm

From Python, with tests/vm in sys.path:

    import vm
    result = vm.run("6.1", ["cat", "/sys/kernel/security/lsm"])
    assert result.ok and "bpf" in result.text

README.md, beside this file, has the rest.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from vmlib import (hosttools, initramfs, kernels, report, selftest, store,
                   userland)
from vmlib.machine import (EXIT_HOST, EXIT_NO_RESULT, EXIT_PANIC,
                           EXIT_TIMEOUT, Machine, Outcome, Result,
                           write_files)
from vmlib.report import HostError

__all__ = ["EXIT_HOST", "EXIT_NO_RESULT", "EXIT_PANIC", "EXIT_TIMEOUT",
           "HostError", "Machine", "Outcome", "Result", "kernels", "run",
           "userland", "write_files"]


def run(kernel: str, command: list[str], *, overlay: Path | str | None = None,
        env: dict[str, str] | None = None, **settings: object) -> Result:
    """Boot `kernel`, run one command. settings: Machine's fields."""
    return Machine(kernel, **settings).run(command, overlay=overlay, env=env)


def command_run(args: argparse.Namespace) -> int:
    machine = Machine(args.kernel, append=args.append,
                      bpf_lsm=not args.without_bpf_lsm, icount=args.icount,
                      memory=args.memory, cpus=args.cpus,
                      timeout=args.timeout, disks=tuple(args.disk),
                      devices=tuple(args.qemu))
    env = dict(pair.split("=", 1) for pair in args.env)
    result = machine.run(args.command, overlay=args.overlay, env=env,
                         stdout=sys.stdout.buffer, stderr=sys.stderr.buffer)
    if args.console:
        args.console.write_text(result.console)
    if args.out:
        write_files(result.out, args.out)
    if result.explain():
        print(f"vm: {result.explain()}", file=sys.stderr)
    report.progress(f"{result.kernel} ({result.release}): "
                    f"status {result.status}, {result.seconds:.1f} s")
    return result.status


def command_fetch(args: argparse.Namespace) -> int:
    chosen = args.kernel or kernels.matrix()
    architectures = {kernels.row(name).architecture for name in chosen}
    hosttools.check(architectures)
    for architecture in sorted(architectures):
        userland.get(architecture, refresh=args.refresh)
    for name in chosen:
        initramfs.prepare(kernels.get(name, refresh=args.refresh))
    return command_kernels(args)


def command_kernels(args: argparse.Namespace) -> int:
    """Print what is here, and keep the same text in the cache."""
    lines = ["what\tpackage\tversion\tarchitecture"]
    for kind in ("kernels", "userland", "sysroot"):
        for path in sorted(store.root().glob(f"{kind}/[!.]*/versions.tsv")):
            what = f"{kind}/{path.parent.name}"
            lines += [f"{what}\t{line}"
                      for line in path.read_text().splitlines()]
    text = "\n".join(lines) + "\n"
    (store.root() / "versions.tsv").write_text(text)
    if getattr(args, "all", False):
        print(text, end="")
        return 0
    for name, row in kernels.table().items():
        release = store.root() / "kernels" / name / "release"
        here = release.read_text().strip() if release.exists() else "-"
        print(f"{name}\t{row.suite}\t{row.architecture}\t{row.package}\t"
              f"{here}\t{'matrix' if row.default else 'extra'}")
    return 0


def command_sysroot(args: argparse.Namespace) -> int:
    hosttools.check({args.arch})
    print(userland.sysroot(args.arch, refresh=args.refresh) / "tree")
    return 0


def command_packages(args: argparse.Namespace) -> int:
    print("\n".join(hosttools.packages(set(args.arch
                                           or ("amd64", "arm64")))))
    return 0


def command_selftest(args: argparse.Namespace) -> int:
    return selftest.run(args.kernel or kernels.matrix())


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="vm.py", description="Real kernels in "
                                  "machines that are thrown away.")
    top.add_argument("-q", "--quiet", action="store_true",
                     help="no progress lines")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_run(commands.add_parser("run", help="run a command in a guest"))

    fetch = commands.add_parser("fetch", help="fetch kernels and user space")
    fetch.add_argument("--kernel", action="append", metavar="ID")
    fetch.add_argument("--refresh", action="store_true",
                       help="the newest versions, even if some are here")
    fetch.set_defaults(function=command_fetch)

    listing = commands.add_parser("kernels", help="the matrix, and what of "
                                  "it is here")
    listing.add_argument("--all", action="store_true",
                         help="every package and its version")
    listing.set_defaults(function=command_kernels)

    sysroot = commands.add_parser("sysroot", help="print the path of a "
                                  "sysroot for cross compiling")
    sysroot.add_argument("--arch", choices=["amd64", "arm64"],
                         default="arm64")
    sysroot.add_argument("--refresh", action="store_true")
    sysroot.set_defaults(function=command_sysroot)

    needed = commands.add_parser("packages", help="the Debian packages that "
                                 "this machine needs")
    needed.add_argument("--arch", action="append",
                        choices=["amd64", "arm64"])
    needed.set_defaults(function=command_packages)

    selfcheck = commands.add_parser("selftest", help="does all this work?")
    selfcheck.add_argument("--kernel", action="append", metavar="ID")
    selfcheck.set_defaults(function=command_selftest)
    return top


def add_run(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--kernel", required=True, metavar="ID",
                     help=", ".join(kernels.table()))
    sub.add_argument("--overlay", type=Path, metavar="DIR",
                     help="lay its files over the guest's root")
    sub.add_argument("--out", type=Path, metavar="DIR",
                     help="what the command leaves in /out goes here")
    sub.add_argument("--env", action="append", default=[],
                     metavar="NAME=VALUE")
    sub.add_argument("--append", default="", metavar="WORDS",
                     help="for the kernel command line")
    sub.add_argument("--without-bpf-lsm", action="store_true",
                     help="boot without bpf in lsm=")
    sub.add_argument("--icount", action="store_true",
                     help="the guest's clock counts instructions")
    sub.add_argument("--memory", type=int, default=Machine.memory,
                     metavar="MB")
    sub.add_argument("--cpus", type=int, default=Machine.cpus, metavar="N")
    sub.add_argument("--timeout", type=float, default=Machine.timeout,
                     metavar="S")
    sub.add_argument("--disk", action="append", default=[], metavar="IMAGE",
                     help="a raw image: /dev/vda, then /dev/vdb, ...")
    sub.add_argument("--qemu", action="append", default=[], metavar="ARG",
                     help="one more argument for QEMU")
    sub.add_argument("--console", type=Path, metavar="FILE",
                     help="keep the kernel's console")
    sub.add_argument("command", nargs="+", metavar="COMMAND")
    sub.set_defaults(function=command_run)


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    args = parser().parse_args()
    report.quiet = args.quiet
    try:
        return args.function(args)
    except HostError as error:
        print(f"vm: {error}", file=sys.stderr)
        return EXIT_HOST
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
