# SPDX-License-Identifier: GPL-2.0-only
"""What is tried: probes, subjects, policies.

A row is one probe, by one subject, under one policy. What it has to come to
is not written here: judge.py asks tests/oracle.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "policies"
PROTECTIONS = {"modules": "kernel_modules", "bpf": "bpf",
               "exec": "fileless_exec", "image": "kernel_image",
               "secrets": "kernel_secrets", "namespaces": "namespaces",
               "sysfs": "sysfs", "network": "network"}


@dataclass(frozen=True)
class Reach:
    """Where a call connects or sends to, as far as can be told: what operations
    that is, each policy's destinations say."""
    address: str | None
    port: int | None


@dataclass(frozen=True)
class Step:
    """One question that the call puts to the policy: the operations that it
    matches, and for whom, if not for the subject."""
    operations: tuple[str, ...] | Reach
    place: str | None = None
    when: str | None = None  # only where this is in Facts.words


@dataclass(frozen=True)
class Facts:
    """What a kernel's modules are like."""
    signed: bool
    packed: bool  # compressed files
    lacks: frozenset[str] = frozenset()  # of LACKS
    opens_in_exec: bool = False          # of OPENS_IN_EXEC

    @property
    def words(self) -> frozenset[str]:
        return frozenset(("signed" if self.signed else "unsigned",
                          "packed" if self.packed else "plain",
                          "opens-in" if self.opens_in_exec
                          else "opens-before"))


# Operations that a kernel does not ask about: bpflock-load refuses what denies
# or logs one, and names it.
LACKS = {
    "5.10": frozenset(("kernel_image.device_tree",
                       "kernel_image.rtas_error_injection",
                       "kernel_secrets.xfrm_secret", "namespaces.user",
                       "privileged")),
}

# Where bprm_execve() opens the file, and so an exec of one that is not there
# is traced; later ones have done that before.
OPENS_IN_EXEC = {"5.10", "6.1"}


@dataclass(frozen=True)
class Probe:
    """A call of probes/*.c. Without steps it is a neighbour: a call that no
    policy may forbid."""
    name: str
    protection: str
    steps: tuple[Step, ...] = ()
    # What a denial looks like to the caller.
    denied: frozenset[str] = frozenset(("EPERM",))
    # What it may come to besides, where it is let through.
    through: frozenset[str] = frozenset(("ok",))
    # What each event of a trace says besides, and where a protection beside it
    # denies the call; "{label}" is the probe's comm, "{number}" that of its
    # descriptor.
    told: tuple[dict, ...] = ()
    told_denied: tuple[dict, ...] = ()
    # What events call it, if that is looked at and the kernel can print it.
    object: str | None = None
    # Whether judging it takes a module that was loaded beforehand.
    needs_module: bool = False


def ask(*operations: str, **more: object) -> Step:
    return Step(operations, **more)


# Asked for by who cannot be told: denied if anybody is denied it.
ANYONE = "anyone"
UNSIGNED = ask("unsigned_module", when="unsigned")
LOADED = frozenset(("ok", "EEXIST"))
# The guests' modprobe unpacks what is compressed, and loads it from memory.
BY_MODPROBE = (
    ask("load_module", place="host", when="plain"),
    ask("load_module", "foreign_module", place="host", when="packed"),
    ask("unsigned_module", place="host", when="unsigned"),
)
# Denied behind the point of no return: the kernel kills the process.
KILLED = frozenset(("EPERM", "SIGKILL", "SIGSEGV"))


def modules(name: str, *steps: Step, **more: object) -> Probe:
    return Probe(name, "kernel_modules", steps, **more)


def bpf(name: str, *operations: str, **more: object) -> Probe:
    return Probe(name, "bpf", tuple(ask(name) for name in operations), **more)


def execute(name: str, *steps: Step, **more: object) -> Probe:
    return Probe(name, "fileless_exec", steps, **more)


def image(name: str, *operations: str, **more: object) -> Probe:
    return Probe(name, "kernel_image", tuple(ask(name) for name in operations),
                 **more)


def secrets(name: str, *operations: str, **more: object) -> Probe:
    return Probe(name, "kernel_secrets",
                 tuple(ask(name) for name in operations), **more)


def trace(name: str, *told: dict, when: str | None = None,
          **more: object) -> Probe:
    steps = tuple(ask("exec", when=when) for _ in told)
    return Probe(name, "exec", steps, told=told, **more)


RUN = "/t/run/{label}"
PAYLOAD = "/t/payload"


