#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bpflock-load on a real kernel: what it does, refuses, and leaves behind.

    tests/vm/test_loader.py [--kernel ID]... [--builddir build]

Each row is a command in the guest, the status it has to end with, and words
that it has to say. The rows of one boot run in order, in one machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import forge
import tamper
import vm

POLICY = """language 1;
policy {name} {{
	version {version};
	kernel_modules {{
		profile allow;
		block load_module, autoload_module for container{reason};
		log denied;
	}}
	seal {seal};
}}
"""


def policy(name: str, version: int, *, seal: str = "open",
           reason: str = "") -> str:
    return POLICY.format(name=name, version=version, seal=seal,
                         reason=f' because "{reason}"' if reason else "")


def tried(name: str, profile: str, mode: str) -> str:
    """All protections that have a template, for their canaries."""
    return f"""language 1;
policy {name} {{
	version 1;
	{mode}
	kernel_modules {{ {profile} }}
	bpf {{ {profile} }}
	fileless_exec {{ {profile} }}
	seal open;
}}
"""


POLICIES = {
    "edge": policy("edge-gateway", 7),
    "edge6": policy("edge-gateway", 6),
    "edge7b": policy("edge-gateway", 7, reason="another one"),
    **{f"edge{version}": policy("edge-gateway", version)
       for version in (8, 9, 10, 11)},
    "other": policy("other_one", 1),
    "other2": policy("other_one", 2),
    "past": """language 1;
policy of_yesterday {
	version 1;
	kernel_modules {
		profile baseline;
		allow autoload_module for container until 2026-01-31;
	}
	seal open;
}
""",
    "closed": """language 1;
policy closed {
	version 1;
	bpf { profile restricted; }
	seal open;
}
""",
    "kept": """language 1;
policy kept {
	version 1;
	bpf { profile baseline; }
	seal open;
}
""",
    **{name: tried(name, profile, mode) for name, profile, mode in [
        ("baseline", "profile baseline;", ""),
        ("restricted", "profile restricted;", ""),
        ("audit", "profile restricted;", "mode audit;"),
        ("logging", "profile allow;", ""),
        ("silent", "profile baseline; log none;", "")]},
    "of_host": """language 1;
policy of_host {
	version 1;
	kernel_modules {
		profile allow;
		log denied;
		block unload_module, unsigned_module for host;
	}
	seal open;
}
""",
    "locked": policy("locked", 1, seal="locked"),
    "of_image": """language 1;
policy of_image {
	version 1;
	kernel_image { profile allow; block unsigned_module for host; }
	seal open;
}
""",
    "of_cgroup": """language 1;
policy of_cgroup {
	version 1;
	kernel_modules {
		profile allow;
		log denied;
		block load_module for cgroup "/x";
	}
	seal open;
}
""",
}
# Today, for bpflockc: an exception past its day is an error.
TODAY = "1767225600"  # 2026-01-01

LOADED = ("edge-gateway version 7: 1 protection enforced (kernel_modules), "
          "3 hooks, 3 proven, seal open")
LOADED_MAP = "/sys/fs/bpf/bpflock/kept/maps/bpf_loaded"
MODULE = "modprobe dummy && rmmod dummy"
NOTHING_LEFT = "nothing-left"
# The kernel frees programs late, and their maps later: they get ten seconds.
HELPERS = {
    NOTHING_LEFT: r"""#!/bin/sh
i=0
while :; do
	left=$(ls -A /sys/fs/bpf; bpftool prog show | grep ': lsm '
		bpftool map show | grep -E 'bpflock|drops|events|rodata')
	[ -n "$left" ] || exit 0
	i=$((i + 1))
	[ $i -lt 100 ] || { echo "left: $left"; exit 1; }
	sleep 0.1
done
""",
    # every-fault STEP: fails it the first time it is asked for, the second,
    # and so on, until a load comes through; how often is what it prints.
    "every-fault": r"""#!/bin/sh
n=1
until BPFLOCK_FAIL=$1:$n bpflock-load-faults edge.o other.o 2>/tmp/why; do
	[ $? = 1 ] || { cat /tmp/why; exit 1; } # a sanitizer's is another
	grep -q '^bpflock-load-faults: .*: ' /tmp/why || exit 1
	nothing-left || exit 1
	n=$((n + 1))
	[ $n -lt 99 ] || exit 1
done
bpflock-load --unload edge-gateway && bpflock-load --unload other_one ||
	exit 1
nothing-left || exit 1
echo "failed $((n - 1)) times"
""",
    # The same for replacing edge.o by edge8.o while other.o is loaded anew:
    # after each failure the old one is all there is, and denies.
    "every-fault-replacing": r"""#!/bin/sh
bpflock-load edge.o || exit 1
n=1
until BPFLOCK_FAIL=$1:$n bpflock-load-faults edge8.o other.o 2>/tmp/why; do
	[ $? = 1 ] || { cat /tmp/why; exit 1; } # a sanitizer's is another
	grep -q '^bpflock-load-faults: .*: ' /tmp/why || exit 1
	[ "$(ls /sys/fs/bpf/bpflock)" = edge-gateway ] || exit 2
	bpflock-load --status | grep -q 'edge-gateway version 7' || exit 3
	in-container hammer || exit 4
	n=$((n + 1))
	[ $n -lt 99 ] || exit 1
done
bpflock-load --status | grep version
in-container hammer || exit 4
bpflock-load --unload edge-gateway && bpflock-load --unload other_one ||
	exit 1
nothing-left || exit 1
echo "failed $((n - 1)) times"
""",
    # stopped-in STEP COMMAND: loads edge.o, and runs the command while the loader
    # stands still in that step.
    "stopped-in": r"""#!/bin/sh
BPFLOCK_FAIL=$1? bpflock-load-faults edge.o &
i=0
until grep -q '^State:.T' /proc/$!/status 2>/dev/null; do
	i=$((i + 1))
	[ $i -lt 100 ] || exit 9
	sleep 0.1
done
sh -c "$2"
kill -CONT $!
wait $!
""",
    # Tries in a container all the time, while the command runs.
    "while-hammering": r"""#!/bin/sh
rm -f /tmp/stop
in-container hammer /tmp/stop &
sleep 1
sh -c "$*"
status=$?
touch /tmp/stop
wait $! || exit 9
exit $status
""",
}


