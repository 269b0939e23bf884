#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes build.ninja, after checking that all it needs is installed.

Every source is named here: a file that is not in a list below is not built.
`./configure.py && ninja` builds everything into build/.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys

# What the build needs, and the Debian package that has it.
TOOLS = {
    "ninja": "ninja-build",
    "flex": "flex",
    "bison": "bison",
    "clang": "clang",
    "llvm-strip": "llvm",
    "bpftool": "bpftool",
    "pkg-config": "pkg-config",
}
COMPILERS = {"gcc": "gcc", "clang": "clang"}
# For another architecture: its compiler, and in a sysroot what it links.
CROSS = {"arm64": ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")}
CROSS_LIBRARIES = "-lbpf -lelf -lz -lsodium"
LIBRARIES = {
    "libbpf": "libbpf-dev",
    "libelf": "libelf-dev",
    "zlib": "zlib1g-dev",
    "libsodium": "libsodium-dev",
    "cmocka": "libcmocka-dev",
}

# What the tests need besides; tests/vm/vm.py packages has what the machines do.
TEST_PACKAGES = ["gcc", "libc6-dev", "libclang-rt-dev", "clang-format", "git", "nftables"]

# A template a protection that has one: bpf/templates/NAME.bpf.c.
TEMPLATES = [
    "bpf",
    "exec",
    "fileless_exec",
    "kernel_image",
    "kernel_modules",
    "kernel_secrets",
    "namespaces",
    "network",
    "privileged",
    "sysfs",
]

# Each is compiled once for policies that name no cgroup and once for others:
# compiler/template.c.
TEMPLATE_VARIANTS = {
    "": "",
    "_cgroups": "-DPOLICY_NAMES_CGROUPS",
}

BUNDLE = [
    "bundle/bundle.c",
    "bundle/destination.c",
    "bundle/digest.c",
    "bundle/note_decode.c",
    "bundle/note_encode.c",
    "bundle/object.c",
    "bundle/operations.c",
    "bundle/reader.c",
    "bundle/suggest.c",
    "bundle/table.c",
    "bundle/text.c",
    "bundle/utf8.c",
]

# Folds constants through programs; the tests run it by itself.
FOLD = [
    "compiler/insn.c",
    "compiler/cfg.c",
    "compiler/values.c",
    "compiler/dead.c",
    "compiler/fold.c",
    "compiler/image.c",
    "compiler/btfext.c",
    "compiler/types.c",
    "compiler/prune.c",
    "compiler/optimize.c",
]

# Runs what was compiled, and compares it with the table: shares no code with
# what made it.
PROOF = [
    "compiler/proof/access.c",
    "compiler/proof/cgroups.c",
    "compiler/proof/classes.c",
    "compiler/proof/evaluate.c",
    "compiler/proof/helpers.c",
    "compiler/proof/kernel.c",
    "compiler/proof/machine.c",
    "compiler/proof/memory.c",
    "compiler/proof/reach.c",
    "compiler/proof/schema.c",
    "compiler/proof/specimen.c",
    "compiler/proof/tables.c",
    "compiler/proof/verdict.c",
    "compiler/proof/world.c",
]

COMPILER = [
    "compiler/arena.c",
    "compiler/source.c",
    "compiler/diag.c",
    "compiler/ast.c",
    "compiler/parse.c",
    "grammar/tokens.c",
    "grammar/words.c",
    "compiler/policy.c",
    "compiler/lets.c",
    "compiler/eval.c",
    "compiler/destinations.c",
    "compiler/resolve.c",
    "compiler/check.c",
    "compiler/plan.c",
    "compiler/prove.c",
    "compiler/explain.c",
    "compiler/query.c",
    "compiler/target.c",
    "compiler/options.c",
    "compiler/cgroups.c",
    "compiler/edit.c",
    "compiler/lookup.c",
    "compiler/template.c",
    "compiler/memfile.c",
    "compiler/link.c",
    "compiler/emit.c",
    *FOLD,
    "compiler/listing.c",
    *PROOF,
]

LOADER = [
    "loader/attach.c",
    "loader/attest.c",
    "loader/bind.c",
    "loader/canary.c",
    "loader/cgroup_root.c",
    "loader/cmdline.c",
    "loader/detail.c",
    "loader/expect.c",
    "loader/findings.c",
    "loader/gate.c",
    "loader/guard.c",
    "loader/home.c",
    "loader/inspect.c",
    "loader/kernel_links.c",
    "loader/layout.c",
    "loader/live.c",
    "loader/lsm.c",
    "loader/mount.c",
    "loader/names.c",
    "loader/options.c",
    "loader/pin.c",
    "loader/pinned.c",
    "loader/probe.c",
    "loader/process.c",
    "loader/prove.c",
    "loader/read.c",
    "loader/reasons.c",
    "loader/record.c",
    "loader/replace.c",
    "loader/report.c",
    "loader/ring.c",
    "loader/room.c",
    "loader/run.c",
    "loader/settings.c",
    "loader/signals.c",
    "loader/stand_in.c",
    "loader/status.c",
    "loader/subjects.c",
    "loader/tag.c",
    "loader/trial.c",
    "loader/unload.c",
    "loader/vault.c",
    "loader/visit.c",
    "loader/verify.c",
    "loader/wait.c",
]

LOG = [
    "loader/cgroup_paths.c",
    "loader/cgroup_root.c",
    "loader/cmdline.c",
    "loader/detail.c",
    "loader/fault.c",
    "loader/filter.c",
    "loader/format.c",
    "loader/home.c",
    "loader/journal.c",
    "loader/layout.c",
    "loader/log.c",
    "loader/people.c",
    "loader/pinned.c",
    "loader/process.c",
    "loader/read.c",
    "loader/record.c",
    "loader/report.c",
    "loader/visit.c",
]

# Program: its own source, what it shares, the libraries it links.
PROGRAMS = {
    "bpflockc": ("compiler/main.c", COMPILER + BUNDLE, ["libbpf", "libelf", "zlib", "libsodium"]),
    "bpflock-load": ("loader/main.c", LOADER + ["loader/fault.c"] + BUNDLE,
                     ["libbpf", "libelf", "zlib", "libsodium"]),
    "bpflock-log": ("loader/log_main.c", LOG + BUNDLE, ["libbpf", "libelf", "zlib", "libsodium"]),
    # Holds folded programs against unfolded ones.
    "tests/fold-driver": ("tests/fold/driver.c",
                          ["tests/fold/generate.c", "tests/fold/interpret.c", "compiler/arena.c",
                           *FOLD, *BUNDLE],
                          ["libbpf", "libelf", "zlib", "libsodium"]),
    # The evaluator by itself.
    "tests/evaluate": ("tests/proof/evaluate.c",
                       ["tests/proof/differ.c", "compiler/arena.c", "compiler/memfile.c",
                        *PROOF, *BUNDLE],
                       ["libsodium"]),
    # For tests: writes what the evaluator would refuse.
    "tests/bpflockc-unproven": ("compiler/main.c",
                                [*(name for name in COMPILER if name not in PROOF),
                                 "tests/proof/unproven.c", *BUNDLE],
                                ["libbpf", "libelf", "zlib", "libsodium"]),
    # For tests: any of its steps can be made to fail.
    "tests/bpflock-load-faults": ("loader/main.c", LOADER + ["tests/vm/fault.c"] + BUNDLE,
                                  ["libbpf", "libelf", "zlib", "libsodium"]),
    # For tests: records what it is told to.
    "tests/bpflock-load-forges": ("loader/main.c",
                                  ["tests/vm/forge_record.c", *LOADER, "loader/fault.c", *BUNDLE],
                                  ["libbpf", "libelf", "zlib", "libsodium"]),
    # For tests: attaches a program of any kind.
    "tests/attach-it": ("tests/vm/attach_it.c", [], ["libbpf", "libelf", "zlib"]),
    # For tests: asks for what a policy denies, again and again.
    "tests/hammer": ("tests/vm/hammer.c", [], []),
    # For tests: takes what is sent to the journal.
    "tests/journal": ("tests/vm/journal.c", [], []),
}

# How some of them are linked besides.
LINKING = {"tests/bpflock-load-forges": "-Wl,--wrap=record_create,--wrap=attach_and_prove"}

# What makes a policy's own object of a template.
TEMPLATE = ["compiler/cgroups.c", "compiler/edit.c", "compiler/lookup.c", "compiler/template.c"]

# For tests of the compiler's stages.
FRONT_TEST = ["tests/unit/front.c", *COMPILER, *BUNDLE]

# cmocka programs: tests/unit/NAME.c with the sources that it tests.
UNIT_TESTS = {
    "test_probe": ["loader/cmdline.c", "loader/layout.c", "loader/lsm.c", "loader/mount.c",
                   "loader/names.c", "loader/process.c", "loader/read.c", "loader/report.c",
                   "loader/subjects.c", *BUNDLE],
    "test_reasons": ["loader/names.c", "loader/reasons.c", "loader/report.c", *BUNDLE],
    "test_text": ["loader/detail.c", "loader/read.c", "loader/report.c", "bundle/text.c", "bundle/utf8.c"],
    "test_format": ["tests/unit/sample.c", "loader/cgroup_paths.c", "loader/cgroup_root.c", "loader/format.c",
                    "loader/journal.c", *BUNDLE],
    "test_filter": ["tests/unit/sample.c", "loader/filter.c", "loader/report.c", *BUNDLE],
    "test_cgroup_paths": ["loader/cgroup_paths.c", "loader/cgroup_root.c"],
    "test_people": ["loader/people.c"],
    "test_journal": ["loader/journal.c"],
    "test_record": ["tests/unit/sample.c", "loader/findings.c", "loader/layout.c", "loader/record.c",
                    "loader/tag.c", *BUNDLE],
    "test_canary": ["tests/unit/sample.c", "loader/canary.c", "loader/mount.c", "loader/process.c", "loader/read.c",
                    "loader/ring.c", "loader/stand_in.c", "loader/trial.c", "compiler/arena.c",
                    *TEMPLATE, "compiler/memfile.c", "compiler/link.c", *BUNDLE],
    "test_arena": ["compiler/arena.c"],
    "test_insn": ["compiler/insn.c"],
    "test_fold": ["compiler/arena.c", *FOLD, *BUNDLE],
    "test_optimize": ["tests/unit/sample.c", "compiler/arena.c", *TEMPLATE,
                      "compiler/memfile.c", "compiler/link.c", *FOLD, *BUNDLE],
    "test_suggest": ["bundle/suggest.c"],
    "test_source": FRONT_TEST,
    "test_diag": FRONT_TEST,
    "test_check": FRONT_TEST,
    "test_eval": FRONT_TEST,
    "test_plan": FRONT_TEST,
    "test_prove": FRONT_TEST,
    "test_target": FRONT_TEST,
    "test_table": ["bundle/table.c", "bundle/operations.c"],
    "test_machine": ["compiler/arena.c", "compiler/proof/machine.c", "compiler/proof/memory.c"],
    "test_evaluate": ["tests/unit/sample.c", "compiler/arena.c", "compiler/memfile.c",
                      "compiler/link.c", *TEMPLATE, *PROOF, *BUNDLE],
    "test_reader": ["bundle/reader.c"],
    "test_note": ["tests/unit/sample.c", *BUNDLE],
    "test_bundle": ["tests/unit/sample.c", *BUNDLE],
    "test_destination": ["tests/unit/sample.c", "compiler/arena.c", "compiler/lookup.c", *BUNDLE],
    "test_cgroups": ["compiler/arena.c", "compiler/cgroups.c", *BUNDLE],
    "test_template": ["tests/unit/sample.c", "compiler/arena.c", *TEMPLATE,
                      "compiler/memfile.c", "compiler/link.c", *BUNDLE],
    "test_emit": ["tests/unit/sample.c", "compiler/arena.c", *TEMPLATE,
                  "compiler/memfile.c", "compiler/link.c", "compiler/emit.c", *BUNDLE],
}

# libFuzzer targets, built by --fuzz: tests/fuzz/NAME.c.
FUZZERS = {
    "fuzz_bundle": BUNDLE,
    "fuzz_record": ["loader/layout.c", "loader/record.c", *BUNDLE],
    "fuzz_policy": COMPILER + BUNDLE,
    "fuzz_evaluate": ["compiler/arena.c", *PROOF, *BUNDLE],
}

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion"]
# -ffreestanding: clang's own stdint.h and no system header but libbpf's, whose
# BPF_PROG() leaves its context unused.
BPF_FLAGS = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-ffreestanding", "-Wall", "-Wextra",
             "-Wno-unused-parameter", "-Werror"]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Write build.ninja.")
    parser.add_argument("--cc", default="gcc", help="C compiler: gcc (default) or clang")
    parser.add_argument("--cross", choices=list(CROSS), metavar="ARCH",
                        help="only the loader's programs, for arm64 (into build/arm64)")
    parser.add_argument("--builddir", help="where all output goes (default: build)")
    parser.add_argument("--werror", action="store_true", help="warnings are errors")
    parser.add_argument("--sanitize", action="store_true", help="with ASan and UBSan")
    parser.add_argument("--coverage", action="store_true", help="count the lines that ran")
    parser.add_argument("--packages", action="store_true",
                        help="print the Debian packages that building and testing need, and stop")
    parser.add_argument("--fuzz", action="store_true", help="build the libFuzzer targets (clang)")
    options = parser.parse_args()
    if not options.builddir:
        options.builddir = f"build/{options.cross}" if options.cross else "build"
    return options


