"""Measurements over time, for charts: the series that are asked for, within bounds of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, Row, select

from checks.base import Labels, Measurement
from monitor.series import Point
from monitor.store.measurements import labels_key
from monitor.store.tables import measurements

Key = tuple[str, Labels]
"""A measurement's name and labels."""

_COLUMNS = tuple(
    measurements.c[name]
    for name in (
        "name",
        "labels",
        "window_end",
        "value",
        "low",
        "high",
        "reference",
        "limit_low",
        "limit_high",
        "provisional",
    )
)


def key_of(row: Measurement) -> Key:
    return row.name, row.labels


def read(
    engine: Engine, model: str, wanted: Iterable[Key], since: float, until: float
) -> Mapping[Key, Sequence[Point]]:
    """The points of each of these series in windows that end in (since, until], oldest first."""
    named: dict[str, dict[str, Labels]] = defaultdict(dict)
    for name, labels in wanted:
        named[name][labels_key(labels)] = labels
    found: dict[Key, list[Point]] = defaultdict(list)
    here = measurements.c
    with engine.connect() as connection:
        for name, labels_of in named.items():
            query = select(*_COLUMNS).where(
                here.model == model,
                here.name == name,
                here.labels.in_(list(labels_of)),
                here.window_end > since,
                here.window_end <= until,
            )
            for row in connection.execute(query.order_by(here.window_end)):
                found[name, labels_of[row.labels]].append(_point(row))
    return found


def _point(row: Row[Any]) -> Point:
    return Point(
        row.window_end,
        row.value,
        row.low,
        row.high,
        row.reference,
        row.limit_low,
        row.limit_high,
        bool(row.provisional),
    )
