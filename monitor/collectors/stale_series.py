"""Hides what is not measured any more: a series must neither freeze at its last value nor become 0."""

from __future__ import annotations

from collections.abc import Iterable

from checks.base import Labels, Measurement, NotEnough, Window


class StaleSeries:
    """The series that a source has given since it was started."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, Labels], None] = {}

    def whole(self, rows: Iterable[Measurement], window: Window) -> list[Measurement]:
        """`rows`, and one without a value for each series that was given before and is not among them."""
        rows = list(rows)
        here = {(row.name, row.labels) for row in rows}
        gone = [series for series in self._series if series not in here]
        self._series |= dict.fromkeys(here)
        return [
            *rows,
            *(Measurement(name, None, window, labels, reason=NotEnough.NOT_FOUND) for name, labels in gone),
        ]
