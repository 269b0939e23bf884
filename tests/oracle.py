# SPDX-License-Identifier: GPL-2.0-only
"""What a policy decides, worked out a second time.

The compiler must agree with this file, which shares nothing with it but the
document of the language: tables, lexer, parser and meaning are written out
again, as plainly as they can be.  Speed matters a little, cleverness not.

    python3 tests/oracle.py POLICY [-I DIR]... [-D NAME=EXPR]...

prints the decision table as JSON, or `file:line: reason: words` and exits 1.
It stops at the first error that it meets: which of several a compiler
shows first is not part of the language.

Where the document leaves a choice, this is what was chosen:

- Every let is checked, used or not: its names, its kind, and its value if it
  is a constant or a set of subjects (so an unused `let x = 1 / 0;` is wrong).
- Depth counts parentheses and unary operators; a chain a + b + c is flat.
  The main file is at include depth 0, and 16 is the deepest that works.
- Parentheses may stand round any set, also one of subjects.
- A string literal must be valid UTF-8 by itself, once its escapes are read,
  and may not smuggle in a bidirectional control by an escape either.
- A string over 1 MiB, which only doubling sums can make, is an error.
- `0X10` is an error; `language 0x1;` is `language 1;`.
- A file of lets may be included both outside and inside the policy, and
  counts once. A file is one of items as soon as anything it includes is.
- An empty `trace { }` traces nothing; trace may be written several times.
- A policy may have the name of a keyword; a protection of an included file
  may stand before or after the ones of the main file.
- `device` takes ids, each a string expression, with or without commas.
- DEL counts as a control character, U+0080 to U+009F do not.
- The limit of classes holds for each kind of trace too.
- `namespaces` has no family "create": the word only describes its list.
- A second `destination` of one name is an error, wherever it stands.
- A destination may have no name that a let may not have.
- Two ports are the same where first and last are: 80 and "80-80" are.
- A range has both ends, in decimal without leading zeros; so has the length of
  a prefix. An IPv6 prefix of nothing but mapped addresses is an error.
"""

import argparse
import datetime
import functools
import ipaddress
import json
import os
import posixpath
import re
import stat
import sys
import time

# A chain of lets, each naming the next, is walked by recursion.
sys.setrecursionlimit(20000)

SOURCE_LIMIT = 1 << 20
STRING_LIMIT = 1 << 20
INCLUDE_LIMIT = 16
DEPTH_LIMIT = 256
CLASS_LIMIT = 4096
DESTINATION_LIMIT = 50
PART_LIMIT = 4096
PORT_LIMIT = 65535
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1

# --- the tables, typed from the document --------------------------------------

PROTECTIONS = {
    "kernel_image": """unsigned_module dev_mem efi_test kexec hibernation
        pci_access ioport msr acpi_tables device_tree pcmcia_cis tiocsserial
        unsafe_module_parameters mmiotrace debugfs xmon_wr bpf_write
        dbg_write_kernel rtas_error_injection""",
    "kernel_secrets": """kcore kprobes bpf_read dbg_read_kernel perf tracefs
        xmon_rw xfrm_secret""",
    "kernel_modules": """load_module autoload_module unsigned_module
        unsafe_module_parameters unload_module foreign_module""",
    "bpf": """map_create prog_load_lsm prog_load_tracing prog_load_kprobe
        prog_load_cgroup prog_load_net prog_load_other btf_load bpf_write
        map_update obj_pin obj_get prog_attach link_create
        raw_tracepoint_open token_create other""",
    "fileless_exec": "memfd shm unlinked script map",
    "namespaces": "user pid net mnt uts ipc cgroup time enter",
    "usb": "authorize add",
    "root_filesystem": "write remount raw_device",
    "sysfs": """kernel module bus block class devices firmware fs power
        other""",
    "network": """raw_socket packet_socket netlink_route netlink_netfilter
        netlink_audit netlink_other bind_low bind listen connect vsock
        bluetooth can other_family""",
}
PROTECTIONS = {name: ops.split() for name, ops in PROTECTIONS.items()}

FAMILIES = {
    ("bpf", "prog_load"): """prog_load_lsm prog_load_tracing
        prog_load_kprobe prog_load_cgroup prog_load_net
        prog_load_other""".split(),
    ("sysfs", "write"): PROTECTIONS["sysfs"],
}

CAPABILITIES = ["cap_" + name for name in """chown dac_override
    dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner
    sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot
    sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write
    audit_control setfcap mac_override mac_admin syslog wake_alarm
    block_suspend audit_read perfmon bpf checkpoint_restore""".split()]

PROFILES = {"allow": "allow", "none": "allow", "privileged": "allow",
            "baseline": "baseline", "restricted": "restricted"}

KEYWORDS = set("""language include let policy description version mode
    enforce audit default profile seal locked open block allow log denied all
    none for because until trace exec privileged assert can cannot host
    container cgroup baseline restricted device destination prefixes
    ports""".split())

OPERATIONS = ({op for ops in PROTECTIONS.values() for op in ops} |
              {family for _, family in FAMILIES})


def capability(name):
    """The kernel's name of a capability, lower case, or None."""
    name = name.lower()
    if not name.startswith("cap_"):
        name = "cap_" + name
    return name if name in CAPABILITIES else None


def vocabulary(name):
    """What the words of one protection, or of the capabilities, stand for:
    word -> mask of operations, with the families in."""
    ops = PROTECTIONS[name]
    words = {op: 1 << i for i, op in enumerate(ops)}
    for (protection, family), members in FAMILIES.items():
        if protection == name:
            words[family] = sum(words[op] for op in members)
    return words


VOCABULARY = {name: vocabulary(name) for name in PROTECTIONS}
VOCABULARY["privileged"] = {cap: 1 << i for i, cap in enumerate(CAPABILITIES)}

# --- refusals -----------------------------------------------------------------


