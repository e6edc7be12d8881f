"""Every check by its name, and running them over one window. A new check is its module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from checks.base import Measurement
from checks.drift.feature import feature_drift
from checks.drift.prediction import prediction_drift
from checks.inputs import CheckOptions, WindowData
from checks.performance.labelled import label_coverage, performance
from checks.quality.missing import missing_ratio
from checks.quality.new_category import new_category_ratio
from checks.quality.non_finite import non_finite_ratio
from checks.quality.out_of_range import out_of_range_ratio
from checks.quality.type_mismatch import type_mismatch_ratio
from checks.reference import Reference
from checks.volume import volume

Function = Callable[[WindowData, Reference | None, CheckOptions], list[Measurement]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check and the metrics that are without a value when it fails."""

    run: Function
    metrics: tuple[str, ...]


CHECKS: dict[str, Check] = {
    "volume": Check(volume, ("window_rows", "window_end_timestamp_seconds")),
    "drift.feature": Check(feature_drift, ("feature_drift", "drifted_features")),
    "drift.prediction": Check(prediction_drift, ("prediction_drift",)),
    "quality.missing": Check(missing_ratio, ("missing_ratio",)),
    "quality.non_finite": Check(non_finite_ratio, ("non_finite_ratio",)),
    "quality.out_of_range": Check(out_of_range_ratio, ("out_of_range_ratio",)),
    "quality.new_category": Check(new_category_ratio, ("new_category_ratio",)),
    "quality.type_mismatch": Check(type_mismatch_ratio, ("type_mismatch_ratio",)),
    "performance": Check(performance, ("performance", "performance_reference")),
    "performance.coverage": Check(label_coverage, ("label_coverage_ratio",)),
}
PERFORMANCE = ("performance", "performance.coverage")
"""What is measured once more when a window's labels are mature."""


@dataclass(frozen=True)
class CheckOutcome:
    """What the checks of one window gave."""

    measurements: list[Measurement]
    errors: dict[str, str] = field(default_factory=dict)
    """Checks that raised, and what."""
    failed: dict[str, str] = field(default_factory=dict)
    """The metrics of those checks, and what."""
    seconds: dict[str, float] = field(default_factory=dict)


def run_checks(
    data: WindowData,
    reference: Reference | None,
    options: CheckOptions,
    *,
    only: Collection[str] | None = None,
    monotonic: Callable[[], float] = lambda: 0.0,
    checks: Mapping[str, Check] = CHECKS,
) -> CheckOutcome:
    """Runs the checks (all, or `only` these) over a window; one that raises is an error of its own and no other's."""
    outcome = CheckOutcome([])
    for name, check in checks.items():
        if only is not None and name not in only:
            continue
        began = monotonic()
        try:
            outcome.measurements.extend(check.run(data, reference, options))
        except Exception as error:  # noqa: BLE001 - the loop's boundary: told by name, counted by the caller
            text = f"check {name} failed: {type(error).__name__}: {error}"
            outcome.errors[name] = text
            outcome.failed.update(dict.fromkeys(check.metrics, text))
        outcome.seconds[name] = monotonic() - began
    return outcome
