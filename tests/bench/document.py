# SPDX-License-Identifier: GPL-2.0-only
"""The tables as Markdown, and where they stand in docs/performance.md."""

from __future__ import annotations

from pathlib import Path

import aims
import chart
import rows
from aims import Tables
from results import Measured

# Not measured by us: what bpflock 0.x's own programs cost on Linux 6.1,
# counted in the same way before this project began: 2,400 to 2,800 for bpf().
ORIGINAL = {"map_create": 2400, "finit_module": 7700}

LEVEL_WORDS = {"O0": "-O0", "folded": "folded",
               "sealed": "folded and sealed"}


def table(titles: list[str], lines: list[list[str]]) -> str:
    """Figures to the right."""
    marks = ["---" if number == 0 else "--:" for number in range(len(titles))]
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |")
                     for row in ([titles, marks] + lines)) + "\n"


def origin(measured: Measured, kernel: bool = True) -> str:
    where = f"Linux {measured.release}, " if kernel else ""
    return f"\n{where}{measured.date}, commit {measured.commit}.\n"


def instructions(measured: Measured) -> str:
    counts = measured.data["cgroups"]
    titles = ["call", "decided", "nothing", "empty",
              *(f"{LEVEL_WORDS[level]}, {count}"
                for level in rows.LEVELS for count in counts)]
    lines = []
    for call, cells in measured.data["calls"].items():
        for verdict in rows.VERDICTS:
            for log in rows.LOGS:
                lines.append([
                    call, f"{verdict}, {log}", f"{cells['nothing']:,}",
                    f"{cells[f'empty {verdict}']:,}",
                    *(f"{aims.more_than_empty(cells, key):+,}"
                      for key in (f"{level} {verdict} {log} {count}"
                                  for level in rows.LEVELS
                                  for count in counts))])
    noise = max(abs(cells["nothing"] - cells["nothing again"])
                for cells in measured.data["calls"].values())
    missing = rows.without_row()
    return (table(titles, lines)
            + f"\nNoise: the calls without a program, measured first and last"
            f" in each machine, differ by {noise} at most."
            + (f" Not measured yet: {', '.join(missing)}." if missing else "")
            + "\n" + origin(measured))


def syscalls(measured: Measured) -> str:
    cells = measured.data["cells"]
    nothing = cells["nothing"]
    lines = [["nothing", *(f"{nothing[call]:,}"
                           for call in rows.SYSTEM_CALLS)]]
    for key, row in cells.items():
        if key == "nothing":
            continue
        level, _, name = key.partition(" ")
        words = {"nothing": "nothing, a second time",
                 "empty": "empty programs"}.get(
                     level, f"{name}, {LEVEL_WORDS.get(level)}")
        lines.append([words, *(f"{row[call] - nothing[call]:+,}"
                               for call in rows.SYSTEM_CALLS)])
    hooks = ", ".join(measured.data["hooks"])
    return (table(["with", *rows.SYSTEM_CALLS], lines)
            + f"\nThe empty programs are on {hooks}.\n" + origin(measured))


def kibibytes(count: int) -> str:
    return f"{count / 1024:,.1f}"


def bundles(measured: Measured) -> str:
    lines = []
    for key, row in measured.data.items():
        name, level = key.split()
        plain = measured.data[f"{name} O0"]
        lines.append([
            f"{name}, {LEVEL_WORDS[level]}", f"{row['bytes']:,}",
            f"{row['programs']}", f"{row['slots']:,}", f"{row['xlated']:,}",
            f"{row['verified']:,}", f"{row['time'] / plain['time']:.2f}",
            kibibytes(row["jited"]), kibibytes(row["memory"]),
            kibibytes(row["map_memory"])])
    slowest = max(row["slowest"] / row["time"] - 1
                  for row in measured.data.values())
    return (table(["policy", "bytes", "programs", "instructions",
                   "left by the verifier", "walked by it", "its time",
                   "KiB of code", "KiB of programs", "KiB of maps"], lines)
            + f"\nIts time is a ratio to -O0; several loads of one bundle "
            f"differ by {100 * slowest:.1f} % at most.\n"
            + origin(measured))