@dataclass(frozen=True)
class Row:
    name: str
    command: str
    status: int
    words: tuple[str, ...] = ()  # each has to be in what it says
    exact: str | None = None     # all that it has to say


# The hook that it is on is one of edge.o's.
CROWD = """
SEC("lsm/kernel_load_data") int crowd(void *ctx) { return 0; }
"""
FORGED = '/tmp/deny" uid=1\nlost=7.ko'

# How often each step is asked for with two bundles of 3 programs and 4 maps.
FAULTS = {"read": 2, "verify": 2, "probe": 1, "open": 2, "hooks": 1,
          "names": 2, "room": 1, "bind": 1, "load": 2, "freeze": 8,
          "attach": 6, "canary": 2, "folder": 6, "record": 2, "pin": 16,
          "rename": 2}
REPLACING_FAULTS = ["attach", "canary", "pin", "rename", "exchange"]

UNSTICK = "echo 1 >/proc/sys/kernel/ftrace_enabled"
# Which protections each policy has proven, at how many of its hooks. Where one
# hook denies what another one would be asked about, that one is not; and an
# autoload shows in an event alone.
PROVEN = {"baseline": (11, 8), "restricted": (11, 8), "audit": (11, 11),
          "logging": (11, 11), "silent": (11, 7), "of_host": (2, 2)}

# A canary is of the cgroup then, whose name its programs have to read.
IN_CGROUP = ("mkdir /sys/fs/cgroup/x && echo $$ >/sys/fs/cgroup/x/cgroup.procs "
             "&& bpflock-load of_cgroup.o >/tmp/said && cat /tmp/said && "
             "grep -q '2 hooks, 2 proven' /tmp/said; s=$?; "
             "echo $$ >/sys/fs/cgroup/cgroup.procs; rmdir /sys/fs/cgroup/x; "
             "bpflock-load --unload of_cgroup; exit $s")

CANARIES = [
    *[Row(f"canaries of {name}", f"bpflock-load {name}.o && "
          f"bpflock-load --unload {name}", 0,
          (f" {hooks} hooks, {proven} proven, seal open\n",))
      for name, (hooks, proven) in PROVEN.items()],
    Row("canaries from a network namespace of its own",
        "unshare --net bpflock-load of_host.o && "
        "bpflock-load --unload of_host", 0, ("2 hooks, 2 proven",)),
    Row("canaries of named cgroups alone", "bpflock-load of_cgroup.o", 0,
        ("of_cgroup.o: canary: kernel_modules is attached, and not proven to "
         "be enforced: it decides for named cgroups alone",
         "2 hooks, 0 proven")),
    Row("in that cgroup they are of it", "bpflock-load --unload of_cgroup && "
        + IN_CGROUP, 0),
    Row("what they did not prove",
        "echo >/proc/sys/kernel/modprobe; bpflock-load edge.o && "
        "bpflock-load --verify edge.o; s=$?; "
        "echo /sbin/modprobe >/proc/sys/kernel/modprobe; "
        "bpflock-load --unload edge-gateway; exit $s", 0,
        ("3 hooks, 2 proven", "not seen     whether kernel_modules is "
         "enforced at the hook kernel_module_request, by trying: fsopen of an "
         "unknown file system cannot be tried here")),
    Row("each of two that deny the same", "bpflock-load edge.o other.o && "
        "bpflock-load --unload edge-gateway && "
        "bpflock-load --unload other_one", 0,
        (LOADED, "other_one version 1: 1 protection enforced "
         "(kernel_modules), 3 hooks, 3 proven")),
    Row("behind one that denies everybody", "bpflock-load restricted.o "
        "baseline.o && bpflock-load --unload restricted && "
        "bpflock-load --unload baseline", 0,
        ("restricted version 1: 3 protections enforced (kernel_modules, bpf, "
         "fileless_exec), 11 hooks, 8 proven",
         "baseline version 1: 3 protections enforced (kernel_modules, bpf, "
         "fileless_exec), 11 hooks, 8 proven")),
    Row("the log names them", "bpflock-load edge.o && bpflock-log && "
        "bpflock-load --unload edge-gateway", 0,
        ('deny kernel_modules.load_module policy=edge-gateway version=7 '
         'place="container" comm="bpflock-canary"',
         'object="fs-bpflock-canary" comm="bpflock-canary"')),
    Row("nobody of them is left", "! ps | grep '[b]pflock-canary'", 0,
        exact=""),
    Row("a loader that is killed takes them along",
        "BPFLOCK_FAIL=canary! bpflock-load-faults edge.o; sleep 1; "
        "! ps | grep '[b]pflock-canary' && bpflock-load edge.o && "
        "bpflock-load --unload edge-gateway", 0, ("3 hooks, 3 proven",)),
    Row("a program that does not deny", "bpflock-load tampered/allows.o", 1,
        ("tampered/allows.o: canary: kernel_modules.load_module is attached to "
         "the hook kernel_read_file, and not enforced there: finit_module of "
         'a text in a container ended in "Exec format error"',)),
    Row("that and a good bundle", "bpflock-load tampered/allows.o other.o",
        1, ("tampered/allows.o: canary: ",)),
    # Linux 5.10 does not attach then, and later ones do.
    Row("programs that the kernel does not ask", "stopped-in attach "
        f"'echo 0 >/proc/sys/kernel/ftrace_enabled' 2>/tmp/why; s=$?; "
        f"{UNSTICK}; cat /tmp/why; case $s in "
        "1) grep -E 'canary: .*not enforced.*without the event|"
        "attach: .*resource busy' /tmp/why;; *) false;; esac", 0),
    Row("nothing left behind canaries", NOTHING_LEFT, 0),
    Row("they were what denied", f"in-container sh -c '{MODULE}'", 0),
]

