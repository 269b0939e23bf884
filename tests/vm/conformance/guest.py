# SPDX-License-Identifier: GPL-2.0-only
"""What the machine gets, and what it does: one boot for all rows.

The subjects are started first and wait for orders: no policy forbids what
starting a container needs, and a row whose subject did not come up has no
line of its own and fails. The script says all on its standard output:

    P SUBJECT PID                  the subject is up; its pid in the host
    R PASS SUBJECT PROBE RESULT COMM PID
    L POLICY STATUS                bpflock-load's
    M POLICY TEXT                  what it said
    E POLICY JSON                  an event
    U POLICY STATUS                of --unload
    F POLICY COUNT JSON            events read of a flood, and those lost
"""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

from . import built, rows
from .rows import Facts, Policy, Subject

HERE = Path(__file__).resolve().parent
COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wshadow",
          "-Wconversion", "-Werror", "-static", "-s"]
# The sources in probes/ but the one with main().
SOURCES = ["run", "modules", "bpf", "exec", "corners", "image", "secrets",
           "trace", "sysfs", "namespaces", "network"]
SIGNATURE_MARK = b"~Module signature appended~\n"
SIGNATURE_INFO = 12  # struct module_signature, whose end is the length

HELPERS = {
    # in-cgroup PATH CMD...
    "in-cgroup": r"""#!/bin/sh
mkdir -p "/sys/fs/cgroup$1"
echo $$ >"/sys/fs/cgroup$1/cgroup.procs" || exit 125
shift
exec "$@"
""",
}

FUNCTIONS = r"""
cd /t
modprobe overlay
# /dev/cpu/0/msr, on x86; and what IPsec's keys need.
modprobe msr 2>/dev/null
modprobe -a xfrm_user ah4 2>/dev/null
# For who asks lockdown by name: the kernel's reasons and their numbers.
insmod module/asker.ko || echo "X there is no asker"
# Folders of sysfs that drivers of this machine do not make.
insmod module/folders.ko && echo 1 >/sys/module/folders/parameters/make ||
	echo "X there are no folders"
modprobe bonding max_bonds=0 || echo "X there is no bonding"
bpftool btf dump file /sys/kernel/btf/vmlinux |
	sed -n "/ENUM 'lockdown_reason'/,/^\[/s/.*'LOCKDOWN_\(.*\)' val=/\1 /p" \
	>reasons
cp module/dummy.ko /tmp/dummy.ko
mkdir -p run
# The guest's root is in memory: this is what files are on elsewhere. /tmp is
# shown in containers, with all that is mounted below it.
modprobe -a loop ext4
# For autoload_crypto: what the policies may forbid to load.
modprobe -a af_alg algif_hash
mkdir -p /tmp/disk
dd if=/dev/zero of=/tmp/disk.image bs=1M count=4 2>/dev/null
mke2fs -F /tmp/disk.image >/dev/null
mount -t ext2 -o loop /tmp/disk.image /tmp/disk && cp payload /tmp/disk ||
	echo "X there is no disk"

# begin NAME NUMBER MODULE START...
begin() {
	name=$1 number=$2 module=$3
	shift 3
	mkfifo run/$name.in run/$name.out
	"$@" /t/probe serve $name $number $module &
}

# find NAME: waits for it, and says which process it is
find_it() {
	timeout 30 cat run/$1.out >/dev/null || { echo "P $1 0"; return; }
	for process in /proc/[0-9]*; do
		[ -e $process/comm ] || continue
		read -r comm <$process/comm || continue
		[ "$comm" = "serve.$2" ] || continue
		eval "pid_$3=${process#/proc/}"
		echo "P $1 ${process#/proc/}"
		return
	done
	echo "P $1 0"
}

# move NUMBER CGROUP
move() {
	eval "pid=\$pid_$1"
	mkdir -p /sys/fs/cgroup$2
	[ -z "$pid" ] || echo $pid >/sys/fs/cgroup$2/cgroup.procs ||
		echo "X cannot move $1 to $2"
}

# order PASS NAME NUMBER PROBE...
order() {
	pass=$1 name=$2 number=$3
	shift 3
	eval "pid=\$pid_$number"
	[ -n "$pid" ] && [ -d /proc/$pid ] || return
	echo "$pass $*" >run/$name.in
	read -r _ <run/$name.out
	while read -r line; do
		echo "R $pass $name $line"
	done <run/$pass.$name
	rm run/$pass.$name
}

# tidy: takes away what a probe loaded and was not allowed to unload; from a list
# that does not change meanwhile, as /proc/modules does
tidy() {
	for module in $(cut -d ' ' -f 1 /proc/modules); do
		case $module in
		dummy | af_key | ifb | md4) in-cgroup /apps rmmod $module ;;
		esac
	done
}

# load POLICY
load() {
	said=$(bpflock-load p/$1.o 2>&1)
	status=$?
	echo "L $1 $status"
	echo "$said" | while read -r line; do echo "M $1 $line"; done
	return $status
}

# unload POLICY
unload() {
	said=$(bpflock-load --unload $1 2>&1)
	echo "U $1 $?"
	echo "$said" | while read -r line; do echo "M $1 $line"; done
	[ ! -e /sys/fs/bpf/bpflock/$1 ] || {
		rm -r /sys/fs/bpf/bpflock/$1
		sleep 1
	}
}

# events POLICY COMMAND...
events() {
	policy=$1
	shift
	"$@" bpflock-log --json 2>&1 | while read -r line; do
		echo "E $policy $line"
	done
}

# flood POLICY NAME NUMBER CALL:COUNT: with the log read beside it; what the
# ring holds is told by how many lines there are
flood() {
	bpflock-log --json --follow >/t/followed 2>&1 &
	reader=$!
	order $1 $2 $3 $4
	sleep 1
	kill $reader
	wait $reader
	bpflock-log --json >/t/rest 2>&1
	cat /t/followed /t/rest | grep -c '"comm":"flood"' >/t/count
	read -r count </t/count
	echo "F $1 $count $(grep '"lost"' /t/rest || echo none)"
}
"""


