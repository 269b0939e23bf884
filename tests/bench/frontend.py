#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How long does `bpflockc --check` take, and how much memory?

    python3 tests/bench/frontend.py [--compiler build/bpflockc] [--runs 200]
                                    [--lines 5000] [--write]

Measured are the largest ready policy, and a made-up one of many lines.  Beside
each, in the same run and taking turns with it, `nft -c -f` reads a rule set of
as many lines.  --write puts the table into docs/performance.md.  It exits 1 if
the ready policy is over 5 ms or 16 MiB.
"""

import argparse
import datetime
import glob
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DOCUMENT = os.path.join(TOP, "docs", "performance.md")
BEGIN = "<!-- measured: front end -->"
END = "<!-- end of front end -->"
MILLISECONDS, MEBIBYTES = 5, 16
ROUNDS = 10                 # the programs take turns so often

PROTECTIONS = [
    ("kernel_image", ["kexec", "msr", "debugfs"]),
    ("kernel_secrets", ["kcore", "perf", "tracefs"]),
    ("kernel_modules", ["load_module", "autoload_module", "unload_module"]),
    ("bpf", ["map_create", "prog_load", "obj_get"]),
    ("fileless_exec", ["memfd", "shm", "script"]),
    ("namespaces", ["user", "net", "mnt"]),
    ("root_filesystem", ["write", "remount", "raw_device"]),
    ("sysfs", ["kernel", "class", "devices"]),
    ("network", ["raw_socket", "listen", "connect"]),
]

NEW_DOCUMENT = """# Performance

What it costs, measured. Each table says when, where and with what.

## Front end

`bpflockc --check`: reading, checking, deciding and proving a policy, the start
of the program included. `python3 tests/bench/frontend.py --write` makes this
table.

