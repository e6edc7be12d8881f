"""What a report holds: one entry a column, and what follows from them. Plain data, JSON-ready."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from checks.pictures.distribution import Distribution

Preset = Literal["calibrated", "evidently", "nannyml"]
PRESETS: tuple[Preset, ...] = ("calibrated", "evidently", "nannyml")
Role = Literal["feature", "target", "prediction", "score"]
Pair = dict[str, float]
"""The same figure of both sides: `reference` and `current`."""


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One column, compared; with an `error` there is no value, and `error` says why."""

    name: str
    type: str
    """numeric, categorical or boolean; of a column that can't be compared what it holds."""
    role: Role = "feature"
    method: str | None = None
    statistic: Literal["distance", "p_value"] = "distance"
    """Drift is a distance above the threshold, or a p-value below it."""
    value: float | None = None
    threshold: float | None = None
    drifted: bool | None = None
    n_reference: int = 0
    n_current: int = 0
    """Values that were compared: present, and finite."""
    error: str | None = None
    changed: bool = False
    """Whether it is a change between the tables that keeps the column from being compared, such as that it is gone."""
    excess: float = 0.0
    """How far beyond the threshold: 0 at it, 1 at twice a distance's, or at a tenth of a p-value's."""
    importance: float | None = None
    """How much the column matters to the model, where that was said of any."""
    why: str = ""
    """What moved, one sentence."""
    notes: tuple[str, ...] = ()
    mean: Pair | None = None
    missing: Pair | None = None
    quality: Mapping[str, dict[str, float | None]] = field(default_factory=dict)
    """Measure (as `missing_ratio`) → its `value`, the `reference`'s own, and the `limit` learned from it."""
    moved: tuple[dict[str, Any], ...] = ()
    """The bins that add most to the distance, each with its share before and now, and its part."""
    distribution: Distribution | None = None

    @property
    def breaches(self) -> list[str]:
        """The quality measures that are beyond their limit."""
        return [
            name
            for name, own in self.quality.items()
            if own["limit"] is not None and own["value"] is not None and own["value"] > own["limit"]
        ]

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["distribution"] = None if self.distribution is None else self.distribution.to_dict()
        return plain


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables."""

    name: str
    rows: int
    read: tuple[str, ...] = ()
    """What had to be found out about its file, one sentence each."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two tables held against each other, column by column, in the reference's order."""

    preset: Preset
    reference: Side
    current: Side
    columns: tuple[ColumnReport, ...]
    excluded: tuple[tuple[str, str], ...] = ()
    """Columns that are not compared on purpose, and why."""
    notes: tuple[str, ...] = ()
    """What is to be known of the limits, one sentence each."""

    @property
    def drifted(self) -> bool:
        """True where any column drifted."""
        return any(column.drifted for column in self.columns)

    @property
    def measured(self) -> list[ColumnReport]:
        return [column for column in self.columns if column.error is None]

    @property
    def ranked(self) -> list[ColumnReport]:
        """Columns by how far they drifted, where importance is given times that; then those beyond a quality limit,
        those that could not be compared, the rest."""
        weighted = any(column.importance is not None for column in self.columns)

        def order(column: ColumnReport) -> tuple[Any, ...]:
            weight = (column.importance or 0.0) if weighted else 1.0
            nearness = 0.0
            if column.value is not None and column.threshold:
                nearness = column.value / column.threshold if column.statistic == "distance" else -column.value
            drift = not column.drifted, -column.excess * weight, -column.excess
            return *drift, not column.breaches, column.error is None, -nearness

        return sorted(self.columns, key=order)

    @property
    def breached(self) -> list[ColumnReport]:
        """Columns with a quality measure beyond its limit."""
        return [column for column in self.columns if column.breaches]

    @property
    def worse(self) -> bool:
        """True where a column is beyond a quality limit, or a change keeps it from being compared."""
        return any(column.breaches or column.changed for column in self.columns)

    @property
    def share(self) -> float:
        """The share of the measured columns that drifted."""
        return sum(bool(column.drifted) for column in self.columns) / max(len(self.measured), 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the contract's JSON object, which programs read; numbers that are not finite as null."""
        plain = {
            "preset": self.preset,
            "drifted": self.drifted,
            "drifted_columns": sum(bool(column.drifted) for column in self.columns),
            "drifted_share": self.share,
            "compared": len(self.measured),
            "not_compared": len(self.columns) - len(self.measured),
            "quality_breached": [column.name for column in self.breached],
            "reference": asdict(self.reference),
            "current": asdict(self.current),
            "columns": [column.to_dict() for column in self.columns],
            "excluded": [{"name": name, "reason": why} for name, why in self.excluded],
            "notes": list(self.notes),
        }
        cleaned: dict[str, Any] = _finite(plain)
        return cleaned

    def to_json(self, indent: int | None = 2) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