def compile_probes(architecture: str, work: Path) -> None:
    sources = HERE / "probes"
    compiler = COMPILERS[architecture]
    subprocess.run([compiler, *CFLAGS, "-o", work / "probe",
                    *[sources / f"{name}.c" for name in ("main", *SOURCES)]],
                   check=True)
    subprocess.run([compiler, *CFLAGS, "-nostdlib", "-o", work / "payload",
                    sources / "payload.c"], check=True)


def without_signature(module: bytes) -> bytes | None:
    """None: it has none."""
    if not module.endswith(SIGNATURE_MARK):
        return None
    end = len(module) - len(SIGNATURE_MARK)
    length = int.from_bytes(module[end - 4:end], "big")
    return module[:end - SIGNATURE_INFO - length]


def lay_out_module(kernel: object, work: Path) -> Facts:
    """The copies of dummy that the probes load, and what it is like."""
    folder = work / "module"
    folder.mkdir()
    path = next(kernel.modules.rglob("dummy.ko*"))
    module = path.read_bytes()
    if path.suffix == ".xz":
        module = lzma.decompress(module)
    compressed = lzma.compress(module, check=lzma.CHECK_CRC32)
    if path.suffix == ".xz":
        compressed = path.read_bytes()
    unsigned = without_signature(module)
    (folder / "dummy.ko").write_bytes(module)
    (folder / "compressed").write_bytes(compressed)
    (folder / "unsigned.ko").write_bytes(unsigned or module)
    architecture = kernel.row.architecture
    built.build(COMPILERS[architecture], architecture, module, folder)
    return Facts(unsigned is not None, path.suffix == ".xz",
                 rows.LACKS.get(kernel.row.name, frozenset()),
                 kernel.row.name in rows.OPENS_IN_EXEC)