def packages():
    return sorted({*TOOLS.values(), *COMPILERS.values(), *LIBRARIES.values(), *TEST_PACKAGES})


def missing_packages(cc):
    """(what, package) for everything that is not installed."""
    missing = []
    compilers = {**COMPILERS, **dict(CROSS.values())}
    for tool, package in {cc: compilers.get(cc, cc), **TOOLS}.items():
        if not shutil.which(tool):
            missing.append((f"the program {tool}", package))
    have_pkg_config = shutil.which("pkg-config")
    for library, package in LIBRARIES.items():
        found = have_pkg_config and subprocess.run(
            ["pkg-config", "--exists", library], check=False).returncode == 0
        if not found:
            missing.append((f"the library {library}", package))
    return missing


def pkg_config(what, libraries):
    if not libraries:
        return ""
    command = ["pkg-config", what, *libraries]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


class Ninja:
    """Writes ninja's syntax; paths here hold no space, colon or dollar."""

    def __init__(self, out):
        self.out = out

    def variable(self, name, value):
        self.out.write(f"{name} = {value}\n")

    def rule(self, name, command, **more):
        self.out.write(f"\nrule {name}\n  command = {command}\n")
        for key, value in more.items():
            self.out.write(f"  {key} = {value}\n")

    def build(self, outputs, rule, inputs, implicit=(), order_only=(), **variables):
        line = f"\nbuild {' '.join(outputs)}: {rule} {' '.join(inputs)}"
        if implicit:
            line += " | " + " ".join(implicit)
        if order_only:
            line += " || " + " ".join(order_only)
        self.out.write(line + "\n")
        for key, value in variables.items():
            self.out.write(f"  {key} = {value}\n")

    def default(self, targets):
        self.out.write(f"\ndefault {' '.join(targets)}\n")


