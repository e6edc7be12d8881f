"""Measurements as inline SVG, built as text: sparklines, line charts, strips of a heatmap. Colours are the page's.

Times are epoch seconds, as everywhere. A picture says in words what it shows (`aria-label`); names from data are
escaped. Nothing runs and nothing is fetched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

from alerts.wording import clean, quantity
from monitor.store.results.series import Point, Series, describe

WIDTH, HEIGHT = 360.0, 150.0
LEFT, RIGHT, TOP, BELOW = 46.0, 8.0, 8.0, 20.0
SPARK_WIDTH, SPARK_HEIGHT = 120.0, 28.0
STEPS = (0.5, 0.8, 1.0, 1.5, 3.0)
"""Shares of the limit at which a cell of a heatmap takes its next colour."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a moment and a value are drawn."""

    since: float
    until: float
    low: float
    high: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, at: float) -> float:
        span = self.until - self.since
        return self.left + (self.right - self.left) * ((at - self.since) / span if span > 0 else 1.0)

    def y(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return self.bottom - (self.bottom - self.top) * min(max(share, -0.1), 1.1)


def spark(series: Series, since: float, until: float) -> Markup:
    """A line of the size of a word, with its limit, without axes."""
    known = [point for point in series.points if point.value is not None]
    if not known:
        return Markup("")
    low, high = _range(series.metric, [value for point in known for value in _heights(point)])
    scale = _Scale(since, until, low, high, 2, SPARK_WIDTH - 3, 3, SPARK_HEIGHT - 3)
    parts = [*_limits(series.points, scale), *_lines(series.points, scale), *_marks(series.points, scale, 2.2)]
    return _picture("spark", SPARK_WIDTH, SPARK_HEIGHT, series.said, parts)


def line(series: Series, since: float, until: float, moment: Callable[[float], str]) -> Markup:
    """A chart with axes, limits, the interval as a band, the reference, and a tooltip a window."""
    known = [point for point in series.points if point.value is not None]
    if not known:
        return Markup("")
    ticks = _ticks(*_range(series.metric, [value for point in known for value in _heights(point)]))
    scale = _Scale(since, until, ticks[0], ticks[-1], LEFT, WIDTH - RIGHT, TOP, HEIGHT - BELOW)
    parts = [
        *_grid(ticks, series.metric, scale),
        *_times(since, until, moment),
        *_band(series.points, scale),
        *_limits(series.points, scale),
        *_level(series.points, "reference", "reference", scale),
        *_lines(series.points, scale),
        *_marks(series.points, scale, 3),
        *_tooltips(series, scale, moment),
    ]
    return _picture("chart", WIDTH, HEIGHT, series.said, parts)


def strip(series: Series, since: float, until: float, every: float, moment: Callable[[float], str]) -> Markup:
    """One row of a heatmap: a cell a window, the darker the nearer to its limit, red beyond it; those have tooltips."""
    count = max(1, round((until - since) / every))
    paths: dict[int, list[str]] = {}
    beyond = []
    for point in series.points:
        place, share = round((point.at - since) / every) - 1, point.share
        if share is None or not 0 <= place < count:
            continue
        if share > 1 and point.value is not None:
            text = f"{moment(point.at)}: {quantity(series.metric, point.value)}, {share:.2g} × its limit"
            cell = f'class="h{level(share)}" x="{place}" y="0" width="1" height="1"'
            beyond.append(f"<rect {cell}><title>{_text(text)}</title></rect>")
        else:
            paths.setdefault(level(share), []).append(f"M{place} 0h1v1h-1z")
    drawn = [f'<path class="h{step}" d="{"".join(cells)}"/>' for step, cells in sorted(paths.items())]
    over = sum(point.over for point in series.points)
    said = f"{series.name}: beyond its limit in {over} of {len(series.points)} windows"
    return _picture("strip", count, 1, said, [*drawn, *beyond], stretched=True)


def level(share: float) -> int:
    """The colour of a cell, 0 … 5, by how far a value has gone towards its limit.

    >>> level(0.2), level(0.9), level(1.0), level(1.2), level(10.0)
    (0, 2, 2, 3, 5)
    """
    return sum(share > step for step in STEPS)


def _picture(
    kind: str, width: float, height: float, said: str, parts: Sequence[str], stretched: bool = False
) -> Markup:
    ratio = ' preserveAspectRatio="none"' if stretched else ""
    head = f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{_text(said)}"{ratio}>'
    return Markup(f"{head}{''.join(parts)}</svg>")


def _heights(point: Point) -> Iterator[float]:
    """All that a chart must have room for; a limit far away is not drawn."""
    assert point.value is not None
    yield point.value
    for value in (point.low, point.high, point.reference):
        if value is not None:
            yield value
    for limit in (point.limit_low, point.limit_high):
        if limit is not None and abs(limit - point.value) <= 4 * max(abs(point.value), abs(limit) / 5):
            yield limit


def _range(metric: str, values: Sequence[float]) -> tuple[float, float]:
    """From the lowest to the highest finite value, with some room where they are the same. Counts, distances and most
    shares are read from 0; performance is not."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if low == high:
        low, high = (0.0, high or 1.0) if high >= 0 else (low, 0.0)
    elif low > 0 and metric != "performance":
        low = 0.0
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Round steps from below the lowest value to above the highest, three to five of them.

    >>> _ticks(0.0, 0.38)
    [0.0, 0.1, 0.2, 0.3, 0.4]
    >>> _ticks(0.81, 0.88)
    [0.8, 0.82, 0.84, 0.86, 0.88]
    """
    size = 10.0 ** math.floor(math.log10(high - low))
    for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0):
        step = size * part
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= 4:
            break
    return [round(step * at, 12) for at in range(first, max(last, first + 1) + 1)]