class Refused(Exception):
    """The policy is wrong.  `place` is (file, line)."""

    def __init__(self, place, reason, words):
        super().__init__("%s:%d: %s: %s" % (*place, reason, words))
        self.place = place
        self.reason = reason
        self.words = words


def refuse(place, reason, words):
    raise Refused(place, reason, words)


# --- characters and tokens ----------------------------------------------------

BIDI = "\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c"
FORBIDDEN = re.compile("[%s]|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]" % BIDI)
TOKEN = re.compile(r"""
    (?P<blank>   [ \t\r\n]+ | \#[^\n]* )
  | (?P<int>     [0-9][A-Za-z0-9_]* )
  | (?P<name>    [A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)* )
  | (?P<string>  "(?:[^"\\\n]|\\[^\n])*" )
  | (?P<punct>   <<|>>|[{}();,.=+*/%&|~-] )
""", re.VERBOSE)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![A-Za-z0-9_-])")
ESCAPE = re.compile(rb'\\(?:(["\\nt])|x([0-9A-Fa-f]{2}))?')
PLAIN_ESCAPES = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"t": b"\t"}


def characters(data, file):
    """The text of a file, if no character of it is forbidden."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse((file, line), "utf-8", "this is not valid UTF-8")
    found = FORBIDDEN.search(text)
    if not found:
        return text
    place = (file, text.count("\n", 0, found.start()) + 1)
    char = found.group()
    if char == "\0":
        refuse(place, "nul", "a NUL byte")
    if char == "\r":
        refuse(place, "lone-cr", "a carriage return without a newline")
    if ord(char) < 128:
        refuse(place, "control", "a control character")
    refuse(place, "bidi", "a bidirectional control character")


def integer(word, place):
    if not re.fullmatch("0|[1-9][0-9]*|0x[0-9A-Fa-f]+", word):
        refuse(place, "bad-integer", "%s is no integer" % word)
    value = int(word, 16 if word.startswith("0x") else 10)
    return in_range(value, place)


def in_range(value, place):
    if not INT_MIN <= value <= INT_MAX:
        refuse(place, "overflow", "the value does not fit 64 bits")
    return value


def unescape(word, place):
    """The value of a string literal, given with its quotes."""
    def one(match):
        if match.group(1):
            return PLAIN_ESCAPES[match.group(1)]
        if match.group(2):
            return bytes([int(match.group(2), 16)])
        return refuse(place, "bad-escape", "an unknown escape")

    if "\\" not in word:
        return word[1:-1]
    data = ESCAPE.sub(one, word[1:-1].encode())
    if b"\0" in data:
        refuse(place, "nul", "a string holds no NUL")
    try:
        value = data.decode("utf-8")
    except UnicodeDecodeError:
        refuse(place, "utf-8", "the string is not valid UTF-8")
    if re.search("[%s]" % BIDI, value):
        refuse(place, "bidi", "a bidirectional control character")
    return value


def bad_character(text, position, place):
    char = text[position]
    if char == '"':
        refuse(place, "unterminated", "the string does not end on its line")
    if ord(char) > 127:
        refuse(place, "non-ascii", "%r stands outside a string" % char)
    refuse(place, "bad-character", "%r means nothing here" % char)


def tokens(data, file):
    """[(kind, value, place)], the last of kind "end"."""
    text = characters(data, file)
    found, position, line = [], 0, 1
    while position < len(text):
        place = (file, line)
        after_until = found and found[-1][:2] == ("name", "until")
        match = DATE.match(text, position) if after_until else None
        kind = "date"
        if not match:
            match = TOKEN.match(text, position)
            if not match:
                bad_character(text, position, place)
            kind = match.lastgroup
        word = match.group()
        if kind == "blank":
            line += word.count("\n")
        elif kind == "int":
            found.append((kind, integer(word, place), place))
        elif kind == "string":
            found.append((kind, unescape(word, place), place))
        else:
            found.append((kind, word, place))
        position = match.end()
    found.append(("end", "the end of the file", (file, line)))
    return found


# --- files --------------------------------------------------------------------


class Disk:
    """Files as they lie on the disk."""

    @staticmethod
    def read(path):
        """(identity, bytes); raises OSError."""
        with open(path, "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise OSError("not a regular file")
            return (info.st_dev, info.st_ino), file.read(SOURCE_LIMIT + 1)


class Memory:
    """Files out of a dictionary, for generators of policies."""

    def __init__(self, files):
        self.files = {posixpath.normpath(name): text
                      for name, text in files.items()}

    def read(self, path):
        path = posixpath.normpath(path)
        if path not in self.files:
            raise OSError("no such file")
        return path, self.files[path].encode("utf-8", "surrogateescape")


class Sources:
    """Finds included files, and counts what was read."""

    def __init__(self, files, folders):
        self.files = files
        self.folders = folders
        self.size = 0
        self.kinds = {}     # identity -> "lets" or "items", of finished files
        self.stack = []     # identities of the files being read

    def find(self, name, includer):
        """(identity, bytes, path, name to show) or None."""
        path, shown = includer
        places = [(os.path.join(os.path.dirname(path), name),
                   posixpath.join(posixpath.dirname(shown), name))]
        places += [(os.path.join(folder, name), name)
                   for folder in self.folders]
        for path, shown in places:
            try:
                return (*self.files.read(path), path, shown)
            except OSError:
                continue
        return None

    def count(self, data, place):
        self.size += len(data)
        if self.size > SOURCE_LIMIT:
            refuse(place, "too-large", "over 1 MiB of source")


# --- what the parser builds ---------------------------------------------------


class Rule:
    """block, allow, or a statement of trace (which has no verb)."""

    def __init__(self, verb, ops, subjects, place):
        self.verb, self.ops, self.subjects = verb, ops, subjects
        self.place = place
        self.because = self.until = None


class Destination:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.prefixes = []                  # (expression, place)
        self.ports = []


class Protection:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.profile = self.log = None      # (word, place)
        self.rules = []
        self.devices = []                   # (expression, place)
        self.destinations = {}              # by name


class Policy:
    def __init__(self):
        self.name = self.place = None
        self.settings = {}      # "version" and the like -> (value, place)
        self.lets = {}          # name -> (expression, place)
        self.protections = {}   # by name
        self.trace = {"exec": [], "privileged": []}
        self.asserts = []       # (subjects, word, [(protection, op, place)])

    def destinations(self):
        """By name, in reading order."""
        network = self.protections.get("network")
        return network.destinations if network else {}


# --- the parser ---------------------------------------------------------------
#
# Expressions are tuples, (type, place, ...):
#   ("int", p, value) ("str", p, value) ("name", p, word) ("list", p, [e])
#   ("unary", p, sign, e) ("binary", p, sign, e, e) ("cgroup", p, e)

LEVELS = [("|",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "%")]


class Parser:
    """Reads one file; what it finds goes to the one Policy at once, so that
    the order of the rules there is the reading order."""

    def __init__(self, data, path, shown, sources, policy):
        self.tokens = tokens(data, shown)
        self.at = 0
        self.where = (path, shown)
        self.sources, self.policy = sources, policy
        self.depth = 0
        self.items = 0              # items found, its includes' included
        self.parenthesised = None   # the last node that had parentheses

    # tokens

    @property
    def place(self):
        return self.tokens[self.at][2]

    def peek(self, ahead=0):
        """Kind and value."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][:2]

    def take(self):
        token = self.tokens[self.at]
        self.at += 1
        return token[1]

    def unexpected(self, wanted):
        kind, value = self.peek()
        refuse(self.place, "syntax", "%s %r, wanted %s" % (kind, value, wanted))

    def is_punct(self, *signs):
        kind, value = self.peek()
        return kind == "punct" and value in signs

    def is_name(self, *words):
        kind, value = self.peek()
        return kind == "name" and value in words

    def accept(self, sign):
        if self.is_punct(sign):
            self.at += 1
            return True
        return False

    def expect(self, sign):
        if not self.accept(sign):
            self.unexpected(repr(sign))

    def accept_name(self, word):
        if self.is_name(word):
            self.at += 1
            return True
        return False

    def expect_kind(self, kind):
        if self.peek()[0] != kind:
            self.unexpected("a " + kind)
        return self.take()

    def choice(self, words, reason="unknown-word"):
        """One of the words, none of which may pass for another."""
        if self.peek()[0] != "name":
            self.unexpected("one of " + ", ".join(words))
        if self.peek()[1] not in words:
            refuse(self.place, reason, "unknown word %r" % self.peek()[1])
        return self.take()

    # expressions

    def expression(self):
        """A comma-separated list, or a single element."""
        place, elements = self.place, []
        ambiguous = None
        while True:
            node = self.element()
            if (node[0] == "binary" and node[2] == "-" and
                    node is not self.parenthesised):
                ambiguous = node
            elements.append(node)
            if not self.accept(","):
                break
        if len(elements) == 1:
            return elements[0]
        if ambiguous:
            refuse(ambiguous[1], "list-difference",
                   "a difference in a list needs parentheses")
        return ("list", place, elements)

    def element(self):
        if not self.is_name("cgroup"):
            return self.constant()
        kind, value = self.peek(1)
        # "cgroup" is also an operation; lets are never named as keywords.
        if kind not in ("string", "int") and (kind, value) != ("punct", "(") \
                and (kind != "name" or value in KEYWORDS):
            return self.constant()
        place = self.place
        self.take()
        return ("cgroup", place, self.constant())

    def constant(self, level=0):
        if level == len(LEVELS):
            return self.unary()
        node = self.constant(level + 1)
        while self.is_punct(*LEVELS[level]):
            place = self.place
            sign = self.take()
            node = ("binary", place, sign, node, self.constant(level + 1))
        return node

    def unary(self):
        self.depth += 1
        if self.depth > DEPTH_LIMIT + 1:
            refuse(self.place, "too-deep", "the expression nests too deep")
        place = self.place
        if self.is_punct("-", "~"):
            node = ("unary", place, self.take(), self.unary())
        elif self.accept("("):
            node = self.expression()
            self.expect(")")
            self.parenthesised = node
        else:
            node = self.primary()
        self.depth -= 1
        return node

    def primary(self):
        place = self.place
        kind = self.peek()[0]
        if kind == "int":
            return ("int", place, self.take())
        if kind == "string":
            return ("str", place, self.take())
        if kind == "name":
            return ("name", place, self.take())
        return self.unexpected("an expression")

    # files

    def main_file(self):
        if not self.accept_name("language"):
            refuse(self.place, "no-language", "a policy starts `language 1;`")
        place = self.place
        if self.expect_kind("int") != 1:
            refuse(place, "language-version", "only language 1 is known")
        self.expect(";")
        self.top_level("policy")
        self.policy.place = self.place
        self.take()
        self.policy.name = self.expect_kind("name")
        self.expect("{")
        while not self.accept("}"):
            self.item()
        if self.is_name("policy"):
            refuse(self.place, "second-policy", "one policy a file")
        if self.peek()[0] != "end":
            self.unexpected("the end of the file")

    def top_level(self, end):
        """Lets and includes until the word `end`, or the end of the file."""
        while not self.is_name(end) and self.peek()[0] != "end":
            if self.is_name("let"):
                self.let()
            elif self.is_name("include"):
                self.include(False)
            else:
                self.misplaced()
        if end == "policy" and not self.is_name("policy"):
            refuse(self.place, "no-policy", "the file has no policy")

    def misplaced(self):
        """An error at a statement that may not stand in this kind of file."""
        if self.is_name("language", "policy"):
            refuse(self.place, "misplaced", "%r may not stand here" %
                   self.peek()[1])
        if self.peek()[0] == "name":
            refuse(self.place, "item-outside", "only lets and includes stand "
                   "outside the policy")
        self.unexpected("a let or an include")

    def included_file(self, inside):
        if not inside:
            self.top_level("")
        while self.peek()[0] != "end":
            self.item()

    def include(self, inside):
        place = self.place
        self.take()
        name = self.expect_kind("string")
        self.expect(";")
        if name.startswith("/"):
            refuse(place, "include-absolute", "the path is absolute")
        found = self.sources.find(name, self.where)
        if not found:
            refuse(place, "include-missing", "no file %r" % name)
        self.included(found, inside, place)

    def included(self, found, inside, place):
        identity, data, path, shown = found
        sources = self.sources
        if identity in sources.stack:
            refuse(place, "include-cycle", "%s includes itself" % shown)
        if identity in sources.kinds:
            if sources.kinds[identity] == "items":
                refuse(place, "include-twice", "%s was included" % shown)
            return
        if len(sources.stack) > INCLUDE_LIMIT:
            refuse(place, "include-depth", "includes nest too deep")
        sources.count(data, place)
        sources.stack.append(identity)
        parser = Parser(data, path, shown, sources, self.policy)
        parser.included_file(inside)
        sources.stack.pop()
        sources.kinds[identity] = "items" if parser.items else "lets"
        self.items += parser.items

    # lets and items

    def let(self):
        self.take()
        place = self.place
        name = self.expect_kind("name")
        self.expect("=")
        add_let(self.policy, name, self.expression(), place)
        self.expect(";")

    def item(self):
        if self.is_name("let"):
            return self.let()
        if self.is_name("include"):
            return self.include(True)
        if self.is_name("language", "policy"):
            return self.misplaced()
        self.items += 1
        place = self.place
        kind, word = self.peek()
        if kind != "name":
            self.unexpected("an item")
        if word in PROTECTIONS:
            return self.protection()
        if word == "trace":
            return self.trace()
        if word == "assert":
            return self.assertion()
        if word in ("description", "version"):
            self.take()
            return self.setting(word, self.constant(), place)
        if word in ("mode", "seal", "default"):
            self.take()
            return self.setting(word, self.word_of(word), place)
        if self.peek(1) == ("punct", "{"):
            refuse(place, "unknown-protection", "no protection %r" % word)
        return refuse(place, "unknown-word", "no statement %r" % word)

    def word_of(self, item):
        if item == "mode":
            return self.choice(("enforce", "audit"))
        if item == "seal":
            return self.choice(("locked", "open"))
        if not self.accept_name("profile"):
            self.unexpected("profile")
        return self.profile()

    def profile(self):
        return PROFILES[self.choice(PROFILES, "unknown-profile")]

    def setting(self, name, value, place):
        self.expect(";")
        if name in self.policy.settings:
            refuse(place, "duplicate-item", "a second %r" % name)
        self.policy.settings[name] = (value, place)

    # protections

    def protection(self):
        place = self.place
        name = self.take()
        block = self.policy.protections.setdefault(
            name, Protection(name, place))
        self.expect("{")
        while not self.accept("}"):
            self.statement(block)

    def statement(self, block):
        place = self.place
        if self.is_name("block", "allow"):
            block.rules.append(self.rule())
        elif self.accept_name("profile"):
            self.once(block, "profile", self.profile(), place)
        elif self.accept_name("log"):
            word = self.choice(("denied", "all", "none"))
            self.once(block, "log", word, place)
        elif self.is_name("device", "ports", "prefixes"):
            self.device(block)
        elif self.is_name("destination"):
            return self.destination(block)
        elif self.peek()[0] == "name":
            refuse(place, "unknown-word", "no statement %r" % self.peek()[1])
        else:
            self.unexpected("a statement")
        return self.expect(";")

    @staticmethod
    def once(block, name, word, place):
        if getattr(block, name):
            refuse(place, "duplicate-" + name, "a second %s" % name)
        setattr(block, name, (word, place))

    def device(self, block):
        place = self.place
        word = self.take()
        if word != "device" or block.name != "usb":
            refuse(place, "wrong-setting", "%r is no setting of %s" %
                   (word, block.name))
        block.devices += self.strings(place)

    def strings(self, place):
        """One or several, with or without commas between them."""
        found = [(self.constant(), place)]
        while self.accept(",") or self.peek()[0] == "string":
            found.append((self.constant(), place))
        return found

    def destination(self, block):
        place = self.place
        self.take()
        if block.name != "network":
            refuse(place, "wrong-setting", "'destination' is no setting of %s" %
                   block.name)
        name = self.expect_kind("name")
        if name in block.destinations:
            refuse(place, "duplicate-destination", "a second %r" % name)
        found = block.destinations[name] = Destination(name, place)
        self.expect("{")
        while not self.accept("}"):
            self.reached(found)

    def reached(self, destination):
        place = self.place
        if self.choice(("prefixes", "ports")) == "prefixes":
            destination.prefixes += self.strings(place)
        else:
            destination.ports.append((self.constant(), place))
            while self.accept(","):
                destination.ports.append((self.constant(), place))
        self.expect(";")

    def rule(self):
        place = self.place
        verb = self.take()
        rule = Rule(verb, self.expression(), self.for_subjects(), place)
        if self.accept_name("because"):
            rule.because = self.constant()
        if verb == "allow" and self.accept_name("until"):
            rule.until = (self.expect_kind("date"), self.tokens[self.at - 1][2])
        return rule

    def for_subjects(self):
        return self.expression() if self.accept_name("for") else None

    # trace and assert

    def trace(self):
        self.take()
        self.expect("{")
        while not self.accept("}"):
            place = self.place
            kind = self.choice(("exec", "privileged"))
            if kind == "exec":
                self.choice(("all",))
                ops = None
            else:
                ops = self.expression()
            rule = Rule(None, ops, self.for_subjects(), place)
            self.policy.trace[kind].append(rule)
            self.expect(";")

    def assertion(self):
        place = self.place
        self.take()
        subjects = self.expression()
        if not self.is_name("can", "cannot"):
            self.unexpected("can or cannot")
        word, refs = self.take(), []
        while True:
            refs.append(self.op_ref())
            if not self.accept(","):
                break
        self.expect(";")
        self.policy.asserts.append((subjects, word, refs, place))

    def op_ref(self):
        place = self.place
        protection = self.expect_kind("name")
        if protection not in PROTECTIONS:
            refuse(place, "unknown-protection", "no protection %r" % protection)
        self.expect(".")
        if self.accept("*"):
            return protection, "*", place
        # What it is, is asked when all destinations are known.
        return protection, self.expect_kind("name"), place


