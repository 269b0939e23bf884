#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Locked policies on a real kernel: how a machine is sealed, and what is left
where that fails. What root can try against a sealed one is in tests/attacks.

    tests/vm/test_seal.py [--kernel ID]... [--builddir build] [--quick]

Rows as in test_loader.py. A machine is sealed until it is off, so rows that
seal one are the last of their boot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from test_loader import (HELPERS, MODULE, NOTHING_LEFT, Row, add_crowd, boot,
                         fill, policy, programs_for)

EVERYTHING = """language 1;
policy everything {
	version 3;
	kernel_modules { profile restricted; }
	bpf { profile restricted; }
	fileless_exec { profile restricted; }
	namespaces { profile allow; block all - user; log denied; }
	trace { exec all; }
	seal locked;
}
"""

# Nobody looks at a sealed machine by entering a namespace, then.
ENTERS_NOTHING = policy("other_one", 1, seal="locked").replace(
    "	seal ", "	namespaces { profile allow; block enter for host; "
    "log denied; }\n	seal ")

POLICIES = {
    "edge": policy("edge-gateway", 7, seal="locked"),
    "edge8": policy("edge-gateway", 8, seal="locked"),
    "edge6open": policy("edge-gateway", 6),
    "other": ENTERS_NOTHING,
    "open": policy("of_today", 1),
    "everything": EVERYTHING,
}

SEAL_HELPERS = {
    **HELPERS,
    # every-fault-sealing STEP [BY]: as every-fault, of locked policies, or of
    # each BY-th time only. Sealing itself fails always, so that the machine
    # can go on; that is how it is known that STEP did not fail any more.
    "every-fault-sealing": r"""#!/bin/sh
n=1
while :; do
	BPFLOCK_FAIL=$1:$n,seal bpflock-load-faults edge.o other.o open.o \
		2>/tmp/why && exit 2
	grep -q '^bpflock-load-faults: .*: ' /tmp/why || exit 3
	nothing-left || exit 4
	ls /sys/fs/bpf/bpflock 2>/dev/null && exit 5
	bpftool prog show | grep cgroup_sysctl && exit 6
	ls-vault | grep . && exit 7
	grep -q ' seal: ' /tmp/why && break
	n=$((n + ${2:-1}))
	[ $n -lt 199 ] || exit 1
done
echo "failed until $n"
""",
    # What is mounted last over the root of the kernel thread's namespace, from
    # where nobody keeps that busy. Linux 5.10 does not show its source.
    "ls-vault": r"""#!/bin/sh
for p in /proc/[0-9]*; do
	grep -qx kdevtmpfs $p/comm && [ "$(cut -d' ' -f4 $p/stat)" = 2 ] &&
		grep ' - bpf ' $p/mountinfo
done
exit 0
""",
    # leave-vault STEP: a vault as a loader leaves it that was killed then.
    "leave-vault": r"""#!/bin/sh
BPFLOCK_FAIL=$1! bpflock-load-faults edge.o other.o 2>/tmp/why
[ $? = 137 ] && ls-vault | grep . && in-container hammer
""",
}

# Before the vault is made, test_loader.py has all. Where a step is asked for
# time and again, some of them are enough.
FAULTS = {"vault": "", "bind": "", "load": "", "guard": "", "freeze": "5",
          "attach": "3", "canary": "", "register": "9", "sysctl": "", "folder": "3",
          "record": "", "pin": "11", "rename": ""}

