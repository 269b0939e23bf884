# SPDX-License-Identifier: GPL-2.0-only
"""Does the compiler decide as the oracle does?

    python3 tests/agree.py --compiler build/bpflockc --count N --seed S

Of each ten made-up policies seven are right, two are wrong, and one is a
right one after an accident, which may be either: then it only matters that
both say the same.  Besides, the compiler is held to cells.tsv and to the
refusals of test_oracle.py.  `--only I` runs policy I of the seed alone.
"""

import argparse
import ipaddress
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile

import generate
import oracle
import test_oracle

# Before every `until` that generate.py makes up, or on its very day.
TODAY = "2208988800"        # 2040-01-01
SECONDS = 30


class Disagreement(Exception):
    pass


# --- the two sides ------------------------------------------------------------


def compiled(compiler, path, folders=(), defines=None):
    """(table or None where it refuses, its words) from the compiler."""
    command = [compiler, "--explain", "--format=json"]
    for folder in folders:
        command += ["-I", folder]
    for name, text in (defines or {}).items():
        command += ["-D", "%s=%s" % (name, text)]
    try:
        done = subprocess.run(command + [path], capture_output=True,
                              timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Disagreement("the compiler ran over %d s" % SECONDS) from None
    words = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 1:
        if not words:
            raise Disagreement("refused without a word")
        return None, words
    if done.returncode != 0:
        raise Disagreement("exit status %d: %s" % (done.returncode, words))
    try:
        return json.loads(done.stdout), words
    except ValueError as error:
        raise Disagreement("no JSON: %s" % error) from None


def decided(path, folders=(), defines=None, files=None):
    """The same from the oracle."""
    try:
        return oracle.decide(path, folders, defines, files), ""
    except oracle.Refused as error:
        return None, str(error)


# --- comparing ----------------------------------------------------------------


def keyed(table):
    """The table with its cells by place and cgroup, whatever their order."""
    table = dict(table)
    for kind in ("protections", "trace"):
        table[kind] = [keyed_block(block) for block in table[kind]]
    return table


def keyed_block(block):
    block = dict(block)
    classes = [class_name(where) for where in block.pop("classes")]
    if len(set(classes)) != len(classes):
        raise Disagreement("%s has a class twice" % block["name"])
    operations = {}
    for operation in block.pop("operations"):
        if len(operation["cells"]) != len(classes):
            raise Disagreement("%s has too many or few cells" %
                               operation["name"])
        operations[operation["name"]] = dict(zip(classes, operation["cells"]))
    settings = block.pop("settings", None) or {}
    return {**block, "cells": operations,
            "devices": settings.get("devices", []),
            "destinations": [keyed_destination(entry) for entry in
                             settings.get("destinations", [])]}


def keyed_destination(entry):
    """Its prefixes in one spelling; their order is as it is."""
    return {**entry, "prefixes": [str(ipaddress.ip_network(word))
                                  for word in entry["prefixes"]]}


def class_name(where):
    return "%s %s" % (where["place"], where["cgroup"] or "-")


def differences(left, right, path=""):
    """Where the oracle's (left) and the compiler's values part."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in list(left) + [key for key in right if key not in left]:
            yield from differences(left.get(key, "nothing"),
                                   right.get(key, "nothing"),
                                   path + "/" + str(key))
    elif isinstance(left, list) and isinstance(right, list) and \
            len(left) == len(right):
        for i, pair in enumerate(zip(left, right)):
            name = i
            if isinstance(pair[0], dict):
                name = pair[0].get("name", i)
            yield from differences(*pair, "%s/%s" % (path, name))
    elif left != right:
        yield "%s: oracle %s, compiler %s" % (path, json.dumps(left),
                                              json.dumps(right))


def compare(wanted, found):
    """Raises Disagreement; each is (table or None, words)."""
    if (wanted[0] is None) != (found[0] is None):
        raise Disagreement("oracle: %s\ncompiler: %s" % (
            wanted[1] or "accepted", found[1] if found[0] is None
            else "accepted"))
    if wanted[0] is None or wanted[0] == found[0]:
        return
    try:
        words = list(differences(keyed(wanted[0]), keyed(found[0])))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Disagreement("not the schema: %r" % error) from None
    if words:
        raise Disagreement("\n".join(words[:10]))


# --- made-up policies ---------------------------------------------------------


def maker(number):
    return {7: generate.broken, 8: generate.broken,
            9: generate.mutant}.get(number % 10, generate.policy)


def one(task):
    """None, or what is wrong with one policy of the seed."""
    compiler, seed, number, folder = task
    make = maker(number)
    text, files = generate.nth(seed, number, make, defines=True)
    words = None
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = generate.write(place, text, files)
        wanted = decided(generate.MAIN, [generate.LIBRARY], generate.DEFINES,
                         oracle.Memory({generate.MAIN: text, **files}))
        try:
            expect(make, wanted)
            compare(wanted, compiled(
                compiler, path, [os.path.join(place, generate.LIBRARY)],
                generate.DEFINES))
        except Disagreement as error:
            words = str(error)
    if words is None:
        return None
    return "%s %d of seed %s:\n%s\n%s" % (
        make.__name__, number, seed, words, listing(text, files))


def expect(make, wanted):
    """The generator keeps its word, or the oracle is wrong about it."""
    if make is generate.policy and wanted[0] is None:
        raise Disagreement("a right policy: oracle: %s" % wanted[1])
    if make is generate.broken and wanted[0] is not None:
        raise Disagreement("a wrong policy: oracle: accepted")


def listing(text, files):
    """The sources with their lines, cut where they are long."""
    words = ""
    for name, content in {generate.MAIN: text, **files}.items():
        words += "  --- %s\n" % name
        for i, line in enumerate(content.split("\n")[:200], 1):
            words += "  %3d %s\n" % (i, line[:500])
    return words.encode("utf-8", "backslashreplace").decode()


# --- policies written by hand -------------------------------------------------


def by_hand(compiler):
    """Yields None or words, for cells.tsv and the cases of test_oracle."""
    def decide(path):
        table, words = compiled(compiler, path)
        if table is None:
            raise Disagreement("%s: refused: %s" % (path, words))
        return table

    try:
        yield from test_oracle.failed_cells(decide)
    except (Disagreement, KeyError, TypeError, AttributeError) as error:
        yield "cells.tsv: %r" % error
    cases = [case for _, case in test_oracle.WRONG] + test_oracle.RIGHT
    for case in cases:
        yield case_by_hand(compiler, case)


def case_by_hand(compiler, case):
    files = {name: text.encode() if isinstance(text, str) else text
             for name, text in (case if isinstance(case, dict)
                                else {"main": case}).items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        path = os.path.join(folder, "main")
        try:
            compare(decided(path), compiled(compiler, path))
        except Disagreement as error:
            return "%.300r:\n%s" % (case, error)
    return None


# --- command line -------------------------------------------------------------


class Tally:
    def __init__(self, show):
        self.passed = self.failed = 0
        self.show = show

    def add(self, words):
        if not words:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= self.show:
            print("FAILED", words, flush=True)


def made_up(options, tally):
    numbers = range(options.count) if options.only is None else [options.only]
    # Memory where there is some: the files live for a few milliseconds.
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=root) as folder, \
            multiprocessing.Pool(options.jobs) as pool:
        tasks = ((options.compiler, options.seed, number, folder)
                 for number in numbers)
        for words in pool.imap(one, tasks, chunksize=16):
            tally.add(words)


def main():
    parser = argparse.ArgumentParser(description="compiler against oracle")
    parser.add_argument("--compiler", required=True, type=os.path.abspath)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one policy of the seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=5,
                        help="how many disagreements to print")
    options = parser.parse_args()
    if not os.access(options.compiler, os.X_OK):
        parser.error("no compiler at %s" % options.compiler)
    print("seed", options.seed, flush=True)
    tally = Tally(options.show)
    if options.only is None:
        # The day of the hand-written ones, which the workers do not see.
        os.environ["SOURCE_DATE_EPOCH"] = test_oracle.TODAY
        for words in by_hand(options.compiler):
            tally.add(words)
    os.environ["SOURCE_DATE_EPOCH"] = TODAY
    made_up(options, tally)
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