%s
%s
""" % (BEGIN, END)


# --- what is read -------------------------------------------------------------


def made_up_policy(lines):
    """A policy of that many lines: most are rules for cgroups of their own,
    every tenth an assertion."""
    head = ["language 1;", "", 'let machines = "/machine.slice";',
            "policy made-up {", "\tversion 1;", "\tseal open;"]
    foot = ["}"]
    left = lines - len(head) - len(foot)
    each = left // len(PROTECTIONS)
    body = []
    for i, (protection, operations) in enumerate(PROTECTIONS):
        count = each if i else left - each * (len(PROTECTIONS) - 1)
        assertions = count // 10
        body += ["\t%s {" % protection, "\t\tprofile baseline;"]
        for number in range(count - assertions - 3):
            operation = operations[number % len(operations)]
            body.append(
                "\t\tallow %s for cgroup machines + \"/vm-%d.scope\" "
                "because \"case %d\";" % (operation, number, number))
        body.append("\t}")
        for number in range(assertions):
            body.append("\tassert cgroup \"/machine.slice/vm-%d.scope\" can "
                        "%s.%s;" % (number, protection,
                                    operations[number % len(operations)]))
    return "\n".join(head + body + foot) + "\n"


def made_up_rules(lines):
    """As many lines for nft: rules for addresses and ports, with comments."""
    head = ["table inet made_up {", "\tchain input {",
            "\t\ttype filter hook input priority 0; policy drop;"]
    foot = ["\t}", "}"]
    body = ["\t\tip saddr 10.%d.%d.1 tcp dport %d accept comment \"case %d\"" %
            (number // 250 % 250, number % 250, 1024 + number, number)
            for number in range(lines - len(head) - len(foot))]
    return "\n".join(head + body + foot) + "\n"


def line_count(path):
    with open(path, encoding="utf-8") as file:
        return sum(1 for _ in file)


# --- measuring ----------------------------------------------------------------


class Wrong(Exception):
    pass


class Measured:
    """The runs of one command.  What stands before it, to enter a network of
    its own, is no part of what is measured."""

    def __init__(self, command, before=()):
        self.command, self.before = command, before
        self.milliseconds, self.mebibytes = [], []

    def run(self, measure, count):
        done = subprocess.run([*self.before, measure, str(count),
                               *self.command],
                              capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            wall, memory, status = map(int, line.split())
            if status:
                raise Wrong(done.stderr[:2000].strip() or
                            "exit status %d" % status)
            self.milliseconds.append(wall / 1e6)
            self.mebibytes.append(memory / 1024)

    @property
    def median(self):
        return statistics.median(self.milliseconds)

    @property
    def peak(self):
        return max(self.mebibytes)

    def cells(self):
        return ["%.1f ms" % self.median, "%.1f ms" % min(self.milliseconds),
                "%.1f MiB" % self.peak]


def nft_command(folder):
    """How nft can be run here, and why it cannot: one of them is None."""
    nft = shutil.which("nft", path=os.environ.get("PATH", "") +
                       ":/usr/sbin:/sbin")
    if not nft:
        return None, "nft is not installed (package nftables)"
    probe = os.path.join(folder, "probe.nft")
    with open(probe, "w", encoding="ascii") as file:
        file.write(made_up_rules(10))
    words = ""
    for before in ([], ["unshare", "-n"], ["unshare", "-rn"]):
        try:
            done = subprocess.run([*before, nft, "-c", "-f", probe],
                                  capture_output=True, text=True, check=False)
        except OSError as error:
            words = str(error)
            continue
        if done.returncode == 0:
            return (before, [nft, "-c", "-f"]), None
        words = done.stderr.strip().split("\n")[0]
    return None, "nft -c cannot run here: %s" % words


def build_measure(folder):
    program = os.path.join(folder, "measure")
    subprocess.run(["cc", "-O2", "-o", program,
                    os.path.join(HERE, "measure.c")], check=True)
    return program


def measure_case(case, tools, runs):
    """Rows of the table for one policy; its own measurements come first."""
    name, policy, folder = case
    lines = line_count(policy)
    own = Measured([tools["compiler"], "--check", policy])
    other = None
    if tools["nft"]:
        rules = os.path.join(folder, "rules-%d.nft" % lines)
        with open(rules, "w", encoding="ascii") as file:
            file.write(made_up_rules(lines))
        before, command = tools["nft"]
        other = Measured([*command, rules], before)
    row = ["`nft -c -f`, as many lines of rules", str(lines)]
    for _ in range(ROUNDS):
        own.run(tools["measure"], runs // ROUNDS)
        try:
            if other:
                other.run(tools["measure"], runs // ROUNDS)
        except Wrong as error:      # as without root, where it is large
            other = None
            row += ["cannot run here: %s" % str(error).split("\n")[0], "", ""]
    rows = [["`bpflockc --check`, %s" % name, str(lines), *own.cells()]]
    if other:
        row += other.cells()
    return own, rows + ([row] if tools["nft"] else [])


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def write_document(text):
    if os.path.exists(DOCUMENT):
        with open(DOCUMENT, encoding="utf-8") as file:
            document = file.read()
    else:
        document = NEW_DOCUMENT
    if BEGIN not in document:
        document += NEW_DOCUMENT[NEW_DOCUMENT.index("\n## Front end"):]
    head, rest = document.split(BEGIN)
    tail = rest.split(END)[1]
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(head + BEGIN + "\n" + text + END + tail)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--compiler",
                        default=os.path.join(TOP, "build", "bpflockc"))
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    ready = max(glob.glob(os.path.join(TOP, "policies", "*.bpflock")),
                key=os.path.getsize)
    with tempfile.TemporaryDirectory() as folder:
        nft, why_not = nft_command(folder)
        tools = {"compiler": os.path.abspath(args.compiler), "nft": nft,
                 "measure": build_measure(folder)}
        made_up = os.path.join(folder, "made-up.bpflock")
        with open(made_up, "w", encoding="ascii") as file:
            file.write(made_up_policy(args.lines))
        try:
            first, rows = measure_case(
                ("`%s`" % os.path.relpath(ready, TOP), ready, folder), tools,
                args.runs)
            _, more = measure_case(("a made-up policy", made_up, folder),
                                   tools, args.runs)
        except Wrong as error:
            print(error)
            return 1
    text = "| | lines | median | fastest | peak memory |\n|---|---|---|---|---|\n"
    text += "".join("| %s |\n" % " | ".join(row) for row in rows + more)
    text += "\n%s, Linux %s, %s, %d runs each, taking turns.\n" % (
        datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        platform.release().split("-")[0], processor(), args.runs)
    text += "" if why_not is None else "Without nft: %s.\n" % why_not
    print(text, end="")
    if args.write:
        write_document(text)
    if first.median > MILLISECONDS or first.peak > MEBIBYTES:
        print("over %d ms or %d MiB" % (MILLISECONDS, MEBIBYTES))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