# What tests/vm/forge.py makes, and the words that it is refused with.
FORGED_BUNDLES = {
    "kprobe": "inspect: its section kprobe/do_unlinkat is not known",
    "uprobe": "inspect: its section uprobe//bin/sh:main is not known",
    "iter": "inspect: its section iter/task is not known",
    "fmod_ret": "inspect: its section fmod_ret/security_bpf is not known",
    "struct_ops": "inspect: its section .struct_ops is not known",
    "cgroup": "inspect: its section lsm_cgroup/socket_bind is not known",
    "pinned": "inspect: its map forged wants to be pinned by its name",
    "huge": "inspect: its map forged is too large",
    "programs": "inspect: its map forged is of another kind",
    "flags": "inspect: its map forged has unusual flags",
    "data": "inspect: its section .data is not known",
    "kconfig": ".kconfig holds data that is not read-only",
    "empty": "inspect: it has no program",
    "hook": "probe: this kernel has no hook no_such_hook",
    "unsaid": "probe: the program forged does not say what it reads",
    "pointer": "hook kernel_load_data has another parameter 1 than",
    "structure": "hook kernel_read_file has another parameter 1 than",
    "enumeration": "hook kernel_load_data has another parameter 1 than",
    "parameters": "hook kernel_module_request has another parameter 2 than",
}

# Where nobody can tell what is loaded: how to come there, why, and what helps.
BLIND = [
    ("no /proc", "unshare --mount", "umount -l /proc; ",
     "/proc/self/ns/pid cannot be read", "mend: mount -t proc proc /proc"),
    ("own pid namespace", "unshare --fork --pid --mount-proc", "",
     "pid namespace of its own", "mend: run it on the machine itself"),
    ("no bpffs", "unshare --mount", "umount /sys/fs/bpf; ",
     "there is no bpf file system on /sys/fs/bpf",
     "mend: mount -t bpf bpf /sys/fs/bpf"),
    ("a bpffs of its own", "unshare --mount",
     "umount /sys/fs/bpf; mount -t bpf bpf /sys/fs/bpf; ", "mount namespace",
     "mend: nsenter --target 1 --mount"),
]

