#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do the tests notice when the compiler is wrong?

    python3 tests/mutate.py [--sample N --seed S] [FILE.c...]

Makes one small mistake at a time (a mutant): compiles that file, links, and
runs the unit tests, the goldens and some made-up policies until one fails.
What lives is built once more with sanitizers, and tried again: to read past
the end of an array is a mistake, though mostly nothing comes of it.
What is done is kept in BUILDDIR/state.json, and an interrupted run goes on
there; a mutant is known by its file, line and text.  The report goes to
tests/reports/mutation-frontend.md.
"""

import argparse
import datetime
import hashlib
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import time

import stages

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["compiler/%s.c" % name for name in stages.DECIDING]
UNIT = ("suggest", "source", "diag", "check", "eval", "plan", "prove", "table")
MEMORY = 2 << 30            # bytes, for a mutant that allocates for ever
SECONDS = 30                # for all runs of one test
SLOWER = 10                 # times, with sanitizers
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=0:hard_rss_limit_mb=2048"}
REPORT = os.path.join(TOP, "tests", "reports", "mutation-frontend.md")

INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=",
           ">=": "<"}
BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
CONSTANTS = [("PLACE_HOST", "PLACE_CONTAINER"), ("RULE_BLOCK", "RULE_ALLOW"),
             ("PROFILE_ALLOW", "PROFILE_RESTRICTED"),
             ("PROFILE_BASELINE", "PROFILE_RESTRICTED"),
             ("PROFILE_RESTRICTED", "PROFILE_ALLOW"),
             ("LOG_ALL", "LOG_DENIED"), ("LOG_NONE", "LOG_DENIED"),
             ("SUBJECT_HOST", "SUBJECT_CONTAINER"),
             ("LET_GOOD", "LET_BROKEN"), ("OUTCOME_GOOD", "OUTCOME_FAILED"),
             ("KIND_SUBJECTS", "KIND_OPERATIONS"),
             ("KIND_INTEGER", "KIND_STRING")]


# --- making mutants -----------------------------------------------------------


def blank(text):
    """The text with comments, strings and directives made of spaces."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'|"
                  r"^#[^\n]*", spaces, text, flags=re.S | re.M)


