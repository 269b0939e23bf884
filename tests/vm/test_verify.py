#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bpflock-load --verify on a real kernel: it passes what is as it should be,
and notices each way in which it is not, done for real.

    tests/vm/test_verify.py [--kernel ID]... [--builddir build]

Rows as in test_loader.py. What is tampered with is loaded by a loader that
records the good bundle's digest (forge_record.c), so that nothing but the
difference itself can give it away.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import forge
import tamper
from test_loader import Row, boot, policy, programs_for

POLICIES = {
    "edge": policy("edge-gateway", 7),
    "edge7b": policy("edge-gateway", 7, reason="another one"),
    "other": policy("other_one", 1),
    "locked": policy("kept", 3, seal="locked"),
    "untried": """language 1;
policy untried {
	version 1;
	kernel_modules { profile baseline; }
	bpf { profile allow; block prog_load_kprobe; }
	seal open;
}
""",
    "everything": """language 1;
policy everything {
	version 3;
	kernel_modules { profile baseline; }
	bpf { profile allow; block bpf_write for container; }
	fileless_exec { profile baseline; }
	trace { exec all; }
	seal open;
}
""",
}

# What libbpf finds of the kernel's helpers is then other than it was.
POLICIES["no_read"] = """language 1;
policy no_read {
	kernel_secrets { profile allow; log denied; block bpf_read, perf; }
	seal open;
}
"""

# Where somebody connects to counts alone, and is in a table of its own.
POLICIES |= {name: """language 1;
policy reach {
	network {
		profile allow;
		log denied;
		destination away { prefixes "192.0.%d.0/24"; }
		block away;
	}
	seal open;
}
""" % third for name, third in (("reach", 2), ("reach3", 3))}

# It answers for our hook before any LSM program is asked.
FMOD_RET = """
SEC("fmod_ret/security_kernel_load_data") int front(void *ctx) { return 0; }
"""

FORGE = "BPFLOCK_FORGE=$(sha256sum edge.o | cut -c1-64) bpflock-load-forges"
UNLOAD = "bpflock-load --unload edge-gateway"
PINS = "/sys/fs/bpf/bpflock/edge-gateway"
SAME = "edge-gateway version 7: verified, 3 programs and 4 maps\n"
PROVEN = ("  proven       deny kernel_modules.load_module place=container at "
          "the hook kernel_load_data, by its event\n")
ALONE = "this machine: nothing else is on these hooks\n"
OTHER = "edge-gateway version 7: NOT WHAT THE BUNDLE SAYS"