def failed(error: str, named: str = RUN, argc: int = 2) -> dict:
    return {"object": named, "error": error, "argc": argc, "args": None,
            "script": None}


def runs(*args: str, **more: object) -> dict:
    return {"object": RUN, "error": None, "argc": len(args),
            "args": list(args), "args_is": None, "script": None} | more


def sysfs(name: str, *operations: str) -> Probe:
    return Probe(name, "sysfs", (ask(*operations),) if operations else ())


# All of them: a file whose folder is not looked for.
SYSFS = ("kernel", "module", "bus", "block", "class", "devices", "firmware",
         "fs", "power", "other")


def spaces(name: str, *steps: Step | str, **more: object) -> Probe:
    return Probe(name, "namespaces",
                 tuple(ask(step) if isinstance(step, str) else step
                       for step in steps), **more)


def use(name: str, capability: str = "", *told: dict) -> Probe:
    steps = (ask(f"cap_{capability}"),) if capability else ()
    return Probe(name, "privileged", steps, told=told)


def used(suppressed: int = 0, **more: object) -> dict:
    return {"suppressed": suppressed, "error": None,
            "user_namespace": None} | more


def network(name: str, *operations: str, **more: object) -> Probe:
    """Of one question, that is all these operations."""
    return Probe(name, "network", (ask(*operations),) if operations else (),
                 **more)


def reach(name: str, *where: tuple[str | None, int | None],
          **more: object) -> Probe:
    """One question for each (address, port)."""
    return Probe(name, "network", tuple(Step(Reach(*one)) for one in where),
                 **more)


# The verifier then does not know the helper.
NO_HELPER = frozenset(("EPERM", "EINVAL"))

# Addresses and ports of network.c, the subject's own first.
V4 = "198.51.100.1"
V6 = "[2001:db8::1]"
TO_V4 = (V4, 9)
TO_V6 = ("2001:db8::1", 9)
TO_MAPPED = ("::ffff:198.51.100.1", 9)
TO_NEXT = ("198.51.100.128", 9)
NO_PORT = (V4, None)
NO_PORT_V6 = ("2001:db8::1", None)
UNTOLD = (None, None)
# No kernel of ours has all of them.
NO_FAMILY = frozenset(("ok", "EAFNOSUPPORT"))

