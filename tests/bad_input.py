#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is no policy, or too much of one, costs bpflockc little.

    python3 tests/bad_input.py [--compiler build/bpflockc] [--sanitized]

Each input must end with the exit status and the words that are asked for, no
output left behind, within 64 MiB of memory and a few seconds; with --sanitized
memory is not held to that, as a sanitizer takes its own.  Then come command
lines of bpflock-load and bpflock-log, and ones made up at random (--count,
--seed), which may do anything but crash.
"""

import argparse
import os
import random
import re
import shutil
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TODAY = "1767225600"        # 2026-01-01
MEMORY = 64 * 1024          # KiB
SECONDS = 5
SLOWER = 10                 # times, with a sanitizer
NOBODY = 65534

CASES = []


def case(words, status=1, arguments=("--check", "policy"), lines=None):
    """A test: the function writes what it needs into the current folder."""
    def add(function):
        CASES.append((function.__name__.replace("_", "-"), function, words,
                      status, list(arguments), lines))
        return function
    return add


def write(name, *parts):
    """Parts are texts, bytes, or iterables of them: nothing large is ever in
    memory, for a child's peak begins with that of its parent."""
    with open(name, "wb") as file:
        for part in parts:
            for piece in [part] if isinstance(part, (str, bytes)) else part:
                file.write(piece.encode() if isinstance(piece, str) else piece)


def policy(*items, lets=""):
    write("policy", "language 1;\n", lets, "\npolicy p {\nseal open;\n",
          *items, "\n}\n")


def repeat(text, count):
    return (text for _ in range(count))


def numbered(text, count, first=0):
    return (text % i for i in range(first, first + count))


def version(*expression):
    policy("bpf { profile allow; }\nversion ", *expression, ";")


def bpf(*statements, lets=""):
    policy("bpf {\nprofile baseline;\n", *statements, "}\n", lets=lets)


# --- files --------------------------------------------------------------------


@case(r"'policy' makes the policy larger than 1 MiB \[too-large\]")
def hundred_megabytes():
    write("policy", repeat("# " + "x" * 1021 + "\n", 100 * 1024))


@case(r"larger than 1 MiB \[too-large\]")
def just_too_large():
    write("policy", repeat("x" * 1023 + "\n", 1024), "x")


@case(r"larger than 1 MiB \[too-large\]")
def too_large_in_all():
    policy("include \"items\";\ninclude \"more\";")
    write("items", repeat("#" * 1023 + "\n", 512))
    write("more", repeat("#" * 1023 + "\n", 512))


@case(r"policy:2:1: error: unexpected .x+\.\.\. \[", lines=1)
def largest():
    write("policy", repeat("x" * 1023 + "\n", 1024))


@case(r"'/dev/zero' makes the policy larger than 1 MiB",
      arguments=["--check", "/dev/zero"])
def endless():
    pass


@case(r"'.' is a folder, not a file", arguments=["--check", "."])
def folder():
    pass


@case(r"policy:2:9: error: '\.\.' is a folder, not a file")
def include_of_a_folder():
    write("policy", "language 1;\ninclude \"..\";\npolicy p { seal open; }\n")


@case(r"policy:2:9: error: 'zero' makes the policy larger than 1 MiB")
def include_of_a_device():
    os.symlink("/dev/zero", "zero")
    write("policy", "language 1;\ninclude \"zero\";\npolicy p { }\n")


@case(r"includes itself \[include-cycle\]")
def include_cycle():
    write("policy", "language 1;\ninclude \"a\";\npolicy p { }\n")
    write("a", "include \"b\";\n")
    write("b", "include \"a\";\n")


@case(r"16:1:1: error: includes may be nested 16 deep")
def includes_17_deep():
    write("policy", "language 1;\ninclude \"1\";\npolicy p { }\n")
    for i in range(1, 18):
        write(str(i), "include \"%d\";\n" % (i + 1))


@case(r"holds items, which count once")
def one_include_many_times():
    policy(repeat("include \"a\";\n", 50000))
    write("a", "bpf { profile allow; }\n")


@case(r"", status=0)
def one_include_of_lets_many_times():
    policy("bpf { profile allow; }", repeat("include \"a\";\n", 50000))
    write("a", "\n")


@case(r"policy:1:12: error: a NUL stands here")
def nul():
    write("policy", "language 1;\0policy p { }\n")


