#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes what reads input that others wrote.

    ./configure.py --builddir build/fuzz --fuzz && ninja -f build/fuzz/build.ninja
    python3 tests/fuzz.py [--builddir build/fuzz] [--seconds 60] [TARGET...]

Each target (tests/fuzz/fuzz_NAME.c) first gets every file of its corpus,
tests/fuzz/corpus/NAME, and then --seconds of what libFuzzer makes of them.  An
input that fails is kept in build/fuzz/found and printed in hexadecimal.  With
--merge what was new and worth keeping is added to the corpus.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MAX_LEN = 4096


def words():
    """Every keyword, name and operator of the language."""
    found = set("{ } ( ) ; = , . + - * / % & | ~ << >> # 0x 1".split())
    for name, pattern in (("grammar/words.c", r'\{ "(\w+)", TOK_'),
                          ("compiler/policy.c", r'\{ "(\w+)",'),
                          ("compiler/lets.c", r'\{ "(\w+)",'),
                          ("bpf/operations.def",
                           r"^(?:PROTECTION|TRACE)\((\w+)"),
                          ("bpf/operations.def",
                           r"^(?:OPERATION|FAMILY)\(\w+, (\w+)")):
        with open(os.path.join(HERE, "..", name), encoding="utf-8") as file:
            found.update(re.findall(pattern, file.read(), re.M))
    return sorted(found | {'cgroup "/a"', '"/a/b"', "until 2030-06-30",
                           '"0951:1666"', '"10.0.0.0/8"', '"8000-8080"',
                           '"2001:db8::/32"', "language 1;", "seal open;",
                           "profile baseline;", "9223372036854775807"})


def dictionary(folder):
    path = os.path.join(folder, "policy.dict")
    with open(path, "w", encoding="utf-8") as file:
        for word in words():
            file.write('"%s"\n' % word.replace("\\", "\\\\").replace(
                '"', '\\"'))
    return path


class Target:
    def __init__(self, options, name):
        self.program = os.path.join(options.builddir, "fuzz", name)
        self.name = name
        self.corpus = os.path.join(HERE, "fuzz", "corpus",
                                   name.replace("fuzz_", "", 1))
        self.found = os.path.join(options.builddir, "found")
        os.makedirs(self.corpus, exist_ok=True)
        os.makedirs(self.found, exist_ok=True)

    def run(self, folder, *arguments):
        """Whether it ended well; run in an empty folder, as it opens files."""
        empty = os.path.join(folder, "empty")
        os.makedirs(empty, exist_ok=True)
        with open(os.path.join(folder, "log"), "w+b") as log:
            status = subprocess.run(
                [self.program, "-artifact_prefix=%s/" % self.found,
                 "-timeout=10", "-rss_limit_mb=1024", *arguments], cwd=empty,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                check=False).returncode
            log.seek(0)
            said = log.read().decode("utf-8", "replace")
        runs = re.findall(r"^#(\d+)\s+DONE|Done (\d+) runs", said, re.M)
        print("%s: %s %s" % (self.name, "fine" if status == 0 else "FAILED",
                             " ".join("%s runs" % max(pair) for pair in
                                      runs[-1:])), flush=True)
        if status:
            print(said[-8000:])
        return status == 0

    def fuzz(self, folder, options):
        new = os.path.join(folder, self.name)
        os.makedirs(new)
        arguments = ["-max_total_time=%d" % options.seconds,
                     "-max_len=%d" % MAX_LEN, "-seed=%d" % options.seed]
        if self.name == "fuzz_policy":
            arguments.append("-dict=" + dictionary(folder))
        print("%s: seed %d" % (self.name, options.seed), flush=True)
        good = self.run(folder, *arguments, new, self.corpus)
        if good and options.merge:
            self.merge(folder, new)
        return good

    def merge(self, folder, new):
        """The smallest set of files that reaches all that is reached."""
        merged = os.path.join(folder, "merged")
        os.makedirs(merged)
        if self.run(folder, "-merge=1", "-max_len=%d" % MAX_LEN, merged,
                    self.corpus, new):
            shutil.rmtree(self.corpus)
            shutil.move(merged, self.corpus)


def main():
    parser = argparse.ArgumentParser(description="libFuzzer targets")
    parser.add_argument("--builddir", type=os.path.abspath,
                        default=os.path.join(HERE, "..", "build", "fuzz"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int,
                        default=int(time.time()) % 1000000000)
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    known = sorted(name[:-2] for name in os.listdir(os.path.join(HERE, "fuzz"))
                   if name.endswith(".c"))
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in options.targets or known:
            target = Target(options, name)
            outcomes = [target.run(folder, "-runs=0", target.corpus)]
            if options.seconds:
                outcomes.append(target.fuzz(folder, options))
            passed += sum(outcomes)
            failed += len(outcomes) - sum(outcomes)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
