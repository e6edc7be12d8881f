"""Drift of what the model says: the first sign of trouble that needs no labels."""

from __future__ import annotations

from checks.base import Measurement, NotEnough, labels
from checks.drift.compare import compare
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference, watched_prediction


def prediction_drift(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`prediction_drift` by method, over the score where the reference has one (it moves first), else the class."""
    if not options.drift:
        return []
    name = watched(data, reference) if reference else None
    if reference is None or name is None:
        reason = NotEnough.NO_REFERENCE if reference is None else NotEnough.NOT_IN_REFERENCE
        return [
            Measurement("prediction_drift", None, data.window, labels(method=method), reason=reason)
            for method in options.methods or ("",)
        ]
    if options.preset is not None:
        from checks.drift.presets.check import exact_prediction_drift

        return exact_prediction_drift(name, data, reference, options)
    return list(compare("prediction_drift", {name: labels()}, data, reference, options))


def watched(data: WindowData, reference: Reference) -> str | None:
    """The column that is compared; None where the reference has none."""
    name = watched_prediction(reference.binning)
    if name == "score" and data.profile and data.n and not data.profile.columns["score"].counts.any():
        # The server logs no probabilities: the classes are all there is.
        name = "prediction" if "prediction" in reference.binning.columns else name
    return name