@case(r"policy:1:3: error: this is not valid UTF-8")
def invalid_utf8():
    write("policy", b"# \xff\xfe\n")


@case(r"policy:1:3: error: a control stands here that changes the direction")
def bidirectional():
    write("policy", "# \u2067 x\nlanguage 1;\n")


@case(r"policy:1:12: error: a carriage return stands here")
def lone_carriage_return():
    write("policy", b"language 1;\rpolicy p { }\r")


@case(r"cannot read 'policy': Permission denied \[unreadable\]")
def unreadable():
    write("policy", "language 1;\n")
    os.chmod("policy", 0)


@case(r"cannot read 'policy': No such file or directory \[unreadable\]")
def missing():
    pass


@case(r"policy:1:1: error: there is no policy in this file \[one-policy\]")
def empty():
    write("policy")


@case(r"cannot read 'policy': Too many levels of symbolic links")
def link_to_itself():
    os.symlink("policy", "policy")


@case(r"cannot read '(x+/)*x+': File name too long",
      arguments=["--check", "x" * 300])
def long_name():
    pass


def feed(name, text):
    """A pipe whose writer waits for its reader, and then writes at once."""
    os.mkfifo(name)

    def run():
        with open(name, "wb", buffering=0) as file:
            file.write(text)
    threading.Thread(target=run, daemon=True).start()


@case(r"", status=0)
def pipe():
    feed("policy", b"language 1; policy p { seal open; "
         b"bpf { profile allow; } }\n")


@case(r"policy:1:1: error: there is no policy in this file")
def empty_pipe():
    feed("policy", b"")


# --- shape --------------------------------------------------------------------


@case(r"policy:6:265: error: an expression may be nested 256 deep", lines=1)
def parentheses():
    version(repeat("(", 100000), "1", repeat(")", 100000))


@case(r"an expression may be nested 256 deep", lines=1)
def open_parentheses():
    write("policy", "language 1;\nlet x = ", repeat("(", 1000000))


@case(r"an expression may be nested 256 deep", lines=1)
def signs():
    version(repeat("-", 100000), "1")


@case(r"an expression may be nested 256 deep", lines=1)
def complements():
    version(repeat("~ ", 400000), "1")


@case(r"an expression may be nested 256 deep", lines=1)
def sums():
    version("1", repeat(" + 1", 100000))


@case(r"an expression may be nested 256 deep", lines=1)
def joined_strings():
    policy("bpf { profile allow; }\ndescription \"a\"",
           repeat(" + \"a\"", 100000), ";")


@case(r"an expression may be nested 256 deep", lines=1)
def powers():
    """Operators that bind ever closer, to fill the parser's stack."""
    version(repeat("1 | 1 & 1 << 1 + 1 * -(", 30000))


@case(r"", status=0)
def long_list():
    bpf("block map_create", repeat(", map_create", 80000), ";")


@case(r"unexpected '\{'", lines=1)
def braces():
    write("policy", "language 1;\n", repeat("{", 1000000))


@case(r"unexpected", lines=1)
def open_blocks():
    policy(repeat("bpf { ", 150000))


@case(r"unexpected '\}'")
def closing_braces():
    write("policy", "language 1;\n", repeat("}", 1000000))


@case(r"unexpected ';'")
def semicolons():
    write("policy", "language 1;\n", repeat(";", 1000000))


@case(r"\d+ more errors are not shown", lines=21)
def bad_characters():
    write("policy", repeat("@;", 500000))


@case(r"\d+ more errors are not shown", lines=21)
def open_strings():
    write("policy", repeat("\"\n", 500000))


@case(r"the string is not closed", lines=1)
def long_string():
    write("policy", "language 1;\npolicy \"", repeat("x" * 1000, 1000))


@case(r"there is no protection 'x{100}", lines=1)
def long_word():
    policy(repeat("x" * 1000, 1000), " { }")


# --- lets ---------------------------------------------------------------------


@case(r"nested more than 256 deep \[nesting\]")
def chain_of_lets():
    write("policy", "language 1;\nlet x0 = 1;\n",
          ("let x%d = x%d;\n" % (i, i - 1) for i in range(1, 50001)),
          "policy p {\nseal open;\nversion x50000;\nbpf { profile allow; }\n}")


@case(r"nested more than 256 deep \[nesting\]")
def chain_of_lets_backwards():
    write("policy", "language 1;\nlet x50000 = 1;\n",
          ("let x%05d = x%05d;\n" % (i, i + 1) for i in range(40000)),
          "policy p {\nseal open;\nversion x00000;\nbpf { profile allow; }\n}")