ORDINARY = [
    Row("no argument", "bpflock-load", 2, ("--help",)),
    Row("unknown option", "bpflock-load --lock", 2, ("'--lock'", "--help")),
    Row("help", "bpflock-load --help", 0, ("usage: bpflock-load",)),
    Row("status of nothing", "bpflock-load --status", 0,
        exact="no policy is loaded\n"),
    Row("JSON of nothing", "bpflock-load --status --json", 0,
        exact='{"policies":[],"leftovers":[]}\n'),
    *[Row(f"{command}, and nowhere to write it", f"bpflock-load {command} "
          ">/dev/full", 1, ("No space left on device",))
      for command in ("--status", "--status --json", "--check edge.o")],
    Row("unload of nothing", "bpflock-load --unload edge-gateway", 1,
        ("no policy of that name",)),
    Row("check", "bpflock-load --check edge.o other.o", 0,
        ("edge.o: can be loaded", "other.o: can be loaded")),
    Row("check touches nothing", NOTHING_LEFT, 0),
    Row("control: before", f"in-container sh -c '{MODULE}'", 0),

    Row("load", "bpflock-load edge.o", 0, exact=f"bpflock-load: {LOADED}\n"),
    Row("container is denied", "in-container modprobe dummy", 1,
        ("Operation not permitted",)),
    Row("bubblewrap is denied", "in-bwrap modprobe dummy", 1,
        ("Operation not permitted",)),
    Row("host's network is not the host",
        "in-container --host-net modprobe dummy", 1,
        ("Operation not permitted",)),
    Row("host is not denied", MODULE, 0),
    Row("status", "bpflock-load --status", 0,
        ("edge-gateway version 7, enforced, seal open", "kernel_modules",
         "links        3", "drops        0")),
    Row("JSON", "bpflock-load --status --json", 0,
        ('"name":"edge-gateway"', '"version":7', '"mode":"enforce"',
         '"seal":"open"', '"protections":["kernel_modules"]', '"drops":0')),
    Row("the bundle's digest", "bpflock-load --status | grep -q "
        "$(sha256sum edge.o | cut -d' ' -f1)", 0),
    Row("no line of it is empty", "bpflock-load --status | grep -c '^$'", 1,
        exact="0\n"),
    Row("twice", "bpflock-load edge.o", 0,
        ("edge-gateway version 7: already loaded",)),
    Row("check twice", "bpflock-load --check edge.o", 0,
        ("edge.o: is already loaded",)),
    Row("a lower version", "bpflock-load edge6.o", 1,
        ("it is version 6 of edge-gateway", "version 7 is loaded",
         "version above 7", "bpflock-load --unload edge-gateway")),
    Row("the same version of another", "bpflock-load edge7b.o", 1,
        ("it is version 7 of edge-gateway", "another version 7 is loaded",
         "version above 7", "bpflock-load --unload edge-gateway")),
    Row("with another, all or nothing", "bpflock-load other.o edge6.o", 1,
        ("version 7 is loaded",)),
    Row("check of a lower one", "bpflock-load --check edge6.o", 1,
        ("version 7 is loaded",)),
    Row("the other did not stay", "bpflock-load --status | grep -c version",
        0, exact="1\n"),
    Row("maps are frozen",
        "bpftool map update pinned "
        "/sys/fs/bpf/bpflock/edge-gateway/maps/drops key 0 0 0 0 "
        "value 1 0 0 0 0 0 0 0", 255, ("Operation not permitted",)),

    Row("log", "bpflock-log", 0,
        ("deny kernel_modules.load_module policy=edge-gateway",
         'place="container"', 'comm="modprobe"', 'rule="edge.bpflock:')),
    Row("what was read is gone", "bpflock-log", 0, exact=""),
    Row("a name forges no field and no line",
        f"f='{FORGED}'; cp /bin/sh \"$f\" && "
        "{ in-container insmod \"$f\"; bpflock-log --logfmt; }", 0,
        ('deny\\" uid=1\\x0alost=7.ko"',)),
    Row("JSON of a forged name",
        f"{{ in-container insmod '{FORGED}'; bpflock-log --json; }} 2>&1 | "
        "tail -n1", 0, ('deny\\" uid=1\\u000alost=7.ko"',)),
    Row("a full ring counts what it loses, and denies on",
        "in-container sh -c 'i=0; while [ $i -lt 900 ]; do i=$((i + 1)); "
        "/usr/sbin/insmod /bin/sh && exit 9; done; true' 2>/dev/null && "
        "bpflock-log | grep '^lost=[1-9]' && "
        "bpflock-load --status | grep 'drops  *[1-9]'", 0,
        ('policy="edge-gateway"',)),
    Row("follow", "timeout 5 bpflock-log --follow & sleep 1; "
        "in-container modprobe dummy; wait", 0,
        ("deny kernel_modules.load_module",)),
    Row("names that others chose",
        "printf '\\342\\200\\256gpj\\377\\r\\033[2J\\\\\"' >/tmp/name; "
        "f=/tmp/$(cat /tmp/name); cp /bin/sh \"$f\" && "
        "{ in-container sh -c 'insmod /tmp/*gpj*'; bpflock-log --logfmt; } "
        "2>/dev/null | grep object= | tail -n1", 0,
        ('\\xe2\\x80\\xaegpj\\xff\\x0d\\x1b[2J\\\\\\""',)),
    Row("the same in JSON", "{ in-container sh -c 'insmod /tmp/*gpj*'; "
        "bpflock-log --json; } "
        "2>/dev/null | grep object | tail -n1", 0,
        ('\\u202egpj\\ufffd\\u000d\\u001b[2J\\\\\\""',)),
    Row("a comm forges nothing",
        "f=$(printf '/tmp/a\"\\nlost=1'); cp $(command -v hammer) \"$f\" && { in-container \"$f\"; "
        "bpflock-log; } | grep comm= | tail -n1", 0, ('comm="a\\"\\x0alost=1"',)),
    Row("nobody reads the log any more",
        "{ bpflock-log --follow; echo $? >/tmp/status; } | head -n1 & "
        "sleep 1; in-container modprobe dummy; in-container modprobe dummy; "
        "wait; cat /tmp/status", 0, ("\n0\n",)),
    Row("log takes no operand", "bpflock-log edge-gateway", 2, ("--help",)),

    Row("unload of another", "bpflock-load --unload ../edge", 1,
        ("no policy of that name", "--unload edge-gateway")),
    Row("unload leaves what is not its own",
        "mkdir /sys/fs/bpf/bpflock/foreign && "
        "bpflock-load --unload edge-gateway && "
        "rmdir /sys/fs/bpf/bpflock/foreign && rmdir /sys/fs/bpf/bpflock", 0,
        ("edge-gateway: unloaded, 3 programs gone",)),
    Row("unload leaves nothing", NOTHING_LEFT, 0),
    Row("container is free again", f"in-container sh -c '{MODULE}'", 0),

    Row("follow through load, replacement and unloading",
        "bpflock-log --follow >/tmp/followed 2>&1 & sleep 1; "
        "bpflock-load edge.o && sleep 1; in-container modprobe dummy; "
        "bpflock-load edge8.o; in-container modprobe dummy; "
        "bpflock-load --unload edge-gateway; sleep 1; kill -TERM $!; wait $! "
        "&& grep -c 'policy=edge-gateway version=7' /tmp/followed && "
        "grep -c 'policy=edge-gateway version=8' /tmp/followed", 0,
        ("replaces version 7",)),
    Row("nothing left of that", NOTHING_LEFT, 0),

    Row("control: hammer", "in-container hammer", 1, ("1 passed",)),
    Row("replaced without a gap", "bpflock-load edge.o && while-hammering "
        "'for v in 8 9 10 11; do bpflock-load edge$v.o || exit; done'", 0,
        ("version 8: replaces version 7, 1 protection",
         "version 11: replaces version 10", "tries, 0 passed")),
    Row("check of a higher one", "bpflock-load --unload edge-gateway && "
        "bpflock-load edge.o && bpflock-load --check edge8.o", 0,
        ("can be loaded, and replaces version 7",)),
    Row("one is replaced, one is new, one is there already",
        "bpflock-load other.o && bpflock-load edge8.o other.o past.o", 0,
        ("edge-gateway version 8: replaces version 7",
         "other_one version 1: already loaded",
         "of_yesterday version 1: 1 protection")),
    Row("what is past its day", "bpflock-load --status | "
        "grep -A9 ^of_yesterday", 0,
        ("until        2026-01-31", "warning      an exception")),
    Row("the same in JSON's", "bpflock-load --status --json", 0,
        ('"until":"2026-01-31","until_past":true',)),
    Row("check and load warn of it", "bpflock-load --unload of_yesterday && "
        "bpflock-load --check past.o 2>&1 >/dev/null | grep -c warning: && "
        "bpflock-load past.o 2>&1 >/dev/null | grep -c warning:", 0,
        ("\n1\n1\n",)),
    Row("misses are counted", "case $(uname -r) in 5.10*) echo misses;; "
        "*) bpflock-load --status;; esac", 0, ("misses",)),
    Row("one of its pins is gone: it is loaded again",
        "rm /sys/fs/bpf/bpflock/other_one/links/kernel_modules_load_data && "
        "bpflock-load other.o", 0, ("replaces version 1", "3 hooks")),
    Row("the old ones stay where one cannot go in",
        "bpflock-load other2.o edge6.o; "
        "bpflock-load --status | grep version", 0,
        ("edge-gateway version 8", "other_one version 1")),
    Row("what cannot be taken away is said, and goes with the next run",
        "BPFLOCK_FAIL=retire bpflock-load-faults other2.o; s=$?; "
        "bpflock-load --status; bpflock-load --status --json; "
        "bpflock-load other2.o && ls /sys/fs/bpf/bpflock; exit $s", 1,
        ("it is enforced, and so is still version 1",
         "+other_one, left by a loader", '"leftovers":["+other_one"]',
         "version 2: already loaded",
         "loaded, nothing to do\nedge-gateway\nof_yesterday\nother_one\n")),
    Row("killed while one stepped aside: it comes back",
        "cd /sys/fs/bpf/bpflock && mv other_one ./-other_one && "
        "mkdir ./+other_one && cd /t && bpflock-load other2.o && "
        "ls /sys/fs/bpf/bpflock", 0,
        ("version 2: already loaded", "\nother_one\n")),
    Row("all of it goes", "for p in edge-gateway other_one of_yesterday; do "
        "bpflock-load --unload $p || exit 1; done", 0),
    Row("nothing left of all of it", NOTHING_LEFT, 0),

    Row("two at once", "bpflock-load edge.o other.o", 0,
        (LOADED, "other_one version 1")),
    Row("unload one", "bpflock-load --unload edge-gateway", 0),
    Row("the other one still denies", "in-container modprobe dummy", 1,
        ("Operation not permitted",)),
    Row("unload the other", "bpflock-load --unload other_one", 0),
    Row("nothing left of both", NOTHING_LEFT, 0),
    Row("the same policy twice", "bpflock-load edge.o edge.o", 1,
        ("holds the policy edge-gateway as well",)),

    Row("the right digest", "bpflock-load --check --digest "
        "$(sha256sum edge.o | cut -d' ' -f1) edge.o", 0),
    Row("the wrong digest", "bpflock-load --digest "
        "$(sha256sum other.o | cut -d' ' -f1) edge.o", 1,
        ("verify", "--digest does not name")),
    Row("no digest", "bpflock-load --digest 12 edge.o", 2, ("64 digits",)),
    Row("a flipped bit", "cp edge.o bad.o; printf '\\377' | "
        "dd of=bad.o bs=1 seek=700 conv=notrunc 2>/dev/null; "
        "bpflock-load bad.o", 1, ("verify", "damaged")),
    Row("cut off", "head -c 5000 edge.o >bad.o; bpflock-load bad.o", 1,
        ("verify", "does not end as a bundle")),
    Row("appended to", "cp edge.o bad.o; echo x >>bad.o; bpflock-load bad.o",
        1, ("verify",)),
    Row("a good one and a bad one", "bpflock-load edge.o bad.o", 1,
        ("bad.o: verify",)),
    Row("a symbolic link", "ln -s edge.o link.o; bpflock-load link.o", 1,
        ("symbolic link",)),
    Row("a folder", "bpflock-load /t", 1, ("not a regular file",)),
    Row("too large", "truncate -s 17M big.o; bpflock-load big.o", 1,
        ("16 MiB",)),
    Row("not there", "bpflock-load none.o", 1, ("No such file",)),
    Row("nothing left of those", NOTHING_LEFT, 0),

    # The path: BusyBox's shell has a setpriv of its own, which cannot.
    Row("not root", "/usr/bin/setpriv --reuid 1000 --regid 1000 "
        "--clear-groups bpflock-load edge.o", 1,
        ("CAP_SYS_ADMIN", "mend: run it as root")),
    Row("own pid namespace", "unshare --fork --pid --mount-proc "
        "bpflock-load edge.o", 1, ("pid namespace",)),
    Row("own user namespace", "unshare --user --map-root-user "
        "bpflock-load edge.o", 1, ("user namespace",)),
    Row("own network namespace: the host stays the host",
        "unshare --net bpflock-load edge.o && modprobe dummy && "
        "rmmod dummy && ! in-container modprobe dummy && "
        "bpflock-load --unload edge-gateway", 0),
    Row("ftrace off", "echo 0 >/proc/sys/kernel/ftrace_enabled; "
        "bpflock-load edge.o; s=$?; "
        "echo 1 >/proc/sys/kernel/ftrace_enabled; exit $s", 1,
        ("mend: sysctl kernel.ftrace_enabled=1",)),
    Row("JIT off", "echo 0 >/proc/sys/net/core/bpf_jit_enable; "
        "bpflock-load edge.o; s=$?; "
        "echo 1 >/proc/sys/net/core/bpf_jit_enable; exit $s", 1,
        ("mend: sysctl net.core.bpf_jit_enable=1",)),
    Row("a bpffs of its own", "unshare --mount sh -c "
        "'mount -t bpf bpf /sys/fs/bpf; bpflock-load edge.o'", 1,
        ("mount namespace", "mend: nsenter --target 1 --mount")),
    Row("a mount namespace with the machine's bpffs", "unshare --mount "
        "bpflock-load edge.o && bpflock-load --unload edge-gateway", 0),
    Row("something else mounted on the folder", "bpflock-load edge.o; "
        "unshare --mount sh -c 'mount -t tmpfs -o mode=700 t "
        "/sys/fs/bpf/bpflock; bpflock-load edge8.o'; s=$?; "
        "bpflock-load --unload edge-gateway; exit $s", 1,
        ("mounted on it",)),
    Row("without stdout", "bpflock-load edge.o >&- && "
        "bpflock-load --unload edge-gateway", 0),
    Row("no securityfs", "unshare --mount sh -c "
        "'umount /sys/kernel/security; bpflock-load edge.o'", 1,
        ("mend: mount -t securityfs securityfs /sys/kernel/security",)),
    Row("no bpffs", "unshare --mount sh -c "
        "'umount /sys/fs/bpf; bpflock-load edge.o'", 1,
        ("mend: mount -t bpf bpf /sys/fs/bpf",)),
    *[Row(f"no signatures of modules: {name}", "unshare --mount sh -c "
          "'mount -t tmpfs t /sys/module/module/parameters; "
          f"bpflock-load {name}.o'", 1,
          (f"{name}.o: probe: this kernel checks no signatures of modules, and "
           f"never asks about {protection}.unsigned_module",
           "mend: run a kernel with CONFIG_MODULE_SIG=y"))
      for name, protection in (("of_host", "kernel_modules"),
                               ("of_image", "kernel_image"))],
    *[Row(f"{command}: {name}", f"bpflock-load edge.o || exit 9; "
          f"{entered} sh -c '{hidden}bpflock-load {command}'; s=$?; "
          "bpflock-load --unload edge-gateway >/dev/null || exit 9; exit $s",
          1, (words, f"this machine: {command[2:8]}: so it cannot be told "
              "what is loaded", mend))
      for command in ("--status", "--unload none")
      for name, entered, hidden, words, mend in BLIND],
    Row("JSON says so", "unshare --mount sh -c 'umount /sys/fs/bpf; "
        "bpflock-load --status --json 2>/dev/null'", 1,
        exact='{"policies":[],"leftovers":[],"incomplete":true}\n'),
    Row("the folder alone of another mount namespace", "unshare --mount "
        "bpflock-load --status", 0, exact="no policy is loaded\n"),
    Row("a folder of somebody else's", "mkdir -m 0777 /sys/fs/bpf/bpflock; "
        "chown 1000 /sys/fs/bpf/bpflock; bpflock-load edge.o; s=$?; "
        "rmdir /sys/fs/bpf/bpflock; exit $s", 1, ("root's alone",)),
    Row("what a killed run left", "mkdir -p "
        "/sys/fs/bpf/bpflock/+edge-gateway/links && bpflock-load edge.o && "
        "ls /sys/fs/bpf/bpflock && bpflock-load --unload edge-gateway", 0,
        ("\nedge-gateway\n",)),
    Row("nothing left of all that", NOTHING_LEFT, 0),

    Row("a policy that denies bpf() to the loader", "bpflock-load closed.o",
        0, ("closed version 1: 1 protection enforced (bpf), 2 hooks",)),
    Row("it does", "! bpftool prog", 0, ("Operation not permitted",)),
    Row("no policy can be added", "bpflock-load edge.o", 1,
        ("load:", "a loaded policy that denies bpf")),
    Row("status is denied", "bpflock-load --status", 1,
        ("may use bpf.obj_get and bpf.other",)),
    Row("the log is denied", "bpflock-log", 1,
        ("may use bpf.obj_get and bpf.other",)),
    Row("it can be unloaded, and bpf() is back", "bpflock-load --unload closed "
        "&& bpftool prog >/dev/null", 0, ("closed: unloaded",)),
    Row("nothing left of it", NOTHING_LEFT, 0),
    Row("two that deny bpf(), and one more", "bpflock-load closed.o kept.o "
        "edge.o && for i in kept edge-gateway closed; do "
        "bpflock-load --unload $i; done", 0),
    Row("the loader is exempt no more", "bpflock-load kept.o && "
        f"bpftool -j map dump pinned {LOADED_MAP}", 0, ('"value":1',)),
    Row("nobody can make it exempt again", f"! bpftool map update pinned "
        f"{LOADED_MAP} key 0 0 0 0 value 0 0 0 0 0 0 0 0", 0,
        ("Operation not permitted",)),
    Row("unload that", "bpflock-load --unload kept", 0),
    Row("nothing left of those either", NOTHING_LEFT, 0),
    Row("check of a locked policy, beside an open one", "bpflock-load edge.o && "
        "bpflock-load --check locked.o; s=$?; "
        "bpflock-load --unload edge-gateway || exit 9; exit $s", 0,
        ("locked.o: can be loaded",)),
    Row("check of one touches nothing", NOTHING_LEFT, 0),
    Row("check of one, and somebody else's program on its hook",
        "attach-it crowd.o /sys/fs/bpf/crowd; bpflock-load --check locked.o; "
        f"s=$?; rm /sys/fs/bpf/crowd; {NOTHING_LEFT} || exit 9; exit $s", 1,
        ("this machine: gate: the program crowd (id ",
         "mend: load bpflock's policies before")),
    Row("check of one in a cgroup namespace of its own",
        "/usr/bin/unshare --cgroup bpflock-load --check locked.o", 1,
        ("kernel.ftrace_enabled cannot be guarded",
         "mend: run it in no container")),
    *[Row(f"told to end in {step} while it seals: nothing is left",
          f"BPFLOCK_FAIL={step}? bpflock-load-faults locked.o & i=0; "
          "until grep -q '^State:.T' /proc/$!/status 2>/dev/null; do "
          "i=$((i + 1)); [ $i -lt 100 ] || exit 9; sleep 0.1; done; "
          "kill -TERM $!; kill -CONT $!; wait $!; s=$?; "
          f"{NOTHING_LEFT} || exit 8; left=$(for p in /proc/[0-9]*; do "
          "grep -qx kdevtmpfs $p/comm && grep ' - bpf ' $p/mountinfo; done; "
          "bpftool prog show | grep cgroup_sysctl); echo \"$left\"; "
          "[ -z \"$left\" ] || exit 7; exit $s", 1,
          ("seal: it was told to end, and does not seal: Interrupted",))
      for step in ("vault", "load", "sysctl", "canary", "rename")],
    *[Row(f"forged: {name}", f"bpflock-load forged/{name}.o", 1, (words,))
      for name, words in FORGED_BUNDLES.items()],
    # How many it takes is 38, 40 on 5.10, or fewer where a page is too small.
    Row("a hook without", "for i in $(seq 41); do "
        "attach-it crowd.o /sys/fs/bpf/crowd$i || break; done; "
        "[ $i -gt 20 ] || exit 9; "
        "bpflock-load other.o 2>&1 | tee /tmp/why; grep -E 'there is no room "
        "for 1 more|too many programs are on this hook' /tmp/why", 0,
        ("mend: ",)),
    Row("a hook with room for one more", "i=$(ls /sys/fs/bpf | grep -c crowd); "
        "rm /sys/fs/bpf/crowd$i; sleep 1; "
        "bpflock-load edge.o && bpflock-load --unload edge-gateway", 0),
    Row("with room again", "rm /sys/fs/bpf/crowd*", 0),
    Row("nothing left of the crowd", NOTHING_LEFT, 0),
    Row("forged as ours are, and deciding nothing",
        "bpflock-load forged/good.o", 1,
        ("forged/good.o: canary: kernel_modules.load_module is attached to",)),
    Row("nothing left of the forged ones", NOTHING_LEFT, 0),
    *CANARIES,
    *[Row(f"fault in {step}", f"every-fault {step}", 0,
          (f"failed {times} times",)) for step, times in FAULTS.items()],
    *[Row(f"fault in {step}, replacing", f"every-fault-replacing {step}", 0,
          ("edge-gateway version 8", "other_one version 1", "failed "))
      for step in REPLACING_FAULTS],
    # Until the machine is off.
    Row("lockdown=confidentiality", "echo confidentiality "
        ">/sys/kernel/security/lockdown; bpflock-load edge.o 2>/tmp/why; s=$?; "
        "cat /tmp/why; case $(uname -r) in 5.10*) [ $s = 1 ] && "
        "grep 'boot with lockdown=integrity' /tmp/why;; *) [ $s = 0 ];; esac", 0),
    Row("names of cgroups under it", "case $(uname -r) in 5.10*) "
        "! bpflock-load of_cgroup.o 2>/tmp/why && "
        f"grep 'boot with lockdown=integrity' /tmp/why;; *) {IN_CGROUP};; esac",
        0),
]

