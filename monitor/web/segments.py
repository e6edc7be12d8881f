"""A model's segments as the page shows them: those that have gone furthest, by performance and by drift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from checks.base import Measurement

SHOWN = 5
"""Segments shown for each of the two reasons."""
MAIN = ("accuracy", "mae")
"""The metric of performance that is shown, by task."""


@dataclass(frozen=True)
class SegmentRow:
    """One segment's newest values, as far as there are any."""

    name: str
    rows: Measurement | None = None
    performance: Measurement | None = None
    drifted: Measurement | None = None
    prediction: Measurement | None = None
    missing: Measurement | None = None
    """Of its features the one nearest to its limit, or beyond."""

    @property
    def loss(self) -> float:
        """How far performance is on the wrong side of the reference's, as a share of it; 0 where that is unknown."""
        row = self.performance
        if row is None or row.value is None or not row.reference:
            return 0.0
        change = (row.value - row.reference) / abs(row.reference)
        return max(0.0, -change if row.limit_low is not None else change)

    @property
    def drift(self) -> tuple[float, float]:
        """Its drifted features, and how far its predictions have gone towards their limit."""
        return (self.drifted.value or 0.0 if self.drifted else 0.0, share(self.prediction))


def share(row: Measurement | None) -> float:
    """How far a value has gone towards its limit: 1 is there."""
    return (row.value or 0.0) / row.limit_high if row is not None and row.limit_high else 0.0


def worst(measurements: Iterable[Measurement]) -> tuple[list[SegmentRow], int]:
    """The segments to be shown, worst first, and how many there are in all."""
    found: dict[str, list[Measurement]] = defaultdict(list)
    for row in measurements:
        if name := dict(row.labels).get("segment"):
            found[name].append(row)
    rows = [_row(name, own) for name, own in found.items()]
    by_loss = sorted(rows, key=lambda row: (-row.loss, row.name))[:SHOWN]
    by_drift = sorted(rows, key=lambda row: ([-part for part in row.drift], row.name))[:SHOWN]
    return list({row.name: row for row in (*by_loss, *by_drift)}.values()), len(rows)


def _row(name: str, own: list[Measurement]) -> SegmentRow:
    by_name: dict[str, list[Measurement]] = defaultdict(list)
    for row in own:
        by_name[row.name].append(row)
    return SegmentRow(
        name,
        rows=_first(by_name["window_rows"]),
        performance=next((row for metric in MAIN for row in _with(by_name["performance"], metric)), None),
        drifted=_first(by_name["drifted_features"]),
        prediction=max(by_name["prediction_drift"], key=share, default=None),
        missing=max(by_name["missing_ratio"], key=share, default=None),
    )


def _first(rows: list[Measurement]) -> Measurement | None:
    return rows[0] if rows else None


def _with(rows: list[Measurement], metric: str) -> list[Measurement]:
    return [row for row in rows if ("metric", metric) in row.labels]
