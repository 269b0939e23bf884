# SPDX-License-Identifier: GPL-2.0-only
"""Does the machinery work? Each check boots what it needs and says what it
saw; nothing here is about policies."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from . import kernels
from .machine import (EXIT_PANIC, EXIT_TIMEOUT, Machine, Outcome, Result)

# One boot for most of it: what each line should be is in look_at().
SURVEY = r"""
exec 2>&1
say() { echo "$1=$2"; }
say release "$(uname -r)"
say lsm "$(cat /sys/kernel/security/lsm)"
say host.pidns "$(readlink /proc/self/ns/pid)"
say host.netns "$(readlink /proc/self/ns/net)"
say parent "$PPID"
modprobe dummy; say host.modprobe $?; rmmod dummy
for where in container bwrap; do
	in-$where modprobe dummy; say $where.modprobe $?
	[ -d /sys/module/dummy ]; say $where.loaded $?
	rmmod dummy
	in-$where sh -c 'exit 42'; say $where.status $?
	say $where.pidns "$(in-$where readlink /proc/self/ns/pid)"
	say $where.netns "$(in-$where readlink /proc/self/ns/net)"
	say $where.echo "$(in-$where echo 'a "b" \c  d')"
	say $where.errno "$(in-$where rmdir /proc/1 2>&1)"
	in-$where --host-net --host-pid true; say $where.options $?
	say $where.hostnet "$(in-$where --host-net readlink /proc/self/ns/net)"
	say $where.hostpid "$(in-$where --host-pid readlink /proc/self/ns/pid)"
done
say cgroup "$(in-container --cgroup /some/where \
	sh -c 'cat /proc/1/cgroup; ls /sys/fs/cgroup >/dev/null && echo seen' |
	tr '\n' ' ')"
in-container --read-only touch /new; say readonly $?
for fs in proc sysfs devtmpfs devpts securityfs bpf debugfs tracefs cgroup2
do
	grep -q " $fs " /proc/mounts; say mount.$fs $?
