"""What parsing a body gives: the rows kept, as one payload, and by name why others were not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.ingest.warnings import Warnings

LISTED = 100
"""Rejected rows that a reply describes; all are counted."""


class RejectionReason(StrEnum):
    """Why a row was rejected, or a value in a kept row repaired. Also the label of a counter."""

    MISSING_ID = "missing_id"
    MISSING_PREDICTION = "missing_prediction"
    MISSING_LABEL = "missing_label"
    MISSING_TIME = "missing_time"
    INVALID_JSON = "invalid_json"
    INVALID_TYPE = "invalid_type"
    INVALID_TEXT = "invalid_text"
    INVALID_TIME = "invalid_time"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    NOT_FINITE = "not_finite"
    ID_TOO_LONG = "id_too_long"
    STRING_TOO_LONG = "string_too_long"
    TOO_MANY_FEATURES = "too_many_features"
    TOO_MANY_CLASSES = "too_many_classes"
    TOO_MANY_TAGS = "too_many_tags"


class Malformed(Exception):
    """The body as a whole can't be read; the message says what and where."""


class TooLarge(Exception):
    """The body is over a limit; the message names it."""


class BadRow(Exception):
    """A row that can't be kept."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Rejected:
    index: int
    """The row's place in the body, from 0."""
    reason: RejectionReason
    detail: str


@dataclass(slots=True)
class Rejections:
    """Counts every rejected row, and keeps the first few to describe."""

    counts: Counter[RejectionReason] = field(default_factory=Counter)
    listed: list[Rejected] = field(default_factory=list)

    def add(self, index: int, error: BadRow) -> None:
        self.counts[error.reason] += 1
        if len(self.listed) < LISTED:
            self.listed.append(Rejected(index, error.reason, error.detail))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body's good rows as one `msgpack-columns/1` payload (empty when there are none)."""

    n: int
    t_min: float
    t_max: float
    payload: bytes
    rejections: Rejections
    repaired: Counter[RejectionReason]
    """Values that were kept although they can't be measured, such as a NaN in a feature."""
    warnings: Warnings = field(default_factory=Warnings)

    @property
    def rejected(self) -> int:
        return self.rejections.counts.total()

    def reply(self) -> dict[str, object]:
        """What the sender is told."""
        return {
            "accepted": self.n,
            "rejected": self.rejected,
            "errors": [
                {"index": row.index, "reason": row.reason.value, "detail": row.detail} for row in self.rejections.listed
            ],
            "warnings": self.warnings.plain(),
        }
