#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Dependencies point down: reads the #include lines and says when one climbs.

    before the plan    knows no ELF, no bundle format, no template
    the plan and on    knows no AST
    (which file is which: stages.py)
    bundle/            knows neither compiler/ nor loader/
    loader/            knows nothing of compiler/ or grammar/
    bpf/               knows the formats of bundle/, and nothing else of ours
"""

import re
import sys
from pathlib import Path

import stages

TOP = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)

LATER = stages.STAGES["the plan"] + stages.STAGES["behind the plan"]

# (files, what they must not include, why)
RULES = [
    ([f"compiler/{name}" for name in stages.STAGES["before the plan"]] +
     ["grammar/"],
     r"libelf|gelf|^elf\.h|bpf/libbpf|bundle/(bundle|note|object)|"
     r"compiler/(" + "|".join(LATER) + r")\.h",
     "what comes before the plan knows no object format"),
    ([f"compiler/{name}" for name in LATER],
     r"compiler/(ast|parse|lets|eval|resolve|destinations)\.h|^grammar/",
     "nothing after the plan knows the AST"),
    (["compiler/proof/"],
     r"^compiler/(?!proof/|arena\.h|blob\.h)|libbpf|libelf|gelf|^grammar/",
     "the evaluator shares nothing with what it checks"),
    (["bundle/"], r"^(compiler|loader|grammar)/",
     "both sides use the bundle's format, and it uses neither"),
    (["loader/"], r"^(compiler|grammar)/", "the loader is never a compiler"),
    (["bpf/"], r"^(compiler|grammar|loader)/|^bundle/(bundle|note)",
     "templates know only what is baked in and what they send"),
]


def violations() -> list[str]:
    found = []
    sources = [path for folder in ("compiler", "grammar", "bundle", "loader", "bpf")
               for path in sorted((TOP / folder).rglob("*"))
               if path.suffix in (".c", ".h", ".l", ".y", ".def")]
    for path in sources:
        name = str(path.relative_to(TOP))
        for prefixes, forbidden, why in RULES:
            if not any(name.startswith(prefix) and
                       (prefix.endswith("/") or name[len(prefix)] == ".")
                       for prefix in prefixes):
                continue
            for include in INCLUDE.findall(path.read_text()):
                if re.search(forbidden, include):
                    found.append(f"{name} includes {include}: {why}")
    return found


def main() -> int:
    found = stages.mistakes() + violations()
    for line in found:
        print(line)
    print(f"{len(RULES) - bool(found)} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
