"""A column that a check of drift compared, ready to be drawn: plain, so that it can travel and be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checks.base import Labels
from checks.pictures.distribution import Distribution


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one measurement of drift compared. `labels` are the measurement's without its method."""

    metric: str
    labels: Labels
    distribution: Distribution

    @property
    def segment(self) -> str:
        """The segment whose rows these are; empty for all rows."""
        return dict(self.labels).get("segment", "")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"metric": self.metric, "labels": dict(self.labels), "distribution": self.distribution.to_dict()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Drawn:
        """The inverse of `to_dict`."""
        return cls(
            plain["metric"], tuple(sorted(plain["labels"].items())), Distribution.from_dict(plain["distribution"])
        )
