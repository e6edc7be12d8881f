"""Drift over a longer window that ends with the one that has closed: small shifts that single windows can't show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from checks.base import Measurement, NotEnough, Window, labels
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference
from checks.run import CheckOutcome, run_checks

CHECKS = ("drift.feature", "drift.prediction")


def trailing_drift(
    over: str,
    data: WindowData,
    reference: Reference,
    options: CheckOptions,
    *,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> CheckOutcome:
    """What the drift checks measure of this window by the method that judges each column, with `over`, such as `7d`, in
    their labels. A preset compares rows; of a longer window there are profiles, and they are compared by PSI."""
    own = replace(options, preset=None, methods=("psi",)) if options.preset else options
    outcome = run_checks(data, reference, own, only=CHECKS, monotonic=monotonic)
    rows = [row for row in outcome.measurements if not row.secondary]
    return replace(outcome, measurements=[replace(row, labels=labels(over=over, **dict(row.labels))) for row in rows])


def no_trailing_drift(over: str, window: Window, reason: NotEnough) -> Measurement:
    """One measurement says why nothing is measured."""
    return Measurement("drifted_features", None, window, labels(over=over), reason=reason)