PROBES = [
    modules("finit", ask("load_module"), UNSIGNED, through=LOADED),
    # From memory: from no file on the root file system either.
    modules("init", ask("load_module", "foreign_module"), UNSIGNED,
            through=LOADED),
    modules("finit_compressed", ask("load_module"), UNSIGNED, through=LOADED),
    modules("finit_unsigned", ask("load_module"), ask("unsigned_module"),
            through=LOADED),
    modules("finit_foreign", ask("load_module", "foreign_module"), UNSIGNED,
            through=LOADED),
    modules("autoload_family", ask("autoload_module"), *BY_MODPROBE,
            denied=frozenset(("EAFNOSUPPORT",))),
    modules("autoload_link", ask("autoload_module"), *BY_MODPROBE,
            denied=frozenset(("EOPNOTSUPP",))),
    # First by the caller, under a name that no module has.
    modules("autoload_crypto", ask("autoload_module"),
            ask("autoload_module", place=ANYONE), *BY_MODPROBE,
            denied=frozenset(("ENOENT",))),
    modules("unsafe_parameter", ask("unsafe_module_parameters")),
    modules("unload_missing", ask("unload_module")),
    modules("unload_with_more", ask("unload_module")),
    modules("unload_loaded", ask("unload_module"), needs_module=True),
    modules("read_module"),
    modules("kexec_data"),
    modules("kexec_file"),
    modules("other_capability"),

    bpf("map_create", "map_create"),
    bpf("prog_load_lsm", "prog_load_lsm"),
    bpf("prog_load_tracing", "prog_load_tracing"),
    bpf("prog_load_kprobe", "prog_load_kprobe"),
    bpf("prog_load_tracepoint", "prog_load_kprobe"),
    bpf("prog_load_perf_event", "prog_load_kprobe"),
    bpf("prog_load_cgroup", "prog_load_cgroup"),
    bpf("prog_load_cgroup_device", "prog_load_cgroup"),
    bpf("prog_load_socket", "prog_load_net"),
    bpf("prog_load_xdp", "prog_load_net"),
    bpf("prog_load_struct_ops", "prog_load_other"),
    bpf("btf_load", "btf_load"),
    bpf("bpf_write", "prog_load_kprobe", "bpf_write", denied=NO_HELPER),
    bpf("map_update", "map_update"),
    bpf("map_delete", "map_update"),
    bpf("obj_pin", "obj_pin"),
    bpf("obj_get", "obj_get"),
    bpf("prog_attach", "prog_attach"),
    bpf("prog_detach", "prog_attach"),
    bpf("link_create", "link_create"),
    bpf("link_update", "link_create"),
    bpf("raw_tracepoint_open", "raw_tracepoint_open"),
    bpf("token_create", "token_create"),
    bpf("map_lookup", "other"),
    bpf("obj_info", "other"),
    bpf("prog_next_id", "other"),
    bpf("classic_filter"),
    bpf("list_pins"),
    bpf("other_lockdown"),

    execute("memfd_execveat", ask("memfd")),
    execute("memfd_fd", ask("memfd")),
    execute("memfd_script", ask("memfd"), ask("script")),
    execute("shm", ask("shm")),
    execute("shm_script", ask("shm"), ask("script")),
    execute("unlinked", ask("unlinked")),
    execute("never_linked", ask("unlinked")),
    execute("map_memfd", ask("map")),
    execute("map_shm", ask("map")),
    execute("map_mprotect", ask("map")),
    # What ld.so ends with when it cannot map the program.
    execute("map_ld_so", ask("map"), denied=frozenset(("STATUS-127",))),
    execute("exec_file"),
    execute("exec_script"),
    execute("overlay_in_place"),
    execute("map_file"),
    execute("read_memfd"),
    execute("map_anonymous"),
    # On a file system of its own, and not in memory as the guest's root is.
    execute("exec_on_disk"),
    execute("script_on_disk"),
    execute("map_on_disk"),
    execute("unlinked_on_disk", ask("unlinked")),

    execute("interpreter_shm", ask("shm")),
    execute("loader_shm", ask("map"), denied=KILLED),
    execute("overlay_upper", ask("shm")),
    execute("overlay_lower"),
    execute("overlay_map", ask("map")),
    execute("overlay_mprotect", ask("map")),
    execute("ramfs", ask("shm")),
    execute("anonymous_exec", ask("memfd")),
    execute("map_reopened", ask("map")),
    execute("map_reopened_write", ask("map")),
    execute("map_reopened_later", ask("map")),
    execute("map_reopened_write_later", ask("map")),
    execute("map_sysv", ask("map")),
    execute("map_shared_anonymous"),
    execute("map_zero"),
    execute("page_zero"),
    execute("linked_later"),

    image("image_unsigned", "unsigned_module", through=LOADED),
    image("dev_mem", "dev_mem"),
    image("dev_mem_node", "dev_mem"),
    image("kexec_load", "kexec"),
    image("kexec_file_load", "kexec"),
    image("hibernate", "hibernation"),
    image("pci_config", "pci_access"),
    image("ioperm", "ioport"),
    image("iopl", "ioport"),
    image("msr_write", "msr"),
    image("serial_set", "tiocsserial"),
    image("image_parameter", "unsafe_module_parameters"),
    image("debugfs_open", "debugfs"),
    image("debugfs_chmod", "debugfs"),
    image("image_bpf_write", "bpf_write", denied=NO_HELPER),
    # What no machine of ours has is asked for by a module of our own.
    image("ask_efi_test", "efi_test"),
    image("ask_ioport", "ioport"),
    image("ask_msr", "msr"),
    image("ask_acpi_tables", "acpi_tables"),
    image("ask_device_tree", "device_tree"),
    image("ask_pcmcia_cis", "pcmcia_cis"),
    image("ask_mmiotrace", "mmiotrace"),
    image("ask_xmon_wr", "xmon_wr"),
    image("ask_dbg_write", "dbg_write_kernel"),
    image("ask_rtas", "rtas_error_injection"),
    image("image_xen"),
    image("pci_config_read"),
    image("msr_read"),
    image("serial_get"),
    image("debugfs_read"),
    # Other reasons that lockdown knows.
    image("image_kcore"),
    image("image_bpf_read"),

    secrets("kcore", "kcore"),
    secrets("kprobe_perf", "kprobes"),
    secrets("kprobe_tracefs", "tracefs", "kprobes"),
    secrets("bpf_read", "bpf_read", denied=NO_HELPER),
    secrets("perf_registers", "perf"),
    secrets("tracefs_open", "tracefs"),
    secrets("xfrm_key", "xfrm_secret", denied=frozenset(("REDACTED",))),
    secrets("ask_dbg_read", "dbg_read_kernel"),
    secrets("ask_xmon_rw", "xmon_rw"),
    secrets("perf_plain"),
    secrets("secrets_xen"),
    secrets("secrets_dev_mem"),
    secrets("secrets_bpf_write"),

    trace("trace_exec", runs("program", "two words", "new\nline", 'q"uote\\',
                             "", "\x01\x1b[2J", "\ufffd", 'arg0="forged"')),
    # The kernel puts the interpreter before what is left of the arguments.
    trace("trace_script", runs(PAYLOAD, "-x", RUN, "arg", script=RUN,
                               object=PAYLOAD)),
    trace("trace_long", runs("program", "x" * (512 - 8), argc=3,
                             args_is="cut")),
    trace("trace_fits", runs("program", "x" * (512 - 8 - 1))),
    trace("trace_noexec", failed("ENOEXEC")),
    trace("trace_interpreter", failed("ENOENT", argc=3)),
    trace("trace_missing", failed("ENOENT", "/t/no-such-file", argc=1),
          when="opens-in"),
    trace("trace_memfd", runs("program", "of memory",
                              object="/memfd:{number} (deleted)"),
          told_denied=(failed("EPERM", "/dev/fd/{number}"),)),
    trace("trace_fork"),
    trace("trace_map"),
    trace("trace_check", {"error": "EINVAL"}, when="opens-in"),

    sysfs("sysfs_kernel", "kernel"),
    sysfs("sysfs_module", "module"),
    sysfs("sysfs_bus", "bus"),
    sysfs("sysfs_class", "class"),
    sysfs("sysfs_devices", "devices"),
    sysfs("sysfs_link", "devices"),
    sysfs("sysfs_firmware", "firmware"),
    sysfs("sysfs_fs", "fs"),
    sysfs("sysfs_power", "power"),
    sysfs("sysfs_other", "other"),
    sysfs("sysfs_deep", *SYSFS),
    sysfs("sysfs_append", "module"),
    sysfs("sysfs_empty", "module"),
    sysfs("sysfs_read_only", "kernel"),
    sysfs("sysfs_reopen", "kernel"),
    sysfs("sysfs_second_mount", "kernel"),
    sysfs("sysfs_bind_folder", "kernel"),
    sysfs("sysfs_bind_file", "kernel"),
    sysfs("sysfs_read"),
    sysfs("sysfs_path"),
    sysfs("sysfs_neither"),
    sysfs("sysfs_debugfs"),
    sysfs("sysfs_tracefs"),
    sysfs("sysfs_cgroup"),
    sysfs("sysfs_security"),
    sysfs("sysfs_proc"),
    sysfs("sysfs_null"),
    sysfs("sysfs_file"),
    sysfs("sysfs_truncate"),
    sysfs("sysfs_chmod"),
    # Open before the policy: a limit that the documents tell of.
    sysfs("sysfs_held"),

    spaces("clone_user", "user"),
    spaces("unshare_user", "user"),
    *[spaces(f"{call}_{name}", name) for call in ("clone", "unshare")
      for name in ("pid", "net", "mnt", "uts", "ipc", "cgroup", "time")],
    spaces("clone_two", ask("uts", "ipc")),
    spaces("unshare_two", ask("uts", "ipc")),
    spaces("clone_old", "net"),
    spaces("unshare_empty", "mnt"),
    spaces("unshare_i386", "uts"),
    spaces("unshare_with_more", "uts"),
    spaces("nobody_clones", "user", "net"),
    spaces("nobody_unshares", "user", "net"),
    *[spaces(f"setns_{name}", "enter")
      for name in ("user", "pid", "net", "mnt", "uts", "ipc", "cgroup",
                   "time", "any_type", "own", "pidfd", "with_more",
                   "i386")],
    spaces("tree_namespace", "mnt"),
    spaces("mount_namespace", "mnt"),
    spaces("clone_plain"),
    spaces("clone_shared"),
    spaces("unshare_files"),
    spaces("tree_clone"),
    spaces("mount_plain"),
    spaces("same_name"),
    spaces("mount_and_unmount"),

    use("cap_chown", "chown", used()),
    use("cap_refused", "chown", used(error="EPERM", uid=65534)),
    use("cap_flood", "chown", used(), used(199)),
    use("cap_inner", "sys_admin", used(user_namespace="inner")),
    use("cap_other"),
    use("cap_unmeant"),

    network("raw_icmp", "raw_socket", object="family 2, type 3, protocol 1"),
    network("raw_any", "raw_socket"),
    network("raw_v6", "raw_socket"),
    network("packet_raw", "packet_socket"),
    network("packet_cooked", "packet_socket"),
    network("packet_old", "packet_socket"),
    network("netlink_route", "netlink_route"),
    network("netlink_dgram", "netlink_route"),
    network("netlink_netfilter", "netlink_netfilter"),
    network("netlink_audit", "netlink_audit"),
    network("netlink_generic", "netlink_other"),
    network("netlink_uevent", "netlink_other"),
    network("make_vsock", "vsock", through=NO_FAMILY),
    network("make_bluetooth", "bluetooth", through=NO_FAMILY),
    network("make_can", "can", through=NO_FAMILY),
    network("make_alg", "other_family", through=NO_FAMILY),
    network("make_key", "other_family", through=NO_FAMILY),
    network("bind_v4", "bind", object=f"{V4}:4321"),
    network("bind_udp", "bind"),
    network("bind_every", "bind"),
    network("bind_chosen", "bind"),
    network("bind_v6", "bind", object=f"{V6}:4321"),
    network("bind_every_v6", "bind"),
    network("bind_mapped", "bind"),
    network("bind_unspec", "bind"),
    network("bind_low", "bind_low", "bind", object=f"{V4}:987"),
    network("bind_low_v6", "bind_low", "bind"),
    network("bind_last_low", "bind_low", "bind"),
    network("bind_first_high", "bind"),
    network("listen_unbound", "listen"),
    network("listen_v4", "listen"),
    network("listen_v6", "listen"),
    reach("connect_tcp", TO_V4, object=f"{V4}:9"),
    reach("connect_udp", TO_V4),
    reach("connect_v6", TO_V6, object=f"{V6}:9"),
    reach("connect_udp_v6", TO_V6),
    reach("connect_mapped", TO_MAPPED),
    # Of another family than the socket's: by IPv6 what is IPv4 is sent as that.
    reach("connect_v4_by_v6", TO_V4),
    reach("connect_v6_by_v4", UNTOLD),
    reach("connect_range_below", (V4, 99), object=f"{V4}:99"),
    reach("connect_range_first", (V4, 100)),
    reach("connect_range_last", (V4, 200)),
    reach("connect_range_above", (V4, 201)),
    reach("connect_range_mapped", (TO_MAPPED[0], 200)),
    reach("connect_prefix_last", ("198.51.100.127", 9)),
    reach("connect_prefix_next", TO_NEXT, object="198.51.100.128:9"),
    reach("connect_prefix_v6", ("2001:db8::2", 9)),
    reach("connect_short", UNTOLD),
    reach("connect_mptcp", TO_V4),
    reach("sendto_udp", TO_V4, object=f"{V4}:9"),
    reach("sendto_v6", TO_V6, object=f"{V6}:9"),
    reach("sendto_mapped", TO_MAPPED),
    reach("sendto_v4_by_v6", TO_V4),
    reach("sendto_fast_open", TO_V4),
    reach("sendto_unspec", UNTOLD),
    reach("sendto_other", TO_V4, TO_NEXT),
    reach("sendmsg_udp", TO_V4),
    reach("sendmmsg_udp", TO_V4),
    # The second of two that is refused: the first was sent.
    reach("sendmmsg_two", TO_V4, TO_NEXT,
          denied=frozenset(("EPERM", "STATUS-1"))),
    # Sockets without ports.
    reach("sendto_ping", NO_PORT),
    reach("sendto_ping_v6", NO_PORT_V6),
    # The packet need not have the address.
    reach("sendto_raw", UNTOLD),
    reach("sendto_raw_v6", UNTOLD),
    network("sctp_bindx", "bind", object=f"{V4}:4321"),
    network("sctp_bindx_low", "bind_low", "bind", object="127.0.0.1:987"),
    reach("sctp_connectx", UNTOLD, object="127.0.0.1:9"),
    reach("sctp_connect", UNTOLD),
    reach("sendto_sctp", UNTOLD),
    # AF_UNIX, loopback, and what only makes a socket.
    network("make_unix"),
    network("make_tcp"),
    network("make_udp_v6"),
    network("unix_pair"),
    network("bind_loopback"),
    network("bind_loopback_low"),
    network("bind_loopback_v6"),
    network("bind_loopback_map"),
    network("bind_unix"),
    network("listen_loopback"),
    network("listen_loopback_v6"),
    network("listen_loopback_map"),
    network("listen_unix"),
    network("connect_loopback"),
    network("connect_loopback_v6"),
    network("connect_loopback_map"),
    network("connect_zero"),
    network("connect_zero_v6"),
    network("connect_zero_map"),
    network("sendto_loopback"),
    network("sendto_loopback_v6"),
    network("sendto_loopback_map"),
    network("sendto_zero"),
    network("sendto_zero_v6"),
    network("sendmsg_loopback"),
    network("sendto_unix"),
    # Connected before the policy was there; of another family; to nowhere.
    network("send_connected"),
    network("sendto_netlink"),
    network("disconnect"),
]