def write_flags(ninja, options, cross=""):
    cflags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", *WARNINGS]
    ldflags = []
    if options.werror:
        cflags.append("-Werror")
    if not (options.sanitize or options.fuzz or options.coverage):
        cflags += ["-ffunction-sections", "-fdata-sections"]
        ldflags.append("-Wl,--gc-sections")
    if options.sanitize:
        sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        cflags += [*sanitize, "-fno-omit-frame-pointer"]
        ldflags += sanitize
    if options.fuzz:
        cflags.append("-fsanitize=fuzzer-no-link")
    if options.coverage:
        cflags += ["--coverage", "-O0"]
        ldflags.append("--coverage")
    ninja.variable("ninja_required_version", "1.10")
    ninja.variable("builddir", options.builddir)
    ninja.variable("cc", options.cc + cross)
    ninja.variable("cflags", " ".join(cflags))
    ninja.variable("ldflags", " ".join(ldflags))
    # -iquote, not -I: <bpf/bpf.h> is libbpf's, "bpf/operations.h" is ours.
    found = "" if cross else pkg_config("--cflags", list(LIBRARIES))
    ninja.variable("includes", f"-iquote . -iquote {options.builddir} {found}")


def write_rules(ninja):
    ninja.rule("cc", "$cc -MMD -MF $out.d $cflags $extra $includes -c $in -o $out",
               depfile="$out.d", deps="gcc", description="CC $out")
    ninja.rule("as", "$cc $extra -c $in -o $out", description="AS $out")
    ninja.rule("link", "$cc $ldflags $extra $in $libs -o $out", description="LINK $out")
    ninja.rule("flex", "flex --header-file=$header -o $source $in", description="FLEX $in")
    ninja.rule("bison", "bison -Werror -Wall -Wno-yacc --header=$header -o $source $in",
               description="BISON $in")
    ninja.rule("bpf", f"clang -MMD -MF $out.d {' '.join(BPF_FLAGS)} $extra -iquote . "
               "-fdebug-prefix-map=$$PWD=. -c $in -o $out && llvm-strip -g $out",
               depfile="$out.d", deps="gcc", description="BPF $out")
    ninja.rule("bpflink", "bpftool gen object $out $in", description="BPFLINK $out")
    ninja.rule("embed", "python3 compiler/embed.py -o $out $in", description="EMBED $out")
    ninja.rule("configure", "./configure.py $arguments", generator="1", description="CONFIGURE")


