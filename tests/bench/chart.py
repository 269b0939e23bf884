# SPDX-License-Identifier: GPL-2.0-only
"""The chart of docs/performance.md: what a decision costs, as bars."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
LEFT = 200      # where bars begin
RIGHT = 90      # room for a figure behind the longest one
BAR, GAP, GROUP_GAP = 16, 4, 22
TOP_MARGIN = 64
STEPS = (500, 1000, 2000, 2500, 5000)

# Colours tell the same in light and dark, and to who sees no red or green;
# each bar has its words beside it.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.call { font-weight: 600; }
.small { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; }
.background { fill: #ffffff; }
.empty { fill: #9198a1; }
.allowed { fill: #1a7f9c; }
.event { fill: #8a63d2; }
.original { fill: #c4622d; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .background { fill: #0d1117; }
  .empty { fill: #656c76; }
  .allowed { fill: #4bb3d0; }
  .event { fill: #ab8df0; }
  .original { fill: #e08a55; }
}
"""


@dataclass(frozen=True)
class Bar:
    kind: str    # a class of STYLE
    words: str
    value: int


@dataclass(frozen=True)
class Group:
    name: str
    bars: list[Bar]


def text(x: float, y: float, words: str, style: str = "",
         anchor: str = "start") -> str:
    return (f'<text x="{x:g}" y="{y:g}" class="{style}" '
            f'text-anchor="{anchor}">{escape(words)}</text>')


def draw_grid(most: int, scale: float, bottom: float) -> list[str]:
    step = next((step for step in STEPS if most / step <= 8), STEPS[-1])
    lines = []
    for value in range(0, most + 1, step):
        x = LEFT + value * scale
        lines.append(f'<line class="grid" x1="{x:g}" x2="{x:g}" '
                     f'y1="{TOP_MARGIN - 8}" y2="{bottom:g}"/>')
        lines.append(text(x, bottom + 16, f"{value:,}", "small", "middle"))
    return lines


def draw(title: str, subtitle: str, groups: list[Group]) -> str:
    most = max(bar.value for group in groups for bar in group.bars)
    scale = (WIDTH - LEFT - RIGHT) / most
    shapes, y = [], float(TOP_MARGIN)
    for group in groups:
        shapes.append(text(8, y + 13, group.name, "call"))
        y += BAR + GAP
        for bar in group.bars:
            length = max(bar.value * scale, 1)
            shapes.append(text(LEFT - 8, y + 13, bar.words, "small", "end"))
            shapes.append(f'<rect class="{bar.kind}" x="{LEFT}" y="{y:g}" '
                          f'width="{length:.1f}" height="{BAR}" rx="2"/>')
            shapes.append(text(LEFT + length + 6, y + 13,
                               f"{bar.value:,}"))
            y += BAR + GAP
        y += GROUP_GAP
    bottom = y - GROUP_GAP + 4
    height = bottom + 28
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}">\n<title>{escape(title)}</title>\n'
            f"<style>{STYLE}</style>\n"
            f'<rect class="background" width="{WIDTH}" height="{height:g}"/>')
    return "\n".join([head, text(8, 24, title, "title"),
                      text(8, 44, subtitle, "small"),
                      *draw_grid(most, scale, bottom), *shapes,
                      "</svg>"]) + "\n"