def probes_of(protection: str) -> list[Probe]:
    return [probe for probe in PROBES if probe.protection == protection]


@dataclass(frozen=True)
class Subject:
    """Who calls: how it is started, and where it is by then."""
    name: str
    place: str
    start: str = ""            # what its command line begins with
    cgroup: str | None = None  # it is moved there; None: where it started
    after_load: bool = False   # and only once the policy is loaded
    module: str | None = None  # loaded for it to unload

    @property
    def own_pids(self) -> bool:
        """Whether the process ids that it sees are not the host's."""
        return "in-" in self.start and "--host-pid" not in self.start


SUBJECTS = [
    Subject("host", "host", module="veth"),
    Subject("container", "container", "in-container", module="macvlan"),
    Subject("hostnet", "container", "in-container --host-net"),
    Subject("hostpid", "container", "in-container --host-pid"),
    # In both of the host's namespaces a container is the host.
    Subject("hostboth", "host", "in-container --host-net --host-pid"),
    Subject("bwrap", "container", "in-bwrap", module="tun"),
    Subject("ownnet", "container", "unshare --net"),
    Subject("apps-h", "host", cgroup="/apps", module="squashfs"),
    Subject("apps-c", "container", "in-container", "/apps", module="isofs"),
    Subject("below-h", "host", cgroup="/apps/below/deep"),
    Subject("below-c", "container", "in-container", "/apps/below/deep"),
    Subject("inner-h", "host", cgroup="/apps/inner"),
    Subject("inner-c", "container", "in-container", "/apps/inner"),
    # Not below /apps, for all that its name begins so.
    Subject("other-h", "host", cgroup="/apps-other"),
    Subject("late-h", "host", cgroup="/late/below", after_load=True),
    Subject("late-c", "container", "in-container", "/late/below",
            after_load=True),
]
BY_NAME = {subject.name: subject for subject in SUBJECTS}

