# SPDX-License-Identifier: GPL-2.0-only
"""The oracle against what people wrote down: cells.tsv, one decision a line,
and WRONG below, one wrong policy a line with the reason that it must have.

    python3 tests/test_oracle.py
"""

import csv
import json
import os
import subprocess
import sys

import generate
import oracle

HERE = os.path.dirname(os.path.abspath(__file__))
TODAY = "1767225600"        # 2026-01-01, so that no `until` here grows old


# --- cells --------------------------------------------------------------------


def read_cells():
    """[(policy, key, wanted, remark)]; key names a cell as index() does."""
    rows = []
    with open(os.path.join(HERE, "cells.tsv"), newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[0].startswith("#"):
                continue
            policy, protection, operation, place, cgroup = row[:5]
            verdict, logged, line, remark = row[5:]
            key = (protection, operation, place,
                   None if cgroup == "-" else cgroup)
            rows.append((policy, key, (verdict, logged, line), remark))
    return rows


def index(table, main):
    """key -> (verdict, logged, line) as cells.tsv writes them."""
    found = {}
    blocks = [("", block) for block in table["protections"]]
    blocks += [("trace.", block) for block in table["trace"]]
    for prefix, block in blocks:
        for operation in block["operations"]:
            for where, cell in zip(block["classes"], operation["cells"]):
                key = (prefix + block["name"], operation["name"],
                       where["place"], where["cgroup"])
                found[key] = (cell.get("verdict", "-"),
                              "yes" if cell["logged"] else "no",
                              line_of(cell["by"], main))
    return found


def line_of(by, main):
    if not by:
        return "-"
    if by["file"] == os.path.basename(main):
        return str(by["line"])
    return "%s:%d" % (by["file"], by["line"])


def failed_cells(decide):
    """Yields (words or None) for each cell; `decide` takes a path."""
    tables = {}
    for policy, key, wanted, remark in read_cells():
        if policy not in tables:
            path = os.path.join(HERE, policy)
            tables[policy] = index(decide(path), policy)
        found = tables[policy].get(key)
        yield None if found == wanted else "%s %s: %s, wanted %s (%s)" % (
            policy, " ".join(map(str, key)), found, wanted, remark)


# --- refusals -----------------------------------------------------------------


def inside(items):
    """A policy around some items."""
    return "language 1; policy p { seal open; %s }" % items


def bpf(statements, lets=""):
    """A policy around the statements of one protection."""
    return "language 1; %s policy p { seal open; bpf { profile baseline; " \
        "%s } }" % (lets, statements)


def version(expression):
    return inside("version %s; bpf { profile baseline; }" % expression)


def usb(statements):
    return inside("usb { profile baseline; %s }" % statements)


def network(statements, lets=""):
    return "language 1; %s policy p { seal open; network { profile baseline; " \
        "%s } }" % (lets, statements)


def reached(statements, more="", lets=""):
    """A policy with a destination of these statements, and more of network."""
    return network("destination there { %s } %s" % (statements, more), lets)


def one_port(more, lets=""):
    return reached("ports 1;", more, lets)


def prefix(word):
    return reached('prefixes "%s";' % word)


def ports(words, lets=""):
    return reached("ports %s;" % words, lets=lets)


def many_destinations(count):
    return network(" ".join("destination d%d { ports %d; }" % (i, i)
                            for i in range(count)))


def many_prefixes(count):
    """In two destinations."""
    words = ['"10.%d.%d.%d"' % (i >> 16, i >> 8 & 255, i & 255)
             for i in range(count)]
    return reached("prefixes %s;" % ", ".join(words[1:]),
                   "destination first { prefixes %s; }" % words[0])


def parens(count):
    return "(" * count + "1" + ")" * count


def cgroups(count):
    return bpf("block other for %s;" % ", ".join(
        'cgroup "/c%d"' % i for i in range(count)))


def with_include(items, **files):
    """A main file with these items, and files beside it."""
    return {"main": inside(items + " bpf { profile baseline; }"),
            **{name: text for name, text in files.items()}}


def chain(count):
    """Includes that nest `count` deep."""
    files = {"i%d" % i: 'include "i%d";' % (i + 1) for i in range(1, count)}
    files["i%d" % count] = "let x = 1;"
    return with_include('include "i1";', **files)


FINE = bpf("")

WRONG = [
    # characters
    ("utf-8", b"language 1; # \xff"),
    ("utf-8", b"language 1; # \xed\xa0\x80"),
    ("utf-8", bpf(r'block other because "\xff";')),
    ("utf-8", bpf(r'block other because "\xc3" + "\xa9";')),
    ("nul", FINE + "\0"),
    ("nul", bpf(r'block other because "a\x00";')),
    ("control", FINE + "# \x07"),
    ("control", FINE + "\x7f"),
    ("control", FINE + "\x0c"),
    ("lone-cr", "language 1;\rpolicy"),
    ("lone-cr", FINE + "# a\rb\n"),
    ("bidi", FINE + "# \u202e"),
    ("bidi", FINE + "# \u200f"),
    ("bidi", bpf('block other because "\u2066";')),
    ("bidi", FINE + "\u061c"),
    ("non-ascii", bpf("block \u00f6ther;")),
    ("non-ascii", "\ufeff" + FINE),
    ("bad-character", FINE + "$"),
    ("bad-character", bpf("block 'other';")),
    ("unterminated", bpf('block other because "a\nb";')),
    ("unterminated", FINE + '"abc'),
    ("bad-escape", bpf(r'block other because "\r";')),
    ("bad-escape", bpf(r'block other because "\x4";')),
    ("bad-escape", bpf(r'block other because "\x4g";')),
    # integers
    ("bad-integer", version("007")),
    ("bad-integer", version("00")),
    ("bad-integer", version("1a")),
    ("bad-integer", version("0x")),
    ("bad-integer", version("0xg")),
    ("bad-integer", version("1_000")),
    ("overflow", version("9223372036854775808")),
    ("overflow", version("0xffffffffffffffff")),
    ("overflow", version("1 + 9223372036854775807 - 9223372036854775807")),
    ("overflow", version("(1 << 63) + 1")),
    ("overflow", version("3 << 62")),
    ("overflow", version("1 + 4611686018427387904 * 2")),
    ("overflow", version("(-9223372036854775807 - 1) / -1")),
    ("overflow", version("(-9223372036854775807 - 1) % -1")),
    ("overflow", version("-(-9223372036854775807 - 1)")),
    ("overflow", version("-9223372036854775808")),
    ("zero-division", version("1 / (2 - 2)")),
    ("zero-division", version("1 % 0")),
    ("bad-shift", version("1 << 64")),
    ("bad-shift", version("1 >> 64")),
    ("bad-shift", version("1 << -1")),
    ("too-deep", version(parens(257))),
    ("too-deep", version("- " * 300 + "1")),
    # shape
    ("no-language", ""),
    ("no-language", "policy p { }"),
    ("no-language", "let x = 1; language 1;"),
    ("language-version", "language 2; policy p { }"),
    ("language-version", "language 0; policy p { }"),
    ("syntax", "language (1); policy p { }"),
    ("no-policy", "language 1; let x = 1;"),
    ("second-policy", FINE + "policy q { seal open; }"),
    ("syntax", FINE + "let x = 1;"),
    ("misplaced", "language 1; language 1; policy p { }"),
    ("misplaced", inside("policy q { }")),
    ("item-outside", "language 1; seal open; policy p { }"),
    ("item-outside", "language 1; bpf { profile baseline; } policy p { }"),
    ("syntax", "language 1; policy p { seal open;"),
    ("syntax", "language 1; policy { seal open; }"),
    ("syntax", 'language 1; policy "p" { seal open; }'),
    ("syntax", inside("bpf { profile baseline }")),
    ("syntax", inside("bpf { profile; }")),
    ("syntax", bpf("block;")),
    ("syntax", bpf("block other,;")),
    ("syntax", bpf("block , other;")),
    ("syntax", bpf("block other other;")),
    ("syntax", bpf("block other for;")),
    ("syntax", bpf("block (other;")),
    ("syntax", bpf("block other because;")),
    ("syntax", bpf("allow other until 2030-06-30 because \"late\";")),
    ("syntax", bpf("block other until 2030-06-30;")),
    ("syntax", bpf("allow other until tomorrow;")),
    ("bad-integer", bpf("allow other until 2030-6-05;")),
    ("syntax", bpf("allow other until 20300605;")),
    ("syntax", inside("trace { exec; }")),
    ("unknown-word", inside("trace { exec other; }")),
    ("unknown-word", inside("trace { run all; }")),
    ("syntax", inside("trace { privileged; }")),
    ("syntax", inside("assert host bpf.other;")),
    ("syntax", inside("assert host can bpf;")),
    ("syntax", inside("default restricted;")),
    ("syntax", inside("include name;")),
    ("syntax", inside("let 1 = 2;")),
    ("syntax", inside("let x 1;")),
    ("syntax", inside("let x = ;")),
    ("unknown-word", inside("mode lenient;")),
    ("unknown-word", inside("seals open;")),
    ("unknown-word", bpf("deny other;")),
    ("unknown-word", bpf("log some;")),
    ("unknown-word", "language 1; policy p { seal maybe; }"),
    ("unknown-profile", inside("bpf { profile strict; }")),
    ("unknown-profile", inside("default profile denied;")),
    ("unknown-protection", inside("bfp { profile baseline; }")),
    ("unknown-protection", inside("assert host can bfp.other;")),
    ("unknown-operation", inside("assert host can bpf.msr;")),
    ("unknown-operation", inside("assert host can bpf.all;")),
    ("duplicate-item", inside("seal open;")),
    ("duplicate-item", inside("mode audit; mode audit;")),
    ("duplicate-item", inside("version 1; version 1;")),
    ("duplicate-item", inside('description "a"; description "a";')),
    ("duplicate-item", inside("default profile none; default profile none;")),
    ("duplicate-profile", bpf("profile baseline;")),
    ("duplicate-profile", bpf("} bpf { profile baseline;")),
    ("duplicate-log", bpf("log all; log all;")),
    ("duplicate-log", bpf("log all; } bpf { log none;")),
    # the policy
    ("no-seal", "language 1; policy p { bpf { profile baseline; } }"),
    ("no-version", "language 1; policy p { seal locked; bpf { profile "
     "baseline; } }"),
    ("version-range", version("0")),
    ("version-range", version("0 - 1")),
    ("version-range", version("1 << 31")),
    ("kind", version('"1"')),
    ("kind", inside("description 1; bpf { profile baseline; }")),
    ("empty-policy", inside("")),
    ("empty-policy", inside("trace { }")),
    ("no-profile", inside("bpf { block other; }")),
    ("no-profile", inside("bpf { }")),
    ("log-none-audit", inside("mode audit; bpf { profile allow; log none; }")),
    # names and kinds
    ("unknown-name", bpf("block others;")),
    ("unknown-name", bpf("block other-all;")),
    ("unknown-name", bpf("block other for hosts;")),
    ("unknown-name", bpf("", "let x = nothing;")),
    ("unknown-name", bpf("block x;", "let x = all-other;")),
    ("unknown-operation", bpf("block msr;")),
    ("unknown-operation", bpf("block x;", "let x = other, msr;")),
    ("unknown-operation", bpf("block sys_admin;")),
    ("unknown-operation", bpf("block bpf;")),
    ("unknown-operation", inside("trace { privileged other; }")),
    ("unknown-operation", inside("sysfs { profile none; block all - user; }")),
    ("kind", bpf("block host;")),
    ("kind", bpf("block other for other;")),
    ("kind", bpf('block other for "/a";')),
    ("kind", bpf("block other for cgroup 1;")),
    ("kind", bpf("block other for all - host;")),
    ("kind", bpf("block other + obj_get;")),
    ("kind", bpf("block other | obj_get;")),
    ("kind", bpf("block -other;")),
    ("kind", bpf("block other because 1;")),
    ("kind", bpf('block other because "a" + 1;')),
    ("kind", bpf('block other because "a" - "b";')),
    ("kind", bpf("block x;", "let x = host;")),
    ("kind", bpf("block x;", "let x = 1;")),
    ("kind", bpf("block other for x;", 'let x = "/a";')),
    ("kind", bpf("", "let x = host, other;")),
    ("kind", bpf("", "let x = 1, 2;")),
    ("kind", bpf("", 'let x = ~"a";')),
    ("kind", bpf("} assert other can bpf.other; trace {")),
    ("kind", inside("trace { exec all for sys_admin; }")),
    ("list-difference", bpf("block all - other, obj_get;")),
    ("list-difference", bpf("block obj_get, all - other;")),
    ("list-difference", bpf("block (all - other, obj_get);")),
    ("list-difference", bpf("", "let x = all - other, obj_get;")),
    ("list-difference", bpf("block (all) - other, obj_get;")),
    ("empty-set", bpf("block other - all;")),
    ("empty-set", bpf("block all - (other, all);")),
    ("empty-set", bpf("block prog_load_net - prog_load;")),
    # lets
    ("duplicate-let", bpf("", "let x = 1; let x = 1;")),
    ("duplicate-let", "language 1; let x = 1; policy p { let x = 2; }"),
    ("let-cycle", bpf("", "let x = x;")),
    ("let-cycle", bpf("", "let x = y + 1; let y = x;")),
    ("let-cycle", bpf("block x;", "let x = y, other; let y = all - x;")),
    ("reserved-name", bpf("", "let for = 1;")),
    ("reserved-name", bpf("", "let device = 1;")),
    ("reserved-name", bpf("", "let host = 1;")),
    ("reserved-name", bpf("", "let usb = 1;")),
    ("reserved-name", bpf("", "let msr = 1;")),
    ("reserved-name", bpf("", "let prog_load = 1;")),
    ("reserved-name", bpf("", "let CAP_KILL = 1;")),
    ("reserved-name", bpf("", "let Kill = 1;")),
    ("overflow", bpf("", "let x = 1 << 63;")),
    # cgroups
    ("cgroup-path", bpf('block other for cgroup "a";')),
    ("cgroup-path", bpf('block other for cgroup "";')),
    ("cgroup-path", bpf('block other for cgroup "/";')),
    ("cgroup-path", bpf('block other for cgroup "//a";')),
    ("cgroup-path", bpf('block other for cgroup "/a//b";')),
    ("cgroup-path", bpf('block other for cgroup "/a/";')),
    ("cgroup-path", bpf('block other for cgroup "/a/./b";')),
    ("cgroup-path", bpf('block other for cgroup "/a/..";')),
    ("cgroup-path", bpf('block other for cgroup "/%s";' % ("a" * 256))),
    ("cgroup-path", bpf('block other for cgroup "/%s";' % ("\u00e9" * 128))),
    ("cgroup-path", bpf("", 'let x = cgroup "a";')),
    ("cgroup-path", bpf('} assert cgroup "/" can bpf.other; trace {')),
    ("too-many-classes", cgroups(2048)),
    # rules
    ("not-admitted", inside("bpf { profile restricted; block other; }")),
    ("not-admitted", inside("bpf { profile restricted; allow other; }")),
    ("not-admitted", inside("bpf { profile none; allow other; }")),
    ("not-admitted", inside("default profile none; bpf { allow other; }")),
    ("not-admitted", inside("default profile restricted; bpf { block all; }")),
    ("conflict", bpf("allow other; block other;")),
    ("conflict", bpf("allow other; block all for all;")),
    ("conflict", bpf("allow other for host; block other for host;")),
    ("conflict", bpf("allow other for container, host; block other for host;")),
    ("conflict", bpf('allow other for cgroup "/a"; block all for cgroup "/"'
                     ' + "a";')),
    ("conflict", bpf("allow prog_load; block prog_load_net;")),
    ("conflict", bpf("allow other; } bpf { block other;")),
    ("bad-date", bpf("allow other until 2030-02-29;")),
    ("bad-date", bpf("allow other until 2030-13-01;")),
    ("bad-date", bpf("allow other until 0000-01-01;")),
    ("past-date", bpf("allow other until 2025-12-31;")),
    # usb
    ("add-subject", usb("block add for host;")),
    ("add-subject", usb("block all for host;")),
    ("add-subject", usb("allow all for all;")),
    ("device-id", usb('device "951:1666";')),
    ("device-id", usb('device "0951-1666";')),
    ("device-id", usb('device "0951:166g";')),
    ("kind", usb("device 1;")),
    ("duplicate-device", usb('device "0951:166a"; device "0951:166A";')),
    ("wrong-setting", bpf('device "0951:1666";')),
    ("wrong-setting", inside("network { profile none; ports 80; }")),
    ("wrong-setting", inside('network { profile none; prefixes "::/0"; }')),
    # destinations
    ("syntax", network("destination { ports 1; }")),
    ("syntax", network('destination "there" { ports 1; }')),
    ("syntax", network("destination there;")),
    ("syntax", network("destination there { ports 1 }")),
    ("syntax", one_port("; destination other { ports 2; }")),
    ("syntax", reached("ports;")),
    ("syntax", reached("prefixes;")),
    ("syntax", reached('ports 1 "2-3";')),
    ("syntax", reached("ports 1 2;")),
    ("syntax", reached("ports 1,;")),
    ("syntax", reached("ports 1 for host;")),
    ("syntax", reached('ports 1 because "it is";')),
    ("syntax", reached('prefixes "10.0.0.0/8" for host;')),
    ("unknown-word", reached("port 1;")),
    ("unknown-word", reached('device "0951:1666";')),
    ("unknown-word", reached("destination inner { ports 1; }")),
    ("wrong-setting", bpf("destination there { ports 1; }")),
    ("wrong-setting", usb("destination there { ports 1; }")),
    ("wrong-setting", network("ports 1;")),
    ("wrong-setting", network('prefixes "10.0.0.0/8";')),
    ("empty-destination", reached("")),
    ("duplicate-destination", one_port("destination there { ports 2; }")),
    ("duplicate-destination", one_port("} network { destination there { "
                                       "ports 2; }")),
    ("too-many-destinations", many_destinations(51)),
    ("too-many-parts", many_prefixes(4097)),
    ("reserved-name", network("destination connect { ports 1; }")),
    ("reserved-name", network("destination msr { ports 1; }")),
    ("reserved-name", network("destination write { ports 1; }")),
    ("reserved-name", network("destination host { ports 1; }")),
    ("reserved-name", network("destination all { ports 1; }")),
    ("reserved-name", network("destination block { ports 1; }")),
    ("reserved-name", network("destination ports { ports 1; }")),
    ("reserved-name", network("destination bpf { ports 1; }")),
    ("reserved-name", network("destination cap_kill { ports 1; }")),
    ("reserved-name", one_port("", "let there = 1;")),
    ("reserved-name", one_port("} let there = 1; trace {")),
    ("reserved-name", bpf("", "let ports = 1;")),
    ("reserved-name", bpf("", "let destination = 1;")),
    ("kind", reached("prefixes 10;")),
    ("kind", reached("prefixes host;")),
    ("kind", reached("ports host;")),
    ("kind", reached("ports (1, 2);")),
    ("kind", reached('ports "1" + 2;')),
    ("kind", reached("prefixes there;")),
    ("unknown-name", reached("ports http;")),
    ("prefix", prefix("")),
    ("prefix", prefix("10")),
    ("prefix", prefix("10.0.0")),
    ("prefix", prefix("10.0.0/24")),
    ("prefix", prefix("10.0.0.0.0")),
    ("prefix", prefix("10.0.0.256")),
    ("prefix", prefix("10.0.0.00")),
    ("prefix", prefix("010.0.0.0/8")),
    ("prefix", prefix("0xa.0.0.0/8")),
    ("prefix", prefix("10.0.0.0/")),
    ("prefix", prefix("10.0.0.0/33")),
    ("prefix", prefix("10.0.0.0/08")),
    ("prefix", prefix("10.0.0.0/+8")),
    ("prefix", prefix("10.0.0.0/-8")),
    ("prefix", prefix("10.0.0.0/255.0.0.0")),
    ("prefix", prefix("10.0.0.0/8/8")),
    ("prefix", prefix(" 10.0.0.0/8")),
    ("prefix", prefix("10.0.0.0/8 ")),
    ("prefix", prefix("10.0.0.0/8\\n")),
    ("prefix", prefix("10.0.0.0 /8")),
    ("prefix", prefix("10.0.0.0:80")),
    ("prefix", prefix("\u0661\u0660.0.0.0/8")),
    ("prefix", prefix("example.org")),
    ("prefix", prefix("10.0.0.1/31")),
    ("prefix", prefix("10.1.0.0/8")),
    ("prefix", prefix("0.0.0.1/0")),
    ("prefix", prefix(":")),
    ("prefix", prefix(":::")),
    ("prefix", prefix("2001:db8")),
    ("prefix", prefix("2001:db8::1::")),
    ("prefix", prefix("1:2:3:4:5:6:7")),
    ("prefix", prefix("1:2:3:4:5:6:7:8:9")),
    ("prefix", prefix("1:2:3:4:5:6:7:8::")),
    ("prefix", prefix(":1:2:3:4:5:6:7")),
    ("prefix", prefix("1:2:3:4:5:6:7:")),
    ("prefix", prefix("2001:0db8g::")),
    ("prefix", prefix("2001:00db8::")),
    ("prefix", prefix("2001:db8::/129")),
    ("prefix", prefix("2001:db8::1/127")),
    ("prefix", prefix("2001:db8::/16")),
    ("prefix", prefix("fe80::1%eth0")),
    ("prefix", prefix("fe80::%1/64")),
    ("prefix", prefix("[2001:db8::1]")),
    ("prefix", prefix("2001:db8::10.0.0.0.1")),
    ("prefix", prefix("2001:db8::10.0.0.256")),
    ("prefix", prefix("10.0.0.1::")),
    ("prefix", prefix("::ffff:10.0.0.0/104")),
    ("prefix", prefix("::ffff:10.0.0.1")),
    ("prefix", prefix("::FFFF:0:0/96")),
    ("port", ports("65536")),
    ("port", ports("-1")),
    ("port", ports("8000-8080")),
    ("port", ports('"80"')),
    ("port", ports('""')),
    ("port", ports('"80-"')),
    ("port", ports('"-80"')),
    ("port", ports('"90-80"')),
    ("port", ports('"80-65536"')),
    ("port", ports('"80-99999999999999999999"')),
    ("port", ports('"80-90-100"')),
    ("port", ports('"80 - 90"')),
    ("port", ports('"080-90"')),
    ("port", ports('"0x50-90"')),
    ("port", ports('"http"')),
    ("port", ports("http", 'let http = "80";')),
    ("duplicate-reached", reached('prefixes "10.0.0.0/8", "10.0.0.0/8";')),
    ("duplicate-reached", reached('prefixes "10.0.0.1"; prefixes '
                                  '"10.0.0.1/32";')),
    ("duplicate-reached", reached('prefixes "::a/128" "0:0::A";')),
    ("duplicate-reached", ports("80, 0x50")),
    ("duplicate-reached", reached("ports 80; ports 79 + 1;")),
    ("duplicate-reached", ports('"80-90", "80-90"')),
    ("unknown-operation", one_port("} bpf { profile baseline; block there;")),
    ("unknown-operation", one_port("} assert host can bpf.there; trace {")),
    ("unknown-operation", network("} assert host can network.there; trace {")),
    ("unknown-name", network("block there;")),
    ("conflict", one_port("allow there; block all;")),
    ("empty-set", one_port("block there - there;")),
    ("list-difference", one_port("block all - there, connect;")),
    ("not-admitted", one_port("block there;").replace("baseline",
                                                      "restricted")),
    ("assert-failed", one_port("} assert container can network.there; "
                               "trace {")),
    ("assert-failed", one_port("block there for host; } assert host can "
                               "network.*; trace {")),
    ("assert-failed", one_port("block connect for host; } assert host cannot "
                               "network.there; trace {")),
    # asserts
    ("assert-failed", bpf("} assert container can bpf.other; trace {")),
    ("assert-failed", bpf("} assert host cannot bpf.other; trace {")),
    ("assert-failed", bpf("} assert host cannot bpf.*; trace {")),
    ("assert-failed", bpf("} assert all can bpf.other; trace {")),
    ("assert-failed", bpf("} assert host cannot usb.add; trace {")),
    ("assert-failed", bpf('} assert cgroup "/a" can bpf.other; trace {')),
    ("assert-failed", bpf('} assert cgroup "/a" cannot bpf.other; trace {')),
    ("assert-failed", bpf('block other for cgroup "/a/b"; } assert cgroup "/a"'
                          ' can bpf.other; trace {')),
    ("assert-failed", bpf('allow other for cgroup "/a"; block other for host;'
                          ' } assert host can bpf.other; trace {')),
    ("assert-failed", bpf("block prog_load_net; } assert host can "
                          "bpf.prog_load; trace {")),
    ("assert-failed", bpf("block prog_load_net; } assert host cannot "
                          "bpf.prog_load; trace {")),
    ("assert-failed", bpf("} assert host can bpf.other, bpf.obj_get; assert "
                          "host, container can bpf.other; trace {")),
    ("assert-failed", bpf("} mode audit; assert container can bpf.other; "
                          "trace {")),
    # includes
    ("include-missing", inside('include "no.inc";')),
    ("include-absolute", inside('include "/etc/bpflock/a.inc";')),
    ("include-cycle", with_include('include "a";', a='include "b";',
                                   b='include "a";')),
    ("include-cycle", with_include('include "main";')),
    ("include-twice", with_include('include "a"; include "a";',
                                   a="bpf { block other; }")),
    ("include-twice", with_include('include "a"; include "b";',
                                   a='include "b";', b="trace { }")),
    ("include-depth", chain(17)),
    ("misplaced", with_include('include "a";', a="language 1;")),
    ("misplaced", with_include('include "a";', a=FINE[12:])),
    ("item-outside", {"main": 'language 1; include "a"; policy p { }',
                      "a": "bpf { profile baseline; }"}),
    ("duplicate-let", with_include('let x = 1; include "a";', a="let x = 1;")),
    ("too-large", FINE + "#" * (1 << 20)),
    ("too-large", with_include('include "a";', a="#" * (1 << 20))),
]

# What looks wrong and is not.
RIGHT = [
    FINE,
    version("0x7fffffff"),
    version("1 + (-9223372036854775807 - 1) * 0"),
    version("(-1 << 63 >> 63) + 2"),
    version("-7 / 2 + 4"),
    version("-7 % 3 + 2"),
    version("1 | 6 & 3 << 1 + 1"),
    version("x - -y").replace("1;", "1; let x = 2; let y = 1;", 1),
    version("~-2"),
    version(parens(256)),
    cgroups(2047),
    bpf("block other; # \u00e9\u00df\n"),
    bpf('block other because "\u00e9" + "\\x41\\n";'),
    bpf("block other, other; block all - other - obj_get;"),
    bpf("block (all - other), obj_get;"),
    bpf("block x, obj_get;", "let x = all - other;"),
    bpf("block x for x;", "let x = all;"),
    bpf("allow other for all; block other for host;"),
    bpf("allow other until 2026-01-01;"),
    bpf("allow other until 2028-02-29;"),
    bpf('allow other because "x" until # when\n 2030-06-30;'),
    bpf('block other for cgroup "/%s";' % ("a" * 255)),
    bpf('block other for cgroup "/...";'),
    bpf("} bpf { block other;"),
    bpf("} assert all can usb.add, network.can; trace {"),
    bpf('block other for cgroup "/a"; } assert cgroup "/a/b" cannot bpf.other;'
        ' trace {'),
    bpf('} assert host can bpf.other; assert container cannot bpf.*; trace {'),
    usb("block all - add for host; allow add;"),
    prefix("10.0.0.0/8"),
    prefix("0.0.0.0/0"),
    prefix("255.255.255.255"),
    prefix("::"),
    prefix("::/0"),
    prefix("::1.2.3.4"),
    prefix("::fffe:0:0/95"),
    prefix("::ffff:0:0:0/96"),
    prefix("64:ff9b::192.0.2.0/120"),
    prefix("1:2:3:4:5:6:7::"),
    prefix("::2:3:4:5:6:7:8"),
    prefix("1:2:3:4:5:6:0:8"),
    prefix("1:0:0:4:0:0:0:8"),
    prefix("0001:0002:0003:0004:0005:0006:0007:0008"),
    prefix("2001:DB8::ABCD/128"),
    reached('prefixes "10.0.0.0/8" "10.1.0.0/16" "::/1";'),
    reached('prefixes "10.0." + "0.0/8", inner + "/16";',
            lets='let inner = "10.1.0.0";'),
    reached('prefixes "9.0.0.0/8"; ports 1; prefixes "10.0.0.0/8"; ports 2;'),
    ports("0, 65535"),
    ports('"0-65535", 80, "79-81"'),
    ports("22 + 400 * 2, base, range",
          'let base = 8000; let range = "1-" + "2";'),
    many_destinations(50),
    many_prefixes(4096),
    one_port("block there, x; allow all - (there, connect, bind) for host;",
             "let x = there, connect;"),
    network("block there for container; } assert container cannot "
            "network.there; assert host can network.*; network { "
            "destination there { ports 1; }"),
    with_include('include "a"; network { block there; } assert host cannot '
                 "network.there;", a="network { profile baseline; "
                 "destination there { ports 1; } }"),
    one_port("").replace("baseline", "restricted"),
    "language 1; policy p { seal open; default profile allow; network { "
    "destination there { ports 1; } } }",
    inside("trace { exec all; }"),
    inside("default profile allow;"),
    "language 0x1;\r\npolicy seal { seal open; trace { exec all; } }\r\n",
    chain(16),
    with_include('include "a"; include "a"; include "b";', a="let x = 1;",
                 b='include "a";'),
    with_include('include "a"; include "a";', a=""),
]


def reason(case):
    """The reason-id with which a case is refused, or None."""
    files = case if isinstance(case, dict) else {"main": case}
    files = {name: text.decode("utf-8", "surrogateescape")
             if isinstance(text, bytes) else text
             for name, text in files.items()}
    try:
        oracle.decide("main", files=oracle.Memory(files))
    except oracle.Refused as error:
        return error.reason
    return None


def failed_cases():
    for wanted, case in WRONG + [(None, case) for case in RIGHT]:
        found = reason(case)
        yield None if found == wanted else "%.200r: %s, wanted %s" % (
            case, found, wanted)


def failed_defines():
    """-D stands before the file."""
    files = oracle.Memory({"main": bpf("block other for x;"),
                           "let": bpf("", "let x = 1;")})
    for path, text, wanted in (("main", 'cgroup "/" + "a"', None),
                               ("main", "1", "kind"),
                               ("let", "host", "duplicate-let"),
                               ("main", "host;", "syntax")):
        found = None
        try:
            oracle.decide(path, defines={"x": text}, files=files)
        except oracle.Refused as error:
            found = error.reason
        yield None if found == wanted else "-D x=%s: %s, wanted %s" % (
            text, found, wanted)


def failed_folders():
    """An include by -I is named as it is written, and loses to one beside
    the includer; a path below it is joined to that name."""
    files = oracle.Memory({
        "d/main": inside('include "sub/a";'),
        "lib/sub/a": "bpf { profile baseline; }\ninclude \"b\";",
        "lib/sub/b": "\nbpf { block other; }",
        "lib/b": "bpf { block obj_get; }"})
    table = oracle.decide("d/main", ["none", "lib"], files=files)
    found = [(operation["cells"][0]["by"]["file"],
              operation["cells"][0]["by"]["line"])
             for operation in table["protections"][0]["operations"]]
    wanted = [("sub/a", 1)] * 16 + [("sub/b", 2)]
    yield None if found == wanted else "-I: %s" % found


def failed_values():
    """What stands at the head of the table."""
    head = r'''language 1;
        policy p {
            version 6 * 7 + n;
            description "a" + "\x62\"\n";
            let n = -1;
            bpf {
                profile baseline;
                allow other until 2031-02-03;
                allow obj_get until 2030-02-04;
            }
            mode audit;
            seal open;
        }'''
    table = oracle.decide("main", files=oracle.Memory({"main": head}))
    wanted = {"policy": "p", "version": 41, "description": 'ab"\n',
              "language": 1, "mode": "audit", "seal": "open",
              "until": "2030-02-04"}
    for key, value in wanted.items():
        yield None if table[key] == value else "%s: %r" % (key, table[key])


# Where all the prefixes and ports of failed_reached() are.
REACHED = network("""
    destination ten { prefixes "10.0.0.0/8"; ports 443, "8000-8080"; }
    } network {
    destination inner { prefixes "10.1.0.0/16", "2001:db8::/33"; }
    destination six { prefixes "::/0"; ports 8081, "8000-8080", 443; }
    destination mail { ports 25; }
""")
EVERY = "ten inner six mail connect"

# address, port, what operations that is
CONNECTIONS = [
    ("10.0.0.0", 443, "ten"),
    ("10.255.255.255", 8000, "ten"),
    ("10.0.0.1", 8080, "ten"),
    ("10.0.0.1", 8081, "connect"),
    ("10.0.0.1", 7999, "connect"),
    ("10.0.0.1", 442, "connect"),
    ("9.255.255.255", 443, "connect"),
    ("11.0.0.0", 443, "connect"),
    ("10.1.2.3", 443, "ten inner"),
    ("10.1.2.3", 80, "inner"),
    ("10.1.2.3", 25, "inner mail"),
    ("10.2.0.0", 25, "mail"),
    ("0.0.0.0", 25, "mail"),
    ("::ffff:10.0.0.1", 443, "ten"),
    ("::ffff:10.1.0.1", 0, "inner"),
    ("::ffff:11.0.0.1", 443, "connect"),
    ("::10.0.0.1", 443, "six"),
    ("2001:db8::1", 443, "inner six"),
    ("2001:db8::1", 444, "inner"),
    ("2001:db8:8000::1", 444, "connect"),
    ("2001:db8:7fff:ffff::", 8081, "inner six"),
    ("::", 25, "mail"),
    # The port cannot be told.
    ("10.0.0.1", None, "ten mail connect"),
    ("10.1.0.1", None, "ten inner mail"),
    ("::ffff:10.1.0.1", None, "ten inner mail"),
    ("11.0.0.1", None, "mail connect"),
    ("2001:db8::1", None, "inner six mail"),
    ("fe80::1", None, "six mail connect"),
    # The address cannot.
    (None, 443, EVERY),
    (None, None, EVERY),
]


def network_of(text):
    files = oracle.Memory({"main": text})
    return oracle.decide("main", files=files)["protections"][0]


def failed_reached():
    """What operations of network a connection is."""
    table = network_of(REACHED)
    for address, port, wanted in CONNECTIONS:
        found = oracle.operations_of(table, address, port)
        yield None if found == set(wanted.split()) else \
            "%s port %s: %s, wanted %s" % (address, port, found, wanted)
    for address, port in (("10.0.0.1", 443), ("::1", None), (None, None)):
        found = oracle.operations_of(network_of(network("")), address, port)
        yield None if found == {"connect"} else "no destinations: %s" % found


def failed_settings():
    """Destinations as --explain has them, and as operations."""
    table = network_of(network("""
        destination b { ports 9, "1-2", 3, "5-8", "4-6", 11; }
        destination a { prefixes "2001:DB8::/32", "10.1.0.0/16", "::",
                                 "9.0.0.0/8", "10.0.0.0/8", "10.1.0.0"; }
        block b for host;"""))
    found = [operation["name"] for operation in table["operations"]]
    wanted = oracle.PROTECTIONS["network"] + ["b", "a"]
    yield None if found == wanted else "operations: %s" % found
    verdicts = [cell["verdict"] for operation in table["operations"][-2:]
                for cell in operation["cells"]]
    yield None if verdicts == ["deny", "deny", "allow", "deny"] else \
        "cells: %s" % verdicts
    wanted = [{"name": "b", "prefixes": [], "ports": [[1, 9], [11, 11]]},
              {"name": "a", "ports": [],
               "prefixes": ["9.0.0.0/8", "10.0.0.0/8", "10.1.0.0/16",
                            "10.1.0.0/32", "::/128", "2001:db8::/32"]}]
    found = table["settings"]["destinations"]
    yield None if found == wanted else "settings: %s" % found
    found = network_of(network(""))
    yield None if "settings" not in found else "settings of none"


def failed_commands():
    """The command line: its exit status, and where its words go."""
    for policy, status in (("cells/order.bpflock", 0), ("cells/no", 1)):
        done = subprocess.run(
            [sys.executable, os.path.join(HERE, "oracle.py"),
             os.path.join(HERE, policy)], capture_output=True, text=True,
            check=False)
        fine = done.returncode == status and bool(done.stderr) == bool(status)
        if fine and not status:
            fine = json.loads(done.stdout)["policy"] == "order"
        yield None if fine else "%s: %s" % (policy, done)


def failed_generated():
    """The generator keeps its word about right and wrong."""
    for number in range(300):
        for make in (generate.policy, generate.broken):
            text, files = generate.nth(7, number, make)
            case = {generate.MAIN: text, **files}
            try:
                oracle.decide(generate.MAIN, [generate.LIBRARY],
                              files=oracle.Memory(case))
                right = True
            except oracle.Refused:
                right = False
            same = (text, files) == generate.nth(7, number, make)
            fine = same and right == (make is generate.policy)
            yield None if fine else "%s %d" % (make.__name__, number)


def failed_integers():
    """Expressions that are made up for a value have it."""
    for number in range(500):
        rng = generate.random.Random(number)
        value = rng.randint(-5000, 5000)
        chunks = generate.Integers(rng, {}).expression(value, 5)
        text = "language 1; let x = %s; policy p { }" % " ".join(chunks)
        parsed = oracle.parse("main", [], {}, oracle.Memory({"main": text}))
        found = oracle.Values(parsed.lets).integer(parsed.lets["x"][0])
        yield None if found == value else "%s is %d" % (text, found)


def main():
    os.environ["SOURCE_DATE_EPOCH"] = TODAY
    passed = failed = 0
    for words in (*failed_cells(oracle.decide), *failed_cases(),
                  *failed_defines(), *failed_folders(), *failed_values(),
                  *failed_reached(), *failed_settings(), *failed_commands(),
                  *failed_generated(), *failed_integers()):
        if words:
            print("FAILED", words)
            failed += 1
        else:
            passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
