"""What several pages show: states, the newest values of a model, numbers of windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from checks.base import Measurement
from monitor.store.results.series import Point, Series
from monitor.store.results.series_query import Key, key_of
from monitor.web.overview import ModelView
from monitor.web.segments import MAIN

HOST = "machine"
"""How people are told of what belongs to no model."""


def whole(rows: Iterable[Measurement]) -> list[Measurement]:
    """Those of all rows of the window itself: not of a segment, nor over a longer span."""
    return [row for row in rows if not {"segment", "over"} & dict(row.labels).keys()]


def named(rows: Iterable[Measurement], name: str) -> list[Measurement]:
    return [row for row in rows if row.name == name]


def first(rows: Iterable[Measurement], name: str) -> Measurement | None:
    return next((row for row in rows if row.name == name), None)


def main_performance(rows: Iterable[Measurement]) -> Measurement | None:
    """The metric that stands for a model's performance, by task."""
    known = {dict(row.labels).get("metric"): row for row in rows if row.name == "performance"}
    return next((known[metric] for metric in MAIN if metric in known), None)


def judging(view: ModelView, name: str) -> list[Measurement]:
    """Of each feature's drift (or the predictions') the measurement that judges it: by the first method there is."""
    drift = view.settings.checks.drift
    chosen = list(drift.chosen) if drift else []

    def place(row: Measurement) -> int:
        method = dict(row.labels).get("method", "")
        return chosen.index(method) if method in chosen else len(chosen)

    best: dict[str, Measurement] = {}
    for row in sorted(named(whole(view.measurements), name), key=place):
        best.setdefault(dict(row.labels).get("feature", ""), row)
    return list(best.values())


def series(row: Measurement, name: str, points: Mapping[Key, Sequence[Point]]) -> Series:
    """The measurement's values over time under this name."""
    return Series(name, row.name, points.get(key_of(row), ()))


def point(row: Measurement) -> Point:
    """A measurement as the chart's point."""
    return Point(
        row.window.end, row.value, row.low, row.high, row.reference, row.limit_low, row.limit_high, row.provisional
    )


def towards(row: Measurement) -> float:
    """How far a value has gone towards its limit, or the value where it has none."""
    share = point(row).share
    return (row.value or 0.0) if share is None else share


def short(seconds: float) -> str:
    """A moment on a chart.

    >>> short(1367366400.0)
    '1 May 00:00'
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%b %H:%M}"
