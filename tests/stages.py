# SPDX-License-Identifier: GPL-2.0-only
"""Where each source of the compiler belongs, for the tests that go by that."""

from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# compiler/NAME.c, or NAME.h alone; compiler/proof/ is a stage of its own.
STAGES = {
    # knows the AST, and no object format
    "before the plan": ["ast", "check", "destinations", "diag", "eval", "lets",
                        "parse", "policy", "resolve", "source"],
    # knows the plan, and neither of the two
    "the plan": ["explain", "plan", "prove", "target"],
    # knows object formats, and no AST
    "behind the plan": ["blob", "btfext", "cfg", "cgroups", "dead", "edit",
                        "emit", "fold", "image", "insn", "link", "listing",
                        "lookup", "memfile", "optimize", "prune", "template",
                        "types", "values"],
    # used by all, or using all
    "across": ["arena", "main", "options", "query"],
}

# What works out what a policy decides, where a mistake means another policy.
DECIDING = ["lets", "eval", "destinations", "resolve", "check", "plan", "prove"]

# What tests can say of a policy without making a bundle.
FRONT_END = [name for stage in ("before the plan", "the plan", "across")
             for name in STAGES[stage]]


def mistakes() -> list[str]:
    """Files in none of the stages or in two, and names without a file."""
    listed = [name for names in STAGES.values() for name in names]
    there = {path.stem for path in (TOP / "compiler").glob("*.[ch]")}
    return ([f"compiler/{name} is in no stage of tests/stages.py"
             for name in sorted(there - set(listed))] +
            [f"tests/stages.py names compiler/{name}, which is not there"
             for name in sorted(set(listed + DECIDING) - there)] +
            [f"tests/stages.py has compiler/{name} in two stages"
             for name in sorted(set(listed)) if listed.count(name) > 1])
