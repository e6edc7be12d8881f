"""Several distributions as one SVG document that stands alone, for `<img>`: readable on light and dark ground.

An image inherits no colours from the page that shows it, so it brings its own and follows the reader's scheme.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from checks.one_line import one_line
from checks.pictures.distribution import Distribution
from checks.pictures.svg import WIDTH, escaped, svg

GAP = 16.0
HEAD = 18.0  # of a column's name,
LINE = 14.0  # of each line of what moved,
LINES = 3
CHARACTERS = 58  # about so many fit into a line
LEGEND = 24.0

STYLE = """
.wk-reference { fill: #8b98a5; } .wk-current { fill: #2563c9; } .wk-grid { stroke: #d8dee4; stroke-width: 1; }
.wk-text { fill: #59636e; font: 11px system-ui, sans-serif; }
.wk-name { fill: #1b1f24; font: 600 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
.wk-reference { fill: #77838f; } .wk-current { fill: #6ea8ff; } .wk-grid { stroke: #343b43; }
.wk-text { fill: #9aa4af; } .wk-name { fill: #e6e9ec; } }
""".strip()
_SIZE = re.compile(r'viewBox="0 0 (\S+) (\S+)"')


def sheet(distributions: Sequence[Distribution]) -> str:
    """The document: a legend, and below it the distributions, two in a row, each with its name and what moved. Raises
    ValueError without any."""
    if not distributions:
        raise ValueError("there is no distribution to draw")
    columns = min(2, len(distributions))
    width = columns * WIDTH + (columns - 1) * GAP
    parts, y = [_legend()], LEGEND
    for start in range(0, len(distributions), columns):
        made = [_panel(shown, place * (WIDTH + GAP), y) for place, shown in enumerate(distributions[start:][:columns])]
        parts += [part for part, _ in made]
        y += max(height for _, height in made) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {y:g}" width="{width:g}" height="{y:g}" '
        f'role="img"><style>{STYLE}</style>{"".join(parts)}</svg>'
    )


def _panel(shown: Distribution, x: float, y: float) -> tuple[str, float]:
    """One distribution with its head at a place, and how high it is."""
    lines = textwrap.wrap(one_line(shown.why, 400), CHARACTERS, max_lines=LINES, placeholder=" …") if shown.why else []
    drawn = svg(shown)
    match = _SIZE.search(drawn)
    assert match is not None
    head = HEAD + LINE * len(lines) + 4
    inner = drawn.replace("<svg ", f'<svg x="{x:g}" y="{y + head:g}" width="{match[1]}" height="{match[2]}" ', 1)
    return "".join(_head(shown.name, lines, x, y)) + inner, head + float(match[2])


def _head(name: str, lines: Sequence[str], x: float, y: float) -> Iterator[str]:
    yield f'<text class="wk-name" x="{x:g}" y="{y + 13:g}">{escaped(one_line(name, 44))}</text>'
    for place, line in enumerate(lines):
        yield f'<text class="wk-text" x="{x:g}" y="{y + HEAD + LINE * place + 10:g}">{escaped(line)}</text>'


def _legend() -> str:
    return "".join(
        f'<rect class="wk-{side}" x="{x}" y="3" width="10" height="10"/>'
        f'<text class="wk-text" x="{x + 15}" y="12">{name}</text>'
        for side, name, x in (("reference", "reference", 0), ("current", "now", 90))
    )
