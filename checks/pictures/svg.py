"""A distribution as inline SVG: the reference's bars beside the current ones, a tooltip each, colours from the page.

The page gives the classes `wk-reference`, `wk-current`, `wk-grid` and `wk-text` their colours (`STYLE`), so that one
picture does for light and dark. Nothing runs and nothing is fetched; names from data are escaped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import escape

from checks.one_line import one_line
from checks.pictures.distribution import Distribution, coarse
from checks.wording import percent

WIDTH = 360
TOP, LEFT, RIGHT, BELOW = 8.0, 38.0, 10.0, 24.0
BARS = 150.0  # height of the bars of numbers
ROW = 22.0  # height of a category
LONGEST = 18  # characters of a category's name,
CHARACTER = 6.2  # about so wide

STYLE = """
.wk-reference { fill: var(--wk-reference, #8b98a5); } .wk-current { fill: var(--wk-current, #2563c9); }
.wk-grid { stroke: var(--wk-grid, #d8dee4); stroke-width: 1; }
.wk-text { fill: var(--wk-text, #59636e); font: 11px system-ui, sans-serif; }
.wk-bin:hover rect { opacity: .75; }
""".strip()

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def svg(distribution: Distribution) -> str:
    """The picture as one `<svg>` element."""
    shown = coarse(distribution)
    parts, bars = (_columns(shown), BARS) if shown.numeric else (_rows(shown), ROW * len(shown.bins))
    height = TOP + bars + BELOW
    said = f"{shown.name}: {shown.why}" if shown.why else shown.name
    return (
        f'<svg class="wk-picture" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escaped(said)}">'
        f"{''.join(parts)}</svg>"
    )


def _columns(shown: Distribution) -> Iterator[str]:
    """Upright bars over the bins of numbers, from left to right."""
    top, steps = _scale(shown.most)
    for step in steps:
        y = TOP + BARS * (1 - step / top)
        yield f'<line class="wk-grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _label(LEFT - 4, y + 4, percent(step), "end")
    width = (WIDTH - LEFT - RIGHT) / len(shown.bins)
    bar = width * 0.42
    for place, name in enumerate(shown.bins):
        x = LEFT + width * place
        sides = (shown.reference[place], shown.current[place])
        bars = "".join(
            f'<rect class="wk-{side}" x="{x + width * 0.08 + bar * at:.1f}" y="{TOP + BARS * (1 - share / top):.1f}" '
            f'width="{bar:.1f}" height="{BARS * share / top:.1f}"/>'
            for at, (side, share) in enumerate(zip(("reference", "current"), sides, strict=True))
        )
        yield f'<g class="wk-bin">{_title(name, *sides)}{bars}</g>'
    yield from _edges(shown, width)


def _edges(shown: Distribution, width: float) -> Iterator[str]:
    """Names along the axis, as many as fit beside each other and into the picture."""
    taken = 0.0
    for place, name in shown.axis:
        x, half = LEFT + width * place, CHARACTER * len(name) / 2
        middle = min(max(x, half), WIDTH - half)
        if middle - half >= taken:
            yield _label(middle, TOP + BARS + 16, name, "middle")
            taken = middle + half + CHARACTER


def _rows(shown: Distribution) -> Iterator[str]:
    """Level bars of categories, one under the other."""
    top, steps = _scale(shown.most)
    left = 12 + CHARACTER * min(max(len(name) for name in shown.bins), LONGEST)
    long, end = (WIDTH - left - RIGHT - 14) / top, TOP + ROW * len(shown.bins)
    for step in steps:
        x = left + long * step
        yield f'<line class="wk-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:g}" y2="{end:g}"/>'
        yield _label(x, end + 16, percent(step), "middle")
    for place, name in enumerate(shown.bins):
        y = TOP + ROW * place
        sides = (shown.reference[place], shown.current[place])
        bars = "".join(
            f'<rect class="wk-{side}" x="{left:.1f}" y="{y + 3 + 8 * at:.1f}" height="8" width="{long * share:.1f}"/>'
            for at, (side, share) in enumerate(zip(("reference", "current"), sides, strict=True))
        )
        label = _label(left - 6, y + 15, one_line(name, LONGEST), "end")
        yield f'<g class="wk-bin">{_title(name, *sides)}{bars}{label}</g>'


def _scale(most: float) -> tuple[float, list[float]]:
    """The top of the axis and its steps, so that about four are there.

    >>> _scale(0.38)
    (0.4, [0.0, 0.1, 0.2, 0.3, 0.4])
    >>> _scale(0.0)[0]
    1.0
    """
    if most <= 0:
        return 1.0, [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most))
    step = next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if most / (size * part) <= 4.5)
    count = math.ceil(round(most / step, 6))
    return round(step * count, 9), [round(step * at, 9) for at in range(count + 1)]


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="wk-text" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'


def _title(name: str, before: float, now: float) -> str:
    return f"<title>{escaped(name)}: {percent(before)} in the reference, {percent(now)} now</title>"


def escaped(text: str) -> str:
    """Escaped, without what XML can't hold."""
    return escape(_CONTROL.sub(" ", text[:500]), quote=True)