def is_reserved(name):
    return (name in KEYWORDS or name in PROTECTIONS or name in OPERATIONS or
            capability(name))


def add_let(policy, name, expression, place):
    if is_reserved(name):
        refuse(place, "reserved-name", "a let may not be named %r" % name)
    if name in policy.lets:
        refuse(place, "duplicate-let", "a second let %r" % name)
    policy.lets[name] = (expression, place)


# --- expressions --------------------------------------------------------------

SETS = frozenset(("subjects", "operations"))
ANY_OF = {"-": {"int", "operations"}, "+": {"int", "string"}}


class Values:
    """What expressions mean.  A let can be of two kinds at once (`all`);
    its use decides."""

    def __init__(self, lets, named=()):
        self.lets = lets
        self.named = list(named)    # destinations, in reading order
        # owner -> word -> mask of operations
        self.words = dict(VOCABULARY, network={
            name: 1 << i for i, name in enumerate(self.names("network"))})
        self.let_kinds = {}     # name -> kinds, None while they are worked out
        self.memo = {}          # (let, what is wanted) -> value

    def check_lets(self):
        for name, (node, place) in self.lets.items():
            kinds = self.kinds_of_let(name, place)
            for kind in ("int", "string"):
                if kinds == {kind}:
                    self.constant(node, kind)
            if kinds == {"subjects"}:
                self.subjects(node)

    # operations

    def names(self, owner):
        """Of the operations of a protection, or of the capabilities."""
        if owner == "privileged":
            return CAPABILITIES
        return PROTECTIONS[owner] + (self.named if owner == "network" else [])

    # kinds

    def kinds_of_let(self, name, place):
        if name not in self.let_kinds:
            self.let_kinds[name] = None
            self.let_kinds[name] = self.kinds(self.lets[name][0])
        if self.let_kinds[name] is None:
            refuse(place, "let-cycle", "let %r needs itself" % name)
        return self.let_kinds[name]

    def kinds(self, node):
        """What a node can be; never nothing."""
        kind, place = node[:2]
        if kind == "name":
            return self.kinds_of_name(node[2], place)
        if kind in ("int", "str"):
            return {"int"} if kind == "int" else {"string"}
        if kind == "cgroup":
            self.both({"string"}, self.kinds(node[2]), place)
            return {"subjects"}
        if kind == "unary":
            return self.both({"int"}, self.kinds(node[3]), place)
        if kind == "list":
            kinds, parts = set(SETS), node[2]
        else:
            kinds, parts = set(ANY_OF.get(node[2], {"int"})), node[3:]
        for part in parts:
            kinds = self.both(kinds, self.kinds(part), part[1])
        return kinds

    @staticmethod
    def both(wanted, found, place):
        if not wanted & found:
            refuse(place, "kind", "this is %s, wanted %s" %
                   (" or ".join(sorted(found)), " or ".join(sorted(wanted))))
        return wanted & found

    def kinds_of_name(self, word, place):
        if word == "all":
            return set(SETS)
        if word in ("host", "container"):
            return {"subjects"}
        if word in self.lets:
            return self.kinds_of_let(word, place)
        if word in OPERATIONS or capability(word) or \
                word in self.named:
            return {"operations"}
        return refuse(place, "unknown-name", "%r is not known" % word)

    def want(self, node, kind):
        self.both({kind}, self.kinds(node), node[1])

    def through_let(self, word, key, work):
        """The value of a let, worked out once for each use it is put to."""
        key = (word, key)
        if key not in self.memo:
            self.memo[key] = work(self.lets[word][0])
        return self.memo[key]

    # constants

    def string(self, node):
        return self.constant(node, "string")

    def integer(self, node):
        return self.constant(node, "int")

    def constant(self, node, kind):
        self.want(node, kind)
        return self.fold(node)

    def fold(self, node):
        kind, place = node[:2]
        if kind in ("int", "str"):
            return node[2]
        if kind == "name":
            return self.through_let(node[2], "constant", self.fold)
        if kind == "unary":
            value = self.fold(node[3])
            return in_range(-value if node[2] == "-" else ~value, place)
        left, right = self.fold(node[3]), self.fold(node[4])
        if isinstance(left, str):
            if len(left) + len(right) > STRING_LIMIT:
                refuse(place, "too-large", "the string is over 1 MiB")
            return left + right
        return in_range(arithmetic(node[2], left, right, place), place)

    # sets

    def subjects(self, node):
        """The terms of a set: "all", "host", "container" or a path."""
        self.want(node, "subjects")
        return self.terms(node)

    def terms(self, node):
        kind, place = node[:2]
        if kind == "cgroup":
            return frozenset((cgroup_path(self.fold(node[2]), place),))
        if kind == "list":
            return frozenset().union(*map(self.terms, node[2]))
        if node[2] in self.lets:
            return self.through_let(node[2], "subjects", self.terms)
        return frozenset((node[2],))

    def operations(self, node, owner):
        """A mask of the operations of a protection, or of capabilities."""
        self.want(node, "operations")
        return self.mask(node, owner)

    def mask(self, node, owner):
        kind, place = node[:2]
        if kind == "list":
            total = 0
            for part in node[2]:
                total |= self.mask(part, owner)
            return total
        if kind == "binary":
            left = self.mask(node[3], owner)
            rest = left & ~self.mask(node[4], owner)
            if not rest:
                refuse(place, "empty-set", "nothing is left of the set")
            return rest
        return self.mask_of_name(node[2], owner, place)

    def mask_of_name(self, word, owner, place):
        words = self.words[owner]
        if word == "all":
            return (1 << len(self.names(owner))) - 1
        if word in self.lets:
            return self.through_let(word, owner,
                                    lambda node: self.mask(node, owner))
        if owner == "privileged":
            word = capability(word) or word
        if word not in words:
            refuse(place, "unknown-operation", "%s has no operation %r" %
                   (owner, word))
        return words[word]


