# SPDX-License-Identifier: GPL-2.0-only
"""docs/support.md: what was shown to be denied, on which kernel.

Written from build/conformance/KERNEL.json. A run puts into it what it has shown
of each protection all of whose policies it had: nothing is in the document that
no row has shown. Where there is no such file, as on a new machine, the document
itself says what was shown before.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import oracle

from .judge import Outcome

TOP = Path(__file__).resolve().parents[3]
DOCUMENT = TOP / "docs/support.md"

HEAD = """\
# What is enforced on which kernel

Written by `tests/vm/conformance.py --update-docs`; do not edit. Each *yes*
stands for rows of the conformance tests: the real system call was made on that
kernel, was denied, left the event that names the operation and the rule, and
ended otherwise without the policy, before and after. A trace denies nothing: its
rows are the events of what was done, and of nothing else. What the machines have no
hardware for, a module of the tests asked for, as the kernel does.

"""

MIDDLE = """
*no* is a row that this kernel cannot run, with
the reason below; *not tested* is an operation that no row has shown denied; *not
built yet* is one of a protection that has no template: the compiler refuses to
make a bundle of it, by name.

"""

DEFECTS = """
## What the original gets wrong

Each of these failed there, and is shown not to here by rows of its own.

"""


def save(folder: Path, kernel: str, release: str, outcomes: list[Outcome],
         whole: set[str]) -> None:
    """What of a run goes into the document: of the protections in @whole."""
    run = load(folder, [kernel])[0]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    operations = {name: state for name, state in run["operations"].items()
                  if name.partition(".")[0] not in whole}
    for outcome in outcomes:
        if outcome.proof and outcome.proof[0] in whole:
            state = operations.setdefault(
                ".".join(outcome.proof),
                {"passed": 0, "failed": 0, "reasons": [], "date": today})
            count(state, outcome)
    defects = {outcome.name.partition(": ")[2]: verdict(outcome)
               for outcome in outcomes if outcome.name.startswith("defect: ")}
    (folder / f"{kernel}.json").write_text(json.dumps(
        {"kernel": kernel, "release": release, "operations": operations,
         "defects": run["defects"] | defects}, indent=1) + "\n")


def days(run: dict) -> str:
    dates = sorted(state["date"] for state in run["operations"].values())
    if not dates or dates[0] == dates[-1]:
        return "".join(dates[:1])
    return f"{dates[0]} to {dates[-1]}"


def count(state: dict, outcome: Outcome) -> None:
    if outcome.wrong:
        state["failed"] += 1
    elif outcome.skipped is None:
        state["passed"] += 1
    elif outcome.skipped not in state["reasons"]:
        state["reasons"].append(outcome.skipped)


def verdict(outcome: Outcome) -> str:
    if outcome.wrong:
        return "fails"
    return "yes" if outcome.skipped is None else "not tested"


def cells_of(text: str, first: str) -> list[list[str]]:
    """The table of the document whose first column is called so."""
    _, _, body = text.partition(f"| {first} |")
    lines = body.partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("| ").split(" | ")]
            for line in [f"{first} |{lines[0]}", *lines[2:]]]


def state_of(words: str, notes: dict[str, str], day: str) -> dict | None:
    """What cell() made these words of, as far as that can be told."""
    reasons = [notes[number] for number in re.findall(r"\[(\d+)\]", words)]
    passed, failed = int(words == "yes"), int(words == "**fails**")
    if not passed and not failed and not reasons:
        return None
    return {"passed": passed, "failed": failed, "reasons": reasons,
            "date": day}


def read(text: str, kernel: str) -> dict:
    """What a document says of a kernel."""
    run = {"kernel": kernel, "release": "", "operations": {}, "defects": {}}
    ran = {name: rest for name, *rest in cells_of(text, "kernel")[1:]}
    if kernel not in ran:
        return run
    run["release"], when = ran[kernel]
    day = when.partition(" to ")[0]  # no cell is older
    notes = dict(re.findall(r"^(\d+)\. (.*)$", text, re.M))
    head, *lines = cells_of(text, "operation")
    column = head.index(kernel)
    for line in lines:
        state = state_of(line[column], notes, day)
        if state:
            run["operations"][line[0].strip("`")] = state
    run["defects"] = {line[0]: line[column]
                      for line in cells_of(text, "here")[1:]}
    return run


def load(folder: Path, kernels: list[str]) -> list[dict]:
    text = DOCUMENT.read_text()
    return [json.loads(path.read_text()) if path.exists()
            else read(text, kernel)
            for kernel, path in ((kernel, folder / f"{kernel}.json")
                                 for kernel in kernels)]


def every(operations: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those of all protections of the language, whether there are rows of them
    or not; a reader would miss them."""
    return oracle.PROTECTIONS | operations


def is_built(protection: str) -> bool:
    """Traces are; their templates have names of their own."""
    return protection not in oracle.PROTECTIONS or \
        (TOP / f"bpf/templates/{protection}.bpf.c").exists()


def cell(state: dict | None, built: bool, notes: list[str]) -> str:
    if not built:
        return "not built yet"
    if not state:
        return "not tested"
    if state["failed"]:
        return "**fails**"
    if state["passed"]:
        return "yes"
    marks = []
    for reason in state["reasons"]:
        if reason not in notes:
            notes.append(reason)
        marks.append(f"[{notes.index(reason) + 1}]")
    kind = "no" if any(reason.startswith("cannot")
                       for reason in state["reasons"]) else "not tested"
    return f"{kind} {' '.join(marks)}"


def table(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(line)} |\n"
                   for line in [head, rule, *lines])


def document(runs: list[dict], operations: dict[str, list[str]]) -> str:
    notes: list[str] = []
    lines = [[f"`{protection}.{name}`",
              *[cell(run["operations"].get(f"{protection}.{name}"),
                     is_built(protection), notes)
                for run in runs]]
             for protection, names in every(operations).items()
             for name in names]
    kernels = table(["kernel", "release", "run on"],
                    [[run["kernel"], run["release"], days(run)]
                     for run in runs])
    names = [run["kernel"] for run in runs]
    text = HEAD + kernels + MIDDLE + table(["operation", *names], lines)
    if notes:
        text += "\n" + "".join(f"{number}. {note}\n"
                               for number, note in enumerate(notes, 1))
    words = list(dict.fromkeys(word for run in runs for word in run["defects"]))
    return text + DEFECTS + table(
        ["here", *names],
        [[word, *[run["defects"].get(word, "not tested") for run in runs]]
         for word in words])


def without_dates(text: str) -> str:
    """What --check-docs compares: the day of a run says nothing."""
    return "\n".join(line.rpartition("| 20")[0] or line
                     for line in text.splitlines())


def update(folder: Path, kernels: list[str],
           operations: dict[str, list[str]]) -> None:
    DOCUMENT.write_text(document(load(folder, kernels), operations))


def check(folder: Path, kernels: list[str],
          operations: dict[str, list[str]]) -> list[str]:
    """The lines of the document that the runs here do not bear out."""
    have = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    runs = load(folder, kernels)
    if len(runs) < len(kernels):
        return [f"{DOCUMENT.name}: not all kernels have been run here"]
    want = without_dates(document(runs, operations)).splitlines()
    found = without_dates(have).splitlines()
    return [line for line in found if line not in want] + \
        [line for line in want if line not in found]