WITHOUT_LSM = [
    Row("without bpf in lsm=", "bpflock-load edge.o", 1,
        ("bpf is not among the active security modules", "GRUB_CMDLINE_LINUX",
         "update-grub")),
    Row("the line is the booted one and bpf", "bpflock-load edge.o 2>&1 | "
        "grep -o 'boot with lsm=.*' | cut -d' ' -f3 | grep -qx "
        "\"$(tr ' ' '\\n' </proc/cmdline | grep ^lsm=),bpf\"", 0),
    Row("check says so too", "bpflock-load --check edge.o", 1,
        ("bpf is not among",)),
    Row("nothing left", NOTHING_LEFT, 0),
]

SWITCHED_OFF = [
    Row("bpflock=off", "bpflock-load edge.o", 0, ("bpflock=off", "NOTHING")),
    Row("the log says so too", "bpflock-log", 0, ("BPFLOCK IS OFF",)),
    Row("nothing is enforced", f"in-container sh -c '{MODULE}'", 0),
    Row("nothing is loaded", NOTHING_LEFT, 0),
]


def programs_for(kernel: str, build: Path) -> Path:
    """Where its programs are: ./configure.py --cross ARCH makes those of
    another architecture than ours."""
    architecture = vm.kernels.row(kernel).architecture
    return build if architecture == "amd64" else build / architecture


