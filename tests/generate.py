# SPDX-License-Identifier: GPL-2.0-only
"""Random policies, the same ones for the same seed.

    python3 tests/generate.py --seed N [--count K] [--out DIR] [--broken]

Policies are right unless --broken asks for a share of wrong ones.  Without
--out they go to standard output; with it, policy I lies in DIR/I/ as
policy.bpflock beside its includes, to be compiled with `-I DIR/I/lib`.

A policy is planned as lists of chunks, pieces of text between which white
space may stand, and laid out at the end.  The plan knows which operations
each rule has for which subject, and so keeps clear of conflicts.
"""

import argparse
import ipaddress
import os
import random
import re
import sys

import oracle

MAIN = "policy.bpflock"
LIBRARY = "lib"
# What --defines policies may use beside their own lets.
DEFINES = {"given-cgroup": 'cgroup "/given.slice"', "given_number": "6 * 7",
           "given_text": r'"given \"text\""'}

COMPONENTS = ["machine.slice", "vpn.scope", "a", "ab", "a-b", "b", "user",
              "kubepods.slice", "pod-7f3a", "x y", "...", ".hidden",
              "caf\u00e9", "\u65e5\u672c", "q\"uote", "back\\slash",
              "system.slice"]
WORDS = ["VPN needs it", "ticket #42", "na\u00efve", "\U0001f512 locked",
         "tab\there", "line\nbreak", "\"quoted\"", "", "bell\x07", "a; b { }"]
COMMENTS = ["plain", "block all for host;", "\u00fcber", "\"", "} { # #", "\\",
            "let x = 1;", "\U0001f980", ""]
SIZES = {"tiny": (1, 2, 2), "small": (3, 5, 4), "medium": (6, 12, 8),
         "large": (10, 25, 14), "huge": (10, 50, 20)}


# How many percent of the policies that have a network have destinations in it.
DESTINATIONS = 60
PLACES = ["intranet", "Mail", "meta-data", "dns", "lab_1", "x", "kubernetes"]
# Networks, many of them in each other: a destination's are these, and parts.
NETWORKS = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24",
            "10.1.2.3/32", "127.0.0.0/8", "169.254.169.254/32",
            "192.168.0.0/16", "198.51.100.0/24", "224.0.0.0/3", "::/0",
            "::/128", "::1/128", "::ffff:0:0:0/96", "64:ff9b::/96",
            "2001:db8::/32", "2001:db8:0:1::/64", "2001:db8::1/128",
            "fe80::/10", "8000::/1"]


def chance(rng, percent):
    return rng.random() * 100 < percent


# --- layout -------------------------------------------------------------------


def space(rng, left, right):
    if right in (",", ";", ")") or left == "(":
        return " " if chance(rng, 3) else ""
    if left in (";", "{") and not chance(rng, 20):
        return "\n\t\t"
    dice = rng.random() * 1000
    if dice > 25:
        return " "
    if dice > 18:
        return "\n\t\t"
    if dice > 12:
        return "\t"
    if dice > 8:
        return "  "
    return " # %s\n" % rng.choice(COMMENTS)


def lay_out(rng, chunks):
    text = left = chunks[0]
    for right in chunks[1:]:
        text += space(rng, left, right) + right
        left = right
    return text


def literal(rng, value):
    """A string literal of this value, some of it in escapes."""
    hexes = rng.choice((0, 0, 0, 10, 60))
    text = ""
    for char in value:
        if ord(char) < 32 and char not in "\n\t" or chance(rng, hexes):
            form = rng.choice(("\\x%02x", "\\x%02X"))
            text += "".join(form % byte for byte in char.encode())
        elif char in '"\\':
            text += "\\" + char
        elif char == "\n":
            text += "\\n"
        elif char == "\t":
            text += rng.choice(("\\t", "\t"))
        else:
            text += char
    return '"%s"' % text


# --- destinations -------------------------------------------------------------


def network(rng):
    """One of NETWORKS, or a part of one."""
    outer = ipaddress.ip_network(rng.choice(NETWORKS))
    if chance(rng, 40):
        return outer
    bits = rng.choice((outer.max_prefixlen,
                       rng.randint(outer.prefixlen, outer.max_prefixlen)))
    address = outer[rng.randint(0, outer.num_addresses - 1)]
    inner = ipaddress.ip_network((address, bits), strict=False)
    if inner.version == 6 and inner.subnet_of(oracle.MAPPED):
        return outer
    return inner


