# SPDX-License-Identifier: GPL-2.0-only
"""Real software: what it does, what of that is denied, and why."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Denied:
    """What a policy does to a program. Without operations: nothing."""
    operations: tuple[str, ...] = ()
    fails: bool = False
    says: str = ""
    why: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    command: str  # in sh, without a single quote
    undo: str = "true"
    says: str = ""  # where it works
    denied: dict[str, Denied] = field(default_factory=dict)


CRUN = "crun --cgroup-manager=cgroupfs"
NSPAWN = "systemd-nspawn --quiet --register=no --keep-unit -D /sw/tree/rootfs"
MODPROBE = "/usr/sbin/modprobe"  # kmod's: without a path it is BusyBox's
DPKG = "/usr/bin/dpkg --force-bad-path --root=/sw/tree/rootfs"
BWRAP = "bwrap --ro-bind / / --dev /dev --proc /proc"

# The runtime executes a sealed copy of itself, on the host, before it makes or
# enters any namespace: baseline lets that pass, restricted does not.
CRUN_COPIES_ITSELF = {"exec-restricted": Denied(
    ("memfd",), True, "Failed to re-execute libcrun via memory file descriptor",
    "crun executes a copy of itself in a memfd, on the host")}
RUNC_COPIES_ITSELF = {"exec-restricted": Denied(
    ("memfd",), True, "could not ensure we are a cloned binary",
    "runc executes a copy of itself in a memfd, on the host")}

# It makes the container's network before the rest, and then counts as one.
CRUN_MAKES_MORE = {
    "namespaces-baseline": Denied(
        ("cgroup",), True, "unshare (CLONE_NEWCGROUP): Operation not "
        "permitted", "crun makes that namespace from inside the container"),
    "namespaces-restricted": Denied(
        ("pid",), True, "clone: Operation not permitted", "nobody may"),
}
RUNC_MAKES_MORE = {
    "namespaces-baseline": Denied(
        ("cgroup",), True, "failed to unshare cgroup namespace: Operation not "
        "permitted", "runc makes that namespace from inside the container"),
    "namespaces-restricted": Denied(
        ("pid",), True, "failed to unshare remaining namespaces (except "
        "cgroupns): Operation not permitted", "nobody may"),
}
ENTERS = "the first that it enters makes it a container, and more follow"
NSPAWN_MAKES_MORE = {
    "namespaces-baseline": Denied(
        ("cgroup",), True, "Failed to unshare cgroup namespace: Operation not "
        "permitted", "systemd-nspawn makes it from inside the pid namespace"),
    "namespaces-restricted": Denied(
        ("mnt",), True, "clone() failed: Operation not permitted",
        "nobody may"),
}

PERF_LOOKS_AT_KCORE = Denied(("kcore",), why="perf looks whether it can "
                             "read the kernel's code, and goes on without")

LOADS = "bpftool asks with a trivial program whether programs can be loaded"

CASES = [
    # The device program is loaded by the part that stays on the host.
    Case("crun run", f"{CRUN} run --bundle /sw/tree box", says="hello",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "bpf-restricted": Denied(
                     fails=True, says="bpf create ``: Operation not permitted",
                     why="the container's devices are a program on its "
                     "cgroup")}),
    # The devices are the container's already.
    Case("crun exec", f"{CRUN} exec crun-box echo hello", says="hello",
         denied={**CRUN_COPIES_ITSELF,
                 "namespaces-baseline": Denied(
                     ("enter",), True, "setns `ipc`: Operation not permitted",
                     ENTERS),
                 "namespaces-restricted": Denied(
                     ("enter",), True, "setns `mnt`: Operation not permitted",
                     "nobody may")}),
    Case("runc run", "runc run --bundle /sw/tree box", says="hello",
         denied={**RUNC_COPIES_ITSELF, **RUNC_MAKES_MORE,
                 "bpf-restricted": Denied(
                     fails=True, says="bpf_prog_query(BPF_CGROUP_DEVICE) "
                     "failed: operation not permitted",
                     why="the container's devices are a program on its "
                     "cgroup, and runc asks for the ones that are there "
                     "first")}),
    Case("runc exec", "runc exec runc-box echo hello", says="hello",
         denied={**RUNC_COPIES_ITSELF,
                 "namespaces-baseline": Denied(
                     ("enter",), True, "failed to setns into pid namespace: "
                     "Operation not permitted", ENTERS),
                 "namespaces-restricted": Denied(
                     ("enter",), True, "failed to setns into ipc namespace: "
                     "Operation not permitted", "nobody may")}),
    # No program, no memfd, no module: namespaces and mounts alone.
    # bwrap makes them all in one call, on the host.
    Case("bwrap", f"{BWRAP} echo hello", says="hello",
         denied={"namespaces-restricted": Denied(
             ("mnt",), True, "Creating new namespace failed: Operation not "
             "permitted", "nobody may")}),
    Case("bwrap --unshare-all", f"{BWRAP} --unshare-all echo hello",
         says="hello",
         denied={"namespaces-restricted": Denied(
             ("user",), True, "No permissions to create new namespace",
             "nobody may")}),
    Case("systemd-nspawn", f"{NSPAWN} echo hello", says="hello",
         denied=NSPAWN_MAKES_MORE),
    Case("systemd-nspawn --private-network",
         f"{NSPAWN} --private-network echo hello", says="hello",
         denied={**NSPAWN_MAKES_MORE,
                 "namespaces-baseline": Denied(
                     ("net",), True, "Failed to unshare network namespace: "
                     "Operation not permitted",
                     "systemd-nspawn makes it from inside the pid "
                     "namespace")}),
    Case("systemd-nspawn --volatile=yes",
         f"{NSPAWN} --volatile=yes echo hello", says="hello",
         denied=NSPAWN_MAKES_MORE),

    # It depends on mrp, garp, stp and llc: the first of them is denied.
    Case("modprobe 8021q", f"{MODPROBE} 8021q", f"{MODPROBE} -r 8021q",
         denied={"modules-restricted": Denied(
             ("load_module",), True, "Operation not permitted",
             "modprobe is host")}),
    Case("modprobe 8021q in a container", "in-container modprobe 8021q",
         "modprobe -r 8021q",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "modules-baseline": Denied(
                     ("load_module",), True, "Operation not permitted",
                     "modprobe is container"),
                 "modules-restricted": Denied(
                     ("load_module",), True, "Operation not permitted",
                     "nobody may")}),
    Case("ip link add type ifb", "/usr/sbin/ip link add ifb5 type ifb",
         "ip link del ifb5; modprobe -r ifb",
         denied={"modules-restricted": Denied(
             ("autoload_module",), True, "Unknown device type",
             "the kernel asks for the module of the type: as if there were "
             "none")}),
    Case("ip link add type ifb in a container",
         "in-container ip link add ifb5 type ifb", "modprobe -r ifb",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "modules-baseline": Denied(
                     ("autoload_module",), True, "Unknown device type",
                     "decided for ip, which asks"),
                 "modules-restricted": Denied(
                     ("autoload_module",), True, "Unknown device type",
                     "nobody may")}),

    Case("bpftool prog load", "bpftool prog load /sw/filter.o /sys/fs/bpf/f",
         "rm /sys/fs/bpf/f", denied={"bpf-restricted": Denied(
             fails=True, says="Couldn't load trivial BPF program",
             why=LOADS)}),
    Case("bpftool prog show", "bpftool prog show",
         denied={"bpf-restricted": Denied(
             fails=True, says="can't get next program",
             why="what is loaded is asked with bpf() too")}),
    Case("bpftool map create", "bpftool map create /sys/fs/bpf/m type hash "
         "key 4 value 4 entries 4 name m", "rm /sys/fs/bpf/m",
         denied={"bpf-restricted": Denied(
             fails=True, says="map create failed: Operation not permitted",
             why="nobody may")}),
    Case("bpftool prog load in a container", "in-container "
         "bpftool prog load /sw/filter.o /sys/fs/bpf/f", "rm /sys/fs/bpf/f",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "bpf-baseline": Denied(
                     ("prog_load_net", "prog_load_kprobe"), True,
                     "Couldn't load trivial BPF program",
                     LOADS + ", of two types"),
                 "bpf-restricted": Denied(
                     fails=True, says="Operation not permitted",
                     why="crun does not start it, or bpftool may not")}),
    Case("bpftool prog show in a container", "in-container bpftool prog show",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "bpf-baseline": Denied(("other",), True,
                                        "can't get next program",
                                        "bpftool is container"),
                 "bpf-restricted": Denied(
                     fails=True, says="Operation not permitted",
                     why="crun does not start it, or bpftool may not")}),
    Case("bpflock-load --status", "bpflock-load --status",
         denied={"bpf-restricted": Denied(
             fails=True, says="a policy denies bpf() to this process",
             why="what is pinned is read with bpf() too; --unload removes it "
             "all the same")}),

    # As small machines have it: dropbear.
    Case("ssh on loopback", "dropbear -r /sw/host-key -p 127.0.0.1:2222 -P "
         "/run/ssh.pid && dbclient -y -i /sw/key -p 2222 root@127.0.0.1 "
         "echo hello", "kill $(cat /run/ssh.pid)", says="hello"),
    Case("dpkg, into a chroot", f"{DPKG} --install /sw/day.deb && "
         "cat /sw/tree/rootfs/etc/day", f"{DPKG} --purge day",
         says="configured"),
    Case("perf stat", "perf stat -e task-clock true", says="task-clock"),
    Case("perf record", "perf record -o /tmp/perf -e cpu-clock "
         "sleep 0.2 && perf report -i /tmp/perf --stdio", says="cpu-clock",
         denied={"secrets-restricted": PERF_LOOKS_AT_KCORE}),
    Case("perf record in a container", "in-container perf record -o "
         "/tmp/perf -e cpu-clock sleep 0.2",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "bpf-baseline": Denied(
                     ("other",), why="perf asks which programs there are, and "
                     "goes on without them"),
                 "secrets-baseline": PERF_LOOKS_AT_KCORE,
                 "secrets-restricted": PERF_LOOKS_AT_KCORE}),
    Case("perf probe", "perf probe --add do_sys_openat2",
         "perf probe --del do_sys_openat2", says="Added new event",
         denied={"secrets-restricted": Denied(
             ("kcore", "tracefs"), True, "Operation not permitted",
             "nobody may")}),
    Case("perf probe in a container",
         "in-container perf probe --add do_sys_openat2",
         "perf probe --del do_sys_openat2", says="Added new event",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "secrets-baseline": Denied(
                     ("kcore", "tracefs"), True, "Operation not permitted",
                     "perf is container"),
                 "secrets-restricted": Denied(
                     ("kcore", "tracefs"), True, "Operation not permitted",
                     "nobody may")}),
    Case("ip netns", "/usr/sbin/ip netns add day && "
         "/usr/sbin/ip netns exec day echo hello",
         "/usr/sbin/ip netns del day", says="hello",
         denied={"secrets-restricted": Denied(
                     ("tracefs",), why="ip mounts sysfs anew, and looks what "
                     "is below it"),
                 "namespaces-baseline": Denied(
                     ("enter",), True, "setns: Operation not permitted",
                     "ip comes back out of the network that it made"),
                 "namespaces-restricted": Denied(
                     ("net", "enter"), True, "Operation not permitted",
                     "nobody may")}),

    Case("memfd-self", "/sw/memfd-self", says="from the memfd",
         denied={"exec-restricted": Denied(
             ("memfd",), True, "fexecve: Operation not permitted",
             "nobody may")}),
    Case("memfd-self in a container", "in-container /sw/memfd-self",
         says="from the memfd",
         denied={**CRUN_COPIES_ITSELF, **CRUN_MAKES_MORE,
                 "exec-baseline": Denied(
                     ("memfd",), True, "fexecve: Operation not permitted",
                     "it is container, where its runtime was host")}),
]

# What these guests cannot run, and why.
NOT_HERE = {
    "systemd with its services": "the guests have no service manager: their "
    "pid 1 is the test's own, so DeviceAllow=, IPAddressDeny= and "
    "RestrictFileSystems= are not seen here",
    "systemd-nspawn --boot, machinectl": "they need systemd and D-Bus on the "
    "host and an image of a distribution",
    "Docker, containerd, Kubernetes": "they need images and a network; what "
    "they start containers with, runc and crun, is here",
    "Cilium, Tetragon, Falco": "not packaged by Debian, and they need the "
    "network or a cluster",
    "DKMS, NVIDIA's driver": "they need a compiler, headers and hardware",
    ".NET, Erlang, Java": "hundreds of megabytes in a guest that lives in "
    "memory; what they map is a conformance row (map_memfd)",
}
