"""What a check of segments is made of. Light: the config knows these names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SegmentCheck = Literal["volume", "performance", "drift", "missing", "quality", "feature_drift"]


@dataclass(frozen=True, slots=True)
class Part:
    """What a check of segments is made of: checks by their names in `checks.run`, and those of their metrics that are
    kept."""

    checks: tuple[str, ...]
    metrics: tuple[str, ...]


PARTS: dict[SegmentCheck, Part] = {
    "volume": Part(("volume",), ("window_rows",)),
    "performance": Part(
        ("performance", "performance.coverage"), ("performance", "performance_reference", "label_coverage_ratio")
    ),
    "drift": Part(("drift.feature", "drift.prediction"), ("drifted_features", "prediction_drift")),
    "missing": Part(("quality.missing",), ("missing_ratio",)),
    "quality": Part(
        ("quality.non_finite", "quality.out_of_range", "quality.new_category", "quality.type_mismatch"),
        ("non_finite_ratio", "out_of_range_ratio", "new_category_ratio", "type_mismatch_ratio"),
    ),
    "feature_drift": Part(("drift.feature",), ("feature_drift",)),
}
"""In the order in which they are kept when not all are within the bound."""

DEFAULT: tuple[SegmentCheck, ...] = ("volume", "performance", "drift", "missing")