def arithmetic(sign, left, right, place):
    if sign in "/%":
        if right == 0:
            refuse(place, "zero-division", "a division by zero")
        # As in C: towards zero; and the one quotient that does not fit.
        quotient = abs(left) // abs(right)
        if (left < 0) != (right < 0):
            quotient = -quotient
        in_range(quotient, place)
        return quotient if sign == "/" else left - quotient * right
    if sign in ("<<", ">>"):
        if not 0 <= right <= 63:
            refuse(place, "bad-shift", "a shift outside 0 to 63")
        return left << right if sign == "<<" else left >> right
    return {"+": left + right, "-": left - right, "*": left * right,
            "&": left & right, "|": left | right}[sign]


def cgroup_path(path, place):
    parts = path.split("/")
    if parts[0] or len(parts) < 2:
        refuse(place, "cgroup-path", "the path is not absolute")
    for part in parts[1:]:
        if part in ("", ".", "..") or len(part.encode()) > 255:
            refuse(place, "cgroup-path", "%r is no path of a cgroup" % path)
    return path


# --- classes ------------------------------------------------------------------


class Classes:
    """The classes of one protection: bit 2i is the host, 2i+1 a container;
    i is 0 without a cgroup, and then the named ones in path order."""

    def __init__(self, terms, place):
        self.paths = sorted(term for term in terms if term.startswith("/"))
        self.index = {path: i + 1 for i, path in enumerate(self.paths)}
        self.count = 2 * (len(self.paths) + 1)
        if self.count > CLASS_LIMIT:
            refuse(place, "too-many-classes", "over %d classes" % CLASS_LIMIT)
        self.full = (1 << self.count) - 1
        self.masks = {"all": self.full, "host": 1, "container": 2}

    def table(self):
        return [{"place": place, "cgroup": path}
                for path in [None] + self.paths
                for place in ("host", "container")]

    def covered(self, terms):
        """By a rule."""
        mask = 0
        for term in terms:
            if term not in self.masks:
                self.masks[term] = self.below(term)
            mask |= self.masks[term]
        return mask

    def below(self, path):
        mask = 0
        for named, i in self.index.items():
            if named == path or named.startswith(path + "/"):
                mask |= 3 << 2 * i
        return mask

    def possible(self, term):
        """The classes that a subject of an assert may have."""
        if not term.startswith("/"):
            return self.masks[term]
        above = term
        while above and above not in self.index:
            above = above.rpartition("/")[0]
        return self.below(term) | 3 << 2 * self.index.get(above, 0)