def fill(overlay: Path, build: Path, made: Path, bundles: Path | None,
         policies: dict[str, str], helpers: dict[str, str]) -> None:
    """Lays out what the guest needs: programs, helpers, bundles."""
    programs = overlay / "usr/bin"
    work = overlay / "t"
    programs.mkdir(parents=True)
    work.mkdir()
    shutil.copy(made / "bpflock-load", programs)
    shutil.copy(made / "bpflock-log", programs)
    shutil.copy(made / "tests/bpflock-load-faults", programs)
    shutil.copy(made / "tests/hammer", programs)
    for name, text in helpers.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    for name, text in policies.items():
        if bundles:
            shutil.copy(bundles / f"{name}.o", work)
            continue
        source = work / f"{name}.bpflock"
        source.write_text(text)
        subprocess.run([build.absolute() / "bpflockc", source.name,
                        "-o", f"{name}.o"], check=True, cwd=work,
                       env={**os.environ, "SOURCE_DATE_EPOCH": TODAY})


def add_crowd(overlay: Path, made: Path) -> None:
    """A program of somebody else's for a hook of ours."""
    shutil.copy(made / "tests/attach-it", overlay / "usr/bin")
    subprocess.run([*forge.CLANG, "-o", overlay / "t/crowd.o"], check=True,
                   text=True, input=forge.HEAD + CROWD)