def loading(measured: Measured) -> str:
    lines = [[name, f"{row['ours'] / 1000:.1f}",
              f"{row['theirs'] / 1000:.1f}",
              f"{row['ours'] / row['theirs']:.2f}",
              f"{abs(row['again'] / row['ours'] - 1) * 100:.1f} %"]
             for name, row in measured.data.items()]
    return (table(["policy", "bpflock-load", "bpftool", "ratio", "noise"],
                  lines) + origin(measured))


def compiling(measured: Measured) -> str:
    lines = []
    for count, found in measured.data["rules"].items():
        for name, row in found.items():
            if name == "bytes":
                continue
            lines.append([name, count, f"{row['ratio']:.2f}",
                          f"{row['wall']:.1f} ms", f"{row['spent']:.1f} ms",
                          f"{row['memory']:.1f} MiB"])
    return (table(["", "rules", "times bpflockc", "fastest",
                   "least of the processor", "peak memory"], lines)
            + f"\n{measured.data['runs']} rounds; {measured.data['processor']}"
            f", Linux {measured.release.split('-')[0]}, {measured.date}, "
            f"commit {measured.commit}.\n")


def growing(what: str, measured: Measured) -> str:
    lines = [[count, f"{row['bytes']:,}", f"{row['instructions']:,}",
              f"{row['load'] / 1000:.1f}"]
             for count, row in measured.data.items()]
    return (table([what, "bytes", "instructions", "million to load"],
                  lines) + origin(measured))


def growth(measured: Measured) -> str:
    return growing("rules", measured)


def destinations(measured: Measured) -> str:
    return growing("prefixes", measured)


def aim_table(tables: Tables) -> str:
    lines = [[aim.words, aim.aim, aim.measured, "met" if aim.met else
              "**not met**"] for aim in aims.all_aims(tables)]
    return table(["what", "aim", "measured", ""], lines).replace("--:", "---")


def draw_chart(tables: Tables) -> str:
    groups = []
    for call, found in aims.figures(tables).items():
        bars = [chart.Bar("empty", "empty program", found["empty"]),
                chart.Bar("allowed", "allowed, unlogged", found["allowed"]),
                chart.Bar("event", "allowed, with event", found["event"])]
        if call in ORIGINAL:
            bars.append(chart.Bar("original", "the original, allowed",
                                  ORIGINAL[call]))
        groups.append(chart.Group(call, bars))
    measured = tables["instructions"]
    return chart.draw(
        "Instructions that a call costs more than without LSM programs",
        f"Linux {measured.release}, {measured.date}; less is better",
        groups)


RENDER = {
    "instructions": instructions,
    "syscalls": syscalls,
    "bundles": bundles,
    "loading": loading,
    "compile": compiling,
    "growth": growth,
    "destinations": destinations,
}


def sections(tables: Tables) -> dict[str, str]:
    found = {name: RENDER[name](measured)
             for name, measured in tables.items()}
    if aims.needs() <= set(tables):
        found["aims"] = aim_table(tables)
    return found


def replace(document: str, name: str, text: str) -> str:
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    head, _, rest = document.partition(begin)
    _, _, tail = rest.partition(end)
    if not rest or end not in rest:
        raise ValueError(f"the document has no {begin} ... {end}")
    return f"{head}{begin}\n{text}{end}{tail}"


def write(path: Path, tables: Tables) -> list[Path]:
    """Puts what there is into the document, and the chart beside it."""
    document = path.read_text(encoding="utf-8")
    for name, text in sections(tables).items():
        document = replace(document, name, text)
    path.write_text(document, encoding="utf-8")
    written = [path]
    if "instructions" in tables:
        drawing = path.with_suffix(".svg")
        drawing.write_text(draw_chart(tables), encoding="utf-8")
        written.append(drawing)
    return written