# --- deciding -----------------------------------------------------------------


def by(place):
    return {"file": place[0], "line": place[1]}


def bits(mask):
    i = 0
    while mask:
        if mask & 1:
            yield i
        mask >>= 1
        i += 1


class Table:
    """The decisions of one protection."""

    def __init__(self, block, default, audit, values):
        self.name = block.name
        self.profile, self.profile_place = self.effective(block, default)
        self.rules = [self.rule(rule, values) for rule in block.rules]
        self.check_rules()
        self.log = self.effective_log(block, audit)
        self.audit = audit
        terms = frozenset().union(*(terms for _, _, terms in self.rules))
        self.classes = Classes(terms, block.place)
        self.devices = sorted(device_ids(block.devices, values))
        self.destinations = destinations(block.destinations, values)
        self.words = values.words[self.name]
        self.denied = []        # a mask of classes for each operation
        self.operations = [self.operation(i, name) for i, name in
                           enumerate(values.names(self.name))]

    @staticmethod
    def effective(block, default):
        if block.profile or default:
            return block.profile or default
        return refuse(block.place, "no-profile", "%s has no profile" %
                      block.name)

    def effective_log(self, block, audit):
        if not block.log:
            return "all" if self.profile == "allow" else "denied"
        word, place = block.log
        if word == "none" and audit:
            refuse(place, "log-none-audit", "audit without a log is nothing")
        return word

    # rules

    def rule(self, rule, values):
        """(rule, mask of operations, terms)"""
        ops = values.operations(rule.ops, self.name)
        terms = frozenset(("all",))
        if rule.subjects:
            terms = values.subjects(rule.subjects)
            add = VOCABULARY["usb"]["add"]
            if self.name == "usb" and ops & add:
                refuse(rule.place, "add-subject", "add has no subject")
        if rule.because:
            values.string(rule.because)
        return rule, ops, terms

    def check_rules(self):
        for rule, _, _ in self.rules:
            if self.profile == "restricted" or \
                    (self.profile, rule.verb) == ("allow", "allow"):
                refuse(rule.place, "not-admitted", "the profile %s has no %s" %
                       (self.profile, rule.verb))
        blocks = self.of_verb("block")
        for allow, ops, terms in self.of_verb("allow"):
            for _, blocked, subjects in blocks:
                if ops & blocked and terms & subjects:
                    refuse(allow.place, "conflict", "blocked for the same "
                           "subject")

    def of_verb(self, verb):
        return [rule for rule in self.rules if rule[0].verb == verb]

    # cells

    def operation(self, i, name):
        cells = [None] * self.classes.count
        left = self.classes.full
        denied = 0
        for verb in ("block", "allow"):
            for rule, ops, terms in self.of_verb(verb):
                if not ops >> i & 1:
                    continue
                mask = self.classes.covered(terms) & left
                left &= ~mask
                denied |= mask if verb == "block" else 0
                self.fill(cells, mask, verb == "block", rule.place)
        by_profile = self.denied_by_profile(name)
        self.fill(cells, left & by_profile, True, self.profile_place)
        self.fill(cells, left & ~by_profile, False, self.profile_place)
        self.denied.append(denied | left & by_profile)
        return {"name": name, "cells": cells}

    def denied_by_profile(self, operation):
        if self.profile == "allow":
            return 0
        # A new device has no subject, so it has no place either.
        if self.profile == "restricted" or operation == "add":
            return self.classes.full
        return sum(2 << i for i in range(0, self.classes.count, 2))

    def fill(self, cells, mask, denied, place):
        word = "allow"
        if denied:
            word = "would-deny" if self.audit else "deny"
        logged = self.log == "all" or denied and self.log == "denied"
        cell = {"verdict": word, "logged": logged, "by": by(place)}
        for i in bits(mask):
            cells[i] = cell

    def json(self):
        table = {"name": self.name, "profile": self.profile, "log": self.log,
                 "classes": self.classes.table(),
                 "operations": self.operations}
        if self.name == "usb":
            table["settings"] = {"devices": self.devices}
        if self.destinations:
            table["settings"] = {"destinations": self.destinations}
        return table


