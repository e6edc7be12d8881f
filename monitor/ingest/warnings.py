"""What of accepted rows can't be measured with, or looks like a mistake: counted by kind, with one example of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class WarningKind(StrEnum):
    """A kind of oddity in accepted rows. Also the label of a counter."""

    INVALID_LABEL = "invalid_label"
    INVALID_PREDICTION = "invalid_prediction"
    INVALID_PROBABILITIES = "invalid_probabilities"
    NO_FEATURES = "no_features"
    UNREADABLE_FEATURE = "unreadable_feature"
    UNKNOWN_FEATURE = "unknown_feature"
    UNKNOWN_KEY = "unknown_key"
    UNMATCHED_LABEL = "unmatched_label"


UNUSABLE = frozenset(
    {
        WarningKind.INVALID_LABEL,
        WarningKind.INVALID_PREDICTION,
        WarningKind.INVALID_PROBABILITIES,
        WarningKind.NO_FEATURES,
    }
)
"""Rows with these say nothing about what they were sent for; the others are hints."""


@dataclass(slots=True)
class Warnings:
    """The warnings about one body. `counts` are rows; `examples` are sentences, the first of each kind."""

    counts: dict[WarningKind, int] = field(default_factory=dict)
    examples: dict[WarningKind, str] = field(default_factory=dict)

    def add(self, kind: WarningKind, count: int, example: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.examples.setdefault(kind, example)

    def unusable(self, rows: int) -> int:
        """Return how many of the rows can't be used, at least: kinds may be of the same ones."""
        return min(rows, max((count for kind, count in self.counts.items() if kind in UNUSABLE), default=0))

    def plain(self) -> list[dict[str, object]]:
        return plain(self.counts.items(), self.examples)


def plain(counts: Iterable[tuple[WarningKind, int]], examples: dict[WarningKind, str]) -> list[dict[str, object]]:
    """Return the warnings as JSON takes them."""
    return [{"kind": kind.value, "count": count, "example": examples[kind]} for kind, count in counts]