@case(r"the string is longer than 65536 bytes")
def doubling_strings():
    write("policy", "language 1;\nlet x0 = \"ab\";\n",
          ("let x%d = x%d + x%d;\n" % (i, i - 1, i - 1)
           for i in range(1, 200)),
          "policy p {\nseal open;\ndescription x199;\n"
          "bpf { profile allow; }\n}")


@case(r"does not fit 64 bits")
def doubling_integers():
    write("policy", "language 1;\nlet x0 = 1;\n",
          ("let x%d = x%d + x%d;\n" % (i, i - 1, i - 1)
           for i in range(1, 120)),
          "policy p {\nseal open;\nversion x119;\nbpf { profile allow; }\n}")


@case(r"", status=0)
def doubling_sets():
    bpf("block all for who100;\nallow what100 for cgroup \"/x\";\n",
        lets="let who0 = host;\nlet what0 = map_create;\n" + "".join(
            "let who%d = who%d, who%d;\nlet what%d = what%d, what%d;\n" %
            (i, i - 1, i - 1, i, i - 1, i - 1) for i in range(1, 101)))


@case(r"is defined by itself \[let-cycle\]")
def cycle_of_lets():
    write("policy", "language 1;\n",
          ("let x%d = x%d;\n" % (i, (i + 1) % 200) for i in range(200)),
          "policy p { seal open; bpf { profile allow; } }")


@case(r"there is a let 'x' already")
def one_let_many_times():
    write("policy", "language 1;\n", repeat("let x=1;\n", 100000),
          "policy p { seal open; bpf { profile allow; } }")


@case(r"74980 more warnings are not shown", status=0)
def many_lets():
    write("policy", "language 1;\n", numbered("let x%d=1;", 75000),
          "policy p { seal open; bpf { profile allow; } }")


@case(r"is not a let, a subject or an operation")
def many_unknown_names():
    write("policy", "language 1;\n",
          ("let knownname%d=unknownname%d;\n" % (i, i)
           for i in range(25000)),
          "policy p { seal open; bpf { profile allow; } }")


@case(r"is not an operation of bpf")
def many_unknown_operations():
    bpf(numbered("block y%d;\n", 40000),
        lets="".join("let x%d=1;\n" % i for i in range(30000)))


@case(r"more than 16 MiB in all \[limit\]")
def many_long_strings():
    write("policy", "language 1;\nlet s = \"", repeat("x" * 1000, 60),
          "\";\n", numbered("let x%d = s + \"\";\n", 40000),
          "policy p { seal open; bpf { profile allow; } }")


@case(r"more than 262144 subjects in all \[limit\]")
def many_large_sets():
    write("policy", "language 1;\nlet b = host",
          numbered(", cgroup \"/%d\"", 25000), ";\n",
          numbered("let x%d=b,b;\n", 30000),
          "policy p { seal open; bpf { profile allow; } }")


# --- meaning ------------------------------------------------------------------


@case(r"a second `profile`")
def many_profiles():
    bpf(repeat("profile allow;\n", 60000))


@case(r"a second `version`")
def many_versions():
    policy(repeat("version 1;\n", 80000))


@case(r"names 30000 cgroups")
def many_cgroups():
    bpf("block all for host", numbered(", cgroup \"/%d\"", 30000), ";")


@case(r"", status=0)
def most_cgroups():
    bpf("block all for host", numbered(", cgroup \"/%d\"", 2047), ";")


@case(r"", status=0)
def many_devices():
    policy("usb {\nprofile baseline;\ndevice",
           (" \"%04x:%04x\"" % (i >> 16, i & 0xffff) for i in range(80000)),
           ";\n}")


@case(r"more than 262144 subjects in all \[limit\]")
def many_rules_for_many_cgroups():
    bpf(repeat("block obj_get for who;\n", 40000),
        lets="let who = host" + "".join(
            ", cgroup \"/%d\"" % i for i in range(2047)) + ";\n")


@case(r"79981 more warnings are not shown|79980 more", status=0)
def many_rules_for_all():
    bpf("block all for host", numbered(", cgroup \"/%d\"", 2046), ";\n",
        repeat("block all;\n", 80000))