def device_ids(devices, values):
    ids = set()
    for expression, place in devices:
        word = values.string(expression)
        if not re.fullmatch("[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}", word):
            refuse(place, "device-id", "%r is not vid:pid" % word)
        if word.lower() in ids:
            refuse(place, "duplicate-device", "a second %r" % word)
        ids.add(word.lower())
    return ids


# --- destinations -------------------------------------------------------------

MAPPED = ipaddress.ip_network("::ffff:0:0/96")
NUMBER = "(0|[1-9][0-9]*)"


def destinations(blocks, values):
    """As --explain has them."""
    if len(blocks) > DESTINATION_LIMIT:
        refuse(list(blocks.values())[DESTINATION_LIMIT].place,
               "too-many-destinations", "over %d of them" % DESTINATION_LIMIT)
    found = [destination(block, values) for block in blocks.values()]
    if sum(len(entry["prefixes"]) + len(entry["ports"])
           for entry in found) > PART_LIMIT:
        refuse(next(iter(blocks.values())).place, "too-many-parts",
               "over %d prefixes and ports" % PART_LIMIT)
    return found


def destination(block, values):
    name, place = block.name, block.place
    if is_reserved(name) or name in values.lets:
        refuse(place, "reserved-name", "a destination may not be named %r" %
               name)
    if not block.prefixes and not block.ports:
        refuse(place, "empty-destination", "%r is everything" % name)
    prefixes = each_once(block.prefixes, lambda node, where:
                         prefix(values.string(node), where))
    prefixes.sort(key=lambda net: (net.version, net.network_address,
                                   net.prefixlen))
    ports = each_once(block.ports, lambda node, where:
                      port_range(node, where, values))
    return {"name": name, "prefixes": [str(net) for net in prefixes],
            "ports": merged(ports)}


