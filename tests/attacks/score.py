# SPDX-License-Identifier: GPL-2.0-only
"""What came of the attacks, and the part of docs/security.md that says so.

A whole run leaves build/attacks/KERNEL.tsv; the document is written from these
files alone.
"""

from __future__ import annotations

import datetime
import re
import textwrap
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from counts import Counts

from .variants import WORDS

if TYPE_CHECKING:
    from .attacks import Boots, Run
    from .variants import Attack, Variant

TOP = Path(__file__).resolve().parents[2]
DOCUMENT = TOP / "docs/security.md"
LIMITS = TOP / "tests/attacks/limits.tsv"
BEGIN = "<!-- written by tests/attacks/attacks.py --update-docs: -->\n"
END = "<!-- to here -->\n"
SKIPPED = ("NOT-HERE", "NOT-SET-UP")
LEFT_OUT = "# left out: "  # in a file of results


@dataclass
class Line:
    """One attack on one policy."""
    variant: str
    number: int
    name: str
    words: str
    verdict: str   # held, through, or "" where it was not run
    locked: str    # what the attack came to
    control: str   # succeeds, refused, harmless, not applicable, fails
    detail: str    # of the control

    @property
    def counts(self) -> bool:
        return self.control == "succeeds"


def read_limits(kernel: str) -> dict[str, str]:
    """What is known to get through there, and why: they fail no run, and count
    in the score for what they are."""
    lines = [line.split("\t", 1) for line in LIMITS.read_text().splitlines()
             if line and not line.startswith("#")]
    return {name.rpartition("/")[2]: why for name, why in lines
            if name.rpartition("/")[0] in ("", kernel)}


def judge_locked(attack: Attack, run: Run | None) -> tuple[str, str]:
    """(held, through, broken, or "" where there was nothing to try; what it
    came to)"""
    if run is None or run.result in ("MACHINE-DIED", "NOT-SET-UP"):
        return "broken", run.result if run else "not run"
    if run.result == "LOADER-REFUSES":
        # Only what begins before it may keep it from loading; otherwise no
        # policy was there to be attacked.
        return ("held" if attack.alone else "broken",
                "the loader refuses to load")
    if run.policy_off:
        return "through", f"{run.result}; let through: {run.canaries}"
    if not run.denied:
        return "broken", f"{run.result}; no canary was tried"
    if run.result == "NOT-HERE":
        return "", run.result
    if attack.aim != "policy" and run.result == "ok":
        return "through", "it got what it asked for"
    return "held", run.result


def judge_control(attack: Attack, run: Run | None) -> tuple[str, str]:
    if run is None:
        return "", "not run"
    if run.result == "MACHINE-DIED" or \
            run.result == "LOADER-REFUSES" and not attack.alone:
        return "fails", run.result
    if attack.aim == "denial":
        if run.result == "ok":
            return "succeeds", "without the policy"
    elif run.policy_off:
        return "succeeds", f"the policy is off: {run.canaries}"
    elif attack.aim == "call" and run.result == "ok":
        return "succeeds", "it gets what it asks for"
    if run.result in SKIPPED:
        return "not applicable", run.result
    if attack.aim == "policy":
        return "harmless", run.result
    return "refused", run.result


@dataclass
class Kernel:
    """All that was tried on one kernel."""
    kernel: str
    lines: list[Line] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    boots: int = 0
    left_out: tuple[str, ...] = ()  # of the policies: it cannot decide them

    def add(self, variant: Variant, attacks: list[Attack], locked: Boots,
            control: Boots) -> None:
        self.left_out = tuple(dict.fromkeys(self.left_out + variant.left_out))
        self.wrong += locked.wrong + control.wrong
        for attack in attacks:
            verdict, came_to = judge_locked(attack,
                                            locked.runs.get(attack.name))
            of_control, detail = judge_control(
                attack, control.runs.get(attack.name))
            if not verdict and of_control == "succeeds":
                verdict = "broken"  # what is here without the policy
            self.lines.append(Line(
                variant.name, attack.number, attack.name, attack.words,
                verdict, came_to, of_control, detail))

    def show(self) -> Counts:
        counts = Counts(failed=len(self.wrong))
        limits = read_limits(self.kernel)
        for text in self.wrong:
            print(f"not ok {self.kernel} machine\n    {text}")
        for line in self.lines:
            what = (f"{self.kernel} {line.variant}/{line.number} {line.name}: "
                    f"{line.locked} | control: {line.control} ({line.detail})")
            if line.control == "fails":
                counts.failed += 1
                print(f"not ok {what}")
            elif line.verdict == "held":
                counts.passed += 1
                print(f"ok {what}")
            elif line.verdict == "through" and line.name in limits:
                counts.skipped += 1
                print(f"limit {what}: {limits[line.name]}")
            elif line.verdict:
                counts.failed += 1
                print(f"not ok {what}: {line.verdict}")
            else:
                counts.skipped += 1
                print(f"skipped {what}")
        print(f"{self.kernel}: {counts} in {self.boots} machines", flush=True)
        return counts

    def save(self, folder: Path) -> None:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        text = f"# {self.kernel}\t{today.isoformat()}\n"
        if self.left_out:
            text += f"{LEFT_OUT}{' '.join(self.left_out)}\n"
        for line in self.lines:
            text += "\t".join(str(part) for part in astuple(line)) + "\n"
        (folder / f"{self.kernel}.tsv").write_text(text)