PLACES = ("host", "container", "hostnet", "hostpid", "hostboth", "bwrap",
          "ownnet")
TWO = ("host", "container")
APPS = (*TWO, "apps-h", "apps-c", "below-h", "below-c", "other-h")
NESTED = ("container", "apps-h", "apps-c", "below-c", "inner-h", "inner-c")
LATE = (*TWO, "late-h", "late-c", "apps-h")

# Subjects of each shape of policy; policies/ has one of each a protection.
SHAPES = {
    "allow": TWO, "privileged": TWO, "baseline": PLACES,
    "restricted": PLACES, "block-container": PLACES, "block-host": PLACES,
    "allow-cgroup": APPS, "nested": NESTED, "late": LATE, "audit": TWO,
    "log-all": TWO, "log-none": TWO,
}

# Of these --quick leaves out what is not here: they are one hook and one way to
# decide it, of which others have rows, or many calls that end in the same way.
MOST = ("baseline", "restricted", "privileged", "audit", "log-all", "log-none",
        "block-host", "allow-cgroup")
QUICK_SHAPES = {"bpf": MOST, "exec": MOST,
                "image": ("baseline", "restricted"),
                "secrets": ("baseline", "restricted"),
                "namespaces": ("baseline", "restricted", "audit", "nested"),
                "network": ("baseline", "restricted", "audit", "nested"),
                "sysfs": ("baseline", "restricted")}