def each_once(expressions, value_of):
    found = {}
    for node, place in expressions:
        value = value_of(node, place)
        if value in found:
            refuse(place, "duplicate-reached", "a second %s" % (value,))
        found[value] = place
    return list(found)


def prefix(word, place):
    """A network of ipaddress, which would take netmasks and zones too."""
    match = re.fullmatch("([0-9A-Fa-f:.]+)(?:/%s)?" % NUMBER, word)
    if not match:
        refuse(place, "prefix", "%r is no prefix" % word)
    try:
        net = ipaddress.ip_network(word)
    except ValueError as error:
        refuse(place, "prefix", str(error))
    if net.version == 6 and net.subnet_of(MAPPED):
        refuse(place, "prefix", "%r is to be written as IPv4" % word)
    return net


def port_range(node, place, values):
    """(first, last)"""
    if "string" not in values.kinds(node):
        first = last = values.integer(node)
    else:
        word = values.string(node)
        match = re.fullmatch("%s-%s" % (NUMBER, NUMBER), word)
        if not match:
            refuse(place, "port", "%r is no range of ports" % word)
        first, last = map(int, match.groups())
    if not 0 <= first <= last <= PORT_LIMIT:
        refuse(place, "port", "%d to %d are no ports" % (first, last))
    return first, last


def merged(ranges):
    """Those that overlap or touch as one."""
    found = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return found


def operations_of(table, address, port):
    """The operations of network, given as --explain has it, that it is to
    connect or send there: a set of names.  None is an address or a port that
    cannot be told."""
    known = table.get("settings", {}).get("destinations", [])
    if address is None:
        return {"connect"} | {entry["name"] for entry in known}
    address = ipaddress.ip_address(address)
    address = getattr(address, "ipv4_mapped", None) or address
    there = [entry for entry in known if has_address(entry, address)]
    if port is None:
        found = {entry["name"] for entry in there}
        if all(entry["ports"] for entry in there):
            found.add("connect")
        return found
    return {entry["name"] for entry in there
            if has_port(entry, port)} or {"connect"}


def has_address(entry, address):
    # What is of another version than the prefix is not in it.
    return not entry["prefixes"] or any(
        address in network_of(word) for word in entry["prefixes"])


@functools.cache
def network_of(word):
    return ipaddress.ip_network(word)


def has_port(entry, port):
    return not entry["ports"] or any(
        first <= port <= last for first, last in entry["ports"])


# --- traces -------------------------------------------------------------------


