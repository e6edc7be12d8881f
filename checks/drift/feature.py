"""Drift of every feature, and how many drifted."""

from __future__ import annotations

from checks.base import Measurement, NotEnough, labels
from checks.drift.compare import compare
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference

LISTED = 10  # drifted features named in the count's detail


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
    return [*found, _count(found[: len(names)], data)]


def _count(measured: list[Measurement], data: WindowData) -> Measurement:
    known = [measurement for measurement in measured if measurement.value is not None]
    if not known:
        reason = measured[0].reason if measured else NotEnough.NOT_IN_REFERENCE
        return Measurement("drifted_features", None, data.window, n=data.n, reason=reason)
    over = {
        dict(measurement.labels)["feature"]: measurement.value / measurement.limit_high
        for measurement in known
        if measurement.value is not None and measurement.limit_high and measurement.value > measurement.limit_high
    }
    worst = sorted(over, key=lambda name: -over[name])[:LISTED]
    detail = {"features": worst, "compared": len(known)}
    return Measurement("drifted_features", float(len(over)), data.window, n=data.n, detail=detail)
