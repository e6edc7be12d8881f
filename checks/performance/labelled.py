"""Performance of a window on the labels that have arrived, and how many have."""

from __future__ import annotations

from checks.base import Estimate, Labels, Measurement, NotEnough, labels
from checks.inputs import CheckOptions, Scored, WindowData
from checks.performance.interval import wilson
from checks.performance.metrics import CLASSIFICATION, REGRESSION, PerformanceMetric, metrics
from checks.reference import Reference
from checks.wording import REASONS


def performance(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`performance` by metric with its 95 % interval, and `performance_reference` where the reference has it.

    Without labels every metric that is known to apply says so; without any reference nothing is known to apply.
    """
    if not options.performance:
        return []
    normal = reference.performance if reference else {}
    names = dict.fromkeys([*(metrics(data.scored) if data.scored else ()), *normal])
    found = []
    for name in names:
        of = labels(metric=name)
        found.append(_measured(name, of, data, reference, options))
        if name in normal:
            found.append(_reference(of, normal[name], data))
    return found


def label_coverage(data: WindowData, _reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`label_coverage_ratio`: labelled rows among all predictions of the window."""
    if not options.performance:
        return []
    name = "label_coverage_ratio"
    if data.n == 0:
        return [Measurement(name, None, data.window, reason=NotEnough.NO_ROWS, provisional=data.provisional)]
    labelled = min(data.scored.n, data.n) if data.scored else 0
    estimate = wilson(labelled, data.n)
    return [Measurement(name, estimate.value, data.window, n=data.n, provisional=data.provisional)]


def _measured(
    name: str, of: Labels, data: WindowData, reference: Reference | None, options: CheckOptions
) -> Measurement:
    scored = data.scored
    reason = _too_little(scored, data, options)
    estimate = None
    if scored is not None and reason is None:
        metric = metrics(scored).get(name)
        reason = _unfit(scored, metric, options)
        if metric is not None and reason is None:
            estimate, reason = metric.of(scored), metric.why
    if estimate is None:
        n = scored.n if scored else 0
        detail = {"why": REASONS[reason]} if reason in REASONS else {}
        return Measurement("performance", None, data.window, of, n, reason, provisional=data.provisional, detail=detail)
    normal = reference.performance.get(name) if reference else None
    limit = reference.calibration.limit("performance", of, estimate.n) if reference else None
    higher = (CLASSIFICATION | REGRESSION)[name].higher_is_better
    return Measurement(
        "performance",
        estimate.value,
        data.window,
        of,
        estimate.n,
        low=estimate.low,
        high=estimate.high,
        reference=normal.value if normal else None,
        limit_low=limit if higher else None,
        limit_high=None if higher else limit,
        provisional=data.provisional,
    )


def _too_little(scored: Scored | None, data: WindowData, options: CheckOptions) -> NotEnough | None:
    if data.n == 0:
        return NotEnough.NO_ROWS
    n = scored.n if scored else 0
    if n >= max(options.min_rows, 1):
        return None
    lost = {
        NotEnough.INVALID_PREDICTIONS: scored.invalid_predictions if scored else 0,
        NotEnough.INVALID_LABELS: data.invalid_labels,
    }
    reason = max(lost, key=lambda why: lost[why])
    if lost[reason] and (n == 0 or n + sum(lost.values()) >= options.min_rows):
        return reason
    if n:
        return NotEnough.TOO_FEW_ROWS
    return NotEnough.UNMATCHED_LABELS if data.unmatched_labels else NotEnough.NO_LABELS


def _unfit(scored: Scored, metric: PerformanceMetric | None, options: CheckOptions) -> NotEnough | None:
    """Why too few of the labelled rows have what the metric needs; None where enough have it."""
    rows = metric.rows(scored) if metric else 0
    if rows >= max(options.min_rows, 1):
        return None
    if metric is None or metric.needs:
        invalid, reason = scored.invalid_probabilities, NotEnough.INVALID_PROBABILITIES
    else:
        invalid, reason = scored.invalid_predictions, NotEnough.INVALID_PREDICTIONS
    if invalid:
        return reason
    return NotEnough.TOO_FEW_ROWS if rows else NotEnough.NO_PROBABILITIES


def _reference(of: Labels, normal: Estimate, data: WindowData) -> Measurement:
    return Measurement(
        "performance_reference", normal.value, data.window, of, normal.n, low=normal.low, high=normal.high
    )
