#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes the tables of the documents from the sources that they describe.

    docs/generate.py            rewrite them
    docs/generate.py --check    exit 1 if a committed one is stale

In docs/language.md what stands between `<!-- generated: NAME -->` and
`<!-- end of NAME -->` is replaced.  docs/breaks.md is written by hand; it only
gets a row for each operation that can be compiled and that it lacks.  What can
be compiled is asked from the compiler, which has to be built.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)

# Which limit stands where: (what, header, macro, how it is said).
LIMITS = [
    ("the text of a policy, includes and `-D` counted",
     "compiler/source.h", "SOURCE_MAX_BYTES", "bytes"),
    ("includes within includes", "compiler/source.h", "SOURCE_MAX_DEPTH", ""),
    ("depth of an expression, its lets put in", "compiler/ast.h",
     "AST_MAX_DEPTH", ""),
    ("a string, joined ones too", "compiler/eval.h", "EVAL_MAX_STRING",
     "bytes"),
    ("all joined strings together", "compiler/lets.h", "LETS_MAX_BYTES",
     "bytes"),
    ("subjects in all sets together", "compiler/lets.h", "LETS_MAX_SUBJECTS",
     ""),
    ("classes of one protection", "bundle/table.h", "TABLE_MAX_CLASSES", ""),
    ("prefixes and ports of all destinations together",
     "bundle/destination.h", "DESTINATION_MAX_PARTS", ""),
    ("errors that are shown, and as many warnings", "compiler/diag.h", "DIAG_MAX_SHOWN", ""),
]

# Which of them the text of a check has.
LIMITS_OF_CHECKS = {
    "too-large": ["SOURCE_MAX_BYTES"],
    "nesting": ["AST_MAX_DEPTH"],
    "include-depth": ["SOURCE_MAX_DEPTH"],
    "limit": ["LETS_MAX_BYTES", "LETS_MAX_SUBJECTS"],
    "classes": ["TABLE_MAX_CLASSES"],
}

UNWRITTEN = "not written yet"


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def macro_calls(text, names):
    """(name, arguments) of each macro of @names that begins a line."""
    pattern = re.compile(r"^(%s)\((.*)\)$" % "|".join(names), re.MULTILINE)
    for match in pattern.finditer(text):
        yield match.group(1), split_arguments(match.group(2))


def split_arguments(text):
    """At the commas that stand in no string and no parentheses."""
    found, depth, quoted, begin = [], 0, False, 0
    for i, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                found.append(text[begin:i].strip())
                begin = i + 1
    return found + [text[begin:].strip()]


# --- the tables that the compiler is made from --------------------------------


class Operation:
    def __init__(self, name, hooks, kernel, words):
        self.name = name
        self.hooks = re.findall(r"ON\((\w+)\)", hooks)
        self.kernel = "%s.%s" % re.search(r"(\d+), *(\d+)", kernel).groups()
        self.words = words.strip('"')
        self.has_subject = True


class Protection:
    def __init__(self, name, words, trace):
        self.name, self.words, self.trace = name, words.strip('"'), trace
        self.operations, self.families = [], []


class Tables:
    def __init__(self, compiler):
        self.heat, self.protections = {}, {}
        text = read("bpf/operations.def")
        macros = ("HOOK", "FUNCTION", "PROTECTION", "TRACE", "OPERATION", "FAMILY",
                  "NO_SUBJECT")
        for macro, arguments in macro_calls(text, macros):
            self.add(macro, arguments)
        self.checks = [arguments for _, arguments in
                       macro_calls(read("compiler/checks.def"), ("CHECK",))]
        # name -> (what can be compiled, and with cgroups), for those of which
        # something can be
        self.compiled = {}
        for name, protection in self.protections.items():
            done = compiler.decided(protection)
            if done:
                self.compiled[name] = (
                    done, compiler.decided(protection, cgroup=True))

    def add(self, macro, arguments):
        if arguments == [""] or "#" in arguments[0]:
            return
        if macro in ("HOOK", "FUNCTION"):
            self.heat[arguments[0]] = arguments[1]
        elif macro in ("PROTECTION", "TRACE"):
            self.protections[arguments[0]] = Protection(
                *arguments, trace=macro == "TRACE")
        elif macro == "OPERATION":
            self.protections[arguments[0]].operations.append(
                Operation(*arguments[1:]))
        elif macro == "FAMILY":
            members = re.findall(r"MEMBER\(\w+, *(\w+)\)", arguments[2])
            self.protections[arguments[0]].families.append(
                (arguments[1], members))
        elif macro == "NO_SUBJECT":
            for operation in self.protections[arguments[0]].operations:
                if operation.name == arguments[1]:
                    operation.has_subject = False

    def denying(self):
        return [row for row in self.protections.values() if not row.trace]


