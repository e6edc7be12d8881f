"""Which columns of a window are worth a picture: those whose drift is furthest towards, or beyond, its limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import log10

from checks.base import Labels, Measurement
from checks.drift.explanation import distribution
from checks.drift.prediction import watched
from checks.drift.ranking import excess
from checks.inputs import WindowData, error_of
from checks.pictures.distribution import Distribution, coarse
from checks.pictures.drawn import Drawn
from checks.reference import Reference

MOST = 4
"""Columns drawn of one window, or of one of its segments."""
LONGEST = 60
"""Characters of what a bin or column is called in a picture."""
METRICS = ("feature_drift", "prediction_drift")


def drawn(
    measured: Iterable[Measurement], data: WindowData, reference: Reference | None, importance: Mapping[str, float]
) -> list[Drawn]:
    """The columns that moved most, the worst first; of features that matter, where that is said, those. Columns within
    their limits come last: a rule may have a lower one."""
    found: dict[tuple[str, Labels], Measurement] = {}
    for row in measured:
        if row.name in METRICS and row.value is not None and not row.secondary:
            found.setdefault((row.name, _without_method(row.labels)), row)
    ordered = sorted(found.items(), key=lambda item: _rank(item[1], importance))
    made: list[Drawn] = []
    for (metric, labels), _ in ordered:
        try:
            shown = _distribution(dict(labels).get("feature"), data, reference)
        except Exception:  # noqa: BLE001 - the loop's boundary: a column that can't be drawn costs no measurement
            continue
        if shown is not None:
            made.append(Drawn(metric, labels, shown))
        if len(made) == MOST:
            break
    return made


def _without_method(labels: Labels) -> Labels:
    return tuple((name, value) for name, value in labels if name != "method")


def _rank(row: Measurement, importance: Mapping[str, float]) -> tuple[float, float]:
    feature = dict(row.labels).get("feature", "")
    weight = importance.get(feature, 0.0) if importance and feature else 1.0
    return -excess(row) * weight, -_towards(row)


def _towards(row: Measurement) -> float:
    """How far the value is towards its limit; below 1 within it."""
    value = row.value or 0.0
    if row.limit_high:
        return value / row.limit_high
    if row.limit_low:
        return 1.0 + log10(row.limit_low / max(value, 1e-300))
    return 0.0


def _distribution(feature: str | None, data: WindowData, reference: Reference | None) -> Distribution | None:
    """Of the feature, or of the prediction, as a picture shows it; None where a side has nothing to draw."""
    if reference is None or data.profile is None:
        return None
    column = f"f:{feature}" if feature else watched(data, reference)
    if column is None or error_of(column, data.profile, reference.profile):
        return None
    bins = reference.binning.columns[column]
    sides = reference.profile.columns[column], data.profile.columns[column]
    shown = coarse(distribution(feature or "prediction", bins, *sides, (reference.n, data.n)))
    return replace(shown, name=shown.name[:LONGEST], bins=tuple(name[:LONGEST] for name in shown.bins))
