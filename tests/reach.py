# SPDX-License-Identifier: GPL-2.0-only
"""Do the tables of a bundle lead where the oracle says?

    python3 tests/reach.py --compiler build/bpflockc --count N --seed S

A bundle has its policy's destinations as two tables that are in order, of
addresses and of ports (bundle/policy.h). Made-up ones are compiled, and what
the tables have for the first and the last address of each prefix, for their
neighbours and for some others is held against tests/oracle.py, which walks over
the prefixes. How the programs search is the conformance rows' to show.
"""

import argparse
import bisect
import ipaddress
import os
import random
import struct
import subprocess
import sys
import tempfile

import generate
import oracle

SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
INDEX = struct.Struct("<QQII")
MAX_PARTS = oracle.PART_LIMIT


# --- what a bundle has --------------------------------------------------------


class Elf:
    """As much as it takes to find what a symbol stands for."""

    def __init__(self, data):
        self.data = data
        offset, = struct.unpack_from("<Q", data, 0x28)
        count, = struct.unpack_from("<H", data, 0x3c)
        self.sections = [SECTION.unpack_from(data, offset + SECTION.size * i)
                         for i in range(count)]

    def symbols(self):
        """name -> its bytes, of those that are in a section."""
        found = {}
        for section in self.sections:
            if section[1] != 2:     # SHT_SYMTAB
                continue
            strings = self.sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], SYMBOL.size):
                name, _, _, where, value, size = SYMBOL.unpack_from(self.data,
                                                                    at)
                end = self.data.index(b"\0", strings + name)
                if 0 < where < len(self.sections):
                    start = self.sections[where][4] + value
                    found[self.data[strings + name:end].decode()] = \
                        self.data[start:start + size]
        return found


class Tables:
    """Of one bundle; what they say is masks, bit 0 the first destination."""

    def __init__(self, data):
        symbols = Elf(data).symbols()
        everything, any_port, ranges, ports = INDEX.unpack(
            symbols["destination_index"])
        self.shift = len(oracle.PROTECTIONS["network"])
        self.all = everything >> self.shift
        self.any_port = any_port >> self.shift
        self.ranges = [(high << 64 | low, mask) for high, low, mask in
                       struct.iter_unpack("<QQQ",
                                          symbols["destination_ranges"])]
        self.ports = list(struct.iter_unpack("<QQ",
                                             symbols["destination_ports"]))
        self.wrong = [words for words in (
            self.wrong_table("ranges", self.ranges, ranges),
            self.wrong_table("ports", self.ports, ports)) if words]

    @staticmethod
    def wrong_table(name, rows, count):
        keys = [key for key, _ in rows]
        if len(rows) != count or count & (count - 1):
            return "%s: %d rows, said to be %d" % (name, len(rows), count)
        if keys[0] != 0 or keys != sorted(keys):
            return "%s: not in order from 0" % name
        return None

    def row(self, rows, key):
        at = bisect.bisect_right(rows, key, key=lambda row: row[0]) - 1
        return rows[at][1] >> self.shift

    def operations_of(self, names, address, port):
        """As oracle.operations_of(), where @address is known."""
        key = int(address)
        if address.version == 4:
            key |= 0xffff << 32
        found = self.row(self.ranges, key)
        sure = found & self.any_port
        if port is not None:
            found &= self.row(self.ports, port)
            sure = found
        return {name for i, name in enumerate(names) if found >> i & 1} | \
            (set() if sure else {"connect"})


# --- made-up destinations -----------------------------------------------------


def policy(rng, number):
    """The text, with rules that make none of it idle."""
    count = rng.choice((1, 2, 3, 8, oracle.DESTINATION_LIMIT))
    statements = []
    for i in range(count):
        prefixes = {generate.network(rng)
                    for _ in range(rng.choice((0, 1, 2, 5, 20)))}
        ports = {generate.port_range(rng)
                 for _ in range(rng.choice((0, 0, 1, 3)))}
        if number == 0 and i == 0:
            prefixes = many_networks(rng)
        if not prefixes and not ports:
            prefixes = {generate.network(rng)}
        statements.append("destination d%d { %s %s }" % (
            i, listed("prefixes", ['"%s"' % net for net in prefixes]),
            listed("ports", ['"%d-%d"' % pair for pair in ports])))
        statements.append("block d%d for host;" % i)
    return "language 1; policy p { seal open; network { profile baseline; " \
        "%s } }" % "\n".join(statements)


def many_networks(rng):
    """As many as there may be, with some left for the others."""
    found = set()
    while len(found) < MAX_PARTS - 2000:
        found.add(generate.network(rng))
        found.add(ipaddress.ip_network((rng.getrandbits(32),
                                        rng.randint(8, 32)), strict=False))
    return found


def listed(word, values):
    return "%s %s;" % (word, ", ".join(values)) if values else ""


def addresses(rng, table):
    """Where something begins or ends, and others."""
    words = [word for entry in table["settings"]["destinations"]
             for word in entry["prefixes"]]
    for word in rng.sample(words, min(len(words), 30)):
        net = ipaddress.ip_network(word)
        for number in (int(net[0]) - 1, int(net[0]), int(net[-1]),
                       int(net[-1]) + 1):
            if 0 <= number < 1 << net.max_prefixlen:
                yield type(net[0])(number)
    for _ in range(10):
        v4 = ipaddress.IPv4Address(rng.getrandbits(32))
        yield from (v4, ipaddress.IPv6Address("::ffff:%s" % v4),
                    ipaddress.IPv6Address(rng.getrandbits(128)))


def ports(rng, table):
    pairs = [pair for entry in table["settings"]["destinations"]
             for pair in entry["ports"]]
    edges = {port for first, last in pairs
             for port in (first - 1, first, last, last + 1)
             if 0 <= port <= oracle.PORT_LIMIT}
    return [None, 0, 65535, rng.randint(0, 65535),
            *rng.sample(sorted(edges), min(len(edges), 12))]


# --- comparing ----------------------------------------------------------------


def failures(tables, table, rng):
    """What the bundle has otherwise."""
    names = [entry["name"] for entry in table["settings"]["destinations"]]
    yield from tables.wrong
    if tables.all != (1 << len(names)) - 1:
        yield "all is %#x of %d destinations" % (tables.all, len(names))
    tried = ports(rng, table)
    for address in addresses(rng, table):
        for port in (None, *rng.sample(tried, min(len(tried), 4))):
            wanted = oracle.operations_of(table, address, port)
            found = tables.operations_of(names, address, port)
            if wanted != found:
                yield "%s port %s: oracle %s, bundle %s" % (
                    address, port, sorted(wanted), sorted(found))


def one(compiler, rng, number, folder):
    """None, or what is wrong with one policy."""
    source = os.path.join(folder, "policy.bpflock")
    bundle = os.path.join(folder, "policy.o")
    text = policy(rng, number)
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([compiler, source, "-o", bundle], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        return "refused: " + done.stderr[:1000]
    with open(bundle, "rb") as file:
        tables = Tables(file.read())
    table = oracle.decide(source)["protections"][0]
    found = list(failures(tables, table, rng))
    return "\n".join([*found[:5], text[:2000]]) if found else None


def main():
    parser = argparse.ArgumentParser(description="bundles against oracle")
    parser.add_argument("--compiler", required=True, type=os.path.abspath)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            rng = random.Random("%d %d" % (options.seed, number))
            words = one(options.compiler, rng, number, folder)
            if words:
                failed += 1
                print("FAILED policy %d of seed %d: %s" % (
                    number, options.seed, words), flush=True)
            else:
                passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