def spelled_network(rng, net):
    """In one of the ways to write it."""
    address, bits = net.network_address, "/%d" % net.prefixlen
    if net.prefixlen == net.max_prefixlen and chance(rng, 60):
        bits = ""
    if net.version == 4:
        return str(address) + bits
    dotted = ":".join(address.exploded.split(":")[:6]) + ":" + \
        str(ipaddress.IPv4Address(int(address) & 0xffffffff))
    word = rng.choices((str(address), address.exploded, dotted), (8, 1, 1))[0]
    return rng.choice((word, word, word.upper())) + bits


def port_range(rng):
    first = rng.choice((0, 1, 22, 80, 443, 1023, 8000, rng.randint(0, 65535)))
    width = rng.choice((0, 0, 0, 1, 2, 80, rng.randint(0, 65535)))
    return first, min(first + width, 65535)


# --- expressions --------------------------------------------------------------


class Integers:
    """Expressions of a given value, by steps that keep the value.  A chunk
    list comes with its level of precedence, as in oracle.LEVELS; 5 is unary
    and 6 needs no parentheses."""

    def __init__(self, rng, lets):
        self.rng = rng
        self.lets = lets        # name -> value

    def expression(self, value, depth=None):
        depth = self.rng.choice((0, 0, 1, 2, 4)) if depth is None else depth
        return self.node(value, depth)[0]

    def wrapped(self, value, depth, level):
        """With parentheses where the level asks for them, or just so."""
        chunks, own = self.node(value, depth)
        if own < level or chance(self.rng, 5):
            return ["("] + chunks + [")"]
        return chunks

    def leaf(self, value):
        if value < 0:
            return ["-", str(-value)], 5
        form = self.rng.choice(("%d", "%d", "0x%x", "0x%X"))
        return [form % value], 6

    def node(self, value, depth):
        if depth <= 0:
            return self.leaf(value)
        steps = [self.add, self.subtract, self.multiply, self.divide,
                 self.remainder, self.shift, self.bits, self.unary]
        if self.lets:
            steps.append(self.let)
        return self.rng.choice(steps)(value, depth - 1)

    def binary(self, sign, left, right, level, depth):
        return (self.wrapped(left, depth, level) + [sign] +
                self.wrapped(right, depth, level + 1)), level

    def add(self, value, depth):
        part = self.rng.randint(-1000, 1000)
        return self.binary("+", value - part, part, 3, depth)

    def subtract(self, value, depth):
        part = self.rng.randint(-1000, 1000)
        return self.binary("-", value + part, part, 3, depth)

    def multiply(self, value, depth):
        factor = self.rng.choice((-3, -1, 1, 2, 7))
        if value % factor:
            return self.add(value, depth)
        return self.binary("*", value // factor, factor, 4, depth)

    def divide(self, value, depth):
        # The remainder has the sign of the dividend, as division truncates.
        by = self.rng.choice((-5, -2, 2, 3, 10))
        rest = self.rng.randint(0, abs(by) - 1)
        dividend = value * by
        dividend += rest if dividend > 0 else -rest if dividend < 0 else 0
        if abs(dividend) >= 1 << 62:
            return self.add(value, depth)
        return self.binary("/", dividend, by, 4, depth)

    def remainder(self, value, depth):
        by = abs(value) + self.rng.randint(1, 50)
        more = by * self.rng.randint(0, 5)
        dividend = value + more if value >= 0 else value - more
        return self.binary("%", dividend, self.rng.choice((by, -by)), 4, depth)

    def shift(self, value, depth):
        count = self.rng.randint(0, 8)
        if self.rng.random() < 0.5 and value % (1 << count) == 0:
            return self.binary("<<", value >> count, count, 2, depth)
        if abs(value) >> 50:
            return self.add(value, depth)
        low = self.rng.randint(0, (1 << count) - 1)
        return self.binary(">>", (value << count) + low, count, 2, depth)

    def bits(self, value, depth):
        other = self.rng.randint(0, 1 << 20)
        if self.rng.random() < 0.5:
            return self.binary("&", value | other, ~other | value, 1, depth)
        return self.binary("|", value & other, value & ~other, 0, depth)

    def unary(self, value, depth):
        if self.rng.random() < 0.5:
            return ["~"] + self.wrapped(~value, depth, 5), 5
        return ["-"] + self.wrapped(-value, depth, 5), 5

    def let(self, value, depth):
        name = self.rng.choice(sorted(self.lets))
        rest = value - self.lets[name]
        return [name, "+"] + self.wrapped(rest, depth, 4), 3


class Plan:
    """A policy before it is text."""

    def __init__(self, rng, defines):
        self.rng = rng
        size = rng.choices(list(SIZES), (22, 40, 30, 6, 2))[0]
        self.protection_count, cgroups, self.rule_count = SIZES[size]
        self.size = size
        self.strings, self.numbers = {}, {}     # lets: name -> value
        self.subject_lets = {}                  # name -> terms
        self.operation_lets = {}                # name -> (owner, operations)
        self.destinations = []                  # names
        self.lets = []                          # chunk lists
        self.items = []                         # chunk lists
        self.names = 0
        self.integers = Integers(rng, self.numbers)
        self.paths = self.tree(rng.randint(0, cgroups))
        if size == "huge":
            self.paths = self.tree(cgroups)
        if defines:
            self.subject_lets["given-cgroup"] = {"/given.slice"}
            self.numbers["given_number"] = 42
            self.strings["given_text"] = 'given "text"'

    def tree(self, count):
        """Paths of cgroups, many of them below each other."""
        paths = []
        for i in range(count):
            base = self.rng.choice(paths) if paths and \
                chance(self.rng, 60) else ""
            name = self.rng.choice(COMPONENTS)
            if base.count("/") > 12:
                base = ""
            path = base + "/" + name
            paths.append(path if path not in paths else path + str(i))
        return paths

    # strings and subjects

    def string(self, value):
        """An expression of this value: lets first, and cut in pieces."""
        starts = [name for name, start in self.strings.items()
                  if start and value.startswith(start)]
        if starts and chance(self.rng, 60):
            name = self.rng.choice(starts)
            rest = value[len(self.strings[name]):]
            return [name] + (["+"] + self.string(rest) if rest else [])
        if len(value) > 1 and chance(self.rng, 15):
            cut = self.rng.randint(1, len(value) - 1)
            return [literal(self.rng, value[:cut]), "+",
                    literal(self.rng, value[cut:])]
        return [literal(self.rng, value)]

    def cgroup(self, path):
        chunks = self.string(path)
        if chance(self.rng, 5):
            chunks = ["("] + chunks + [")"]
        return ["cgroup"] + chunks

    def subjects(self):
        """(chunks, terms)"""
        count = self.rng.choices((1, 2, 3), (75, 18, 7))[0]
        return self.listed([self.subject() for _ in range(count)])

    def listed(self, parts):
        """Elements with commas between, sometimes with parentheses."""
        chunks, found = [], set()
        for part, meaning in parts:
            if chance(self.rng, 2):
                part = ["("] + part + [")"]
            chunks += [","] + part
            found |= meaning
        chunks = chunks[1:]
        if len(parts) > 1 and chance(self.rng, 3):
            chunks = ["("] + chunks + [")"]
        return chunks, found

    def subject(self):
        if self.subject_lets and chance(self.rng, 25):
            name = self.rng.choice(sorted(self.subject_lets))
            return [name], self.subject_lets[name]
        if self.paths and chance(self.rng, 70):
            path = self.rng.choice(self.paths)
            return self.cgroup(path), {path}
        word = self.rng.choices(("all", "host", "container"), (1, 3, 3))[0]
        return [word], {word}

    # operations

    def words(self, owner):
        """word -> operations"""
        if owner == "privileged":
            return {cap: {cap} for cap in oracle.CAPABILITIES}
        words = {op: {op} for op in oracle.PROTECTIONS[owner]}
        if owner == "network":
            words |= {name: {name} for name in self.destinations}
        for (name, family), ops in oracle.FAMILIES.items():
            if name == owner:
                words[family] = set(ops)
        return words

    def spelled(self, owner, word):
        if owner != "privileged":
            return word
        if chance(self.rng, 60):
            word = word[4:]
        return self.rng.choice((word, word, word.upper(), word.title()))

    def operations(self, owner):
        """(chunks, operations)"""
        mine = [name for name, (of, _) in self.operation_lets.items()
                if of == owner]
        if mine and chance(self.rng, 30):
            name = self.rng.choice(mine)
            return [name], self.operation_lets[name][1]
        dice = self.rng.random()
        if dice < 0.12:
            return ["all"], self.every(owner)
        if dice < 0.3:
            return self.difference(owner)
        count = self.rng.choices((1, 2, 3, 5), (60, 20, 12, 8))[0]
        parts = [self.element(owner) for _ in range(count)]
        return self.listed(parts)

    def every(self, owner):
        return set().union(*self.words(owner).values())

    def element(self, owner):
        if chance(self.rng, 6):
            chunks, found = self.difference(owner)
            return ["("] + chunks + [")"], found
        words = self.words(owner)
        word = self.rng.choice(list(words))
        return [self.spelled(owner, word)], words[word]

    def difference(self, owner):
        """`all - a`, `all - (a, b)`, `family - a`, `all - a - b`."""
        words = self.words(owner)
        families = [word for word in words if len(words[word]) > 1]
        left, found = ["all"], self.every(owner)
        if families and chance(self.rng, 30):
            left, found = [families[0]], words[families[0]]
        singles = [word for word in words if words[word] < found]
        count = min(self.rng.choice((1, 1, 2, 3)), len(found) - 1)
        out = self.rng.sample(singles, count)
        rest = found.difference(*(words[word] for word in out))
        if not rest:
            return left, found
        out = [self.spelled(owner, word) for word in out]
        if len(out) > 1 and chance(self.rng, 70):
            chunks = ["-", "("]
            for word in out:
                chunks += [word, ","]
            return left + chunks[:-1] + [")"], rest
        return left + [chunk for word in out for chunk in ("-", word)], rest

    # lets

    def new_name(self, word):
        self.names += 1
        sep = self.rng.choice(("", "_", "-"))
        return "%s%s%d" % (word, sep, self.names)

    def add_let(self, word, chunks):
        name = self.new_name(word)
        self.lets.append(["let", name, "="] + chunks + [";"])
        return name

    def plan_lets(self, owners):
        """Each may use those before it; where they stand is shuffled."""
        rng = self.rng
        most = {"tiny": 1, "small": 2}.get(self.size, 4)
        for path in rng.sample(self.paths, min(len(self.paths),
                                               rng.randint(0, most))):
            start = path[:rng.randint(1, len(path))]
            self.strings[self.add_let("base", self.string(start))] = start
        for _ in range(rng.randint(0, most)):
            value = rng.choice((0, 1, 5, rng.randint(-99999, 99999)))
            self.numbers[self.add_let(
                "n", self.integers.expression(value))] = value
        if self.destinations and chance(rng, 20):
            self.strings[self.add_let("net", ['"10."'])] = "10."
        for _ in range(rng.randint(0, most)):
            chunks, terms = self.subjects()
            self.subject_lets[self.add_let("Pods", chunks)] = terms
        for _ in range(rng.randint(0, most)):
            owner = rng.choice(owners)
            chunks, found = self.operations(owner)
            self.operation_lets[self.add_let("ops", chunks)] = (owner, found)

    # items

    def plan(self):
        rng = self.rng
        count = rng.randint(1, self.protection_count)
        owners = rng.sample(list(oracle.PROTECTIONS), count)
        kinds = [kind for kind in ("exec", "privileged") if chance(rng, 15)]
        self.audit = chance(rng, 20)
        self.default = rng.choice(("baseline", "restricted", "none", "allow")) \
            if chance(rng, 20) else None
        if DESTINATIONS and "network" in owners and chance(rng, DESTINATIONS):
            self.name_destinations()
        self.plan_lets(owners + kinds[-1:] if "privileged" in kinds
                       else owners)
        self.plan_head()
        nested = chance(rng, 20) or self.size == "huge"
        for owner in owners:
            Block(self, owner, nested and owner == owners[0]).plan()
        for kind in kinds:
            self.plan_trace(kind)
        rng.shuffle(self.items)

    def name_destinations(self):
        count = self.rng.choice((1, 1, 2, 2, 3, 4))
        if chance(self.rng, 4):
            count = self.rng.randint(5, oracle.DESTINATION_LIMIT)
        for _ in range(count):
            name = self.rng.choice(PLACES)
            self.destinations.append(
                name if name not in self.destinations else self.new_name(name))

    def plan_head(self):
        rng = self.rng
        seal = rng.choice(("locked", "open"))
        self.items.append(["seal", seal, ";"])
        if seal == "locked" or chance(rng, 50):
            version = rng.choice((1, 7, rng.randint(1, 2 ** 31 - 1)))
            self.items.append(["version"] + self.integers.expression(version) +
                              [";"])
        if chance(rng, 40):
            self.items.append(["description"] +
                              self.string(rng.choice(WORDS)) + [";"])
        if self.audit or chance(rng, 20):
            self.items.append(["mode", "audit" if self.audit else "enforce",
                               ";"])
        if self.default:
            self.items.append(["default", "profile", self.default, ";"])

    def plan_trace(self, kind):
        chunks = ["trace", "{"]
        for _ in range(self.rng.randint(1, 3)):
            if kind == "exec":
                chunks += ["exec", "all"]
            else:
                chunks += ["privileged"] + self.operations(kind)[0]
            if chance(self.rng, 60):
                chunks += ["for"] + self.subjects()[0]
            chunks.append(";")
        self.items.append(chunks + ["}"])


class Block:
    """One protection of a plan."""

    def __init__(self, plan, owner, nested):
        self.plan_, self.rng, self.owner = plan, plan.rng, owner
        self.nested = nested
        self.statements = []
        self.taken = {"block": {}, "allow": {}}     # term -> operations
        self.profile = "baseline" if nested else plan.rng.choices(
            ("baseline", "restricted", "allow"), (65, 17, 18))[0]

    def plan(self):
        rng, plan = self.rng, self.plan_
        default = oracle.PROFILES.get(plan.default)
        if default != self.profile or chance(rng, 50):
            word = self.profile
            if word == "allow":
                word = rng.choice(("allow", "none", "privileged"))
            self.statements.append(["profile", word, ";"])
        if chance(rng, 35):
            words = ("denied", "all") + (() if plan.audit else ("none",))
            self.statements.append(["log", rng.choice(words), ";"])
        if self.nested:
            self.overlap()
        if self.profile != "restricted":
            for _ in range(rng.randint(0, plan.rule_count)):
                self.random_rule()
        if self.nested and plan.size == "huge":
            for path in plan.paths:
                self.random_rule(path)
        if self.owner == "usb":
            self.devices()
        if self.owner == "network":
            for name in plan.destinations:
                self.destination(name)
        rng.shuffle(self.statements)
        self.write()

    def write(self):
        """In one block, or reopened."""
        parts = [self.statements]
        if chance(self.rng, 25):
            cut = self.rng.randint(0, len(self.statements))
            parts = [self.statements[:cut], self.statements[cut:]]
        for part in parts:
            chunks = [self.owner, "{"]
            for statement in part:
                chunks += statement
            self.plan_.items.append(chunks + ["}"])

    def overlap(self):
        """An allow and a block, one for a cgroup below the other's."""
        rng, plan = self.rng, self.plan_
        if not plan.paths:
            plan.paths = ["/machine.slice"]
        outer = rng.choice(plan.paths)
        inner = outer + "/" + rng.choice(COMPONENTS)
        plan.paths.append(inner)
        chunks, found = self.operations(True)
        pair = [(outer, "allow"), (inner, "block")]
        if chance(rng, 40):
            pair = [(outer, "block"), (inner, "allow")]
        for path, verb in pair:
            self.rule(verb, chunks, found, plan.cgroup(path), {path})

    def operations(self, with_subject):
        """`add` has no subject, so a rule with one may not have it."""
        if self.owner == "usb" and with_subject:
            return self.rng.choice((["authorize"], ["all", "-", "add"])), \
                {"authorize"}
        return self.plan_.operations(self.owner)

    def random_rule(self, path=None):
        """For this cgroup, or for whatever comes."""
        verb = "block"
        if self.profile == "baseline" and chance(self.rng, 50):
            verb = "allow"
        with_subject = path or chance(self.rng, 75)
        for _ in range(4):
            chunks, found = self.operations(with_subject)
            subjects, terms = [], {"all"}
            if path:
                subjects, terms = self.plan_.cgroup(path), {path}
            elif with_subject:
                subjects, terms = self.plan_.subjects()
            if not self.conflicts(verb, found, terms):
                self.rule(verb, chunks, found, subjects, terms)
                return

    def conflicts(self, verb, found, terms):
        other = self.taken["allow" if verb == "block" else "block"]
        return any(found & other.get(term, set()) for term in terms)

    def rule(self, verb, chunks, found, subjects, terms):
        for term in terms:
            self.taken[verb][term] = self.taken[verb].get(term, set()) | found
        statement = [verb] + chunks
        if subjects:
            statement += ["for"] + subjects
        if chance(self.rng, 15):
            word = self.rng.choice(WORDS)
            statement += ["because"] + self.plan_.string(word)
        if verb == "allow" and chance(self.rng, 15):
            statement += ["until", self.day()]
        self.statements.append(statement + [";"])

    def day(self):
        return "%04d-%02d-%02d" % (
            self.rng.choice((2040, 2044, self.rng.randint(2040, 2200))),
            self.rng.randint(1, 12), self.rng.choice((1, 28, 9)))

    def devices(self):
        for _ in range(self.rng.randint(0, 3)):
            form = self.rng.choice(("%04x:%04x", "%04X:%04X"))
            word = form % (self.rng.getrandbits(16), self.rng.getrandbits(16))
            statement = ["device", literal(self.rng, word), ";"]
            if statement not in self.statements:
                self.statements.append(statement)


    def destination(self, name):
        rng = self.rng
        most = rng.choice((1, 3, 8)) if chance(rng, 98) else 300
        prefixes = {network(rng) for _ in range(rng.randint(0, most))}
        ports = {port_range(rng) for _ in range(rng.choice((0, 0, 1, 2, 5)))}
        if not prefixes and not ports:
            prefixes = {network(rng)}
        statements = [*self.cut("prefixes", sorted(map(str, prefixes)),
                                self.prefix, chance(rng, 30)),
                      *self.cut("ports", sorted(ports), self.ports, False)]
        rng.shuffle(statements)
        self.statements.append(["destination", name, "{", *[
            chunk for statement in statements for chunk in statement], "}"])

    def cut(self, word, values, spelled, bare):
        """In one statement or several; @bare: without commas, and so each a
        literal."""
        self.rng.shuffle(values)
        while values:
            count = self.rng.choice((1, 2, len(values)))
            some, values = values[:count], values[count:]
            chunks = [word]
            for value in some:
                chunks += spelled(value, bare) + ([] if bare else [","])
            yield (chunks if bare else chunks[:-1]) + [";"]

    def prefix(self, value, bare):
        word = spelled_network(self.rng, ipaddress.ip_network(value))
        return [literal(self.rng, word)] if bare else self.plan_.string(word)

    def ports(self, value, _):
        if value[0] == value[1]:
            return self.plan_.integers.expression(value[0])
        return self.plan_.string("%d-%d" % value)


# --- files --------------------------------------------------------------------


class Writer:
    """Spreads a plan over a main file and includes."""

    def __init__(self, plan):
        self.plan, self.rng = plan, plan.rng
        self.files = {}
        self.top, self.inside = [], []      # statements as text
        self.head = "language 1;"
        self.newline = "\r\n" if chance(self.rng, 10) else "\n"

    def text(self, chunks):
        return lay_out(self.rng, chunks)

    def spread(self):
        """Lets and items to their places."""
        for let in self.plan.lets:
            where = self.top if chance(self.rng, 60) else self.inside
            where.insert(self.rng.randint(0, len(where)), self.text(let))
        for item in self.plan.items:
            self.inside.insert(self.rng.randint(0, len(self.inside)),
                               self.text(item))

    def move_out(self):
        """Some of what stands in the main file to includes."""
        rng = self.rng
        if self.top and chance(rng, 25):
            self.extract(self.top, "lets.inc", [])
        if chance(rng, 25):
            self.extract(self.inside, "items.inc", [])
        if len(self.inside) > 2 and chance(rng, 15):
            self.extract(self.inside, "sub/deep.inc", ["more.inc"])
        if len(self.inside) > 2 and chance(rng, 10):
            self.extract(self.inside, "common.inc", [], LIBRARY)
        if chance(rng, 5):
            name = "empty.inc"
            self.files[name] = rng.choice(("", "# nothing\n", "\n"))
            for _ in range(rng.randint(1, 2)):
                self.inside.insert(rng.randint(0, len(self.inside)),
                                   'include "empty.inc";')

    def extract(self, statements, name, below, folder=""):
        """A run of the statements to an include, and of that to another."""
        rng = self.rng
        first = rng.randint(0, len(statements))
        last = rng.randint(first, len(statements))
        moved = statements[first:last]
        # An include is relative to its file, so it cannot move elsewhere.
        if any(statement.startswith("include") for statement in moved):
            return
        statements[first:last] = ["include %s;" % literal(rng, name)]
        if below:
            path = os.path.dirname(name) + "/" + below[0]
            cut = rng.randint(0, len(moved))
            self.files[path] = self.lines(moved[cut:])
            moved[cut:] = ['include "%s";' % below[0]]
        self.files[os.path.join(folder, name)] = self.lines(moved)

    def lines(self, statements):
        """Mostly one statement a line."""
        text = ""
        for statement in statements:
            if chance(self.rng, 8):
                text += "# %s\n" % self.rng.choice(COMMENTS)
            text += statement + self.rng.choices(
                ("\n", "\n\n", " "), (85, 10, 5))[0]
        return self.ended(text)

    def ended(self, text):
        return text.replace("\n", self.newline)

    def main(self):
        name = self.rng.choice(("edge-gateway", "p", "Policy_1", "seal",
                                "a-b-3"))
        return self.ended("# Made up at random.\n" + self.head + "\n") + \
            self.lines(self.top) + \
            self.ended("policy %s {\n" % name) + self.lines(self.inside) + \
            self.ended("}\n")


def planned(rng, defines):
    plan = Plan(rng, defines)
    plan.plan()
    return plan


def policy(rng, defines=False):
    """A right policy: (text, {include name: text})."""
    plan = planned(rng, defines)
    writer = Writer(plan)
    writer.spread()
    if chance(rng, 40):
        asserts(writer, defines)
    writer.move_out()
    return writer.main(), writer.files


def asserts(writer, defines):
    """Assertions that hold, which is asked of the oracle."""
    rng, plan = writer.rng, writer.plan
    files = oracle.Memory({MAIN: writer.main()})
    parsed = oracle.parse(MAIN, [], DEFINES if defines else {}, files)
    values = oracle.values_of(parsed)
    attached = oracle.tables(parsed, plan.audit, values)
    for _ in range(rng.randint(1, 4)):
        chunks, terms = plan.subjects()
        word = rng.choice(("can", "cannot"))
        refs = []
        for _ in range(rng.randint(1, 6)):
            name = rng.choice(list(attached) if attached and chance(rng, 90)
                              else list(oracle.PROTECTIONS))
            op = "*" if chance(rng, 10) else rng.choice(
                list(values.words[name]))
            if oracle.holds(attached.get(name), terms, word, op):
                refs += [",", name + "." + op if chance(rng, 90)
                         else name + " . " + op]
        if refs:
            writer.inside.insert(
                rng.randint(0, len(writer.inside)),
                writer.text(["assert"] + chunks + [word] + refs[1:] + [";"]))


# --- wrong policies -----------------------------------------------------------

# Items that are wrong in whatever policy they stand.
WRONG_ITEMS = """
bfp { profile baseline; }
bpf { profile baseline; profile baseline; }
bpf { log all; log all; }
bpf { block others; }
bpf { block host; }
bpf { block msr; }
bpf { block other for }
bpf { block other for nowhere; }
bpf { block other for other; }
bpf { block other for all - host; }
bpf { block all - other, obj_get; }
bpf { block obj_get, all - other; }
bpf { block other - all; }
bpf { block other until 2099-01-01; }
bpf { block other; allow other; }
bpf { block other for host; allow all for host, container; }
bpf { block all for cgroup "/c"; allow prog_load for cgroup "/" + "c"; }
bpf { allow other until 2020-01-01; }
bpf { allow other until 2099-02-29; }
bpf { allow other until 2099-1-1; }
bpf { allow other because 1; }
bpf { allow other for cgroup "c"; }
bpf { allow other for cgroup "/"; }
bpf { allow other for cgroup "/c/"; }
bpf { allow other for cgroup "/c//d"; }
bpf { allow other for cgroup "/c/../d"; }
bpf { allow other for cgroup 1; }
bpf { device "0951:1666"; }
bpf { deny other; }
bpf { log some; }
bpf { block other }
usb { block add for host; }
usb { block all for container; }
usb { device "951:1666"; }
usb { device "0951:1666"; device "0951:1666"; }
network { ports 80; }
network { prefixes "10.0.0.0/8"; }
network { destination bad { } }
network { destination bad { ports 80 } }
network { destination bad { ports 80; }; }
network { destination bad { ports 65536; } }
network { destination bad { ports 8000-8080; } }
network { destination bad { ports "8080-8000"; } }
network { destination bad { ports "80"; } }
network { destination bad { ports 80, 81, 0x50; } }
network { destination bad { ports 80 for host; } }
network { destination bad { prefixes "10.0.0.0/33"; } }
network { destination bad { prefixes "10.0.0.1/8"; } }
network { destination bad { prefixes "10.0.0/8"; } }
network { destination bad { prefixes "2001:db8::1/32"; } }
network { destination bad { prefixes "2001:db8:::"; } }
network { destination bad { prefixes "::ffff:10.0.0.0/104"; } }
network { destination bad { prefixes "10.0.0.1", "10.0.0.1/32"; } }
network { destination bad { prefixes 10; } }
network { destination connect { ports 80; } }
network { destination host { ports 80; } }
network { destination bad { ports 1; } destination bad { ports 2; } }
network { destination bad { ports 1; } block bad; allow all; }
bpf { destination bad { ports 80; } }
assert host can network.bad;
let bad = 1; network { destination bad { ports 80; } }
seal open; seal open;
seal shut;
mode lenient;
mode audit; mode audit;
description 1;
description "a"; description "b";
version 0;
version 1 << 31;
version "1";
version 007;
version 1; version 1;
default profile strict;
default profile allow; default profile allow;
language 1;
policy q { seal open; }
trace { exec memfd; }
trace { privileged memfd; }
trace { run all; }
assert host can bfp.other;
assert host can bpf.msr;
assert all can bpf.other, bpf.all;
assert other can bpf.other;
assert host bpf.other;
let let = 1;
let host = 1;
let msr = 1;
let sys_admin = all;
let twice = 1; let twice = 1;
let round = round;
let round = trip; let trip = round;
let odd = nothing;
let odd = host, other;
let odd = 1 + "a";
let odd = 1 / 0; version odd;
let odd = 1 << 64; version odd;
let odd = 9223372036854775807 + 1; version odd;
let odd = 9223372036854775808; version odd;
let odd = "\\xff";
let odd = "\\x00";
let odd = "\\q";
let odd = "abc
let odd = 12ab;
let odd = all-other; bpf { block odd; }
let odd = $;
include "missing.inc";
include "/etc/hostname";
include "policy.bpflock";
include "again.inc"; include "again.inc";
include "round.inc";
""".strip().splitlines()

WRONG_FILES = {"again.inc": "trace { exec all; }\n",
               "round.inc": 'include "trip.inc";\n',
               "trip.inc": 'include "round.inc";\n'}

# Characters that may stand nowhere; the last is a byte that is not UTF-8.
WRONG_CHARACTERS = "\0\x01\x1b\x7f\u202e\u2066\u200e\u061c\udcff"


def broken(rng, defines=False):
    """A policy that must be refused."""
    plan = planned(rng, defines)
    writer = Writer(plan)
    dice = rng.random()
    if dice < 0.06:
        plan.items = [item for item in plan.items if item[0] != "seal"]
    elif dice < 0.1:
        writer.head = rng.choice(("", "language 2;", "language \"1\";"))
    elif dice < 0.75:
        # Laid out as it is, so that nothing in it changes its meaning.
        line = rng.choice(WRONG_ITEMS)
        plan.items.append([line])
        owner = line.split()[0]
        if not any(item[0] == owner for item in plan.items[:-1]):
            plan.items.append([owner + " { profile baseline; }"] if owner in
                              oracle.PROTECTIONS else ["#\n"])
        if "include" in line:
            writer.files.update(WRONG_FILES)
    writer.spread()
    writer.move_out()
    text = writer.main()
    if 0.75 <= dice < 0.9:
        text = wrong_character(rng, text)
    elif dice >= 0.9:
        text = wrong_shape(rng, text)
    return text, writer.files


def wrong_character(rng, text):
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(WRONG_CHARACTERS) + text[at:]


def wrong_shape(rng, text):
    end = text.rindex("}")
    return rng.choice((
        text[:end],
        text + "}",
        text + "policy q { seal open; }",
        text + "let late = 1;",
        text[:end] + "let deep = " + "(" * 300 + "1" + ")" * 300 + ";\n}",
        text[:end] + "let deep = " + "~ " * 300 + "1;\n}",
        text[:end] + "# \r}",
        "\ufeff" + text,
        text + "#" * (1 << 20)))


MUTATION = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|[\w-]+|<<|>>|\S')


def mutant(rng, defines=False):
    """A right policy after a small accident: it may still be right."""
    text, files = policy(rng, defines)
    spots = [match.span() for match in MUTATION.finditer(text)]
    for _ in range(rng.choice((1, 1, 2))):
        first, last = rng.choice(spots)
        start, end = rng.choice(spots)
        words = re.findall("[A-Za-z_][\\w-]*", text)
        word = rng.choice((
            "", *rng.choices(words, k=6), text[start:end],
            text[first:last] + " " + text[first:last],
            text[start:end] + " " + text[first:last],
            rng.choice(sorted(oracle.KEYWORDS)), rng.choice("(){};,-+.*=&")))
        text = text[:first] + word + text[last:]
        spots = [match.span() for match in MUTATION.finditer(text)]
    return text, files


# --- command line -------------------------------------------------------------


def nth(seed, number, make=policy, **options):
    """One policy of a run, without those before it."""
    return make(random.Random("%s %d" % (seed, number)), **options)


def write(folder, text, files):
    """A policy and its includes; returns the path of the main file."""
    for name, content in {MAIN: text, **files}.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode("utf-8", "surrogateescape"))
    return os.path.join(folder, MAIN)


def main():
    parser = argparse.ArgumentParser(description="random policies")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--broken", action="store_true",
                        help="a third of them wrong")
    options = parser.parse_args()
    for number in range(options.count):
        wrong = options.broken and number % 3 == 2
        text, files = nth(options.seed, number, broken if wrong else policy)
        if options.out:
            write(os.path.join(options.out, str(number)), text, files)
            continue
        for name, content in {MAIN: text, **files}.items():
            sys.stdout.buffer.write(
                ("## %d %s\n%s" % (number, name, content)).encode(
                    "utf-8", "surrogateescape"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
