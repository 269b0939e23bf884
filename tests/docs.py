#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do the documents and the ready policies say what the compiler does?

    python3 tests/docs.py [--compiler build/bpflockc] [--update]

In docs/*.md and README.md, a block whose info string begins with `bpflock` is
a policy that must compile with --check:

    ```bpflock                  a whole file, or lets and items of a policy
    ```bpflock name=FILE        kept as FILE for the blocks behind it
    ```bpflock fragment         items of a policy that states the rest
    ```bpflock fragment=NAME    statements of the protection NAME
    ```bpflock error=CHECK      must fail, and with this check
    ```bpflock warning=CHECK    must compile, and warn of this check

They stand beside each other in one folder for each document.  In a block
`console`, each line that begins with `$ bpflockc` is run in that folder, and
the lines behind it must be what it prints, stdout then stderr; a line `...`
stands for any number of lines.  Other commands are not run.

Each policy in policies/ must pass --check -Werror, decide as tests/oracle.py
says, be for the kernels that its comment names, be compiled to a bundle or lack
the templates that its comment names, and have the decision table that
policies/golden/NAME.md shows.  Its JSON must be what the schema in
docs/language.md says.  --update writes the tables: read the difference before
you commit it.

Options that documents and manual pages name must be in --help, and the other
way round.

Of what a machine printed with a ready policy, what the compiler decides is held
against it: the rule, verdict and version of each event, and the bundle's size,
to a tenth, as another clang makes other templates.
"""

import argparse
import difflib
import functools
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

import agree
import oracle

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
GOLDEN = os.path.join(TOP, "policies", "golden")
TODAY = "1767225600"        # 2026-01-01
SECONDS = 120               # the machine may be shared
OLDEST_BUT_ONE = "5.9"      # below what the compiler knows of
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": TODAY, "LC_ALL": "C"}
FENCE = re.compile(r"^```(.*)$")
KNOWN_OPTIONS = {"name", "fragment", "error", "warning"}


class Wrong(Exception):
    pass


def run(command, folder=TOP):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=SECONDS, check=False, text=True,
                          env=ENVIRONMENT)


# --- blocks of a document -----------------------------------------------------


class Block:
    def __init__(self, info, line):
        words = info.split()
        self.language = words[0] if words else ""
        self.options = dict((word.split("=", 1) + [""])[:2]
                            for word in words[1:])
        self.line = line            # of the text's first line
        self.text = ""


def blocks(path):
    """The fenced blocks of a document; a fence that is not closed is wrong."""
    found, block = [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            fence = FENCE.match(line)
            if block is None and fence:
                block = Block(fence.group(1), number + 1)
            elif fence:
                found.append(block)
                block = None
            elif block is not None:
                block.text += line
    if block is not None:
        raise Wrong("the block of line %d is not closed" % (block.line - 1))
    return found


def wrapped(block):
    """The block as a whole file, with as few lines before it as can be."""
    fragment = block.options.get("fragment")
    if fragment is None:
        return block.text
    if fragment:
        text = "%s { %s }" % (fragment, block.text)
        if "profile" not in block.text:
            text = "%s { profile baseline; } %s" % (fragment, text)
    else:
        text = block.text
    return ("language 1; policy example { seal open; version 1;\n%s\n%s}\n" %
            (text, "" if fragment or "{" in block.text
             else "bpf { profile allow; }\n"))


def check_example(compiler, block, folder):
    unknown = set(block.options) - KNOWN_OPTIONS
    if unknown:
        raise Wrong("there is no option %s" % ", ".join(sorted(unknown)))
    name = block.options.get("name", "example.bpflock")
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(wrapped(block))
    if name.endswith(".inc"):       # read by what includes it
        return
    done = run([compiler, "--check", name], folder)
    for kind, status in (("error", 1), ("warning", 0)):
        wanted = block.options.get(kind)
        if wanted is None:
            continue
        found = re.findall(r": %s: .*\[([a-z-]+)\]$" % kind, done.stderr,
                           re.MULTILINE)
        if done.returncode != status or set(found) != {wanted}:
            raise Wrong("wanted %s [%s], and this came:\n%s" %
                        (kind, wanted, done.stderr or "nothing"))
        return
    if done.returncode or done.stderr:
        raise Wrong(done.stderr)


# --- what a console shows -----------------------------------------------------


def sessions(text):
    """(command, printed) for each `$ bpflockc` of a console."""
    found, command, printed = [], None, []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                found.append((command, printed))
            command = line[2:] if line.startswith("$ bpflockc ") else None
            printed = []
        elif command and command.endswith("\\"):
            command = command[:-1] + line.strip()
        else:
            printed.append(line)
    if command:
        found.append((command, printed))
    return found


def matches(wanted, found):
    """Whether the lines are these, `...` being any number of any."""
    if not wanted:
        return not found
    if wanted[0].strip() == "...":
        return any(matches(wanted[1:], found[i:])
                   for i in range(len(found) + 1))
    return bool(found) and wanted[0] == found[0] and \
        matches(wanted[1:], found[1:])


def check_session(compiler, command, wanted, folder):
    words = shlex.split(command)
    done = run([compiler, *words[1:]], folder)
    found = [line.rstrip() for line in
             (done.stdout + done.stderr).splitlines()]
    if not matches(wanted, found):
        raise Wrong("$ %s\n%s" % (command, "\n".join(difflib.unified_diff(
            wanted, found, "the document", "the compiler", lineterm=""))))


def check_document(compiler, path):
    """Yields None or words, for each example of the document."""
    name = os.path.relpath(path, TOP)
    try:
        found = blocks(path)
    except Wrong as error:
        yield "%s: %s" % (name, error)
        return
    with tempfile.TemporaryDirectory() as folder:
        for block in found:
            yield from check_block(compiler, block, name, folder)


def check_block(compiler, block, name, folder):
    checks = []
    if block.language == "bpflock":
        checks = [lambda: check_example(compiler, block, folder)]
    elif block.language == "console":
        checks = [lambda c=command, p=printed:
                  check_session(compiler, c, p, folder)
                  for command, printed in sessions(block.text)]
    for check in checks:
        try:
            check()
            yield None
        except Wrong as error:
            yield "%s:%d: %s" % (name, block.line, error)


# --- links, options, and the manual pages --------------------------------------

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(path):
    """The headings of a document as links to them are written."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^```.*?^```", "", file.read(),
                      flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        yield words.replace(" ", "-")


def check_links(path):
    """None or words, for each link of the document into the repository."""
    name = os.path.relpath(path, TOP)
    with open(path, encoding="utf-8") as file:
        links = LINK.findall(file.read())
    for link in links:
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        to = os.path.normpath(os.path.join(os.path.dirname(path), target)) \
            if target else path
        if not os.path.exists(to):
            yield "%s: there is no %s" % (name, link)
        elif anchor and anchor not in anchors(to):
            yield "%s: there is no heading for %s" % (name, link)
        else:
            yield None


MANUALS = {"bpflockc": "bpflockc.1", "bpflock-load": "bpflock-load.8",
           "bpflock-log": "bpflock-log.8"}
OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)"
                    r"(?:(=)([\w|]+)|( )([\w-]+(?:\|[\w-]+)+))?")


def options_of(text):
    """Options, as written in --help or in mdoc's macros: once with each value,
    where values are listed."""
    for macro, plain in ((r"\b(?:Op|Ar|Cm) ", ""), (r" Ns ", ""),
                         (r"\bFl Fl ", "--"), (r"\bFl ", "-"),
                         (r" \| ", "|"), (r"[][]", "")):
        text = re.sub(macro, plain, text)
    return {name + equals + space + value
            for name, equals, words, space, more in OPTION.findall(text)
            for value in (words + more).split("|")}


USE = re.compile(r"\b(bpflockc|bpflock-load|bpflock-log)( [^`|.,;:()\n]*)")


def check_uses(compiler, path):
    """None or words, for each command line in the text or in a block: the
    options that it names are there."""
    name = os.path.relpath(path, TOP)
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\\\n", " ", file.read())
    for program, arguments in USE.findall(text):
        known = programs(compiler).get(program)
        used = set(re.findall(r" (--[a-z-]+)", arguments))
        if known and used:
            yield None if used <= known else "%s: %s has no %s" % (
                name, program, ", ".join(sorted(used - known)))


@functools.cache
def programs(compiler):
    """{program: its options}, of those that are built beside the compiler."""
    found = {}
    for name in MANUALS:
        path = os.path.join(os.path.dirname(compiler), name)
        if os.path.exists(path):
            found[name] = {option.partition("=")[0].partition(" ")[0]
                           for option in options_of(run([path, "--help"])
                                                    .stdout)}
    return found


def unlinked_reports():
    """Of a few suites docs/testing.md has the reports; ./check --full has its
    own way to find its own."""
    testing = os.path.join(TOP, "docs", "testing.md")
    with open(testing, encoding="utf-8") as file:
        links = {os.path.basename(link) for link in LINK.findall(file.read())}
    return ["docs/testing.md has no link to tests/reports/%s" % name
            for name in sorted(os.listdir(os.path.join(TOP, "tests",
                                                       "reports")))
            if not name.startswith("full-") and name not in links]


def check_manual(program, page):
    """The options of --help, and their values, are those of the manual."""
    name = os.path.basename(page)
    with open(page, encoding="utf-8") as file:
        lines = file.read().splitlines()
    synopsis = options_of("\n".join(lines[:lines.index(".Sh DESCRIPTION")]))
    listed = options_of("\n".join(line for line in lines
                                  if line.startswith(".It ")))
    helped = options_of(run([program, "--help"]).stdout)
    for option in sorted(helped | listed):
        if option not in helped:
            yield "%s has %s, which --help has not" % (name, option)
        else:
            yield None if option in synopsis | listed else \
                "%s does not have %s" % (name, option)


def check_manuals(compiler):
    folder = os.path.dirname(compiler)
    for name in programs(compiler):
        yield from check_manual(os.path.join(folder, name), os.path.join(
            TOP, "docs", "man", MANUALS[name]))
    with open(os.path.join(TOP, "docs", "language.md"),
              encoding="utf-8") as file:
        commands = file.read().partition("\n## Command line\n")[2]
    commands = options_of(commands.partition("\n## ")[0].replace("\\|", "|"))
    usage = run([compiler, "--help"]).stdout.partition("\n\n")[0]
    for option in sorted(options_of(usage)):
        yield None if option in commands else \
            "language.md, Command line: does not have %s" % option


# --- ready policies -----------------------------------------------------------


def check_policy(compiler, path, update):
    """Yields None or words, for each thing that a ready policy must be."""
    name = os.path.relpath(path, TOP)
    stem = os.path.splitext(os.path.basename(path))[0]
    done = run([compiler, "--check", "-Werror", name])
    yield "%s: %s" % (name, done.stderr) if done.returncode else None
    explained = run([compiler, "--explain", "--format=json", name])
    yield agreement(name, explained)
    yield not_of_schema(name, explained.stdout)
    yield needs_other_kernel(compiler, path, name)
    yield compiled_otherwise(compiler, path, name)
    done = run([compiler, "--explain", "--format=markdown", name])
    table = os.path.join(GOLDEN, stem + ".md")
    if update:
        os.makedirs(GOLDEN, exist_ok=True)
        with open(table, "w", encoding="utf-8") as file:
            file.write(done.stdout)
    yield difference(table, done.stdout)
    yield None if json.loads(explained.stdout or "{}").get("policy") == stem \
        else "%s: the policy has another name than its file" % name


def agreement(name, explained):
    today = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = TODAY
    try:
        wanted = oracle.decide(name, [], {})
        agree.compare((wanted, ""), (json.loads(explained.stdout), ""))
    except (oracle.Refused, agree.Disagreement, ValueError) as error:
        return "%s: the oracle: %s" % (name, error)
    finally:
        os.environ.pop("SOURCE_DATE_EPOCH")
        if today is not None:
            os.environ["SOURCE_DATE_EPOCH"] = today
    return None


def needs_other_kernel(compiler, path, name):
    """Held against its line `# Needs Linux X.Y`: that one will do, and the
    one before it will not, but for the oldest that there is."""
    with open(path, encoding="utf-8") as file:
        match = re.search(r"^# Needs Linux (\d+)\.(\d+)", file.read(),
                          re.MULTILINE)
    if not match:
        return "%s does not say which Linux it needs" % name
    major, minor = map(int, match.groups())
    for kernel, status in (("%d.%d" % (major, minor), 0),
                           ("%d.%d" % (major, minor - 1), 1)):
        done = run([compiler, "--check", "--target", kernel, name])
        if done.returncode != status and (kernel != OLDEST_BUT_ONE):
            return "%s with --target %s: %s" % (name, kernel,
                                                done.stderr or "it will do")
    return None


def compile_policy(compiler, path):
    """(size of its bundle, templates that are missing); one of them is empty.
    The compiler's message where it is refused for another reason."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = os.path.join(folder, "bundle.o")
        done = run([compiler, path, "-o", bundle])
        if done.returncode == 0:
            return os.path.getsize(bundle), []
    missing = re.findall(r": error: ((?:trace )?\w+) has no template yet: .*"
                         r"\[no-template\]$", done.stderr, re.MULTILINE)
    if not missing or len(missing) != done.stderr.count(": error: "):
        raise Wrong(done.stderr)
    return 0, missing


def compiled_otherwise(compiler, path, name):
    """Held against its line of the head comment."""
    try:
        _, missing = compile_policy(compiler, path)
    except Wrong as error:
        return "%s: %s" % (name, error)
    line = "# Can be compiled to a bundle today.\n" if not missing else \
        "# Cannot be compiled to a bundle today: no template for %s.\n" % \
        ", ".join(missing)
    with open(path, encoding="utf-8") as file:
        return None if "\n" + line in file.read() else \
            "%s does not say: %s" % (name, line)


# --- what documents show of them ----------------------------------------------

LISTED = re.compile(r"these can be compiled to a bundle\s+today:\s+"
                    r"((?:`[\w-]+`[,\s]*)+)")
COMPILED = re.compile(r"^ *\$ bpflockc policies/([\w-]+)\.bpflock "
                      r"-o bundle\.o\n +(\d+) bytes$", re.MULTILINE)
EVENT = re.compile(r"Z (allow|deny|would-deny) (\w+)\.(\w+) policy=([\w-]+) "
                   r'version=(\d+) place="(\w+)"(?: cgroup="([^"]*)")?'
                   r'.* rule="([\w-]+)\.bpflock:(\d+)"')


def check_shown(compiler, path, policies):
    """Yields None or words, for what the document shows of ready policies."""
    name = os.path.relpath(path, TOP)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for listed in LISTED.findall(text):
        wanted = [stem for stem, policy in policies.items()
                  if compile_policy(compiler, policy)[0]]
        yield None if re.findall(r"[\w-]+", listed) == wanted else \
            "%s: what can be compiled is %s" % (name, ", ".join(wanted))
    for stem, size in COMPILED.findall(text):
        now, _ = compile_policy(compiler, policies[stem])
        yield None if abs(now - int(size)) <= now / 10 else \
            "%s: the bundle of %s has %d bytes" % (name, stem, now)
    for event in EVENT.finditer(text):
        if event.group(8) in policies:
            yield other_event(compiler, name, policies[event.group(8)], event)


def other_event(compiler, name, policy, event):
    """Words where the policy would leave another one."""
    verdict, protection, operation, stem, version, place, cgroup, file, line \
        = event.groups()
    table = json.loads(run([compiler, "--explain", "--format=json",
                            policy]).stdout)
    subject = {"place": place, "cgroup": cgroup}
    for row in table["protections"]:
        found = {one["name"]: one for one in row["operations"]}
        if row["name"] != protection or operation not in found or \
                subject not in row["classes"]:
            continue
        cell = found[operation]["cells"][row["classes"].index(subject)]
        said = (verdict, stem, int(version), True,
                {"file": file + ".bpflock", "line": int(line)})
        if said == (cell["verdict"], table["policy"], table["version"],
                    cell["logged"], cell["by"]):
            return None
    return "%s: %s decides otherwise than this event says:\n%s" % (
        name, os.path.relpath(policy, TOP), event.group())


# --- the schema of --explain --format=json ------------------------------------

TYPES = {"object": dict, "array": list, "string": str, "integer": int,
         "boolean": bool, "null": type(None)}


def violations(value, schema, where="$"):
    """What the schema forbids; of JSON Schema only what ours uses."""
    if "enum" in schema and value not in schema["enum"]:
        yield "%s is %r" % (where, value)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    # type() and not isinstance(): True is no integer here
    if kinds and type(value) not in [TYPES[kind] for kind in kinds]:
        yield "%s is no %s" % (where, " or ".join(kinds))
    elif isinstance(value, list):
        for i, element in enumerate(value):
            yield from violations(element, schema["items"],
                                  "%s[%d]" % (where, i))
    elif isinstance(value, dict):
        fields = schema["properties"]
        for name in set(schema["required"]) - set(value):
            yield "%s has no %s" % (where, name)
        for name in set(value) - set(fields):
            yield "%s has %s, which is not in the schema" % (where, name)
        for name in set(value) & set(fields):
            yield from violations(value[name], fields[name],
                                  "%s.%s" % (where, name))


def not_of_schema(name, printed):
    found = [block.text for block in
             blocks(os.path.join(TOP, "docs", "language.md"))
             if block.language == "json"]
    try:
        words = list(violations(json.loads(printed), json.loads(found[0])))
    except (ValueError, IndexError) as error:
        words = [str(error)]
    return "%s: %s" % (name, "\n".join(words[:10])) if words else None


def difference(path, found):
    name = os.path.relpath(path, TOP)
    if not os.path.exists(path):
        return "%s is not there: run tests/docs.py --update" % name
    with open(path, encoding="utf-8") as file:
        wanted = file.read()
    if wanted == found:
        return None
    return "%s is not what the policy decides:\n%s" % (
        name, "\n".join(difflib.unified_diff(
            wanted.splitlines(), found.splitlines(), "golden", "the policy",
            lineterm="")))


def stray_tables(policies):
    """A table without a policy is of one that is gone."""
    stems = {os.path.splitext(os.path.basename(path))[0] for path in policies}
    return ["%s is of no policy" % os.path.relpath(path, TOP)
            for path in glob.glob(os.path.join(GOLDEN, "*.md"))
            if os.path.splitext(os.path.basename(path))[0] not in stems]


# --- all of it ----------------------------------------------------------------


def results(compiler, update):
    policies = sorted(glob.glob(os.path.join(TOP, "policies", "*.bpflock")))
    for path in policies:
        yield from check_policy(compiler, path, update)
    yield from stray_tables(policies) or [None]
    ready = {os.path.splitext(os.path.basename(path))[0]: path
             for path in policies}
    documents = sorted(glob.glob(os.path.join(TOP, "docs", "*.md")))
    for path in documents + [os.path.join(TOP, "README.md")]:
        if os.path.exists(path):
            yield from check_document(compiler, path)
            yield from check_links(path)
            yield from check_uses(compiler, path)
            yield from check_shown(compiler, path, ready)
    yield from unlinked_reports() or [None]
    yield from check_manuals(compiler)
    done = run([sys.executable, os.path.join(TOP, "docs", "generate.py"),
                "--check", "--compiler", compiler])
    yield done.stdout + done.stderr if done.returncode else None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--compiler",
                        default=os.path.join(TOP, "build", "bpflockc"))
    parser.add_argument("--update", action="store_true",
                        help="write policies/golden")
    args = parser.parse_args()
    os.chdir(TOP)
    passed = failed = 0
    for words in results(os.path.abspath(args.compiler), args.update):
        if words is None:
            passed += 1
        else:
            failed += 1
            print(words.rstrip())
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
