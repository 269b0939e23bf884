#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Goldens of bpflockc: what it says of a policy, to the letter.

    python3 tests/diag.py [--compiler build/bpflockc] [--update] [NAME...]

tests/diag/NAME.bpflock, or NAME/main.bpflock with what it includes, is run
with --check, and its stderr and exit status held against NAME.stderr.  A
NAME.args has the arguments to use in place of --check; the policy follows
them, where there is one.  tests/compile/NAME.args is a whole command line,
held against NAME.stdout: stdout, then stderr, then the exit status.  It may
be several, one a line; {tmp} is a folder that they share.

Each check of compiler/checks.def must be shown by some golden of tests/diag.
--update writes the expected files: read the difference before you commit it.
"""

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TODAY = "1767225600"        # 2026-01-01
SECONDS = 20


class Case:
    """One command line, and the file with what it must print."""

    def __init__(self, folder, name, commands, expected):
        self.folder = folder
        self.name = "%s/%s" % (os.path.basename(folder), name)
        self.commands = commands
        self.expected = expected

    def words(self):
        return "; ".join(shlex.join(command) for command in self.commands)

    def run(self, compiler, seconds):
        with tempfile.TemporaryDirectory() as folder:
            return b"".join(self.run_one(compiler, command, folder, seconds)
                            for command in self.commands)

    def run_one(self, compiler, arguments, folder, seconds):
        environment = {**os.environ, "SOURCE_DATE_EPOCH": TODAY,
                       "LC_ALL": "C"}
        arguments = [word.replace("{tmp}", folder) for word in arguments]
        done = subprocess.run([compiler, *arguments], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=seconds, check=False, env=environment)
        return self.report(done).replace(folder.encode(), b"{tmp}")

    def report(self, done):
        printed = done.stderr
        if self.expected.endswith(".stdout"):
            printed = done.stdout
            if done.stderr:
                printed += b"--- stderr\n" + done.stderr
        elif done.stdout:
            printed += b"--- stdout\n" + done.stdout
        return printed + b"--- exit %d\n" % done.returncode


def read_arguments(path):
    """The command lines, one a line; a line that begins with '#' is none."""
    with open(path, encoding="utf-8") as file:
        return [shlex.split(line) for line in file if line[0] != "#"]


def diag_cases(folder):
    names = set()
    for entry in os.listdir(folder):
        stem, extension = os.path.splitext(entry)
        if extension in (".bpflock", ".args"):
            names.add(stem)
        elif os.path.exists(os.path.join(folder, entry, "main.bpflock")):
            names.add(entry)
    for name in sorted(names):
        base = os.path.join(folder, name)
        arguments = ["--check"]
        if os.path.exists(base + ".args"):
            arguments = read_arguments(base + ".args")[0]
        if os.path.exists(base + ".bpflock"):
            arguments.append(name + ".bpflock")
        elif os.path.isdir(base):
            arguments.append(name + "/main.bpflock")
        yield Case(folder, name, [arguments], base + ".stderr")


def compile_cases(folder):
    for entry in sorted(os.listdir(folder)):
        stem, extension = os.path.splitext(entry)
        if extension == ".args":
            base = os.path.join(folder, stem)
            yield Case(folder, stem, read_arguments(base + ".args"),
                       base + ".stdout")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def difference(wanted, found):
    return "".join(difflib.unified_diff(
        wanted.decode("utf-8", "backslashreplace").splitlines(True),
        found.decode("utf-8", "backslashreplace").splitlines(True),
        "expected", "found"))


def failure(case, compiler, update, seconds):
    """None, or what is wrong."""
    try:
        found = case.run(compiler, seconds)
    except subprocess.TimeoutExpired:
        return "it ran over %d s" % seconds
    wanted = read(case.expected)
    if found == wanted:
        return None
    if update:
        with open(case.expected, "wb") as file:
            file.write(found)
        return None
    return difference(wanted, found)


def unshown_checks():
    """The checks that no golden has in its brackets."""
    with open(os.path.join(HERE, "..", "compiler", "checks.def"),
              encoding="utf-8") as file:
        known = re.findall(r'^CHECK\(\w+, "([^"]+)"', file.read(), re.M)
    shown = set()
    folder = os.path.join(HERE, "diag")
    for entry in os.listdir(folder):
        if entry.endswith(".stderr"):
            words = read(os.path.join(folder, entry)).decode("utf-8",
                                                             "replace")
            shown.update(re.findall(r"\[([a-z-]+)\]$", words, re.M))
    return [name for name in known if name not in shown]


def main():
    parser = argparse.ArgumentParser(description="goldens of bpflockc")
    parser.add_argument("--compiler", type=os.path.abspath,
                        default=os.path.join(HERE, "..", "build", "bpflockc"))
    parser.add_argument("--update", action="store_true",
                        help="write what is printed as what is expected")
    parser.add_argument("--stop", action="store_true",
                        help="at the first failure")
    parser.add_argument("--seconds", type=float, default=SECONDS,
                        help="that one command may take")
    parser.add_argument("names", nargs="*", help="only these goldens")
    options = parser.parse_args()
    passed = failed = 0
    cases = [*diag_cases(os.path.join(HERE, "diag")),
             *compile_cases(os.path.join(HERE, "compile"))]
    for case in cases:
        if options.names and case.name.split("/")[1] not in options.names:
            continue
        words = failure(case, options.compiler, options.update,
                        options.seconds)
        if words is None:
            passed += 1
            continue
        failed += 1
        print("FAILED %s: %s\n%s" % (case.name, case.words(),
                                     words))
        if options.stop:
            break
    missing = unshown_checks()
    if missing:
        failed += 1
        print("FAILED no golden shows", ", ".join(missing))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
