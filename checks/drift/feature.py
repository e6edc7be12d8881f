"""Drift of every feature, and how many drifted."""

from __future__ import annotations

from checks.base import Measurement, NotEnough, labels
from checks.drift.compare import compare
from checks.drift.ranking import counted, ranked
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference


def feature_drift(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`feature_drift` by feature and method, and how many are beyond the calibrated limit of their first."""
    if not options.drift:
        return []
    if reference is None:
        return [Measurement("drifted_features", None, data.window, reason=NotEnough.NO_REFERENCE)]
    if options.preset is not None:
        # scipy, which presets are defined by, takes memory that others need not pay for.
        from checks.drift.presets.check import exact_feature_drift

        return exact_feature_drift(data, reference, options)
    names = [name for name in reference.binning.columns if name.startswith("f:") and name[2:] not in options.ignore]
    columns = {name: labels(feature=name[2:]) for name in names}
    found = list(compare("feature_drift", columns, data, reference, options))
    judged = [measurement for measurement in found if not measurement.secondary]
    return [*found, counted(judged, ranked(judged, options.importance), data, options)]