@case(r"more warnings are not shown", status=0)
def many_traces():
    policy("trace {\nprivileged all for host",
           numbered(", cgroup \"/%d\"", 2046), ";\n",
           repeat("privileged all;\n", 60000), "}")


@case(r"is both allowed and blocked")
def many_contradictions():
    bpf(repeat("block all;\nallow all;\n", 40000))


@case(r"", status=0)
def many_assertions():
    bpf("block all for host", numbered(", cgroup \"/%d\"", 2046), ";\n",
        "}\n", repeat("assert all can usb.*;\n", 40000), "usb {",
        "profile allow;\n")


@case(r"more than 262144 subjects in all \[limit\]")
def many_assertions_of_many_cgroups():
    bpf("block all for who;\n}\n",
        repeat("assert who cannot bpf.*;\n", 35000), "usb { profile allow;",
        lets="let who = host" + "".join(
            ", cgroup \"/%d\"" % i for i in range(2046)) + ";\n")


@case(r"more than 262144 subjects in all \[limit\]")
def one_large_assertion():
    bpf("block all for cgroup \"/1\";\n}\n", "assert host",
        numbered(", cgroup \"/%d\"", 25000), " cannot bpf.other",
        repeat(", bpf.obj_get", 35000), ";\n", "usb { profile allow;")


@case(r"", status=0, arguments=["--explain", "--format=json",
                                            "policy"])
def largest_table():
    policy("default profile baseline;\n", *(
        "%s { block all for host%s; }\n" % (name, "".join(
            ", cgroup \"/%d\"" % i for i in range(2047)))
        for name in ("bpf", "kernel_image", "namespaces")))


# --- output and questions -----------------------------------------------------

GOOD = ("language 1; policy p { seal open; kernel_modules { profile allow; "
        "block load_module; log denied; } }\n")


@case(r"error: SOURCE_DATE_EPOCH: this is no number of seconds since 1970",
      arguments=["SOURCE_DATE_EPOCH=today", "--check", "policy"], lines=1)
def no_day():
    write("policy", GOOD)


@case(r"missing/out: No such file or directory",
      arguments=["-o", "missing/out", "policy"])
def output_into_no_folder():
    write("policy", GOOD)


@case(r"out: Is a directory", arguments=["-o", "out", "policy"])
def output_onto_a_folder():
    write("policy", GOOD)
    os.mkdir("out")


@case(r"/dev/full: No space left on device",
      arguments=["-o", "/dev/full", "policy"])
def output_onto_a_full_disk():
    write("policy", GOOD)


@case(r"standard output: No space left on device",
      arguments=["--explain", "policy", ">/dev/full"])
def table_onto_a_full_disk():
    write("policy", GOOD)


@case(r"out: Permission denied", arguments=["-o", "locked/out", "policy"])
def output_into_a_locked_folder():
    write("policy", GOOD)
    os.mkdir("locked", 0o500)


@case(r"cannot read 'policy': File too large", arguments=["--explain", "policy"])
def large_false_bundle():
    write("policy", b"\x7fELF")
    os.truncate("policy", 1 << 40)


@case(r"-D x is longer than 1 MiB|-D x:1:100: error|in all|nested",
      arguments=["--check", "-D", "x=" + "1+" * 60000 + "1", "policy"])
def long_define():
    write("policy", GOOD)


@case(r"nested", arguments=["--prove", "(" * 100000, "policy"], lines=1)
def long_assertion():
    write("policy", GOOD)


@case(r"larger than 1 MiB|is longer than 1 MiB",
      arguments=["--prove", "host can usb.add", "policy"])
def no_room_for_the_question():
    write("policy", GOOD, repeat("#" * 1023, 1024 - 1),
          "#" * (1024 + 1023 - len(GOOD) - 16 + 12))


@case(r"error: 'x+\.\.\. \[syntax\]",
      arguments=["--why", "host", "x" * 100000, "policy"], lines=1)
def long_reference():
    write("policy", GOOD)


# --- output over what was read ------------------------------------------------

READ_FROM = "this is what the policy was read from"


def policy_with_include():
    write("lets", "let it = load_module;\n")
    write("policy", 'language 1;\ninclude "lets";\n',
          "policy p { seal open; kernel_modules { profile allow; block it; } }")


@case(READ_FROM, 2, ("policy", "-o", "policy"))
def output_over_policy():
    policy_with_include()


@case(READ_FROM, 2, ("policy", "-o", "./lets"))
def output_over_include():
    policy_with_include()