def load(folder: Path, kernels: list[str]) -> dict[str, Kernel]:
    found = {}
    for kernel in kernels:
        path = folder / f"{kernel}.tsv"
        if not path.exists():
            continue
        found[kernel] = Kernel(kernel)
        for row in path.read_text().splitlines():
            if row.startswith(LEFT_OUT):
                found[kernel].left_out = tuple(
                    row.removeprefix(LEFT_OUT).split())
            elif not row.startswith("#"):
                part = row.split("\t")
                found[kernel].lines.append(
                    Line(part[0], int(part[1]), *part[2:]))
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n"
                   for row in [head, ["---"] * len(head), *rows])


def blocked(lines: list[Line], variant: str) -> str:
    counted = [line for line in lines
               if line.variant == variant and line.counts]
    held = [line for line in counted if line.verdict == "held"]
    return f"{len(held)}/{len(counted)}"


def cell(line: Line | None) -> str:
    """One word of what was shown."""
    if not line:
        return "-"
    if line.verdict == "through":
        return "**through**" if line.counts else "through, as without"
    if line.verdict == "broken":
        return "**broken**"
    if line.counts:
        return "held"
    return {"refused": f"kernel: {line.detail}", "harmless": "harmless",
            "fails": "control fails"}.get(line.control, "-")


def wrapped(text: str) -> str:
    return textwrap.fill(text, 80, break_long_words=False,
                         break_on_hyphens=False)


def say_left_out(kernels: list[Kernel]) -> str:
    found: dict[tuple[str, ...], list[str]] = {}
    for kernel in kernels:
        if kernel.left_out:
            found.setdefault(kernel.left_out, []).append(kernel.kernel)
    return "".join("\n" + wrapped(
        f"The policies on {' and '.join(names)} are without "
        f"{', '.join(f'`{name}`' for name in left_out)}, which cannot be "
        "decided there: the loader refuses a policy that says anything of "
        "them.") + "\n" for left_out, names in found.items())


def generate(found: dict[str, Kernel]) -> str:
    kernels = list(found)
    runs = {name: kernel.lines for name, kernel in found.items()}
    variants = list(dict.fromkeys(line.variant for lines in runs.values()
                                  for line in lines))
    text = "Blocked of those whose control succeeds:\n\n"
    text += table(["policy", *kernels],
                  [[f"`{variant}`", *[blocked(runs[kernel], variant)
                                      for kernel in kernels]]
                   for variant in variants])
    text += say_left_out(list(found.values()))
    for variant in variants:
        text += f"\n### `{variant}`\n\n{wrapped(WORDS[variant])}\n\n"
        keys = sorted({(line.number, line.name, line.words)
                       for lines in runs.values() for line in lines
                       if line.variant == variant})
        rows = []
        for number, name, words in keys:
            found = [next((line for line in runs[kernel]
                           if (line.variant, line.number, line.name)
                           == (variant, number, name)), None)
                     for kernel in kernels]
            why = [line.detail for line in found
                   if line and line.control == "not applicable"
                   and line.detail not in SKIPPED]
            rows.append([str(number), words + "".join(
                f" ({reason})" for reason in dict.fromkeys(why)),
                *[cell(line) for line in found]])
        text += table(["no.", "attack", *kernels], rows)
    return text


def replace(document: str, part: str) -> str:
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{part}\n{END}", document,
                  flags=re.DOTALL)


def update(folder: Path, kernels: list[str]) -> None:
    DOCUMENT.write_text(replace(DOCUMENT.read_text(),
                                generate(load(folder, kernels))))


def check(folder: Path, kernels: list[str]) -> list[str]:
    """The lines of the document that the runs here do not bear out."""
    have = DOCUMENT.read_text()
    runs = load(folder, kernels)
    if len(runs) < len(kernels):
        return ["not all kernels have been attacked here"]
    want = replace(have, generate(runs)).splitlines()
    found = have.splitlines()
    return [line for line in found if line not in want] + \
        [line for line in want if line not in found]
