#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bpflock-log on a real kernel: filters, names, the journal, and its end.

    tests/vm/test_log.py [--kernel ID]...

Each row makes events of three policies, and reads them. What comes out of a
row is one line each of what counts, in order, each once.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import test_loader
from conformance import guest
from test_loader import Row

POLICIES = {
    "edge": test_loader.policy("edge-gateway", 7),
    # Of sysfs: what containers write would be denied, and all is logged.
    "watch": """language 1;
policy watch {
	mode audit;
	sysfs { profile baseline; }
	seal open;
}
""",
    "told": """language 1;
policy told {
	sysfs { profile allow; }
	trace { exec all for cgroup "/apps"; }
	seal open;
}
""",
}

ID = "0123456789abcdef" * 4
WRITE = "echo 0 >/sys/kernel/rcu_expedited"
HELPERS = {
    **guest.HELPERS,  # in-cgroup
    "ask": f"""#!/bin/sh
{WRITE}
in-container sh -c '{WRITE}; insmod /bin/sh' 2>/dev/null
in-cgroup /apps/one sh -c '{WRITE}'
in-cgroup /apps-other sh -c '{WRITE}'
true
""",
    # fields NAME OPTION...: the field's values, each once
    "fields": r"""#!/bin/sh
name=$1
shift
bpflock-log --logfmt "$@" >/tmp/fields 2>/tmp/said || exit
tr ' ' '\n' </tmp/fields | grep "^$name=" | sort -u
true
""",
}

FORGED = "a\nBPFLOCK_UID=7"
FLOOD = ("bpflock-log >/dev/null; rm -f /tmp/stop; for i in 1 2 3 4; do "
         "in-container hammer /tmp/stop >/dev/null & done")
