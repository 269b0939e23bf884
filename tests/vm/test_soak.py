#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A container host that is sealed, for an hour: runtimes start and enter
containers, sandboxes and mount namespaces come and go, mounts are let go lazily.

    tests/vm/test_soak.py [--kernel ID] [--minutes 60]

Each command is one of software/cases.py or of MOUNTS below. In each round it
has to work, or to be denied, as without the seal; in the end --verify has to
find everything in its place, and the guard is asked what it denied.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import vm
from software.cases import CASES, Case
from test_software import POLICIES, TOGETHER, fill

POLICY = ("language 1;\npolicy host {\n\tversion 1;\n\tseal locked;\n"
          + "".join(f"\t{POLICIES[part]}\n" for part in TOGETHER) + "}\n")

# What runtimes do with mounts, and the guard has to let them.
MOUNTS = [
    Case("a mount namespace", "unshare --mount true"),
    Case("a private one with a tmpfs",
         "/usr/bin/unshare --mount --propagation private sh -c "
         "\"mount -t tmpfs t /mnt && touch /mnt/f && umount /mnt\""),
    Case("a lazy unmount", "mount -t tmpfs t /mnt && umount -l /mnt"),
    Case("a lazy unmount of a busy one", "mount -t tmpfs t /mnt && "
         "(cd /mnt && umount -l /mnt && ls)"),
    Case("a shared mount and a slave of it",
         "mkdir -p /mnt/s && mount -t tmpfs t /mnt/s && "
         "mount --make-shared /mnt/s && /usr/bin/unshare --mount "
         "--propagation slave umount -l /mnt/s && umount /mnt/s"),
    Case("a bind mount that is made read-only",
         "mount --bind /usr /mnt && mount -o remount,bind,ro /mnt && "
         "umount /mnt"),
    Case("a bpf file system of its own", "/usr/bin/unshare --mount sh -c "
         "\"mount -t bpf b /mnt && umount -l /mnt\""),
    Case("a new root", "/usr/bin/unshare --mount --propagation private sh -c "
         "\"mount -t tmpfs t /mnt && mkdir /mnt/old && "
         "cp /usr/bin/busybox /mnt && cd /mnt && pivot_root . old && "
         "/busybox umount -l /old && /busybox true\""),
]

SCRIPT = r"""
sh /sw/setup.sh || exit 1
bpflock-load /sw/host.o || exit 1
mkdir -p /out
end=$(($(cut -d. -f1 /proc/uptime) + SECONDS_LEFT))
# once NUMBER FAILS COMMAND UNDO: a line for each time that went otherwise.
once() {
	sh -c "$3" >/tmp/said 2>&1
	status=$?
	if [ $status = 0 ] && [ $2 = 1 ] || [ $status != 0 ] && [ $2 = 0 ]; then
		echo "$1 round $rounds: status $status: $(tail -n1 /tmp/said)" \
			>>/out/wrong
	fi
	sh -c "$4" >/dev/null 2>&1
	bpflock-log >/dev/null 2>&1
}
rounds=0
while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do
	rounds=$((rounds + 1))
ROUND
done
echo $rounds >/out/rounds
bpflock-load --status --json >/out/status
bpflock-load --verify /sw/host.o >/out/verify 2>&1
echo $? >/out/verified
exit 0
"""


def fails(case: Case) -> bool:
    """Under all that is sealed together."""
    return any(case.denied[part].fails for part in TOGETHER
               if part in case.denied)


def script(cases: list[Case], minutes: float) -> str:
    lines = [f"\tonce {number} {int(fails(case))} '{case.command}' "
             f"'{case.undo}'" for number, case in enumerate(cases)]
    return SCRIPT.replace("SECONDS_LEFT", str(int(60 * minutes))).replace(
        "ROUND", "\n".join(lines))


def judge(cases: list[Case], out: dict[str, bytes]) -> list[str]:
    wrong = []
    for line in out.get("wrong", b"").decode(errors="replace").splitlines():
        number, _, rest = line.partition(" ")
        wrong.append(f"{cases[int(number)].name}: {rest}")
    if not int(out.get("rounds", b"0")):
        wrong.append("no round ended")
    if out.get("verified", b"").strip() != b"0":
        wrong.append("not as it was loaded: "
                     + out.get("verify", b"?").decode(errors="replace"))
    return wrong


def run(kernel: str, minutes: float, build: Path) -> int:
    """Prints how it went; returns how many rows failed."""
    cases = [*CASES, *MOUNTS]
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch) / "overlay"
        fill(overlay, build, Path(scratch))
        policy = Path(scratch) / "host.bpflock"
        policy.write_text(POLICY)
        subprocess.run([build / "bpflockc", policy, "-o",
                        overlay / "sw/host.o"], check=True)
        (overlay / "sw/script").write_text(script(cases, minutes))
        result = vm.run(kernel, ["sh", "/sw/script"], overlay=overlay,
                        timeout=60 * minutes + 600)
    wrong = judge(cases, result.out) if result.ok else [
        f"{result.explain() or result.status}\n{result.text}\n{result.errors}"]
    for line in wrong:
        print(f"not ok {kernel}: {line}")
    rounds = int(result.out.get("rounds", b"0"))
    print(f"{kernel} ({result.release}): {rounds} rounds of {len(cases)} "
          f"commands in {minutes:g} minutes; the guard denied "
          + result.out.get("status", b"?").decode(errors="replace")
          .partition('"guard_denied":')[2].partition("}")[0].lstrip("{"))
    return len(wrong)


def main() -> int:
    # Leave by the ordinary way, so that QEMU ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.1", metavar="ID",
                        help="a row of kernels.tsv (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    failed = run(args.kernel, args.minutes, args.builddir)
    print(f"{int(not failed)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