@case(READ_FROM, 2, ("policy", "-o", "bundle"))
def output_over_policy_through_link():
    policy_with_include()
    os.symlink("policy", "bundle")


@case(READ_FROM, 2, ("link", "-o", "policy"))
def output_over_policy_read_through_link():
    policy_with_include()
    os.symlink("policy", "link")


@case(READ_FROM, 2, ("policy", "-o", "bundle"))
def output_over_include_of_two_names():
    policy_with_include()
    os.link("lets", "bundle")


# --- running ------------------------------------------------------------------


class Failure(Exception):
    pass


def start(compiler, arguments, user=None):
    """The child, whose stdout goes where an argument `>FILE` says, on the day
    that a first `SOURCE_DATE_EPOCH=DAY` says."""
    today = TODAY
    if arguments and arguments[0].startswith("SOURCE_DATE_EPOCH="):
        today = arguments.pop(0).partition("=")[2]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": today, "LC_ALL": "C",
                   "ASAN_OPTIONS": "allocator_may_return_null=1",
                   "UBSAN_OPTIONS": "print_stacktrace=1"}
    output = "/dev/null"
    if arguments and arguments[-1].startswith(">"):
        output = arguments.pop()[1:]
    with open(output, "wb") as out, open("stderr", "wb") as err:
        return subprocess.Popen([compiler, *arguments], stdout=out,
                                stderr=err, stdin=subprocess.DEVNULL,
                                env=environment, user=user)


def finish(child, seconds):
    """(exit status, peak memory in KiB)"""
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode == -signal.SIGKILL:
        raise Failure("it ran over %d s" % seconds)
    return child.returncode, usage.ru_maxrss


def read_stderr():
    with open("stderr", encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20)


def check_output(before):
    left = {name for name in os.listdir(".") if name != "stderr"} - before
    if left:
        raise Failure("it left %s" % ", ".join(sorted(left)))


def run_case(options, entry):
    """What it cost, for those who ask."""
    name, prepare, words, wanted, arguments, lines = entry
    prepare()
    before = set(os.listdir("."))
    begin = time.monotonic()
    user = NOBODY
    if os.geteuid() or options.same_user:
        user = None
    child = start(options.compiler, list(arguments), user)
    status, memory = finish(child, SECONDS * (SLOWER if options.sanitized
                                              else 1))
    seconds = time.monotonic() - begin
    printed = read_stderr()
    heads = re.findall(r"^\S.*(?:error: |more error).*", printed, re.M)
    if options.verbose:
        print("%-32s %6d KiB %5.2f s  exit %d  %s" % (
            name, memory, seconds, status,
            (printed.splitlines() or [""])[0][:100]))
    if status != wanted:
        raise Failure("exit status %d:\n%s" % (status, printed[-3000:]))
    if not re.search(words, printed):
        raise Failure("no %r in:\n%s" % (words, printed[:1000]))
    if status == 1 and not heads:
        raise Failure("refused without a word")
    if len(heads) > (21 if lines is None else lines):
        raise Failure("%d errors:\n%s" % (len(heads), printed[:2000]))
    if memory > MEMORY and not options.sanitized:
        raise Failure("%d KiB of memory" % memory)
    check_output(before)


# Command lines of the programs beside it, which ask no kernel: the status, what
# is said on stderr, and where stdout goes.
HEX = "0" * 64
PROGRAM_CASES = [
    ("bpflock-load", ["-xy"], 2, "'-x' is no option", None),
    ("bpflock-load", ["-\udcff"], 2, "'-.' is no option", None),
    ("bpflock-load", ["--lock"], 2, "'--lock' is no option", None),
    ("bpflock-load", ["--digest"], 2, "'--digest' misses its value", None),
    ("bpflock-load", ["--status", "--json=1"], 2,
     "'--json=1' is given a value, and takes none", None),
    ("bpflock-load", ["--status", "--digest", HEX], 2,
     "--digest is for bundles", None),
    ("bpflock-load", ["--unload", "x", "--digest", HEX], 2,
     "--digest is for bundles", None),
    ("bpflock-load", ["--help"], 1, "No space left", "/dev/full"),
    ("bpflock-load", ["--version"], 1, "No space left", "/dev/full"),
    ("bpflock-log", ["-xy"], 2, "'-x' is no option", None),
    ("bpflock-log", ["-x"], 2, "'-x' is no option", None),
    ("bpflock-log", ["--json=1"], 2,
     "'--json=1' is given a value, and takes none", None),
    ("bpflock-log", ["--policy"], 2, "'--policy' misses its value", None),
    ("bpflock-log", ["--help"], 1, "No space left", "/dev/full"),
    ("bpflock-log", ["--version"], 1, "No space left", "/dev/full"),
]


