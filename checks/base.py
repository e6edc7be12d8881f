"""What a check takes and gives: windows in, measurements out.

Times are seconds since the epoch, UTC, as floats. Labels are sorted pairs, so that two equal label sets are one key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Labels = tuple[tuple[str, str], ...]


def labels(**pairs: str) -> Labels:
    """The label set of these pairs, sorted by name; empty values are dropped, as Prometheus does.

    >>> labels(method="psi", feature="distance", segment="")
    (('feature', 'distance'), ('method', 'psi'))
    """
    return tuple(sorted((name, value) for name, value in pairs.items() if value != ""))


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open interval of event time, ``[start, end)``, in epoch seconds UTC."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def contains(self, time: float) -> bool:
        return self.start <= time < self.end


class NotEnough(StrEnum):
    """Why a measurement has no value: never 0, never the last value, always a reason."""

    NO_ROWS = "no_rows"
    TOO_FEW_ROWS = "too_few_rows"
    ALL_MISSING = "all_missing"
    NO_LABELS = "no_labels"
    UNMATCHED_LABELS = "unmatched_labels"
    """Labels came for that time, but no prediction has their ids."""
    INVALID_LABELS = "invalid_labels"
    """Labels came, but their values are none that the model's task has."""
    INVALID_PREDICTIONS = "invalid_predictions"
    """Predictions are no class, or no number, that the model's task has."""
    NO_PROBABILITIES = "no_probabilities"
    INVALID_PROBABILITIES = "invalid_probabilities"
    """Probabilities lie outside 0 to 1, lack a class, or are of another number than the classes."""
    ONE_CLASS = "one_class"
    SHORT_HISTORY = "short_history"
    """The stream, or what of it the reference is for, is shorter than the window that looks back over it."""
    INSENSITIVE = "insensitive"
    """Windows of the reference differ among themselves so much that none could pass the limit."""
    NOT_PROFILED = "not_profiled"
    """Some of its rows came before the reference, and wait to be profiled."""
    NO_REFERENCE = "no_reference"
    NOT_IN_REFERENCE = "not_in_reference"
    NO_TRAFFIC = "no_traffic"
    FIRST_SAMPLE = "first_sample"
    NOT_FOUND = "not_found"
    """What is measured is not there, or not any more."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number with its meaning: what rules, /metrics, pages and history read.

    ``name`` is the metric's name without the ``watchkeeper_`` prefix; ``labels`` never hold the model (the caller
    knows it). ``value`` is None exactly when ``reason`` says why.
    """

    name: str
    value: float | None
    window: Window
    labels: Labels = ()
    n: int = 0
    """Rows the value rests on."""
    reason: NotEnough | None = None
    low: float | None = None
    """Lower end of the value's 95 % interval."""
    high: float | None = None
    reference: float | None = None
    """The reference's value of the same quantity, where it has one."""
    limit_low: float | None = None
    """Calibrated lower limit: windows of the reference, at this size, stay above it."""
    limit_high: float | None = None
    provisional: bool = False
    """True while labels of the window are still expected."""
    secondary: bool = False
    """A further opinion on what another measurement judges; rules pass it over unless they name its method."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What moved, for people: JSON-serialisable, small."""
    reference_id: int | None = None
    """Number of the reference in force for the window, 0 without one; None for what no reference has a part in."""

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"{self.name}: a measurement has either a value or a reason")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure from n rows and its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