# Policies with destinations, in policies/ too, and by whom they are tried.
DESTINATIONS = {
    "to-allowed": TWO, "to-blocked": TWO, "to-ports": TWO, "to-nested": TWO,
    "to-cgroup": ("container", "apps-h", "apps-c", "below-c"),
    "to-audit": TWO,
}
QUICK_DESTINATIONS = ("to-allowed", "to-nested")

# Where bpflock-log runs, which needs bpf() itself.
OWN_NET = "unshare --net"
IN_APPS = "in-cgroup /apps"
LOGGERS = {"bpf-block-host": OWN_NET, "bpf-log-none": OWN_NET,
           "bpf-allow-cgroup": IN_APPS}
NO_LOGGER = {
    "bpf-restricted": "restricted has no exceptions: bpflock-log may not "
                      "read the events either",
}


@dataclass(frozen=True)
class Policy:
    name: str
    protection: str
    text: str
    subjects: tuple[str, ...]
    logger: str = ""             # what bpflock-log's command line begins with
    no_events: str | None = None  # why it cannot be asked
    flood: str | None = None     # a call to be denied time and again, by the
    #                              host; nothing else is tried then
    quick: bool = True           # part of --quick
    denies: tuple[str, ...] = ()  # calls that another protection denies


def is_quick(short: str, shape: str) -> bool:
    return shape in QUICK_SHAPES.get(short, (shape,))