# --- what the compiler can compile --------------------------------------------

# Nothing but the rule is denied or logged.
PROBE = """language 1;
policy probe {
	seal open;
	%s
}
"""


class Compiler:
    """Answers what can be compiled, by being asked to."""

    def __init__(self, path):
        if not os.path.exists(path):
            raise SystemExit("%s is not there: build first" % path)
        self.path = path

    def takes(self, folder, statement):
        policy = os.path.join(folder, "probe.bpflock")
        with open(policy, "w", encoding="ascii") as file:
            file.write(PROBE % statement)
        done = subprocess.run(
            [self.path, policy, "-o", os.path.join(folder, "probe.o")],
            capture_output=True, text=True, check=False)
        if done.returncode and "[no-template]" not in done.stderr:
            raise SystemExit("%s of\n%s\nsays:\n%s" % (
                self.path, statement, done.stderr))
        return done.returncode == 0

    def decided(self, protection, cgroup=False):
        """The operations of @protection that can be compiled."""
        found = []
        whom = ' for cgroup "/a"' if cgroup else ""
        with tempfile.TemporaryDirectory() as folder:
            for row in protection.operations:
                if cgroup and not row.has_subject:
                    continue
                rule = "%s { profile allow; log denied; block %s%s; }" % (
                    protection.name, row.name, whom)
                if protection.trace:
                    name = "all" if protection.name == "exec" else row.name
                    rule = "trace { %s %s%s; }" % (protection.name, name, whom)
                if self.takes(folder, rule):
                    found.append(row.name)
        return found


# --- what is written ----------------------------------------------------------


def table(head, rows):
    lines = ["| %s |" % " | ".join(head), "|" + "---|" * len(head)]
    lines += ["| %s |" % " | ".join(row) for row in rows]
    return "\n".join(lines)


def code(names):
    return ", ".join("`%s`" % name for name in names)


def write_templates(tables):
    rows = []
    for protection in tables.protections.values():
        name = "`%s%s`" % ("trace " if protection.trace else "",
                           protection.name)
        known = [row.name for row in protection.operations]
        done, apart = tables.compiled.get(protection.name, ([], []))
        if not done:
            what = "nothing yet"
        else:
            what = "all" if done == known else code(done)
        rows.append([name, what, "yes" if apart else "no" if done else ""])
    return table(["protection", "operations that can be compiled",
                  "for cgroups too"], rows)


def write_protections(tables):
    parts = []
    for protection in tables.denying():
        rows = [[("`%s`" % row.name), row.words,
                 ", ".join(hook + ("" if tables.heat[hook] == "COLD" else " **hot**")
                           for hook in row.hooks), row.kernel]
                for row in protection.operations]
        text = "#### `%s`: %s\n\n%s" % (
            protection.name, protection.words,
            table(["operation", "what it is", "decided at", "from Linux"],
                  rows))
        for name, members in protection.families:
            text += "\n\n`%s` stands for %s." % (name, code(members))
        without = [row.name for row in protection.operations
                   if not row.has_subject]
        if without:
            text += ("\n\n%s happens without a subject: its rules take no `for`,"
                     " and every class is decided as a container is." %
                     code(without))
        parts.append(text)
    return "\n\n".join(parts)


def write_capabilities(tables):
    names = [row.name[len("cap_"):]
             for row in tables.protections["privileged"].operations]
    return code(names) + "."


def write_checks(tables):
    hold_limits(tables.checks)
    rows = [["`%s`" % name.strip('"'), severity.lower(), words.strip('"')]
            for _, name, severity, words in tables.checks]
    return table(["check", "is", "finds"], rows)


def limit_of(header, macro):
    match = re.search(r"^#define %s\s+([^/\n]*)" % macro, read(header),
                      re.MULTILINE)
    if not match:
        raise SystemExit("%s has no %s any more: see LIMITS in "
                         "docs/generate.py" % (header, macro))
    words = re.sub(r"\(\w+\)", "", match.group(1))     # a cast
    if not re.fullmatch(r"[\d\s()*<]+", words):
        raise SystemExit("%s: %s is not understood" % (header, macro))
    return eval(words)      # digits and operators, as was just seen


def write_limits(_):
    return table(["limit", "at most"],
                 [[what, ("%s %s" % (format(limit_of(header, macro), ","),
                                     unit)).strip()]
                  for what, header, macro, unit in LIMITS])


def hold_limits(checks):
    """What checks.def says of a limit is the number that the code has."""
    headers = {macro: header for _, header, macro, _ in LIMITS}
    for _, name, _, words in checks:
        for macro in LIMITS_OF_CHECKS.get(name.strip('"'), []):
            value = limit_of(headers[macro], macro)
            if not re.search(r"\b(%d|%d MiB)\b" % (value, value >> 20), words):
                raise SystemExit("compiler/checks.def: %s does not say %d, which "
                                 "is %s" % (name, value, macro))