def fill(overlay: Path, programs: Path, kernel: object,
         bundles: Path) -> Facts:
    """Lays out what the guest needs; what its modules are like."""
    usr = overlay / "usr/bin"
    work = overlay / "t"
    usr.mkdir(parents=True)
    work.mkdir()
    for name in ("bpflock-load", "bpflock-log"):
        shutil.copy(programs / name, usr)
    for name, text in HELPERS.items():
        (usr / name).write_text(text)
        (usr / name).chmod(0o755)
    shutil.copytree(bundles, work / "p")
    compile_probes(kernel.row.architecture, work)
    return lay_out_module(kernel, work)


def number_of(subject: Subject) -> int:
    return rows.SUBJECTS.index(subject)


def start(subjects: list[Subject]) -> list[str]:
    """All at once: a container takes a while."""
    lines = []
    for subject in subjects:
        lines.append(f"begin {subject.name} {number_of(subject)} "
                     f"'{subject.module or 'none'}' {subject.start}")
    for subject in subjects:
        number = number_of(subject)
        lines.append(f"find_it {subject.name} {subject.name[:9]} {number}")
        if subject.cgroup and not subject.after_load:
            lines.append(f"move {number} {subject.cgroup}")
    return lines


def preload(subjects: list[Subject], probes: list[rows.Probe]) -> list[str]:
    wanted = [subject.module for subject in subjects if subject.module]
    if not wanted or not any(probe.needs_module for probe in probes):
        return []
    return ["modprobe -a " + " ".join(wanted)]


def orders(name: str, subjects: list[Subject],
           probes: list[rows.Probe]) -> list[str]:
    lines = []
    for subject in subjects:
        names = [probe.name for probe in probes
                 if subject.module or not probe.needs_module]
        lines.append(f"order {name} {subject.name} {number_of(subject)} "
                     + " ".join(names))
        if any(probe.protection == "kernel_modules" for probe in probes):
            lines.append("tidy")
    return lines


def flood_lines(policy: Policy, count: int) -> list[str]:
    host = rows.BY_NAME["host"]
    return [f"if load {policy.name}; then",
            f"flood {policy.name} {host.name} {number_of(host)} "
            f"{policy.flood}:{count}", f"unload {policy.name}", "fi"]


def policy_lines(policy: Policy, probes: list[rows.Probe]) -> list[str]:
    subjects = [rows.BY_NAME[name] for name in policy.subjects]
    late = [subject for subject in subjects if subject.after_load]
    lines = [*preload(subjects, probes), f"if load {policy.name}; then"]
    lines += [f"move {number_of(subject)} {subject.cgroup}"
              for subject in late]
    lines += orders(policy.name, subjects, probes)
    if policy.no_events is None:
        lines.append(f"events {policy.name} {policy.logger}")
    lines.append(f"unload {policy.name}")
    lines += [f"move {number_of(subject)} ''" for subject in late]
    return [*lines, "tidy", "fi"]


def without_policy(name: str, subjects: list[Subject],
                   probes: list[rows.Probe],
                   policies: list[Policy]) -> list[str]:
    """Of each subject what it tries under one of the policies: to try all
    takes longer than all rows do."""
    lines = preload(subjects, probes)
    for subject in subjects:
        tried = {policy.protection for policy in policies
                 if subject.name in policy.subjects}
        mine = [probe for probe in probes if probe.protection in tried]
        if mine:
            lines += orders(name, [subject], mine)
    return lines


def script(subjects: list[Subject], probes: list[rows.Probe],
           policies: list[Policy], flood: int) -> str:
    lines = [FUNCTIONS, *start(subjects),
             *without_policy("control", subjects, probes, policies)]
    for policy in policies:
        if policy.flood:
            lines += flood_lines(policy, flood)
            continue
        mine = [probe for probe in probes
                if probe.protection == policy.protection]
        lines += policy_lines(policy, mine)
    lines += without_policy("after", subjects, probes, policies)
    return "\n".join([*lines, "exit 0\n"])