def written() -> list[Policy]:
    """The policies of policies/."""
    found = []
    for short, protection in PROTECTIONS.items():
        for shape, subjects in SHAPES.items():
            name = f"{short}-{shape}"
            found.append(Policy(name, protection,
                                (FOLDER / f"{name}.bpflock").read_text(),
                                subjects, LOGGERS.get(name, ""),
                                NO_LOGGER.get(name),
                                quick=is_quick(short, shape)))
    return found


def destinations() -> list[Policy]:
    texts = {shape: (FOLDER / f"network-{shape}.bpflock").read_text()
             for shape in DESTINATIONS}
    texts |= {"to-many": many_prefixes(), "to-fifty": fifty_destinations()}
    return [Policy(f"network-{shape}", "network", text,
                   DESTINATIONS.get(shape, TWO),
                   quick=shape in QUICK_DESTINATIONS)
            for shape, text in texts.items()]


def destination_text(name: str, *lines: str) -> str:
    body = "\n\t\t".join(("profile allow;", "log denied;", *lines))
    return (f"language 1;\npolicy {name} {{\n\tnetwork {{\n\t\t{body}\n\t}}\n"
            "\tseal open;\n}\n")


def many_prefixes() -> str:
    """A thousand of all lengths, in two destinations; the probes' are among
    them, and next to them."""
    v4 = [f"198.{18 + number % 2}.{number}.0/{24 + number % 9}"
          for number in range(250)]
    v4 += [f"198.51.{number}.0/24" for number in range(256) if number != 100]
    v6 = [f"2001:db8:{number:x}::/{48 + number % 81}"
          for number in range(1, 490)]
    mine = ["198.51.100.0/25", "2001:db8::1", "198.51.100.1/32",
            "2001:db8::/126", "198.51.100.129", "2001:db8::4/126"]
    prefixes = [f'"{word}"' for word in v4 + v6 + mine]
    return destination_text(
        "network-to-many",
        f"destination many {{ prefixes {', '.join(prefixes[::2])}; }}",
        f"destination more {{ prefixes {', '.join(prefixes[1::2])}; }}",
        "block many for host;", "block more for container;")


def fifty_destinations() -> str:
    """The last, whose bit is the last of 64, is the one that is blocked."""
    return destination_text(
        "network-to-fifty",
        *[f'destination d{number} {{ prefixes "198.51.100.0/{24 + number % 2}";'
          f" ports {1000 + number}, 9; }}" for number in range(49)],
        'destination last { prefixes "198.51.100.1", "2001:db8::/64"; }',
        "block last;")


# An operation that is in the way of those who work for the rows: bpflock-log
# opens pinned maps and asks what they are, and what a probe may not unload
# others do. They are in /apps, and this other operation is blocked there, so
# that the policy names that cgroup and leaves it out otherwise.
IN_THE_WAY = {"bpf.obj_get": "token_create", "bpf.other": "token_create",
              "kernel_modules.unload_module": "unsafe_module_parameters"}


def blocking_one(operations: dict[str, list[str]]) -> list[Policy]:
    """A policy for each operation, which blocks that one alone."""
    found = []
    for short, protection in PROTECTIONS.items():
        for operation in operations[protection]:
            name = f"{short}-only-{operation}"
            found.append(Policy(name, protection,
                                only_text(name, protection, operation), TWO,
                                IN_APPS if way(protection, operation) else "",
                                quick=is_quick(short, "only")))
    return found


def way(protection: str, operation: str) -> str | None:
    return IN_THE_WAY.get(f"{protection}.{operation}")


def only_text(name: str, protection: str, operation: str) -> str:
    lines = ["profile allow;", "log denied;",
             f"block {operation} for host, container;"]
    other = way(protection, operation)
    if other:
        lines.append(f'block {other} for cgroup "/apps";')
    return (f"language 1;\npolicy {name} {{\n\t{protection} {{\n\t\t"
            + "\n\t\t".join(lines) + "\n\t}\n\tseal open;\n}\n")


