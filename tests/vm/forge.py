# SPDX-License-Identifier: GPL-2.0-only
"""Bundles that bpflockc never makes, with a right digest: what is checked
behind it must stand by itself.

    python3 tests/vm/forge.py BUNDLE DIR

takes the note of a good bundle and makes DIR/NAME.o of each object below.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
CLANG = ["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3", "-ffreestanding",
         "-iquote", str(TOP), "-c", "-x", "c", "-"]

HEAD = """
#include "bpf/templates/include/kernel.h"
char LICENSE[] SEC("license") = "GPL";
"""
# One that is as ours are; what is forged stands beside it.
GOOD = """
SEC("lsm/kernel_load_data")
int BPF_PROG(good, enum kernel_load_data_id id) { return 0; }
"""
MAP = """
struct {
	__uint(type, %s);
	__uint(max_entries, %s);
	__type(key, uint32_t);
	__type(value, %s);
	%s
} forged SEC(".maps");
SEC("lsm/kernel_load_data")
int BPF_PROG(user, enum kernel_load_data_id id)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(&forged, &key) ? 0 : 0;
}
"""

OBJECTS = {
    "good": GOOD,
    "kprobe": GOOD + """
SEC("kprobe/do_unlinkat") int forged(void *ctx) { return 0; }
""",
    "uprobe": GOOD + """
SEC("uprobe//bin/sh:main") int forged(void *ctx) { return 0; }
""",
    "iter": GOOD + """
SEC("iter/task") int forged(void *ctx) { return 0; }
""",
    "fmod_ret": GOOD + """
SEC("fmod_ret/security_bpf") int forged(void *ctx) { return 1; }
""",
    "struct_ops": GOOD + """
struct tcp_congestion_ops { char name[16]; };
SEC(".struct_ops") struct tcp_congestion_ops forged = { .name = "forged" };
""",
    "cgroup": """
SEC("lsm_cgroup/socket_bind") int forged(void *ctx) { return 1; }
""" + GOOD,
    "pinned": MAP % (2, 1, "uint64_t", "__uint(pinning, LIBBPF_PIN_BY_NAME);"),
    "huge": MAP % (2, 0x10000000, "uint64_t", ""),
    "programs": MAP % (3, 1, "uint32_t", ""),
    "flags": MAP % (2, 1, "uint64_t", "__uint(map_flags, 0x100);"),
    "data": """
int forged = 7;
SEC("lsm/kernel_load_data")
int BPF_PROG(user, enum kernel_load_data_id id) { return forged++ < 0; }
""",
    "kconfig": """
extern int LINUX_KERNEL_VERSION __kconfig;
SEC("lsm/kernel_load_data")
int BPF_PROG(user, enum kernel_load_data_id id)
{
	return LINUX_KERNEL_VERSION < 0;
}
""",
    "empty": "",
    "hook": """
SEC("lsm/no_such_hook") int BPF_PROG(forged, struct file *file) { return 0; }
""",
    "unsaid": """
SEC("lsm/kernel_load_data") int forged(void *ctx) { return 0; }
""",
    "pointer": """
SEC("lsm/kernel_load_data")
int BPF_PROG(forged, struct file *file) { return 0; }
""",
    "structure": """
struct other { int i; };
SEC("lsm/kernel_read_file")
int BPF_PROG(forged, struct other *other) { return other->i < 0; }
""",
    "enumeration": """
enum other_id { OTHER };
SEC("lsm/kernel_load_data")
int BPF_PROG(forged, enum other_id id) { return 0; }
""",
    "parameters": """
SEC("lsm/kernel_module_request")
int BPF_PROG(forged, char *name, long more) { return 0; }
""",
}


def finish(elf: bytes) -> bytes:
    """Behind the object, what bundle/bundle.h says."""
    head = elf + b"\177bpflock" + struct.pack("<IIQ", 1, 0, len(elf))
    return head + hashlib.sha256(head).digest()


def forge(bundle: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        note, made = Path(scratch) / "note", Path(scratch) / "made.o"
        subprocess.run(["llvm-objcopy", "--dump-section",
                        f".note.bpflock={note}", bundle, "/dev/null"],
                       check=True)
        for name, text in OBJECTS.items():
            subprocess.run([*CLANG, "-o", made], check=True, text=True,
                           input=HEAD + text)
            subprocess.run(["llvm-strip", "-g", made], check=True)
            subprocess.run(["llvm-objcopy", "--add-section",
                            f".note.bpflock={note}", made], check=True)
            (folder / f"{name}.o").write_bytes(finish(made.read_bytes()))


if __name__ == "__main__":
    forge(Path(sys.argv[1]), Path(sys.argv[2]))
