"""Drift of every feature, and how many drifted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log10
from typing import Any

from checks.base import Measurement, NotEnough, labels
from checks.drift.compare import compare
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference

LISTED = 10  # drifted features named in the count's detail
TOLD = 3  # of which people are told


def feature_drift(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`feature_drift` by feature and method, and `drifted_features` by the first method's calibrated limits."""
    if not options.methods:
        return []
    if reference is None:
        return [Measurement("drifted_features", None, data.window, reason=NotEnough.NO_REFERENCE)]
    names = [name for name in reference.binning.columns if name.startswith("f:") and name[2:] not in options.ignore]
    found: list[Measurement] = []
    for method in options.methods:
        columns = {name: labels(feature=name[2:], method=method) for name in names}
        found.extend(compare("feature_drift", columns, method, data, reference, options))
    return [*found, _count(found[: len(names)], data, options)]


def _count(measured: list[Measurement], data: WindowData, options: CheckOptions) -> Measurement:
    known = [measurement for measurement in measured if measurement.value is not None]
    if not known:
        reason = measured[0].reason if measured else NotEnough.NOT_IN_REFERENCE
        return Measurement("drifted_features", None, data.window, n=data.n, reason=reason)
    drifted = ranked(known, options.importance)
    detail = {
        "features": [_driver(measurement, options.importance) for measurement in drifted[:LISTED]],
        "compared": len(known),
        "why": [measurement.detail["why"] for measurement in drifted[:TOLD]],
    }
    return Measurement("drifted_features", float(len(drifted)), data.window, n=data.n, detail=detail)


def ranked(measured: Iterable[Measurement], importance: Mapping[str, float]) -> list[Measurement]:
    """Those beyond their limit, by how far beyond it they are times how much the feature matters. One that nothing is
    said of matters less than all others."""
    over = [measurement for measurement in measured if excess(measurement) > 0]

    def order(measurement: Measurement) -> tuple[float, float]:
        weight = importance.get(dict(measurement.labels)["feature"], 0.0) if importance else 1.0
        return -excess(measurement) * weight, -excess(measurement)

    return sorted(over, key=order)


def excess(measurement: Measurement) -> float:
    """How far a distance is beyond its limit, in limits: 0 at the limit, 1 at twice that. Of a p-value, in powers of
    ten below it. 0 where there is no value or limit."""
    value, high, low = measurement.value, measurement.limit_high, measurement.limit_low
    if value is None:
        return 0.0
    if high:
        return max(value / high - 1, 0.0)
    return max(log10(low / max(value, 1e-300)), 0.0) if low else 0.0


def _driver(measurement: Measurement, importance: Mapping[str, float]) -> dict[str, Any]:
    name = dict(measurement.labels)["feature"]
    driver = {"feature": name, "excess": float(f"{excess(measurement):.3g}")}
    return {**driver, "importance": importance[name]} if name in importance else driver
