"""Measurements over time, for charts: the series that are asked for, within bounds of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine, select

from checks.base import Labels, Measurement
from monitor.store.results.measurements import labels_key
from monitor.store.results.series import Point
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
    keys = {(name, labels_key(labels)): (name, labels) for name, labels in wanted}
    found: dict[Key, list[Point]] = defaultdict(list)
    here = measurements.c
    # One question for all: of names and labels that don't belong together there is nothing to read.
    query = select(*_COLUMNS).where(
        here.model == model,
        here.name.in_({name for name, _ in keys}),
        here.labels.in_({labels for _, labels in keys}),
        here.window_end > since,
        here.window_end <= until,
    )
    with engine.connect() as connection:
        for row in connection.execute(query.order_by(here.window_end)):
            key = row.name, row.labels
            if key in keys:
                found[keys[key]].append(
                    Point(
                        row.window_end,
                        row.value,
                        row.low,
                        row.high,
                        row.reference,
                        row.limit_low,
                        row.limit_high,
                        bool(row.provisional),
                    )
                )
    return found
