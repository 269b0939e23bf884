#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Attacks on a sealed machine, by its root, on real kernels.

    tests/attacks/attacks.py [--kernel ID]... [--only PATTERN] [--quick]

Each attack is run against policies that are `seal locked`, and, as its
control, against the same ones `seal open` (or, where it is the policy itself
that denies it, without any). After each of them canaries are tried: one
harmless operation for each hook of the policy, which has to be denied still.
attack.h says what an attack is, variants.py what is attacked, score.py what
comes of it. What a machine said is kept in build/attacks.
"""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "vm")]

# pylint: disable=wrong-import-position
import documents  # noqa: E402
import vm  # noqa: E402
from attacks import bundles, score, variants  # noqa: E402
from attacks.variants import Attack, Variant  # noqa: E402
from conformance import guest  # noqa: E402
from counts import Counts  # noqa: E402

FOLDER = TESTS / "attacks"
TIMEOUT = 400
SHORT = ["6.1"]


@dataclass
class Run:
    """What one attack came to in one machine."""
    result: str = ""        # ok: it got what it asked for; or an errno
    denied: int = 0         # canaries
    let_through: int = 0
    canaries: str = ""      # which
    said: list[str] = field(default_factory=list)

    @property
    def policy_off(self) -> bool:
        return bool(self.let_through)


@dataclass
class Boots:
    """The machines that one list of attacks took."""
    runs: dict[str, Run] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    count: int = 0


def compile_attack(architecture: str, work: Path) -> Path:
    sources = [*sorted(FOLDER.glob("*.c")),
               *[guest.HERE / f"probes/{name}.c" for name in guest.SOURCES]]
    program = work / "attack"
    subprocess.run([guest.COMPILERS[architecture], *guest.CFLAGS, "-pthread",
                    "-iquote", TESTS.parent, "-o", program, *sources],
                   check=True)
    return program


def known_attacks(work: Path) -> list[Attack]:
    program = compile_attack("amd64", work)
    listed = subprocess.run([program, "list"], check=True, text=True,
                            stdout=subprocess.PIPE)
    return [variants.parse(line) for line in listed.stdout.splitlines()]


def fill(overlay: Path, kernel: str, build: Path, made: Path) -> None:
    """Lays out what the guest needs: programs, bundles, modules."""
    row = vm.kernels.row(kernel)
    programs = build if row.architecture == "amd64" else \
        build / row.architecture
    guest.fill(overlay, programs, vm.kernels.get(kernel), made)
    (overlay / "t/run").mkdir()
    shutil.move(compile_attack(row.architecture, overlay / "t"),
                overlay / "usr/bin/attack")
    variants.make_disk(overlay / "t/ext4.img")


def read_report(text: str, boots: Boots) -> str | None:
    """Takes the runs in; the last one's name where the machine is of no use
    behind it."""
    said: list[str] = []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "#":
            said.append(rest.strip())
        elif kind == "R":
            name, result, denied, through, *which = rest.split(" ")
            boots.runs[name] = Run(result, int(denied), int(through),
                                   " ".join(which).strip(), said)
            said = []
        elif kind == "S":
            return rest
        elif kind == "L" and rest != "0":
            boots.runs.setdefault("", Run()).said = said
            said = []
    return None


def boot(kernel: str, overlay: Path, mode: str, variant: Variant,
         names: list[str], log: Path) -> tuple[Boots, str | None]:
    """One machine, from which some attacks may be missing in the end."""
    seal = "locked" if mode == "locked" else "open"
    with log.open("ab") as out:
        out.write(f"== {mode} {variant.name}: {' '.join(names)}\n".encode())
        result = vm.Machine(kernel, cpus=2, timeout=TIMEOUT,
                            append="loglevel=3").run(
            ["/usr/bin/attack", mode, f"attack-{variant.name}",
             f"/t/p/{variant.name}-{seal}.o",
             ",".join(variant.canaries(kernel)), *names],
            overlay=overlay, stdout=out, stderr=out)
        out.write(f"{result.explain()}\n".encode())
    boots = Boots(count=1)
    last = read_report(result.text, boots)
    if not boots.runs:
        boots.wrong.append(result.explain() or result.text)
    return boots, last


def run_all(kernel: str, overlay: Path, mode: str, variant: Variant,
            attacks: list[Attack], log: Path) -> Boots:
    """Boots until every attack had its turn. One that takes the policy away
    leaves nothing to attack, so what comes behind it gets another machine."""
    total = Boots()
    alone = [[attack.name] for attack in attacks
             if attack.alone and mode == "locked"]
    left = [attack.name for attack in attacks
            if [attack.name] not in alone]
    left.sort(key=lambda name: next(
        attack.spoils for attack in attacks if attack.name == name))
    queue = [left, *alone] if left else alone
    while queue:
        names = queue.pop(0)
        done, _ = boot(kernel, overlay, mode, variant, names, log)
        total.count += 1
        total.wrong += done.wrong
        refused = done.runs.pop("", None)
        if refused and mode == "locked":
            done.runs = {name: Run("LOADER-REFUSES", said=refused.said)
                         for name in names}
        ran = []
        for name in names:
            if name not in done.runs:
                break
            ran.append(name)
            total.runs[name] = done.runs[name]
            if mode == "locked" and done.runs[name].policy_off:
                break
        rest = names[max(len(ran), 1):]
        if not ran:
            total.runs[names[0]] = Run("MACHINE-DIED")
        if rest:
            queue.insert(0, rest)
    return total


def compile_bundles(build: Path, folder: Path, kernel: str) -> list[Variant]:
    """For what that kernel can decide: the loader refuses any more."""
    folder.mkdir()
    target = vm.kernels.get(kernel).version
    made = variants.existing(build / "bpflockc", target)
    for variant in made:
        for seal in ("locked", "open"):
            source = folder / f"{variant.name}-{seal}.bpflock"
            source.write_text(variant.text(seal))
            subprocess.run([build / "bpflockc", "--target", target, source,
                            "-o", source.with_suffix(".o")], check=True)
    return made


def run_kernel(kernel: str, args: argparse.Namespace,
               known: list[Attack]) -> score.Kernel:
    table = score.Kernel(kernel)
    limits = score.read_limits(kernel)  # each takes a machine with it
    folder = args.builddir / "attacks"
    folder.mkdir(exist_ok=True)
    log = folder / f"{kernel}.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        policies = Path(scratch) / "p"
        made = compile_bundles(args.builddir, policies, kernel)
        overlay = Path(scratch) / "overlay"
        fill(overlay, kernel, args.builddir, policies)
        for variant in made:
            if args.variant and not fnmatch.fnmatchcase(variant.name,
                                                        args.variant):
                continue
            chosen = [attack for attack in variant.chosen(known, args.only)
                      if not args.quick or
                      attack.quick and attack.name not in limits]
            if not chosen:
                continue
            locked = run_all(kernel, overlay, "locked", variant, chosen, log)
            control = Boots() if args.locked else run_all(
                kernel, overlay, "control", variant, chosen, log)
            table.add(variant, chosen, locked, control)
            table.boots += locked.count + control.count
    if not args.only and not args.locked:
        bundles.run(kernel, args.builddir, table)
        table.save(folder)
    return table


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", action="append", metavar="ID",
                        help="rows of kernels.tsv (default: "
                             f"{', '.join(SHORT)}; with --full all)")
    parser.add_argument("--only", metavar="PATTERN",
                        help="attacks with such a name (as in a shell)")
    parser.add_argument("--variant", metavar="NAME")
    parser.add_argument("--locked", action="store_true",
                        help="no controls: whether the policies hold")
    parser.add_argument("--quick", action="store_true",
                        help="the same, for all that one machine can do in "
                             "less than a minute")
    parser.add_argument("--full", action="store_true", help="every kernel")
    parser.add_argument("--update-docs", action="store_true",
                        help=f"write the score into {score.DOCUMENT.name}")
    parser.add_argument("--check-docs", action="store_true",
                        help="compare it with the last whole runs")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    if args.update_docs or args.check_docs:
        return documents.write_or_check(score, args.update_docs,
                                        args.builddir / "attacks",
                                        vm.kernels.matrix())
    if args.quick:
        args.locked = True
        args.variant = args.variant or "host-bpf"
    kernels = args.kernel or (vm.kernels.matrix() if args.full else SHORT)
    total = Counts()
    with tempfile.TemporaryDirectory() as scratch:
        known = known_attacks(Path(scratch))
        try:
            for kernel in kernels:
                table = run_kernel(kernel, args, known)
                total.add(table.show())
        except vm.HostError as error:
            print(error)
            return vm.EXIT_HOST
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