def fill_own(overlay: Path, build: Path, made: Path,
             bundles: Path | None = None) -> None:
    """What the rows of this file need."""
    fill(overlay, build, made, bundles, POLICIES, HELPERS)
    add_crowd(overlay, made)
    (overlay / "t/forged").mkdir()
    forge.forge(overlay / "t/edge.o", overlay / "t/forged")
    (overlay / "t/tampered").mkdir()
    tamper.tamper(overlay / "t/edge.o", overlay / "t/tampered")


def script(rows: list[Row]) -> str:
    """Runs all rows; leaves /out/N, what was said, and /out/N.status."""
    lines = ["cd /t"]
    for number, row in enumerate(rows):
        lines.append(f"sh -c {shlex.quote(row.command)} "
                     f">/out/{number} 2>&1; echo $? >/out/{number}.status")
    return "\n".join(lines)


def judge(row: Row, status: int, said: str) -> list[str]:
    wrong = []
    if status != row.status:
        wrong.append(f"status {status}, not {row.status}")
    if row.exact is not None and said != row.exact:
        wrong.append(f"said other than {row.exact!r}")
    wrong += [f"did not say {words!r}" for words in row.words
              if words not in said]
    return wrong


def boot(kernel: str, rows: list[Row], overlay: Path, **settings: object,
         ) -> tuple[int, int]:
    """Runs the rows in one machine; returns how many passed and failed."""
    result = vm.run(kernel, ["sh", "-c", "mkdir -p /out\n" + script(rows)],
                    overlay=overlay, **settings)
    failed = 0
    for number, row in enumerate(rows):
        status = result.out.get(f"{number}.status", b"-1")
        said = result.out.get(str(number), b"").decode(errors="replace")
        wrong = judge(row, int(status), said)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {kernel}: {row.name}")
        for line in [*wrong, *(said.splitlines() if wrong else [])]:
            print(f"    {line}")
    if result.explain():
        print(result.explain())
    return len(rows) - failed, failed


def main() -> int:
    parser = argparse.ArgumentParser(description="bpflock-load on kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    parser.add_argument("--bundles", type=Path, metavar="DIR",
                        help="take bundles from here, compile none")
    args = parser.parse_args()
    counts = []
    for kernel in args.kernel or ["6.1"]:
        with tempfile.TemporaryDirectory() as scratch:
            overlay = Path(scratch) / "overlay"
            fill_own(overlay, args.builddir,
                     programs_for(kernel, args.builddir), args.bundles)
            counts += [
                # Ten minutes on an idle machine, and more for arm64.
                boot(kernel, ORDINARY, overlay, timeout=2000),
                boot(kernel, WITHOUT_LSM, overlay, bpf_lsm=False),
                boot(kernel, SWITCHED_OFF, overlay, append="bpflock=off"),
            ]
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