def closing(code, at):
    """Where the parenthesis that opens at `at` is closed."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    raise ValueError("parentheses")


def replacements(code):
    """Yields (begin, end, new text, what it is)."""
    for match in re.finditer(r"(?<=[^-<>=!])(==|!=|<=|>=|<|>)(?=[^<>=])",
                             code):
        old = match.group()
        yield (*match.span(), INVERSE[old], "inverted comparison")
        if old in BOUNDARY:
            yield (*match.span(), BOUNDARY[old], "comparison off by one")
    for match in re.finditer(r"&&|\|\|", code):
        yield (*match.span(), "||" if match.group() == "&&" else "&&",
               "and for or")
    for match in re.finditer(r"\breturn (true|false);", code):
        yield (*match.span(1), "false" if match.group(1) == "true"
               else "true", "flipped return")
    for match in re.finditer(r"\b(?:if|while) \(", code):
        end = closing(code, match.end() - 1)
        inside = code[match.end():end]
        if not re.search(r"[^-<>=!](==|!=|<=|>=|<|>)[^<>=]|&&|\|\|", inside):
            yield (match.end(), end, "!(%s)" % inside, "negated condition")
    for one, other in CONSTANTS:
        for match in re.finditer(r"\b%s\b" % one, code):
            yield (*match.span(), other, "other constant")
    for match in re.finditer(r"[-+] 1\b(?!U?L)", code):
        yield (*match.span(), match.group()[0] + " 2", "off by one")
        yield (*match.span(), match.group()[0] + " 0", "off by one")
    for match in re.finditer(r"(?<= = )0(?=;)", code):
        yield (*match.span(), "1", "off by one")
    for match in re.finditer(r"(?<=[;{})\n])\s*\b(diag_report|diag_note|"
                             r"report_\w+)\(", code):
        begin = match.start(1)
        end = closing(code, match.end() - 1)
        if code[end + 1:end + 2] == ";" and code[begin - 1] in "\t\n ":
            yield (begin, end + 1, "(void)0", "report left out")


def mutants(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        text = file.read()
    code = blank(text)
    for begin, end, new, what in replacements(code):
        if code[begin:end] == new or is_declaration(code, begin):
            continue
        line = text.count("\n", 0, begin) + 1
        quoted = " ".join(text[begin:end].split())
        key = hashlib.sha256(("%s %d %d %s" % (
            hashlib.sha256(text.encode()).hexdigest(), begin, end,
            new)).encode()).hexdigest()[:16]
        yield {"key": key, "file": name, "line": line, "what": what,
               "old": quoted[:60], "new": " ".join(new.split())[:60],
               "function": function_at(code, begin), "begin": begin, "end": end, "put": new,
               "source": text.splitlines()[line - 1].strip()}


def function_at(code, at):
    """The function that the place is in."""
    names = re.findall(r"^[a-z_][^;{}=\n]*?(\w+)\(", code[:at], re.M)
    return names[-1] if names else ""


def is_declaration(code, at):
    """A designator of a table, or a case label: no mistake of its own."""
    line = code[code.rfind("\n", 0, at) + 1:code.find("\n", at)]
    return bool(re.match(r"\s*(\[\w+\] = |case )", line))


# --- running them -------------------------------------------------------------


class Builder:
    """Compiles and links beside the build folder, which stays as it is."""

    def __init__(self, folder, sanitized=False):
        self.folder = folder
        self.sanitized = sanitized
        self.ninja = ["ninja", "-j1", "-f", folder + "/build.ninja"]
        self.programs = [folder + "/bpflockc"] + [
            "%s/tests/test_%s" % (folder, name) for name in UNIT]

    def run(self, command, **more):
        return subprocess.run(command, cwd=TOP, check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **more)

    def limits(self):
        """For a test; a sanitizer maps more than it uses."""
        if self.sanitized:
            return {"env": {**os.environ, **SANITIZED}}
        return {"preexec_fn": limit_memory}

    def prepare(self):
        sanitize = ["--sanitize"] if self.sanitized else []
        for command in (["./configure.py", *sanitize,
                         "--builddir", self.folder],
                        [*self.ninja, *self.programs]):
            done = self.run(command)
            if done.returncode:
                sys.exit("mutate.py: no build:\n" + done.stdout)
        listed = self.run([*self.ninja, "-t", "commands", *self.programs])
        self.commands = {}
        for line in listed.stdout.splitlines():
            words = shlex.split(line)
            if "-o" in words:
                self.commands[words[words.index("-o") + 1]] = words

    def build(self, mutant):
        """Whether it compiles; then new/ has the programs made of it."""
        with open(os.path.join(TOP, mutant["file"]), encoding="utf-8") as file:
            text = file.read()
        new = os.path.join(self.folder, "new")
        os.makedirs(os.path.join(TOP, new), exist_ok=True)
        source = os.path.join(new, "mutant.c")
        with open(os.path.join(TOP, source), "w", encoding="utf-8") as file:
            file.write(text[:mutant["begin"]] + mutant["put"] +
                       text[mutant["end"]:])
        known = "%s/%s.o" % (self.folder, mutant["file"][:-2])
        changed = {known: new + "/mutant.o", mutant["file"]: source}
        command = [changed.get(word, word) for word in self.commands[known]
                   if word not in ("-O2", "-g")]
        command[command.index("-o") + 1] = new + "/mutant.o"
        if "-MF" in command:
            command[command.index("-MF") + 1] = "/dev/null"
        if self.run(command).returncode:
            return False
        for program in self.programs:
            if known not in self.commands[program]:
                continue
            command = [changed.get(word, word)
                       for word in self.commands[program]]
            command[command.index("-o") + 1] = os.path.join(
                new, os.path.basename(program))
            done = self.run(command)
            if done.returncode:
                sys.exit("mutate.py: no link:\n" + done.stdout)
        return True

    def check(self):
        """All pass without a mutant, or they would kill every one."""
        failed = self.killed_by(self.folder, self.folder + "/tests")
        if failed:
            sys.exit("mutate.py: without a mutant this fails: " + failed)

    def tests(self, new, unit):
        new, unit = os.path.join(TOP, new), os.path.join(TOP, unit)
        for name in UNIT:
            program = os.path.join(unit, "test_" + name)
            if os.path.exists(program):
                yield "unit " + name, [program]
        compiler = new + "/bpflockc"
        yield "goldens", [sys.executable, "tests/diag.py", "--stop",
                          "--seconds", "20" if self.sanitized else "2",
                          "--compiler", compiler]
        yield "agree", [sys.executable, "tests/agree.py", "--jobs", "1",
                        "--count", "60", "--compiler", compiler]

    def killed_by(self, new, unit):
        """The first test that notices; None where none does."""
        how = ", sanitized" if self.sanitized else ""
        seconds = SECONDS * (SLOWER if self.sanitized else 1)
        for name, command in self.tests(new, unit):
            try:
                if self.run(command, timeout=seconds,
                            **self.limits()).returncode:
                    return name + how
            except subprocess.TimeoutExpired:
                return name + how + " (time)"
        return None


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def try_out(mutant, builders):
    """What notices the mutant; None where nothing does."""
    for builder in builders:
        if not builder.build(mutant):
            return "no build"
        new = builder.folder + "/new"
        killed = builder.killed_by(new, new)
        if killed:
            return killed
    return None


# --- the report ---------------------------------------------------------------


def load(path):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    return {}


EQUIVALENT = os.path.join(TOP, "tests", "equivalent.tsv")


def equivalents():
    """(file, function, line's text, old, new) -> why it decides the same."""
    found = {}
    if os.path.exists(EQUIVALENT):
        with open(EQUIVALENT, encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    *key, why = line.rstrip("\n").split("\t")
                    found[tuple(key)] = why
    return found


def report(chosen, state, options):
    known = equivalents()
    rows, survivors = [], []
    for name in options.files:
        mine = [(mutant, state[mutant["key"]]) for mutant in chosen
                if mutant["file"] == name and mutant["key"] in state]
        outcomes = [outcome for _, outcome in mine]
        built = [outcome for outcome in outcomes if outcome != "no build"]
        lived = [mutant for mutant, outcome in mine if not outcome]
        same = [mutant for mutant in lived if why_same(known, mutant)]
        survivors += lived
        rows.append((name, len(built), len(built) - len(lived), len(same),
                     len(lived) - len(same), len(outcomes) - len(built)))
    rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, 6))))
    with open(REPORT, "w", encoding="utf-8") as out:
        out.write("# Mutants of the front end\n\n%s, `tests/mutate.py%s`: "
                  "one mistake at a time, held against the unit tests, the "
                  "goldens\nand 60 made-up policies, and what lived once more "
                  "with sanitizers.\n\n" % (
                      datetime.date.today(),
                      " --sample %d --seed %d" % (options.sample, options.seed)
                      if options.sample else ""))
        out.write("| file | mutants | killed | same meaning | survived | "
                  "score | do not compile |\n|---|---|---|---|---|---|---|\n")
        for name, built, killed, same, lived, broken in rows:
            out.write("| %s | %d | %d | %d | %d | %.1f %% | %d |\n" % (
                name, built, killed, same, lived,
                100 * killed / max(built - same, 1), broken))
        left = len(chosen) - sum(row[1] + row[5] for row in rows[:-1])
        if left:
            out.write("\n%d more were not tried yet.\n" % left)
        out.write("\nThe score leaves out those that mean the same.\n\n"
                  "## Survivors\n\n")
        for mutant in survivors:
            out.write("- `%s:%d` %s, `%s` to `%s`: `%s`%s\n" % (
                mutant["file"], mutant["line"], mutant["what"],
                mutant["old"], mutant["new"], mutant["source"],
                ". Means the same: " + why_same(known, mutant)
                if why_same(known, mutant) else ""))
    return rows[-1]