def run_program(options, name, arguments, wanted, words, stdout):
    with open(stdout or os.devnull, "wb") as out:
        result = subprocess.run([os.path.join(options.programs, name),
                                 *arguments], stdout=out, check=False,
                                stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL,
                                timeout=SECONDS * SLOWER)
    printed = result.stderr.decode(errors="replace")
    if result.returncode != wanted or not re.search(words, printed):
        raise Failure("exit status %d:\n%s" % (result.returncode, printed))


def random_arguments(generator):
    words = ["--check", "--explain", "--why", "--prove", "--emit=plan",
             "--emit=", "--format=json", "--format=", "--format", "--target",
             "--help", "--version", "-o", "-I", "-D", "-W", "-O0", "-O",
             "-Werror", "-Werror=no-effect", "-Wno-unused-let", "-Wx", "--",
             "-", "", "policy", "policy", "policy", "broken", "bundle", "out",
             "/dev/null", "/dev/full", ".", "host", "/a/b", "cgroup \"/a\"",
             "kernel_modules.load_module", "kernel_modules.*", "usb.add",
             "x=1", "x=", "=", "x=\"\\xff\"", "x=(", "6.1", "6.", "\xff",
             "host can kernel_modules.*", "all cannot usb.add", "host can",
             "((((", "lets", "\udcff\udcfe", "a" * 5000]
    return [generator.choice(words) for _ in range(generator.randrange(8))]


def run_arguments(options, number):
    """One command line of the seed: anything but a crash or a wrong status."""
    generator = random.Random("%s %d" % (options.seed, number))
    arguments = random_arguments(generator)
    child = start(options.compiler, list(arguments))
    status, _ = finish(child, SECONDS * SLOWER)
    printed = read_stderr()
    if status not in (0, 1, 2) or "Sanitizer" in printed:
        raise Failure("%s\nexit status %d:\n%s" % (
            shlex.join(arguments), status, printed[-3000:]))
    if status and not printed:
        raise Failure("%s\nexit status %d without a word" % (
            shlex.join(arguments), status))


def prepare_arguments(options):
    write("policy", GOOD)
    write("broken", "language 1; policy p { seal open; }")
    write("lets", "let x = 1;")
    subprocess.run([options.compiler, "-o", "bundle", "policy"], check=True)


class Tally:
    passed = failed = 0

    def run(self, name, function, *arguments):
        """Runs it in a folder of its own, unless it is in one already."""
        try:
            function(*arguments)
            self.passed += 1
        except Failure as error:
            self.failed += 1
            print("FAILED %s: %s" % (name, error), flush=True)


def in_folder(function, *arguments):
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)
        os.chdir(place)
        try:
            function(*arguments)
        finally:
            os.chdir(HERE)


def main():
    parser = argparse.ArgumentParser(description="bad input to bpflockc")
    parser.add_argument("--compiler", type=os.path.abspath,
                        default=os.path.join(HERE, "..", "build", "bpflockc"))
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--same-user", action="store_true",
                        help="even as root, to whom all is readable")
    parser.add_argument("--count", type=int, default=300,
                        help="of random command lines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true",
                        help="print what each costs")
    parser.add_argument("names", nargs="*", help="only these")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        # The user without rights may not see where it was built: in /root.
        os.chmod(place, 0o755)
        options.programs = os.path.dirname(options.compiler)
        options.compiler = shutil.copy(options.compiler, place)
        return run_all(options)


def run_all(options):
    tally = Tally()
    for entry in CASES:
        if options.same_user and "Permission" in entry[2]:
            continue
        if not options.names or entry[0] in options.names:
            tally.run(entry[0], in_folder, run_case, options, entry)
    if not options.names:
        for program, arguments, *wanted in PROGRAM_CASES:
            tally.run(shlex.join([program, *arguments]), run_program, options,
                      program, arguments, *wanted)
        print("seed", options.seed)
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            prepare_arguments(options)
            for number in range(options.count):
                tally.run("arguments %d" % number, run_arguments, options,
                          number)
            os.chdir(HERE)
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
