"""Order drifted features by how much they matter, and count them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log10
from typing import Any

from checks.base import Measurement, NotEnough
from checks.inputs import CheckOptions, WindowData

LISTED = 10  # drifted features named in the count's detail


TOLD = 3  # of which people are told


def counted(
    measured: list[Measurement], drifted: list[Measurement], data: WindowData, options: CheckOptions
) -> Measurement:
    """`drifted_features`: of the features' measurements, those that drifted, the worst first."""
    known = [measurement for measurement in measured if measurement.value is not None]
    if not known:
        reason = measured[0].reason if measured else NotEnough.NOT_IN_REFERENCE
        return Measurement("drifted_features", None, data.window, n=data.n, reason=reason)
    detail = {
        "features": [_driver(measurement, options.importance) for measurement in drifted[:LISTED]],
        "compared": len(known),
        "why": [measurement.detail["why"] for measurement in drifted[:TOLD] if "why" in measurement.detail],
    }
    return Measurement("drifted_features", float(len(drifted)), data.window, n=data.n, detail=detail)


def ranked(measured: Iterable[Measurement], importance: Mapping[str, float]) -> list[Measurement]:
    """Those beyond their limit, by how far beyond it they are times how much the feature matters. One that nothing is
    said of matters less than all others."""
    return ordered([measurement for measurement in measured if excess(measurement) > 0], importance)


def ordered(drifted: Iterable[Measurement], importance: Mapping[str, float]) -> list[Measurement]:
    """All of these, in that order."""

    def order(measurement: Measurement) -> tuple[float, float]:
        weight = importance.get(dict(measurement.labels)["feature"], 0.0) if importance else 1.0
        return -excess(measurement) * weight, -excess(measurement)

    return sorted(drifted, key=order)


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
