"""What is measured of segments, and that it stays within a bound: segments × features × methods grow fast.

A check is measured for all segments of a dimension or for none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.data.schema import Schema
from checks.performance.metrics import CLASSIFICATION, REGRESSION
from checks.segments.parts import PARTS, SegmentCheck


@dataclass(frozen=True, slots=True)
class WantedDimension:
    """What the config asks for: a dimension by its column, how many segments it has at most, and their checks."""

    column: str
    segments: int
    checks: tuple[SegmentCheck, ...]


@dataclass(frozen=True, slots=True)
class SegmentShare:
    """One check of one dimension, and how many measurements it makes of a window."""

    column: str
    check: SegmentCheck
    measurements: int


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """What is measured, and what is not because it would pass the bound."""

    kept: tuple[SegmentShare, ...]
    cut: tuple[SegmentShare, ...]
    wanted: tuple[WantedDimension, ...] = ()

    def checks(self, column: str) -> tuple[SegmentCheck, ...]:
        """Those that are measured of this dimension."""
        return tuple(share.check for share in self.kept if share.column == column)

    def segments(self, column: str) -> int:
        """How many the dimension has at most."""
        return next((one.segments for one in self.wanted if one.column == column), 0)

    @property
    def measurements(self) -> int:
        """Measurements of a window, at most."""
        return sum(share.measurements for share in self.kept)

    @property
    def left_out(self) -> int:
        """Measurements that the bound costs."""
        return sum(share.measurements for share in self.cut)


def plan(wanted: Sequence[WantedDimension], schema: Schema, methods: Sequence[str], most: int) -> SegmentPlan:
    """What of all that is wanted makes at most `most` measurements a window: check by check in the order of PARTS, each
    for one dimension after the other. One that does not fit leaves its room to what follows."""
    kept: list[SegmentShare] = []
    cut: list[SegmentShare] = []
    room = most
    for check in PARTS:
        each = count(check, schema, methods)
        for one in wanted:
            if check not in one.checks or not each:
                continue
            share = SegmentShare(one.column, check, each * one.segments)
            fits = share.measurements <= room
            (kept if fits else cut).append(share)
            room -= share.measurements if fits else 0
    return SegmentPlan(tuple(kept), tuple(cut), tuple(wanted))


def count(check: SegmentCheck, schema: Schema, methods: Sequence[str]) -> int:
    """How many measurements the check makes of one segment in one window, at most."""
    features = len(schema.watched)
    numeric = sum(kind == "numeric" for _, kind in schema.watched)
    if check == "performance":
        metrics = 0 if schema.task is None else len(REGRESSION if schema.task == "regression" else CLASSIFICATION)
        return 2 * metrics + 1
    return {
        "volume": 1,
        "drift": (1 + len(methods)) * bool(methods),
        "missing": features,
        "quality": 2 * features + numeric,
        "feature_drift": features * len(methods),
    }[check]