def _grid(ticks: Sequence[float], metric: str, scale: _Scale) -> Iterator[str]:
    for tick in ticks:
        y = scale.y(tick)
        yield f'<line class="grid" x1="{scale.left:g}" x2="{scale.right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _label(scale.left - 5, y + 3.5, quantity(metric, tick), "end")


def _times(since: float, until: float, moment: Callable[[float], str]) -> Iterator[str]:
    yield _label(LEFT, HEIGHT - 5, moment(since), "start")
    yield _label(WIDTH - RIGHT, HEIGHT - 5, moment(until), "end")


def _runs(points: Sequence[Point], has: Callable[[Point], bool]) -> Iterator[list[Point]]:
    """Neighbouring points that have something: where one has not, a line is broken."""
    for held, run in groupby(points, has):
        if held:
            yield list(run)


def _lines(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for run in _runs(points, lambda point: point.value is not None):
        where = " ".join(f"{scale.x(point.at):.1f},{scale.y(point.value or 0.0):.1f}" for point in run)
        yield f'<polyline class="line" points="{where}"/>'


def _band(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for run in _runs(points, lambda point: point.low is not None and point.high is not None):
        above = [f"{scale.x(point.at):.1f},{scale.y(point.high or 0.0):.1f}" for point in run]
        below = [f"{scale.x(point.at):.1f},{scale.y(point.low or 0.0):.1f}" for point in reversed(run)]
        yield f'<polygon class="band" points="{" ".join(above + below)}"/>'


def _limits(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for name in ("limit_low", "limit_high"):
        yield from _level(points, name, "limit", scale)


def _level(points: Sequence[Point], name: str, kind: str, scale: _Scale) -> Iterator[str]:
    inside = 0.05 * (scale.high - scale.low)

    def drawn(point: Point) -> bool:
        value = getattr(point, name)
        return value is not None and scale.low - inside <= value <= scale.high + inside

    for run in _runs(points, drawn):
        where = [(scale.x(point.at), scale.y(getattr(point, name))) for point in run]
        if len(where) == 1:
            where = [(max(scale.left, where[0][0] - 6), where[0][1]), where[0]]
        line_ = " ".join(f"{x:.1f},{y:.1f}" for x, y in where)
        yield f'<polyline class="{kind}" points="{line_}"/>'


def _marks(points: Sequence[Point], scale: _Scale, size: float) -> Iterator[str]:
    """Dots where a value is beyond its limit or provisional, and at the newest."""
    newest = next((point for point in reversed(points) if point.value is not None), None)
    for point in points:
        if point.value is None or not (point.over or point.provisional or point is newest):
            continue
        kind = " ".join(["dot", *(["over"] if point.over else []), *(["provisional"] if point.provisional else [])])
        where = f'cx="{scale.x(point.at):.1f}" cy="{scale.y(point.value):.1f}"'
        yield f'<circle class="{kind}" {where} r="{size:g}"/>'


def _tooltips(series: Series, scale: _Scale, moment: Callable[[float], str]) -> Iterator[str]:
    known = [point for point in series.points if point.value is not None]
    wide = (scale.right - scale.left) / max(len(series.points), 1)
    for point in known:
        x = scale.x(point.at) - wide / 2
        where = f'x="{x:.1f}" y="{scale.top:g}" width="{wide:.1f}" height="{scale.bottom - scale.top:g}"'
        yield f'<rect class="hit" {where}><title>{_text(describe(series.metric, point, moment))}</title></rect>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _text(text: str) -> str:
    return str(escape(clean(text, 300)))