def object_path(options, source):
    return f"{options.builddir}/{os.path.splitext(source)[0]}.o"


def size_flags(source):
    """The loader runs once, on machines that may be small."""
    return "-Os -fno-asynchronous-unwind-tables" if source.startswith("loader/") else ""


def write_grammar(ninja, options):
    """The lexer and the parser; returns the headers that they make."""
    base = f"{options.builddir}/grammar"
    headers = []
    for rule, name in (("flex", "policy.l"), ("bison", "policy.y")):
        stem = f"{base}/{'lexer' if rule == 'flex' else 'parser'}"
        ninja.build([f"{stem}.c", f"{stem}.h"], rule, [f"grammar/{name}"],
                    source=f"{stem}.c", header=f"{stem}.h")
        headers.append(f"{stem}.h")
        # What flex and bison write is theirs: their idea of conversions too.
        ninja.build([f"{stem}.o"], "cc", [f"{stem}.c"], order_only=[f"{base}/lexer.h", f"{base}/parser.h"],
                    extra="-Wno-conversion -Wno-sign-conversion -Wno-unused-but-set-variable -Wno-unknown-warning-option")
    return headers


def write_templates(ninja, options):
    objects = []
    for name in TEMPLATES:
        for suffix, extra in TEMPLATE_VARIANTS.items():
            out = f"{options.builddir}/bpf/{name}{suffix}.bpf.o"
            ninja.build([out], "bpf", [f"bpf/templates/{name}.bpf.c"], extra=extra)
            objects.append(out)
    listing = f"{options.builddir}/compiler/templates.S"
    ninja.build([listing], "embed", objects, implicit=["compiler/embed.py"])
    # .incbin is invisible to the assembler's dependencies.
    embedded = f"{options.builddir}/compiler/templates.o"
    ninja.build([embedded], "as", [listing], implicit=objects)
    return embedded