UNSEALED = [
    Row("check of a locked policy touches nothing",
        f"bpflock-load --check edge.o && {NOTHING_LEFT}", 0,
        ("edge.o: can be loaded",)),
    Row("somebody else's program on one of its hooks",
        "attach-it crowd.o /sys/fs/bpf/crowd; bpflock-load edge.o", 1,
        ("the program crowd (id ", "could be asked in place of ours",
         "mend: load bpflock's policies before")),
    Row("nothing but that is left",
        f"rm /sys/fs/bpf/crowd; {NOTHING_LEFT}; ls-vault", 0),
    *[Row(f"fault in {step}", f"every-fault-sealing {step} {by}", 0,
          ("failed until",)) for step, by in FAULTS.items()],
    Row("fault between read-only and sealed",
        "BPFLOCK_FAIL=seal:2 bpflock-load-faults edge.o other.o open.o; "
        f"{NOTHING_LEFT} && ! ls-vault | grep .", 0,
        ("seal: the vault cannot be sealed: Operation canceled",)),
    Row("in no cgroup namespace of its own",
        "/usr/bin/unshare --cgroup bpflock-load edge.o", 1,
        ("kernel.ftrace_enabled cannot be guarded",
         "mend: run it in no container")),
    Row("what a killed loader left goes, and an open policy is replaced",
        "bpflock-load edge6open.o && leave-vault seal && leave-vault seal:2 && "
        "bpflock-load edge.o other.o open.o", 0,
        (" rw,mode=700", " ro,mode=700",
         "edge-gateway version 7: replaces version 6, 1 protection enforced "
         "(kernel_modules), 3 hooks, 3 proven, seal locked",
         "other_one version 1: 2 protections",
         "of_today version 1: 1 protection enforced (kernel_modules), 3 hooks, "
         "3 proven, seal open")),
    Row("it is enforced", "in-container modprobe dummy", 1,
        ("Operation not permitted",)),
    Row("the log shows it", "bpflock-log | "
        "grep 'deny kernel_modules.load_module policy='", 0),
    Row("the host is not concerned", MODULE, 0),
    Row("the open one's pins are where they always are", "ls "
        "/sys/fs/bpf/bpflock", 0, exact="of_today\n"),
    Row("again", "bpflock-load edge.o other.o open.o", 0,
        ("edge-gateway version 7: already loaded", "other_one version 1: "
         "already loaded", "of_today version 1: already loaded")),
    Row("a higher version", "bpflock-load edge8.o", 1,
        ("locked until the next boot",)),
    Row("check of it says so", "bpflock-load --check edge8.o", 1,
        ("locked until the next boot",)),
    Row("a lower one", "bpflock-load edge6open.o", 1,
        ("locked until the next boot",)),
    Row("another one", "bpflock-load everything.o", 1,
        ("this machine is sealed", "at the next boot")),
    Row("--unload", "bpflock-load --unload edge-gateway", 1,
        ("locked until the next boot", "bpflock=off")),
    Row("it is still enforced", "in-container modprobe dummy", 1),
    Row("--unload of the open one", "bpflock-load --unload of_today", 0),
    Row("of one that is not there", "bpflock-load --unload nothing", 1,
        ("no policy of that name",)),
]

CLOSED = [
    Row("cgroups as systemd mounts them", "mount -o remount,nsdelegate,"
        "memory_recursiveprot none /sys/fs/cgroup", 0),
    Row("a policy that denies bpf() to everybody", "bpflock-load everything.o",
        0, ("everything version 3: 4 protections enforced (kernel_modules, bpf, "
            "fileless_exec, namespaces), 1 trace on (exec), 15 hooks, "
            "12 proven, seal locked",)),
    Row("is enforced", "modprobe dummy", 1, ("Operation not permitted",)),
    Row("keeps everybody from bpf()", "! bpftool prog", 0,
        ("Operation not permitted",)),
    Row("and its pins", "ls-vault", 0, (" ro,",)),
    Row("nothing is taken off the cgroups' mount",
        "grep ' /sys/fs/cgroup ' /proc/mounts", 0,
        ("nsdelegate", "memory_recursiveprot")),
]


def main() -> int:
    parser = argparse.ArgumentParser(description="Sealing, on kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    parser.add_argument("--quick", action="store_true",
                        help="no step is made to fail")
    args = parser.parse_args()
    unsealed = [row for row in UNSEALED
                if not (args.quick and row.name.startswith("fault in "))]
    counts = []
    for kernel in args.kernel or ["6.1"]:
        with tempfile.TemporaryDirectory() as scratch:
            overlay = Path(scratch) / "overlay"
            fill(overlay, args.builddir, programs_for(kernel, args.builddir),
                 None, POLICIES, SEAL_HELPERS)
            add_crowd(overlay, programs_for(kernel, args.builddir))
            counts += [boot(kernel, unsealed, overlay, timeout=900),
                       boot(kernel, CLOSED, overlay)]
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