ROWS = [
    Row("not loaded", "bpflock-load --verify edge.o", 1,
        (OTHER, "it is not loaded")),
    Row("nothing to verify", "bpflock-load --verify", 2),
    Row("the same", "bpflock-load edge.o && bpflock-load --verify edge.o", 0,
        (SAME, PROVEN, ALONE)),
    Row("as JSON", "bpflock-load --verify --json edge.o", 0,
        ('{"verified":true,"policies":[{"name":"edge-gateway","version":7,',
         '"canaries":[{"hook":"kernel_read_file","operation":'
         '"kernel_modules.load_module","place":"container","verdict":"deny",'
         '"proof":"event"},', '"differences":[]')),
    Row("the same, where reading kernel memory is denied",
        "bpflock-load no_read.o; bpflock-load --verify edge.o no_read.o; "
        "status=$?; bpflock-load --unload no_read && exit $status", 0,
        (SAME, "no_read version 0: verified", ALONE)),
    Row("another digest", "bpflock-load --verify --digest "
        + "0" * 64 + " edge.o", 1, ("which --digest does not name",)),
    Row("another one of the name", "bpflock-load --verify edge7b.o", 1,
        ("another one of its name is loaded",)),
    Row("several, and one is not loaded",
        "bpflock-load --verify edge.o other.o", 1,
        (SAME, "other_one version 1: NOT", "it is not loaded")),
    Row("a program of another policy",
        "bpflock-load other.o && bpflock-load --verify edge.o", 1,
        (SAME, "this machine: SOMETHING ELSE", "none of these bundles")),
    Row("several", "bpflock-load --verify edge.o other.o", 0,
        (SAME, "other_one version 1: verified", ALONE)),
    Row("and as JSON", "bpflock-load --unload other_one && "
        "bpflock-load --verify --json edge.o other.o", 1,
        ('{"verified":false,', '"differences":["it is not loaded"]')),
    Row("a map's name is taken by a pin", f"bpftool map create {PINS}/links/x "
        "type array key 4 value 4 entries 1 name x && "
        "bpflock-load --verify edge.o", 1,
        ("x is pinned with it, and none of its programs has that name",)),
    Row("the pin is gone", f"rm {PINS}/links/x; "
        "bpflock-load --verify edge.o", 0, (SAME,)),
    Row("a link is gone", f"rm {PINS}/links/*_module_request; sleep 1; "
        "bpflock-load --verify edge.o", 1,
        (OTHER, "the program kernel_modules_module_request is not there")),
    Row("the program is held, and not its link",
        f"{UNLOAD} && bpflock-load edge.o && id=$(bpftool -j prog show | "
        "tr '{' '\\n' | grep kernel_module | head -n 1 | "
        "sed 's/.*\"id\":\\([0-9]*\\).*/\\1/') && "
        "bpftool prog pin id $id /sys/fs/bpf/held && "
        f"rm {PINS}/links/* && sleep 1; bpflock-load --verify edge.o", 1,
        (OTHER, "no link attaches the program")),
    Row("put right", f"rm /sys/fs/bpf/held; {UNLOAD} && "
        "bpflock-load edge.o && bpflock-load --verify edge.o", 0, (SAME,)),
    Row("one instruction", f"{UNLOAD} && {FORGE} tampered/instruction.o && "
        "bpflock-load --verify edge.o", 1,
        (OTHER, "has other instructions than the bundle's")),
    Row("it is what was loaded", "bpflock-load --verify "
        "tampered/instruction.o", 1, ("another one of its name",)),
    Row("none that denies", f"{UNLOAD} && {FORGE} tampered/allows.o && "
        "bpflock-load --verify edge.o", 1,
        (OTHER, "kernel_modules.load_module is not enforced at the hook "
         "kernel_load_data: init_module from nowhere in a container ended in "
         '"Bad address"')),
    Row("one byte of a map", f"{UNLOAD} && {FORGE} tampered/byte.o && "
        "bpflock-load --verify edge.o", 1,
        (OTHER, "the map .rodata.policy has 0x01 at byte ")),
    Row("an honest load by the same loader", f"{UNLOAD} && {FORGE} edge.o && "
        "bpflock-load --verify edge.o", 0, (SAME, ALONE)),
    Row("fmod_ret in front", "attach-it fmod_ret.o "
        "/sys/fs/bpf/front && bpflock-load --verify edge.o", 1,
        (SAME, "answers for a hook before it is asked")),
    Row("gone again", "rm /sys/fs/bpf/front; sleep 1; "
        f"bpflock-load --verify edge.o && {UNLOAD}", 0, (SAME, ALONE)),
    Row("every template", "bpflock-load everything.o && "
        "bpflock-load --verify everything.o", 0,
        ("everything version 3: ver",
         "proven       deny bpf.bpf_write place=container at the hook "
         "locked_down, by its event",
         "proven       traced exec.exec place=container at the hook "
         "bprm_committed_creds, by its event",
         "proven       traced exec.exec place=container at the hook "
         "bprm_execve, by its event",
         "not seen     whether fileless_exec is enforced at the hook "
         "bprm_check_security, by trying: what it decides is denied by a hook "
         "that is asked before")),
    Row("under kptr_restrict", "sysctl -w kernel.kptr_restrict=2 && "
        "bpflock-load --verify everything.o && "
        "sysctl -w kernel.kptr_restrict=0 && "
        "bpflock-load --unload everything", 0),
    Row("blinded and hidden", "sysctl -w net.core.bpf_jit_harden=2 && "
        "bpflock-load edge.o && bpflock-load --verify edge.o && "
        "sysctl -w kernel.kptr_restrict=2 && "
        "{ bpflock-load --verify edge.o || "
        "bpflock-load --verify edge.o | grep 'the kernel hides'; }", 0,
        (SAME,)),
    Row("and as before", "sysctl -w net.core.bpf_jit_harden=0 "
        f"kernel.kptr_restrict=0; {UNLOAD}", 0),
    Row("where libbpf may not try all out", "bpflock-load untried.o && "
        "bpflock-load --verify untried.o; s=$?; "
        "bpflock-load --unload untried && exit $s", 0,
        ("untried version 1: verified",)),
    Row("a destination", "bpflock-load reach.o && "
        "bpflock-load --verify reach.o", 0,
        ("reach version 0: verified",
         "proven       deny network.away place=container at the hook "
         "socket_connect, by its event")),
    Row("another destination of the name", "bpflock-load --verify reach3.o; "
        "s=$?; bpflock-load --unload reach && exit $s", 1,
        ("the map .rodata.destinations has 0x02 at byte ",)),
    # A machine is sealed until it is off.
    Row("sealed", "bpflock-load locked.o && bpflock-load --verify locked.o", 0,
        ("kept version 3: verified", PROVEN,
         "the guard: verified, 8 programs", ALONE)),
    Row("its status", "bpflock-load --status", 0,
        ("kept version 3, enforced, seal locked", "links        3",
         "the guard denied\n", "\n  0            calls of a sysctl\n",
         "this machine is sealed", "kernel.kexec_load_disabled is 0\n"
         "    mend: sysctl kernel.kexec_load_disabled=1")),
    Row("its status as JSON", "bpflock-load --status --json", 0,
        ('"name":"kept"', '"guard_denied":{"bpf":',
         '"sealed":true,"weaknesses":[{"name":')),
    Row("the guard counts what it denies",
        "! sysctl -w kernel.ftrace_enabled=0 && bpflock-load --status", 0,
        ("  1            calls of a sysctl\n",)),
    Row("sealed, as JSON", "bpflock-load --verify --json locked.o", 0,
        ('"guard":{"verified":true,"programs":8',)),
]


def fill(overlay: Path, build: Path, made: Path) -> None:
    programs, work = overlay / "usr/bin", overlay / "t"
    programs.mkdir(parents=True)
    (work / "tampered").mkdir(parents=True)
    for name in ("bpflock-load", "tests/bpflock-load-forges",
                 "tests/attach-it"):
        shutil.copy(made / name, programs)
    for name, text in POLICIES.items():
        (work / f"{name}.bpflock").write_text(text)
        subprocess.run([build.absolute() / "bpflockc", f"{name}.bpflock",
                        "-o", f"{name}.o"], check=True, cwd=work)
    tamper.tamper(work / "edge.o", work / "tampered")
    subprocess.run([*forge.CLANG, "-o", work / "fmod_ret.o"], check=True,
                   text=True, input=forge.HEAD + FMOD_RET)


def main() -> int:
    parser = argparse.ArgumentParser(description="--verify on kernels.")
    parser.add_argument("--kernel", action="append", metavar="ID")
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    counts = []
    for kernel in args.kernel or ["6.1"]:
        with tempfile.TemporaryDirectory() as scratch:
            overlay = Path(scratch) / "overlay"
            fill(overlay, args.builddir, programs_for(kernel, args.builddir))
            counts.append(boot(kernel, ROWS, overlay, timeout=300))
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