def write_guard(ninja, options):
    """The guard, which the loader brings along; linked alone, as libbpf then completes its types."""
    compiled, linked = (f"{options.builddir}/bpf/guard{suffix}" for suffix in (".c.o", ".bpf.o"))
    ninja.build([compiled], "bpf", ["bpf/guard/guard.bpf.c"])
    ninja.build([linked], "bpflink", [compiled])
    embedded = f"{options.builddir}/loader/guard_object.o"
    ninja.build([embedded], "as", ["loader/guard_object.S"], implicit=[linked],
                extra=f"-Wa,-I{options.builddir}")
    return embedded


def sysroot(architecture):
    """The folder with its headers and libraries, fetched if it is not there."""
    command = ["tests/vm/vm.py", "sysroot", "--arch", architecture]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def write_cross(ninja, options):
    """What runs on the machine that is locked down; bundles are the same bytes everywhere."""
    write_flags(ninja, options, f" --sysroot={sysroot(options.cross)}")
    write_rules(ninja)
    guard = write_guard(ninja, options)
    built = set()
    for name, (main, shared, _) in PROGRAMS.items():
        if "compiler/parse.c" in shared:  # bpflockc, and what tests make of it
            continue
        sources = [main, *shared]
        for source in sources:
            if source not in built:
                built.add(source)
                ninja.build([object_path(options, source)], "cc", [source],
                            extra=size_flags(source))
        objects = [object_path(options, source) for source in sources]
        if "loader/guard.c" in sources:
            objects.append(guard)
        ninja.build([f"{options.builddir}/{name}"], "link", objects, libs=CROSS_LIBRARIES,
                    extra=LINKING.get(name, ""))