done
ping -c1 -W5 127.0.0.1 >/dev/null; say loopback $?
unshare --mount true; say unshare $?
for library in libbpf.so.1 libelf.so.1 libz.so.1 libsodium.so.23; do
	set -- /usr/lib/*/$library; [ -e "$1" ]; say library.$library $?
done
say overlay "$(cat /etc/laid-over)"
say command "$(laid-over a -- b)"
say env "$GREETING"
mkdir -p /out/deep/er; echo back >/out/deep/er/file
head -c 300000 /dev/zero >/out/zeros
"""


class Checks:
    """Counts, and says what went wrong."""

    def __init__(self, kernel: str) -> None:
        self.kernel = kernel
        self.failed = 0

    def that(self, holds: bool, what: str, saw: object = "") -> None:
        if not holds:
            self.failed += 1
            print(f"not ok {self.kernel}: {what}; saw {saw!r}", flush=True)


def survey(checks: Checks) -> Result:
    with tempfile.TemporaryDirectory() as overlay:
        for folder in ("etc", "bin"):
            (Path(overlay) / folder).mkdir()
        command = Path(overlay) / "bin/laid-over"
        command.write_text("#!/bin/sh\necho ran \"$@\"\n")
        command.chmod(0o755)
        (Path(overlay) / "etc/laid-over").write_text("by the overlay\n")
        result = Machine(checks.kernel).run(
            ["sh", "-c", SURVEY], overlay=overlay, env={"GREETING": "hello"})
    checks.that(result.outcome is Outcome.EXITED, "the survey ran",
                result.explain())
    saw = dict(line.split("=", 1) for line in result.text.splitlines()
               if "=" in line)
    look_at(checks, saw, result)
    checks.that(result.out.get("deep/er/file") == b"back\n",
                "a file came back", result.out.keys())
    checks.that(result.out.get("zeros") == bytes(300000),
                "a larger file came back whole")
    return result


def look_at(checks: Checks, saw: dict[str, str], result: Result) -> None:
    def equal(name: str, value: str) -> None:
        checks.that(saw.get(name) == value, f"{name} is {value!r}",
                    saw.get(name, result.text[-2000:]))

    equal("release", result.release)
    checks.that("bpf" in saw.get("lsm", "").split(","), "bpf is in lsm",
                saw.get("lsm"))
    equal("parent", "1")
    for name in ("host.modprobe", "loopback", "unshare"):
        equal(name, "0")
    equal("overlay", "by the overlay")
    equal("command", "ran a -- b")
    equal("env", "hello")
    equal("readonly", "1")
    equal("cgroup", "0::/ seen ")
    for where in ("container", "bwrap"):
        look_at_runtime(checks, saw, where, equal)
    for name, value in saw.items():
        if name.startswith(("mount.", "library.")):
            equal(name, "0")


def look_at_runtime(checks: Checks, saw: dict[str, str], where: str,
                    equal: Callable[[str, str], None]) -> None:
    for name in ("modprobe", "loaded", "options"):
        equal(f"{where}.{name}", "0")
    equal(f"{where}.status", "42")
    equal(f"{where}.echo", 'a "b" \\c  d')
    checks.that("Operation not permitted" in saw.get(f"{where}.errno", ""),
                f"{where}: the errno's message comes through",
                saw.get(f"{where}.errno"))
    for kind in ("pidns", "netns"):
        inside = saw.get(f"{where}.{kind}", "")
        checks.that(inside != "" and inside != saw.get(f"host.{kind}"),
                    f"{where} has its own {kind}", inside)
    equal(f"{where}.hostnet", saw.get("host.netns", "?"))
    equal(f"{where}.hostpid", saw.get("host.pidns", "?"))


def without_bpf(checks: Checks) -> None:
    result = Machine(checks.kernel, bpf_lsm=False).run(
        ["cat", "/sys/kernel/security/lsm"])
    checks.that(result.ok and "bpf" not in result.text.split(","),
                "--without-bpf-lsm takes bpf out", result.text)


def statuses(checks: Checks) -> None:
    """What a command comes to, each in a boot of its own. The command kills
    everything it can first: the report must come all the same."""
    script = "echo before; echo oops >&2; kill -9 -1; echo after; exit 7"
    result = Machine(checks.kernel).run(["sh", "-c", script])
    checks.that(result.status == 7, "the exit status passes", result.status)
    checks.that(result.text == "before\nafter\n", "stdout alone is in stdout",
                result.text)
    checks.that(result.errors == "oops\n", "stderr alone is in stderr",
                result.errors)


def misfortunes(checks: Checks) -> None:
    result = Machine(checks.kernel, timeout=15).run(
        ["sh", "-c", "echo started; sleep 1000"])
    checks.that(result.outcome is Outcome.TIMEOUT
                and result.status == EXIT_TIMEOUT, "a hang is noticed",
                result.outcome)
    checks.that(result.text == "started\n", "output before it is kept",
                result.text)
    result = Machine(checks.kernel).run(
        ["sh", "-c", "echo c >/proc/sysrq-trigger"])
    checks.that(result.outcome is Outcome.PANIC
                and result.status == EXIT_PANIC, "a panic is noticed",
                result.outcome)
    checks.that("sysrq" in result.explain(), "its console is shown",
                result.explain())
    result = Machine(checks.kernel).run(
        ["sh", "-c", "echo b >/proc/sysrq-trigger"])
    checks.that(result.outcome is Outcome.NO_RESULT,
                "a lost result is noticed", result.outcome)


def counted(checks: Checks) -> None:
    """With icount, two runs take the same time to the guest: all but exactly
    on amd64, less so on arm64 (README.md)."""
    amd64 = kernels.row(checks.kernel).architecture == "amd64"
    tolerance = 0.01 if amd64 else 0.05
    script = "cat /proc/uptime"
    runs = [Machine(checks.kernel, icount=True).run(["sh", "-c", script])
            for _ in range(2)]
    times = [float(run.text.split()[0]) for run in runs if run.ok]
    checks.that(len(times) == 2
                and abs(times[0] - times[1]) <= tolerance * times[0],
                "icount repeats itself", times)


def one(kernel: str) -> bool:
    checks = Checks(kernel)
    result = survey(checks)
    for check in (without_bpf, statuses, misfortunes, counted):
        check(checks)
    plain = Machine(kernel).run(["true"])
    checks.that(plain.ok, "true is true", plain.explain())
    print(f"{'not ok' if checks.failed else 'ok'} {kernel} "
          f"({result.release}): boots in {plain.seconds:.1f} s, "
          f"survey in {result.seconds:.1f} s", flush=True)
    return checks.failed == 0


def run(chosen: list[str]) -> int:
    for name in chosen:
        kernels.row(name)
    results = [one(name) for name in chosen]
    return 0 if all(results) else 1