ROWS = [
    Row("load", "echo root:x:0:0::/:/bin/sh >/etc/passwd; for policy in edge "
        "watch told; do bpflock-load $policy.o || exit; done; "
        "bpflock-log >/dev/null", 0),

    Row("no filter", "ask; fields policy", 0,
        exact='policy="edge-gateway"\npolicy="told"\npolicy="watch"\n'),
    Row("a policy", "ask; fields operation --policy edge-gateway", 0,
        exact='operation="load_module"\n'),
    Row("two policies", "ask; fields policy --policy edge-gateway "
        "--policy watch", 0, exact='policy="edge-gateway"\npolicy="watch"\n'),
    Row("what a filter leaves out is gone", "ask; bpflock-log --policy told "
        ">/dev/null; bpflock-log", 0, exact=""),
    Row("a protection", "ask; fields policy --protection sysfs", 0,
        exact='policy="told"\npolicy="watch"\n'),
    Row("an operation", "ask; fields verdict --protection "
        "kernel_modules.load_module --protection sysfs.bus", 0,
        exact='verdict="deny"\n'),
    Row("a family", "ask; fields operation --protection sysfs.write", 0,
        exact='operation="kernel"\n'),
    Row("a trace", "ask; fields verdict --protection exec", 0,
        exact='verdict="traced"\n'),
    Row("verdicts", "ask; fields verdict --verdict denied "
        "--verdict would-deny", 0,
        exact='verdict="deny"\nverdict="would-deny"\n'),
    Row("what was allowed", "ask; fields policy --verdict allowed", 0,
        exact='policy="told"\n'),
    Row("a cgroup", "ask; fields cgroup_path --cgroup /apps", 0,
        exact='cgroup_path="/apps/one"\n'),
    Row("all cgroups", "ask; fields policy --cgroup /", 0,
        exact='policy="edge-gateway"\npolicy="told"\npolicy="watch"\n'),
    Row("all of the kinds", "ask; fields cgroup_path --verdict allowed "
        "--policy told --cgroup /apps --cgroup /apps-other "
        "--protection sysfs", 0,
        exact='cgroup_path="/apps-other"\ncgroup_path="/apps/one"\n'),
    Row("one kind takes nothing", "ask; bpflock-log --policy told --verdict "
        "denied", 0, exact=""),
    # The trace names /apps, and so tells where its own event was.
    Row("a cgroup that is gone", f"in-cgroup /apps/gone sh -c '{WRITE}'; "
        "rmdir /sys/fs/cgroup/apps/gone; bpflock-log --cgroup /apps "
        ">/tmp/shown; grep -c ' traced .*cgroup=\"/apps\" ' /tmp/shown; "
        "grep -c cgroup_path= /tmp/shown; true", 0,
        ("left out", "events=1\n1\n0\n")),

    Row("an unknown policy", "ask; bpflock-log --policy edge-gatway", 1,
        ("did you mean 'edge-gateway'?",)),
    Row("and nothing was read", "fields policy --policy edge-gateway", 0,
        exact='policy="edge-gateway"\n'),
    Row("an unknown protection", "bpflock-log --protection sysf", 2,
        ("did you mean 'sysfs'?",)),
    Row("an unknown operation", "bpflock-log --protection sysfs.bux", 2,
        ("did you mean 'bus'?",)),
    Row("an unknown verdict", "bpflock-log --verdict deny", 2,
        ("is no verdict",)),
    Row("no path", "bpflock-log --cgroup apps", 2, ("is no path",)),

    Row("a user", "ask; fields user", 0, exact='user="root"\n'),
    Row("a user's name that forges nothing",
        "printf 'ro\"ot\\033:x:0:0::/:/bin/sh\\n' >/etc/passwd; ask; "
        "fields user; echo root:x:0:0::/:/bin/sh >/etc/passwd", 0,
        exact='user="ro\\"ot\\x1b"\n'),
    Row("a container's id", f"in-cgroup /machine.slice/libpod-{ID}.scope/inner "
        f"sh -c '{WRITE}'; fields container_id", 0,
        exact=f'container_id="{ID}"\n'),
    Row("the same in JSON", f"in-cgroup /docker/{ID} sh -c '{WRITE}'; "
        "bpflock-log --json --policy told", 0,
        (f'"cgroup_path":"/docker/{ID}","container_id":"{ID}"',
         '"uid":0,"user":"root"')),

    Row("the journal", "journal 3 >/tmp/entries & sleep 1; ask; "
        "bpflock-log --journal --policy edge-gateway; "
        f"in-container sh -c '{WRITE}'; "
        "bpflock-log --journal --policy watch; wait; cat -v /tmp/entries", 0,
        ("MESSAGE=20", "deny kernel_modules.load_module policy=edge-gateway",
         "\nPRIORITY=4\nSYSLOG_IDENTIFIER=bpflock\nBPFLOCK_TIME=20",
         "\nBPFLOCK_VERDICT=deny\nBPFLOCK_PROTECTION=kernel_modules\n"
         "BPFLOCK_OPERATION=load_module\nBPFLOCK_POLICY=edge-gateway\n",
         "\nBPFLOCK_COMM=insmod\n", "\nBPFLOCK_RULE=edge.bpflock:",
         "\nPRIORITY=5\n", "\nBPFLOCK_VERDICT=would-deny\n")),
    Row("a name forges no field of the journal",
        f"f='/tmp/{FORGED}'; cp /bin/sh \"$f\"; "
        "journal 1 >/tmp/entries & sleep 1; in-container insmod \"$f\" "
        "2>/dev/null; bpflock-log --journal --verdict denied; wait; "
        "cat -v /tmp/entries; rm \"$f\"", 0,
        # 5.10 tells the last part of a path alone.
        ('a\\x0aBPFLOCK_UID=7"', "\nBPFLOCK_OBJECT\n^",
         "^@^@^@^@^@^@^@", "a\nBPFLOCK_UID=7\nBPFLOCK_")),
    Row("no journal", "ask; bpflock-log --journal", 1,
        ("No such file or directory", "systemd-journald")),
    Row("and nothing was read again", "fields policy --policy edge-gateway", 0,
        exact='policy="edge-gateway"\n'),

    Row("the journal is followed, whoever reads the output",
        "journal 2 >/tmp/entries & sleep 1; "
        "{ bpflock-log --journal --follow --verdict would-deny; "
        "echo $? >/tmp/ended; } | true & sleep 1; ask; sleep 1; ask; sleep 1; "
        "kill -TERM $(pidof bpflock-log); sleep 1; "
        "grep -c ^MESSAGE= /tmp/entries; cat /tmp/ended", 0, exact="2\n0\n"),
    Row("it follows through --unload and loading again",
        "bpflock-log --follow --policy edge-gateway >/tmp/followed & sleep 1; "
        "ask; bpflock-load --unload edge-gateway >/dev/null; sleep 1; "
        "bpflock-load edge.o; sleep 1; ask; kill -INT $!; wait $!; echo $?; "
        "grep -v bpflock-canary /tmp/followed | cut -d' ' -f2-3", 0,
        ("\n0\ndeny kernel_modules.load_module\n"
         "deny kernel_modules.load_module\n",)),
    Row("a signal in the middle of many leaves whole lines",
        "rm -f /tmp/stop; in-container hammer /tmp/stop >/tmp/hammered & "
        "bpflock-log --json --follow >/tmp/followed & reader=$!; "
        "while [ $(wc -l </tmp/followed) -lt 200 ]; do sleep 1; done; "
        "kill -TERM $reader; wait $reader; echo $?; touch /tmp/stop; wait; "
        "grep -vc '^{\"time\".*}$\\|^{\"lost\".*}$' /tmp/followed; "
        "[ -z \"$(tail -c1 /tmp/followed)\" ] && echo whole", 0,
        exact="0\n0\nwhole\n"),
    # Four of them, so that the reader is never done with that one's.
    Row("a flood keeps neither others' events nor new policies waiting",
        f"{FLOOD}; bpflock-load --unload told >/dev/null; : >/tmp/followed; "
        "bpflock-log --logfmt --follow >/tmp/followed & reader=$!; "
        "while [ $(wc -l </tmp/followed) -lt 2000 ]; do sleep 1; done; "
        f"in-container sh -c '{WRITE}'; bpflock-load told.o >/dev/null 2>&1; "
        f"{WRITE}; i=0; until grep -q 'policy=\"watch\"' /tmp/followed && "
        "grep -q 'policy=\"told\"' /tmp/followed; do i=$((i + 1)); "
        "[ $i -lt 30 ] || break; sleep 1; done; "
        "kill -TERM $reader; wait $reader; echo $?; touch /tmp/stop; wait; "
        "for name in watch told; do "
        "grep -o \"policy=.$name.\" /tmp/followed | sort -u; done; "
        "grep -q '^lost=' /tmp/followed && echo lost", 0,
        exact='0\npolicy="watch"\npolicy="told"\nlost\n'),
    # Once events are lost the ring is full, whoever else is slow.
    Row("without following a flood has an end",
        "lost() { bpflock-load --status | grep -A9 '^edge-gateway' | "
        "grep -m1 drops; }; before=$(lost); "
        f"{FLOOD}; i=0; while [ \"$(lost)\" = \"$before\" ] && [ $i -lt 60 ]; "
        "do i=$((i + 1)); sleep 1; done; "
        "timeout 60 bpflock-log --logfmt >/tmp/shown; echo $?; touch /tmp/stop; wait; "
        "[ $(grep -c edge-gateway /tmp/shown) -gt 100 ] && echo read", 0,
        exact="0\nread\n"),
    Row("the clock is set anew while it follows",
        "bpflock-log >/dev/null; now=$(date +%s); "
        "bpflock-log --logfmt --follow --policy edge-gateway >/tmp/followed & "
        "sleep 1; in-container insmod /bin/sh 2>/dev/null; sleep 1; "
        "date -s @2500000000 >/dev/null; sleep 1; "
        "in-container insmod /bin/sh 2>/dev/null; sleep 1; "
        "date -s @$((now + 5)) >/dev/null; kill -TERM $!; wait $!; "
        "grep ^time= /tmp/followed | cut -c1-12 | uniq | grep -c ''; "
        "tail -n 1 /tmp/followed | cut -c1-12", 0,
        exact='2\ntime="2049-0\n'),
    Row("nobody reads any more", "ask; { bpflock-log --policy told; "
        "echo $? >/tmp/ended; } | true; sleep 1; cat /tmp/ended", 0,
        exact="0\n"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description="bpflock-log on kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    counts = []
    for kernel in args.kernel or ["6.1"]:
        made = test_loader.programs_for(kernel, args.builddir)
        with tempfile.TemporaryDirectory() as scratch:
            overlay = Path(scratch) / "overlay"
            test_loader.fill(overlay, args.builddir, made, None, POLICIES,
                             HELPERS)
            shutil.copy(made / "tests/journal", overlay / "usr/bin")
            counts.append(test_loader.boot(kernel, ROWS, overlay,
                                           timeout=600))
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