def write_programs(ninja, options, headers, embedded, guard):
    generated = [f"{options.builddir}/grammar/lexer.o", f"{options.builddir}/grammar/parser.o"]
    built = {}

    def compile_once(source):
        if source not in built:
            built[source] = object_path(options, source)
            ninja.build([built[source]], "cc", [source], order_only=headers,
                        extra=size_flags(source))
        return built[source]

    def link(target, main, shared, libraries, extra=""):
        objects = [compile_once(main)] + [compile_once(source) for source in shared]
        if "compiler/parse.c" in shared:
            objects += generated
        if "compiler/template.c" in shared:
            objects.append(embedded)
        if "loader/guard.c" in shared:
            objects.append(guard)
        libs = pkg_config("--libs", libraries)
        ninja.build([target], "link", objects, libs=libs, extra=extra)
        return target

    programs = [link(f"{options.builddir}/{name}", main, shared, libraries, LINKING.get(name, ""))
                for name, (main, shared, libraries) in PROGRAMS.items()]
    tests = [link(f"{options.builddir}/tests/{name}", f"tests/unit/{name}.c", shared,
                  ["cmocka", "libbpf", "libelf", "zlib", "libsodium"])
             for name, shared in UNIT_TESTS.items()]
    fuzzers = []
    if options.fuzz:
        fuzzers = [link(f"{options.builddir}/fuzz/{name}", f"tests/fuzz/{name}.c", shared,
                        ["libbpf", "libelf", "zlib", "libsodium"], extra="-fsanitize=fuzzer")
                   for name, shared in FUZZERS.items()]
    return programs, tests, fuzzers


def write_native(ninja, options):
    write_flags(ninja, options)
    write_rules(ninja)
    headers = write_grammar(ninja, options)
    embedded = write_templates(ninja, options)
    programs, tests, fuzzers = write_programs(ninja, options, headers, embedded, write_guard(ninja, options))
    ninja.default(programs + tests + fuzzers)


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    options = parse_arguments()
    if options.packages:
        print("\n".join(packages()))
        return 0
    if options.fuzz:
        options.cc, options.sanitize = "clang", True
    if options.cross:
        options.cc = CROSS[options.cross][0]
    missing = missing_packages(options.cc)
    if missing:
        for what, package in missing:
            print(f"configure.py: missing {what}: apt-get install {package}", file=sys.stderr)
        return 1
    path = "build.ninja" if options.builddir == "build" else f"{options.builddir}/build.ninja"
    os.makedirs(options.builddir, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        ninja = Ninja(out)
        if options.cross:
            write_cross(ninja, options)
        else:
            write_native(ninja, options)
        ninja.build([path], "configure", [], implicit=["configure.py"],
                    arguments=" ".join(shlex.quote(argument) for argument in sys.argv[1:]))
    print(f"configure.py: wrote {path}; build with: ninja" + ("" if path == "build.ninja" else f" -f {path}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