def trace_table(kind, rules, values):
    names = ["exec"] if kind == "exec" else CAPABILITIES
    ready = []
    for rule in rules:
        ops = values.operations(rule.ops, "privileged") if rule.ops else 1
        terms = frozenset(("all",))
        if rule.subjects:
            terms = values.subjects(rule.subjects)
        ready.append((rule, ops, terms))
    classes = Classes(frozenset().union(*(row[2] for row in ready)),
                      rules[0].place)
    operations = []
    for i, name in enumerate(names):
        cells = [{"logged": False, "by": None}] * classes.count
        left = classes.full
        for rule, ops, terms in ready:
            mask = classes.covered(terms) & left if ops >> i & 1 else 0
            left &= ~mask
            for bit in bits(mask):
                cells[bit] = {"logged": True, "by": by(rule.place)}
        operations.append({"name": name, "cells": cells})
    return {"name": kind, "classes": classes.table(),
            "operations": operations}


# --- the policy as a whole ----------------------------------------------------


def today():
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    seconds = int(epoch) if epoch else time.time()
    return datetime.datetime.fromtimestamp(
        seconds, datetime.timezone.utc).date()


def earliest_until(policy):
    """The first day on which an exception ends; none may be over."""
    days, now = [], today()
    for block in policy.protections.values():
        for rule in block.rules:
            if not rule.until:
                continue
            word, place = rule.until
            try:
                day = datetime.date.fromisoformat(word)
            except ValueError:
                refuse(place, "bad-date", "%s is no day" % word)
            if day < now:
                refuse(place, "past-date", "%s is over" % word)
            days.append(word)
    return min(days, default=None)


def seal_and_version(policy, values):
    if "seal" not in policy.settings:
        refuse(policy.place, "no-seal", "the policy does not state its seal")
    seal = policy.settings["seal"][0]
    if "version" not in policy.settings:
        if seal == "locked":
            refuse(policy.place, "no-version", "a locked policy needs one")
        return seal, None
    expression, place = policy.settings["version"]
    version = values.integer(expression)
    if not 1 <= version < 1 << 31:
        refuse(place, "version-range", "a version is 1 to 2^31-1")
    return seal, version


def description(policy, values):
    if "description" not in policy.settings:
        return None
    return values.string(policy.settings["description"][0])


def tables(policy, audit, values):
    """Protection -> Table, in the order of the document."""
    default = policy.settings.get("default")
    found = {}
    for name in PROTECTIONS:
        block = policy.protections.get(name)
        if not block and default:
            block = Protection(name, default[1])
        if block:
            found[name] = Table(block, default, audit, values)
    return found


def check_asserts(policy, attached, values):
    for subjects, word, refs, place in policy.asserts:
        terms = values.subjects(subjects)
        for protection, operation, _ in refs:
            if not holds(attached.get(protection), terms, word, operation):
                refuse(place, "assert-failed", "not so: %s %s.%s" %
                       (word, protection, operation))


def holds(table, terms, word, operation):
    if not table:
        return word == "can"
    mask = (1 << len(table.denied)) - 1 if operation == "*" else \
        table.words[operation]
    classes = 0
    for term in terms:
        classes |= table.classes.possible(term)
    for i in bits(mask):
        wrong = table.denied[i] if word == "can" else ~table.denied[i]
        if classes & wrong:
            return False
    return True


def parse(path, folders, defines, files):
    """The whole policy, or Refused."""
    policy = Policy()
    sources = Sources(files, folders)
    shown = os.path.basename(path)
    for name, text in defines.items():
        define(policy, sources, name, text)
    try:
        identity, data = files.read(path)
    except OSError as error:
        refuse((shown, 1), "unreadable", str(error))
    sources.count(data, (shown, 1))
    sources.stack.append(identity)
    Parser(data, path, shown, sources, policy).main_file()
    return policy


def define(policy, sources, name, text):
    shown = "-D " + name
    parser = Parser(text.encode(), "", shown, sources, policy)
    expression = parser.expression()
    if parser.peek()[0] != "end":
        parser.unexpected("the end")
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*", name):
        refuse((shown, 1), "syntax", "%r is no name" % name)
    add_let(policy, name, expression, (shown, 1))


def values_of(policy):
    values = Values(policy.lets, policy.destinations())
    values.check_lets()
    for _, _, refs, _ in policy.asserts:
        for protection, operation, place in refs:
            if operation not in ("*", *values.words[protection]):
                refuse(place, "unknown-operation", "%s has no operation %r" %
                       (protection, operation))
    return values


def decide(path, include_dirs=(), defines=None, files=None):
    """The decision table of the policy at `path`; raises Refused."""
    policy = parse(path, list(include_dirs), defines or {}, files or Disk())
    values = values_of(policy)
    mode = policy.settings.get("mode", ("enforce",))[0]
    seal, version = seal_and_version(policy, values)
    table = {"policy": policy.name, "version": version,
             "description": description(policy, values),
             "language": 1, "mode": mode, "seal": seal,
             "until": earliest_until(policy)}
    attached = tables(policy, mode == "audit", values)
    traces = [trace_table(kind, rules, values)
              for kind, rules in policy.trace.items() if rules]
    if not attached and not traces:
        refuse(policy.place, "empty-policy", "it protects and traces nothing")
    check_asserts(policy, attached, values)
    table["protections"] = [block.json() for block in attached.values()]
    table["trace"] = traces
    return table


def main():
    parser = argparse.ArgumentParser(description="what a policy decides")
    parser.add_argument("policy")
    parser.add_argument("-I", dest="folders", action="append", default=[])
    parser.add_argument("-D", dest="defines", action="append", default=[])
    options = parser.parse_args()
    defines = {}
    for word in options.defines:
        name, equals, text = word.partition("=")
        if not equals or name in defines:
            parser.error("-D takes NAME=EXPR, each name once")
        defines[name] = text
    try:
        table = decide(options.policy, options.folders, defines)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    json.dump(table, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
