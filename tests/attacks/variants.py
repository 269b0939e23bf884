# SPDX-License-Identifier: GPL-2.0-only
"""What is attacked: the policies, and which attacks each of them gets."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

AIMS = ("call", "policy", "denial")  # enum aim of attack.h
ALONE, SPOILS, SLOW = 2, 4, 8        # enum trait

# What the policies name.
PROTECTIONS = ("kernel_modules", "bpf", "fileless_exec", "kernel_image",
               "kernel_secrets")

# The others, and why they are left out.
NOT_NAMED = {
    "namespaces": "nearly all attacks on mounts begin in a mount namespace of "
                  "their own or another's, and would end there",
    "network": "it denies a socket of an unknown family before kernel_modules "
               "is asked for its module (36)",
    "sysfs": "it denies writing to PCI configuration and the way to hibernate "
             "before kernel_image is asked (39, 41)",
    "root_filesystem": "it has no template yet",
    "usb": "it has no template yet",
}

# A call that is denied by each hook of the protection; a probe of the
# conformance tests.
CANARIES = {
    "kernel_modules": ("finit", "init", "autoload_family", "unload_missing"),
    "bpf": ("map_create",),
    "fileless_exec": ("memfd_execveat", "shm", "interpreter_shm", "map_memfd",
                      "map_mprotect"),
    "kernel_image": ("dev_mem", "kexec_file_load"),
    "kernel_secrets": ("kcore",),
}


def listed(names: tuple[str, ...]) -> str:
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} and {last}"


# What is attacked, for the document.
WORDS = {
    "restricted":
        f"{listed(PROTECTIONS)} restricted, as far as the kernel can decide "
        "them: bpf() is denied to everybody, so that most attacks by it end "
        "there. Not named: " + "; ".join(
            f"`{name}`, as {why}" for name, why in NOT_NAMED.items())
        + ". So nothing here attacks what these deny.",
    "host-bpf":
        "The same, but `bpf` is of the profile baseline, and the host may call "
        "bpf(): what holds here is the guard.",
    "exempt":
        "`kernel_modules`, of which the cgroup `/exempt` may do what nobody "
        "else may: unload modules.",
    "bundle":
        "Damaged, forged and outdated bundles, and machines that cannot "
        "enforce them: rows of `tests/vm/test_loader.py`.",
}


# Debian builds these without CONFIG_KEXEC_FILE.
NOT_THERE = "arm64-*/kexec_file_load"


@dataclass(frozen=True)
class Attack:
    number: int
    name: str
    words: str
    aim: str
    alone: bool
    spoils: bool
    slow: bool
    needs: str

    @property
    def quick(self) -> bool:
        return not (self.alone or self.spoils or self.slow)


def parse(line: str) -> Attack:
    """A line of `attack list`."""
    number, name, words, aim, traits, needs = line.split("\t")
    return Attack(int(number), name, words, AIMS[int(aim)],
                  bool(int(traits) & ALONE), bool(int(traits) & SPOILS),
                  bool(int(traits) & SLOW), needs)


@dataclass(frozen=True)
class Variant:
    """A policy that is attacked."""
    name: str
    protections: tuple[str, ...]  # that it names
    body: str
    left_out: tuple[str, ...] = ()  # what the kernel cannot decide

    def text(self, seal: str) -> str:
        return (f"language 1;\npolicy attack-{self.name} {{\n\tversion 1;\n"
                f"\tseal {seal};\n{self.body}}}\n")

    def canaries(self, kernel: str) -> list[str]:
        """The host may call bpf() under all but the first."""
        if self.name == "exempt":
            return ["unload_missing", "container:finit"]
        found = [name for protection in self.protections
                 for name in CANARIES[protection]
                 if not fnmatch.fnmatchcase(f"{kernel}/{name}", NOT_THERE)]
        if self.name == "host-bpf":
            found[found.index("map_create")] = "container:map_create"
        return found

    def chosen(self, known: list[Attack], pattern: str | None) -> list[Attack]:
        exempt = self.name == "exempt"
        return [attack for attack in known
                if (attack.needs == "exempt") == exempt
                and (exempt or not attack.needs
                     or attack.needs in self.protections)
                and (not pattern
                     or fnmatch.fnmatchcase(attack.name, pattern))]


CANNOT = re.compile(r"(\w+)\.(\w+) can be decided from Linux \d")


def refusals(compiler: Path, text: str, target: str | None) -> str:
    """What the compiler says of a policy; nothing where it compiles."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "try.bpflock"
        source.write_text(text)
        for_kernel = ["--target", target] if target else []
        done = subprocess.run([compiler, source, *for_kernel,
                               "-o", f"{source}.o"],
                              check=False, stderr=subprocess.PIPE, text=True)
    return done.stderr if done.returncode else ""


def undecided(compiler: Path, body: str,
              target: str | None) -> dict[str, tuple[str, ...]]:
    """What such a kernel cannot decide, by protection. The loader refuses a
    policy that says anything of it, and nothing would be attacked."""
    said = refusals(compiler, Variant("try", (), body).text("open"),
                    target)
    found: dict[str, list[str]] = {}
    for protection, operation in CANNOT.findall(said):
        found.setdefault(protection, []).append(operation)
    if said and not found:
        raise RuntimeError(said)
    return {name: tuple(operations) for name, operations in found.items()}


def restricted(name: str, without: tuple[str, ...] = ()) -> str:
    """The profile takes no rules: with something left out it is spelt out."""
    if not without:
        return f"\t{name} {{ profile restricted; }}\n"
    return (f"\t{name} {{\n\t\tprofile allow;\n\t\tlog denied;\n"
            f"\t\tblock all - ({', '.join(without)}) for all;\n\t}}\n")


def existing(compiler: Path, target: str | None) -> list[Variant]:
    """For a kernel of that version, or for one that can decide all."""
    everything = "".join(restricted(name) for name in PROTECTIONS)
    without = undecided(compiler, everything, target)
    names = tuple(f"{protection}.{operation}" for protection in PROTECTIONS
                  for operation in without.get(protection, ()))
    bodies = {name: restricted(name, without.get(name, ()))
              for name in PROTECTIONS}
    return [
        Variant("restricted", PROTECTIONS, "".join(bodies.values()), names),
        Variant("host-bpf", PROTECTIONS,
                "".join({**bodies, "bpf": "\tbpf { profile baseline; }\n"}
                        .values()), names),
        Variant("exempt", ("kernel_modules", "exempt"),
                "\tkernel_modules {\n\t\tprofile baseline;\n"
                "\t\tblock all for host;\n"
                "\t\tallow unload_module for cgroup \"/exempt\";\n\t}\n"),
    ]


def make_disk(path: Path) -> None:
    """An empty file system in a file."""
    with path.open("wb") as image:
        image.truncate(2 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal",
                    path], check=True)