def why_same(known, mutant):
    return known.get(tuple(mutant[key] for key in (
        "file", "function", "source", "old", "new")))


def main():
    parser = argparse.ArgumentParser(description="mutation tests")
    parser.add_argument("--builddir", default="build/mutate")
    parser.add_argument("--sample", type=int, default=0,
                        help="only so many, at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--again", action="store_true",
                        help="try survivors again")
    parser.add_argument("--least", type=float, default=95)
    parser.add_argument("files", nargs="*", default=FILES)
    options = parser.parse_args()
    builders = [Builder(options.builddir),
                Builder(options.builddir + "/sanitized", sanitized=True)]
    for builder in builders:
        builder.prepare()
        builder.check()
    chosen = [mutant for name in options.files for mutant in mutants(name)]
    print("%d mutants, seed %d" % (len(chosen), options.seed), flush=True)
    if options.sample:
        generator = random.Random(options.seed)
        chosen = sorted(generator.sample(chosen,
                                         min(options.sample, len(chosen))),
                        key=lambda mutant: (mutant["file"], mutant["line"]))
    path = os.path.join(TOP, options.builddir, "state.json")
    state = load(path)
    end = time.monotonic() + 60 * options.minutes
    order = random.Random(0).sample(chosen, len(chosen))
    for number, mutant in enumerate(order, 1):
        known = state.get(mutant["key"], "")
        if known or (mutant["key"] in state and not options.again):
            continue
        if time.monotonic() > end:
            print("out of time: %d of %d" % (number - 1, len(chosen)))
            break
        outcome = try_out(mutant, builders)
        state[mutant["key"]] = outcome
        if outcome is None:
            print("SURVIVED %s:%d %s: %s -> %s | %s" % (
                mutant["file"], mutant["line"], mutant["what"],
                mutant["old"], mutant["new"], mutant["source"]), flush=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state, file)
    os.makedirs(os.path.dirname(REPORT), exist_ok=True)
    _, built, killed, same, lived, _ = report(chosen, state, options)
    score = 100 * killed / max(built - same, 1)
    print("%d mutants, %d killed, %d mean the same, %d survived: %.1f %%" % (
        built, killed, same, lived, score))
    good = score >= options.least
    print("%d passed, %d failed" % (good, not good))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
