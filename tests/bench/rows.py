# SPDX-License-Identifier: GPL-2.0-only
"""What is measured: protections, their calls, and the policies for them.

A protection is a row in OPERATIONS for each call that asks it; the call itself
is a function of calls.c. Everything else follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
TEMPLATES = TOP / "bpf/templates"


@dataclass(frozen=True)
class Operation:
    """A call that asks one hook about one operation, and comes to an end soon
    behind that hook where it is allowed."""
    protection: str
    operation: str
    call: str  # in calls.c
    hook: str
    others: tuple[str, ...] = ()  # that the protection is asked on the way


OPERATIONS = [
    Operation("kernel_image", "dev_mem", "open_dev_mem", "locked_down"),
    Operation("kernel_secrets", "kcore", "open_kcore", "locked_down"),
    Operation("kernel_modules", "load_module", "finit_module",
              "kernel_read_file", ("capable",)),
    Operation("kernel_modules", "load_module", "init_module",
              "kernel_load_data", ("capable",)),
    Operation("bpf", "map_create", "map_create", "bpf"),
    Operation("fileless_exec", "map", "mmap_memfd", "mmap_file"),
    Operation("fileless_exec", "map", "mprotect_memfd", "file_mprotect"),
    Operation("sysfs", "kernel", "open_sysfs", "file_open"),
    # Asked twice, for either user namespace, which are the same: so an empty
    # program runs as often.
    Operation("namespaces", "enter", "setns_own", "capable"),
    Operation("network", "raw_socket", "socket_raw", "socket_create"),
    Operation("network", "bind", "bind_other", "socket_bind"),
    Operation("network", "listen", "listen_datagram", "socket_listen"),
    Operation("network", "connect", "connect_other", "socket_connect"),
    Operation("network", "connect", "sendto_other", "socket_sendmsg"),
]

# Of calls.c, all that ordinary programs do. `exec` is of a program in a file
# on ext4, `mmap` and `mprotect` make a page of such a file executable.
SYSTEM_CALLS = ["getppid", "open", "read", "write", "stat", "fork", "exec",
                "mmap", "mprotect"]

# What a protection is asked about in those. Elsewhere it must cost nothing.
TOUCHED = {"fileless_exec": {"exec", "mmap", "mprotect"},
           "namespaces": {"fork", "exec"}, "sysfs": {"open", "exec"},
           "exec": {"exec"}, "privileged": {"exec", "fork"}}

# Those that are no protection, and how a policy names them.
TRACES = {"exec": "trace { exec all; }",
          "privileged": "trace { privileged all; }"}

VERDICTS = ["allowed", "denied"]
LOGS = ["unlogged", "logged"]
CGROUPS = [0, 1, 8, 64]
LEVELS = {"O0": ["-O0"], "folded": []}


def protections() -> list[str]:
    """Those with a template, and so all that can be compiled."""
    return sorted(path.name.removesuffix(".bpf.c")
                  for path in TEMPLATES.glob("*.bpf.c"))


def measured_protections() -> list[str]:
    return [name for name in protections()
            if any(row.protection == name for row in OPERATIONS)]


def without_row() -> list[str]:
    return sorted(set(protections()) - set(measured_protections())
                  - set(TRACES))


def operations_of(protection: str) -> list[Operation]:
    return [row for row in OPERATIONS if row.protection == protection]


def cgroup(number: int) -> str:
    return f"/machine.slice/vm-{number}.scope"


def policy(name: str, body: str, seal: str = "open") -> str:
    return (f"language 1;\npolicy {name} {{ version 1; seal {seal}; "
            f"{body} }}\n")


def deciding(rows: list[Operation], verdict: str, log: str,
             cgroups: int) -> str:
    """A policy body by which a task of the host in cgroup(0) is decided so,
    and other tasks otherwise: nothing can be folded away for all of them."""
    names = ", ".join(sorted({row.operation for row in rows}))
    word = {"allowed": "allow", "denied": "block"}[verdict]
    rules = [f'{word} {names} for cgroup "{cgroup(number)}";'
             for number in range(cgroups)]
    if not cgroups and verdict == "denied":
        rules.append(f"block {names} for host;")
    if log == "unlogged":
        rules.append("log none;")
    elif verdict == "allowed":
        rules.append("log all;")
    return f"{rows[0].protection} {{ profile baseline; {' '.join(rules)} }}"


def baseline(names: list[str]) -> str:
    """What one writes who names these protections and leaves it at that."""
    return " ".join(TRACES.get(name, f"{name} {{ profile baseline; }}")
                    for name in names)


# Of calls.c: connects to FAR.
FAR_CALL = "connect_far"
FAR = "198.51.100.9"


def many_prefixes(count: int) -> str:
    """The host may connect to FAR as one of so many prefixes, which are apart
    from each other; with none of them it may connect anywhere."""
    if not count:
        return "network { profile baseline; log none; }"
    others = [f'"10.{number >> 7}.{number * 2 & 255}.0/24"'
              for number in range(count - 1)]
    prefixes = ", ".join([*others, f'"{FAR}"'])
    return ("network { profile baseline; log none; "
            f"destination many {{ prefixes {prefixes}; ports 9; }} "
            "block connect for host; allow many for container; }")


def many_rules(count: int) -> str:
    """A rule each for as many cgroups, every other a block."""
    return "kernel_modules { profile baseline; log none;\n" + "\n".join(
        f"{'block' if number % 2 else 'allow'} load_module "
        f'for cgroup "{cgroup(number)}";' for number in range(count)) + "\n}"
