#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes an assembler file that embeds BPF objects, for compiler/template.c.

The objects are read by the assembler, by the paths given here: run it in the
same folder.  A template is called what its file is, up to the first dot.
"""

import argparse
import hashlib
import os

HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only */
/* Made by compiler/embed.py. */
"""

# struct embedded of compiler/template.c: pointers and a size_t, 8 bytes each.
ENTRY = """\
	.8byte name_{name}
	.8byte object_{name}
	.8byte object_end_{name} - object_{name}
"""

OBJECT = """
name_{name}:
	.asciz "{name}"
	.balign 8
object_{name}:
	.incbin "{path}"
object_end_{name}:
"""

TABLE = """\

	.section .data.rel.ro, "aw"
	.balign 8
	.globl embedded_templates
	.type embedded_templates, %object
embedded_templates:
{entries}\
	.size embedded_templates, . - embedded_templates
	.globl embedded_template_count
	.type embedded_template_count, %object
	.size embedded_template_count, 8
embedded_template_count:
	.8byte {count}
	.globl embedded_templates_digest
	.type embedded_templates_digest, %object
	.size embedded_templates_digest, 32
embedded_templates_digest:
	.byte {digest}
	.section .note.GNU-stack, "", %progbits
"""


def digest(templates):
    """Of the digests of each name and of each object, one after another: so
    that bpflockc need not read through all of them each time."""
    whole = hashlib.sha256()
    for name, path in templates:
        with open(path, "rb") as file:
            for part in name.encode(), file.read():
                whole.update(hashlib.sha256(part).digest())
    return whole.digest()


def main():
    parser = argparse.ArgumentParser(description="Embed BPF objects.")
    parser.add_argument("-o", required=True, metavar="FILE.S")
    parser.add_argument("objects", nargs="*", metavar="NAME.bpf.o")
    options = parser.parse_args()
    templates = sorted(
        (os.path.basename(path).split(".")[0], path) for path in options.objects)
    text = HEAD + "\n\t.section .rodata\n"
    for name, path in templates:
        text += OBJECT.format(name=name, path=path)
    text += TABLE.format(
        entries="".join(ENTRY.format(name=name) for name, _ in templates),
        count=len(templates),
        digest=", ".join(map(str, digest(templates))))
    with open(options.o, "w", encoding="ascii") as out:
        out.write(text)


if __name__ == "__main__":
    main()