def schema(tables):
    """JSON Schema of what --explain --format=json prints."""
    def record(**fields):
        return {"type": "object", "properties": fields,
                "required": list(fields), "additionalProperties": False}

    text, number, flag = ({"type": kind} for kind in
                          ("string", "integer", "boolean"))
    maybe_text = {"type": ["string", "null"]}
    place = record(place={"enum": ["host", "container"]}, cgroup=maybe_text)
    by = {**record(file=text, line=number), "type": ["object", "null"]}

    def block(cell, names, **more):
        operation = record(name=text, hot=flag,
                           cells={"type": "array", "items": cell})
        return record(name={"enum": names}, **more,
                      classes={"type": "array", "items": place},
                      operations={"type": "array", "items": operation})

    decision = {"enum": ["allow", "deny", "would-deny"]}
    rules = block(record(verdict=decision, logged=flag, by=by),
                  [row.name for row in tables.denying()],
                  profile={"enum": ["allow", "baseline", "restricted"]},
                  log={"enum": ["denied", "all", "none"]})
    ports = {"type": "array", "items": number}
    destination = record(name=text, prefixes={"type": "array", "items": text},
                         ports={"type": "array", "items": ports})
    rules["properties"]["settings"] = {
        **record(devices={"type": "array", "items": text},
                 destinations={"type": "array", "items": destination}),
        "required": []}
    traces = block(record(logged=flag, by=by),
                   [row.name for row in tables.protections.values()
                    if row.trace])
    return record(policy=text, version={"type": ["integer", "null"]},
                  description=maybe_text, language=number,
                  mode={"enum": ["enforce", "audit"]},
                  seal={"enum": ["locked", "open"]}, until=maybe_text,
                  protections={"type": "array", "items": rules},
                  trace={"type": "array", "items": traces})


def write_schema(tables):
    return "```json\n%s\n```" % compact(schema(tables))


def compact(value, indent=0):
    """JSON with what fits on a line on one."""
    line = json.dumps(value)
    if len(line) + indent <= 78 or not isinstance(value, dict):
        return line
    inner = ",\n".join("%s%s: %s" % (" " * (indent + 2), json.dumps(key),
                                     compact(part, indent + 2))
                       for key, part in value.items())
    return "{\n%s\n%s}" % (inner, " " * indent)


SECTIONS = {
    "templates": write_templates,
    "protections": write_protections,
    "capabilities": write_capabilities,
    "checks": write_checks,
    "limits": write_limits,
    "schema": write_schema,
}


def fill(text, tables):
    """The text with each generated section made anew."""
    for name, write in SECTIONS.items():
        begin = "<!-- generated: %s -->" % name
        end = "<!-- end of %s -->" % name
        if text.count(begin) != 1 or text.count(end) != 1:
            raise SystemExit("docs/language.md: there must be one '%s' and "
                             "one '%s'" % (begin, end))
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        text = head + begin + "\n" + write(tables) + "\n" + end + tail
    return text


def complete(text, tables):
    """docs/breaks.md with a row for each operation that can be denied."""
    for name, (operations, _) in tables.compiled.items():
        if tables.protections[name].trace:
            continue        # nothing breaks
        head = "\n## %s\n" % name
        if head not in text:
            text += head + "\n" + table(
                ["operation", "who needs it", "what is seen without"], []) + "\n"
        before, own = text.split(head)
        own, *behind = re.split(r"(?=^## )", own, maxsplit=1,
                                flags=re.MULTILINE)
        for operation in operations:
            if "| `%s` |" % operation in own:
                continue
            rows = own.rstrip("\n").split("\n")
            last = max(i for i, row in enumerate(rows) if row.startswith("|"))
            rows.insert(last + 1, "| `%s` | %s | |" % (operation, UNWRITTEN))
            own = "\n".join(rows) + "\n"
        text = before + head + own + "".join(behind)
    return text


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--compiler",
                        default=os.path.join(TOP, "build", "bpflockc"))
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit 1 if something is stale")
    args = parser.parse_args()
    tables = Tables(Compiler(args.compiler))
    stale = 0
    for name, make in (("docs/language.md", fill),
                       ("docs/breaks.md", complete)):
        before = read(name)
        after = make(before, tables)
        if before == after:
            continue
        stale = 1
        if args.check:
            print("%s is stale: run docs/generate.py" % name)
        else:
            with open(os.path.join(TOP, name), "w", encoding="utf-8") as file:
                file.write(after)
            print("%s: written" % name)
    return stale if args.check else 0


if __name__ == "__main__":
    sys.exit(main())