# What traces are in docs/support.md.
TRACE = "trace"
# Statements of a trace, with whom they are tried by.
TRACES = {
    "exec-all": ("exec all;", TWO),
    "exec-container": ("exec all for container;", PLACES),
    "exec-cgroup": ('exec all for cgroup "/apps";', APPS),
    "exec-late": ('exec all for cgroup "/late";', LATE),
    "exec-denied": ("exec all;", TWO),
    "privileged-some": ("privileged chown, sys_admin, syslog;", TWO),
    "privileged-container": ("privileged chown for container;", PLACES),
    "privileged-cgroup": ('privileged chown for cgroup "/apps";', APPS),
    "privileged-late": ('privileged chown for cgroup "/late";', LATE),
}
# Another protection beside the trace, and what it denies.
BESIDE = {"exec-denied": ("fileless_exec { profile restricted; }",
                          ("trace_memfd",))}


# The others tell subjects apart, as protections do.
QUICK_TRACES = ("exec-all", "exec-denied", "privileged-some")
TRACED = sorted({shape.split("-", maxsplit=1)[0] for shape in TRACES})


def traces() -> list[Policy]:
    found = []
    for shape, (statement, subjects) in TRACES.items():
        body, denies = BESIDE.get(shape, ("", ()))
        name = f"trace-{shape}"
        text = (f"language 1;\npolicy {name} {{\n\ttrace {{ {statement} }}\n"
                f"\t{body}\n\tseal open;\n}}\n")
        found.append(Policy(name, shape.split("-", maxsplit=1)[0], text,
                            subjects, denies=denies,
                            quick=shape in QUICK_TRACES))
    return found


def floods() -> list[Policy]:
    """Calls that are denied in a tight loop, while the log is read."""
    return [Policy(f"{short}-flood", PROTECTIONS[short],
                   only_text(f"{short}-flood", PROTECTIONS[short], operation),
                   (), flood=f"flood_{short}")
            for short, operation in (("modules", "load_module"),
                                     ("bpf", "map_create"))]


@dataclass(frozen=True)
class Refusal:
    """A text that bpflockc has to refuse, with that check's name."""
    name: str
    text: str
    check: str


def policy_text(body: str) -> str:
    return f"language 1;\npolicy p {{\n\t{body}\n\tseal open;\n}}\n"


REFUSALS = [
    Refusal("unknown profile", policy_text(
        "kernel_modules { profile priviledged; }"), "profile"),
    Refusal("unknown operation", policy_text(
        "kernel_modules { profile baseline; allow load_modul; }"),
        "load_modul"),
    Refusal("unknown protection", policy_text(
        "kmodlock { profile baseline; }"), "kmodlock"),
    Refusal("unknown subject", policy_text(
        "kernel_modules { profile allow; block all for containers; }"),
        "containers"),
]


@dataclass(frozen=True)
class Defect:
    """What the original gets wrong, and the rows (as fnmatch patterns of
    POLICY/SUBJECT/PROBE) that show that this does not. All of a pattern's
    rows have to pass, and there has to be one."""
    words: str
    rows: tuple[str, ...]


DEFECTS = [
    Defect("its programs load", ("modules-baseline/load", "bpf-baseline/load",
                                 "exec-baseline/load")),
    Defect("the profile privileged denies nothing", (
        "modules-privileged/*/*", "bpf-privileged/*/*",
        "exec-privileged/*/*")),
    Defect("an unknown word is refused", ("compile/unknown *",)),
    Defect("one of the host's namespaces does not make a host", (
        "modules-baseline/hostnet/*", "modules-baseline/hostpid/*",
        "modules-baseline/ownnet/*", "bpf-baseline/hostnet/*",
        "bpf-baseline/hostpid/*")),
    Defect("allow lists work", ("modules-allow-cgroup/apps-*/*",
                                "bpf-allow-cgroup/apps-*/*",
                                "exec-allow-cgroup/apps-*/*")),
    Defect("cgroups work", ("*-nested/*/*", "*-late/late-*/*",
                            "*-allow-cgroup/other-h/*")),
    Defect("autoload_module does not block load_module", (
        "modules-only-autoload_module/*/finit",
        "modules-only-autoload_module/*/init")),
    Defect("fileless scripts, ld.so and files on /dev/shm are caught", (
        "exec-restricted/*/*script", "exec-restricted/*/map_ld_so",
        "exec-restricted/*/shm")),
    Defect("denials are logged, whatever is traced", (
        "exec-baseline/container/*",)),
    Defect("kernel_load_data is about modules alone", (
        "modules-restricted/*/kexec_*",)),
]
