"""What a check is given: a window's profile, its labelled predictions, and the options of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from checks.base import Window

if TYPE_CHECKING:  # the daemon, which has nothing numeric, hands the options on
    import pyarrow as pa

    from checks.data.arrow import Codes, Floats
    from checks.profile import Profile


@dataclass(frozen=True, slots=True)
class Scored:
    """The window's predictions whose label has arrived, row by row.

    In a classification `truth` and `prediction` are places in `classes`, the latter -1 where the prediction is no
    class; else numbers in `actual` and `estimate`.
    """

    classification: bool
    predictions: int
    """All predictions of the window, labelled or not."""
    truth: Codes
    prediction: Codes
    actual: Floats
    estimate: Floats
    classes: tuple[str, ...] = ()
    positive: str = ""
    """Binary: the positive class; empty in a multiclass task."""
    score: Floats | None = None
    """Binary: the positive class's probability; NaN where unknown."""
    probabilities: Floats | None = None
    """Multiclass: one column a class, in the order of `classes`; NaN where unknown."""
    invalid_predictions: int = 0
    """Labelled rows whose prediction is none that the task has: -1 in `prediction`, or left out."""
    invalid_probabilities: int = 0
    """Labelled rows whose probabilities can't be read, or lie outside 0 to 1."""

    @property
    def n(self) -> int:
        return len(self.truth) if self.classification else len(self.actual)

    def rows(self, start: int, end: int) -> Scored:
        """The labelled rows of a slice, as a window of their own."""
        span = slice(start, end)
        return Scored(
            self.classification,
            end - start,
            self.truth[span],
            self.prediction[span],
            self.actual[span],
            self.estimate[span],
            self.classes,
            self.positive,
            None if self.score is None else self.score[span],
            None if self.probabilities is None else self.probabilities[span],
        )


class RowSource(Protocol):
    """Rows as frames (`checks.data.frame`), read when they are asked for, once."""

    def reference(self) -> pa.Table:
        """The reference's, in the order of time."""

    def current(self) -> pa.Table:
        """The window's."""


@dataclass(frozen=True, slots=True)
class WindowData:
    """One window, as of a position in the arrival log."""

    window: Window
    profile: Profile | None
    """None without a reference: there are no bins then."""
    n: int
    scored: Scored | None = None
    """None where nothing can be labelled: no label has arrived."""
    provisional: bool = False
    """True while labels of the window are still expected."""
    invalid_labels: int = 0
    """Rows whose label is none that the task has."""
    unmatched_labels: bool = False
    """True where labels of about this time have come, none for a row of the window and some for no prediction."""
    exact: RowSource | None = None
    """Where rows themselves are compared."""
    total: int | None = None
    """Rows of all versions of the model, where `n` are those of one."""


def error_of(column: str, window: Profile | None, reference: Profile) -> str | None:
    """Why the column could not be profiled, in the window or in the reference; None where it could."""
    if window is not None and column in window.errors:
        return window.errors[column]
    return f"in the reference: {reference.errors[column]}" if column in reference.errors else None


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the model's config says about its checks."""

    min_rows: int = 200
    drift: bool = True
    methods: tuple[str, ...] = ("psi", "jensenshannon")
    """Drift methods; the first that is for a column judges it. Empty: the preset's own choice."""
    preset: PresetName | None = None
    """Whose definitions of drift, over rows; none: distances of profiles."""
    ignore: tuple[str, ...] = ()
    """Features without drift."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """How much each feature matters to the model, in any unit; where none is given, all matter the same."""
    quality: bool = True
    performance: bool = True


PresetName = Literal["evidently", "nannyml"]
