"""The checks over one segment of a window: the same as over the whole, with the segment's rows and its reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from checks.base import labels
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference
from checks.run import CHECKS, Check, CheckOutcome, run_checks
from checks.segments.parts import PARTS, SegmentCheck


def run_segment(
    segment: str,
    data: WindowData,
    reference: Reference | None,
    options: CheckOptions,
    wanted: Collection[SegmentCheck],
    *,
    only: Collection[str] | None = None,
    monotonic: Callable[[], float] = lambda: 0.0,
    checks: Mapping[str, Check] = CHECKS,
) -> CheckOutcome:
    """Runs these checks of segments (or, of them, `only` those names of the whole's checks) over the rows of one
    segment, and names it in the label `segment` of what they measure."""
    parts = [PARTS[check] for check in wanted]
    names = {name for part in parts for name in part.checks if only is None or name in only}
    metrics = {metric for part in parts for metric in part.metrics}
    outcome = run_checks(data, reference, options, only=names, monotonic=monotonic, checks=checks)
    kept = [
        replace(row, labels=labels(segment=segment, **dict(row.labels)))
        for row in outcome.measurements
        if row.name in metrics
    ]
    failed = {metric: text for metric, text in outcome.failed.items() if metric in metrics}
    return CheckOutcome(kept, outcome.errors, failed, outcome.seconds)
