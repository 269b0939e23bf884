#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the compiler's front end no test runs.

    python3 tests/coverage.py [--builddir build/coverage] [--lines]

Builds with --coverage, runs the goldens, bad input, unit tests and some made-up
policies, and prints line coverage of each source, as gcov counts it; with
--lines also the lines that did not run.
"""

import argparse
import json
import os
import subprocess
import sys

import stages

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The back end has tests of its own, which load what it makes.
FRONT = {"compiler/%s.c" % name for name in stages.FRONT_END} | {
    "bundle/suggest.c", "grammar/policy.l", "grammar/policy.y",
    "grammar/tokens.c", "grammar/words.c"}
UNIT = ("arena", "suggest", "source", "diag", "eval", "plan", "prove", "table")


def run(*command, **more):
    print("$", " ".join(command), flush=True)
    return subprocess.run(command, cwd=TOP, check=False, **more).returncode


def build(folder):
    for command in (["./configure.py", "--builddir", folder, "--coverage"],
                    ["ninja", "-f", folder + "/build.ninja",
                     # bad_input.py tries all three
                     *[f"{folder}/{name}" for name in
                       ("bpflockc", "bpflock-load", "bpflock-log")],
                     *("%s/tests/test_%s" % (folder, name)
                       for name in UNIT)]):
        if run(*command, stdout=subprocess.DEVNULL):
            sys.exit("coverage.py: no build")


def forget(folder):
    for place, _, names in os.walk(os.path.join(TOP, folder)):
        for name in names:
            if name.endswith(".gcda"):
                os.unlink(os.path.join(place, name))


def test(folder, count):
    compiler = folder + "/bpflockc"
    good = [run(sys.executable, "tests/diag.py", "--compiler", compiler),
            run(sys.executable, "tests/bad_input.py", "--sanitized",
                "--same-user", "--compiler", compiler),
            run(sys.executable, "tests/agree.py", "--compiler", compiler,
                "--count", str(count))]
    good += [run("%s/tests/test_%s" % (folder, name),
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
             for name in UNIT]
    return not any(good)


def counts(folder):
    """{source: {line: times}} of all objects that ran."""
    found = {}
    for place, _, names in os.walk(os.path.join(TOP, folder)):
        data = sorted(name for name in names if name.endswith(".gcda"))
        if not data:
            continue
        done = subprocess.run(
            ["gcov", "--json-format", "--stdout",
             *(os.path.join(place, name) for name in data)],
            cwd=TOP, check=True, capture_output=True)
        for line in done.stdout.splitlines():
            for file in json.loads(line)["files"]:
                name = os.path.relpath(os.path.join(TOP, file["file"]), TOP)
                lines = found.setdefault(name, {})
                for entry in file["lines"]:
                    number = entry["line_number"]
                    lines[number] = lines.get(number, 0) + entry["count"]
    return found


def ranges(numbers):
    words, first, last = [], None, None
    for number in [*sorted(numbers), None]:
        if first is not None and number != last + 1:
            words.append(str(first) if first == last else
                         "%d-%d" % (first, last))
            first = None
        if first is None:
            first = number
        last = number
    return " ".join(words)


def report(found, show_lines):
    total = ran = 0
    for name in sorted(FRONT):
        lines = found.get(name, {})
        missed = [number for number, times in lines.items() if not times]
        total += len(lines)
        ran += len(lines) - len(missed)
        print("%-22s %5.1f %% of %d" % (
            name, 100 * (len(lines) - len(missed)) / max(len(lines), 1),
            len(lines)))
        if missed and show_lines:
            print("    ", ranges(missed))
    print("%-22s %5.1f %% of %d" % ("all", 100 * ran / max(total, 1), total))
    return ran / max(total, 1)


def main():
    parser = argparse.ArgumentParser(description="line coverage")
    parser.add_argument("--builddir", default="build/coverage")
    parser.add_argument("--count", type=int, default=300,
                        help="of policies made up")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--least", type=float, default=95,
                        help="percent below which it fails")
    options = parser.parse_args()
    build(options.builddir)
    forget(options.builddir)
    good = test(options.builddir, options.count)
    share = report(counts(options.builddir), options.lines)
    good = good and share * 100 >= options.least
    print("%d passed, %d failed" % (good, not good))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
