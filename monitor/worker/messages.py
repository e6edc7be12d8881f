"""What travels between the daemon and its worker: plain frozen data, nothing that needs numerics to be imported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from checks.base import Measurement, Window
from checks.data.csv_options import CsvOptions
from checks.data.schema import SchemaOverrides
from checks.inputs import CheckOptions
from checks.pictures.drawn import Drawn
from checks.segments.parts import DEFAULT, SegmentCheck
from monitor.store.references.plan import ReferencePlan

if TYPE_CHECKING:
    from monitor.settings.model import ModelSettings
    from monitor.settings.segments import SegmentSettings


def window_of(time: float, every: float) -> Window:
    """The window, `every` seconds long and aligned to the epoch, that holds `time`.

    >>> window_of(5400.0, 3600.0)
    Window(start=3600.0, end=7200.0)
    """
    index = math.floor(time / every)
    return Window(index * every, (index + 1) * every)


@dataclass(frozen=True, slots=True)
class WindowClose:
    """One closed window and the position in the arrival log as of which all about it is decided."""

    window: Window
    close_seq: int
    previous_seq: int
    """The `close_seq` of the window before; 0 for the first."""


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What one closing found. Measurements of a check that failed are absent; its name is in `errors`."""

    measurements: list[Measurement]
    """Of the window itself."""
    revisions: list[Measurement]
    """Of earlier windows that events or labels have reached since the closing before."""
    matured: list[tuple[Window, list[Measurement]]]
    """Performance of the windows whose labels are mature now, in order of the windows."""
    errors: dict[str, str]
    """Check (as the catalogue names it) → why it failed, on this window or on one measured anew."""
    seconds: dict[str, float]
    """Check → how long it ran, over all windows of the closing."""
    failed: dict[str, str] = field(default_factory=dict)
    """Metric → why it has no measurement: finer than `errors`, where one check measures several metrics."""
    drawn: tuple[Drawn, ...] = ()
    """The columns of the window itself, and of its segments, that moved most, for a picture should it be told."""
    reference: int | None = None
    """Number of the reference that the window was held against."""
    version: str | None = None
    """Version of the model whose rows were judged; None: all."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """The window's rows of each version, where versions are told apart."""
    uses: int | None = None
    """The last decision on what is normal that was known (`monitor.store.references.activations`); None where
    it does not matter."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """What the worker must know of one dimension of segments."""

    name: str
    kind: Literal["feature", "tag", ""] = ""
    """Empty: a feature if the reference has one of this name, else a tag."""
    top: int = 10
    min_rows: int = 50
    checks: tuple[SegmentCheck, ...] = DEFAULT

    @classmethod
    def of(cls, settings: SegmentSettings) -> SegmentOptions:
        kind: Literal["feature", "tag", ""] = "feature" if settings.feature else "tag" if settings.tag else ""
        return cls(settings.subject, kind, settings.top, settings.min_rows, tuple(settings.checks))


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What the worker must know of a model's settings."""

    model: str
    every: float = 3600.0
    """Length of a window, seconds."""
    allowed_lateness: float = 300.0
    maturity: float = 7 * 86400.0
    """Seconds of event time after a window's end at which its labels are mature, whatever their coverage."""
    coverage: float = 0.95
    replay: bool = False
    """Whether the model's events are aged by its newest one instead of by the wall clock."""
    checks: CheckOptions = field(default_factory=CheckOptions)
    lookback: tuple[float, ...] = ()
    """Spans up to the window's end, seconds, that drift is measured over as well."""
    bins: int = 10
    schema: SchemaOverrides = field(default_factory=SchemaOverrides)
    csv: CsvOptions = field(default_factory=CsvOptions)
    """How the reference's file is written, if it is CSV."""
    plan: ReferencePlan = field(default_factory=ReferencePlan)
    """Where the reference comes from."""
    segments: tuple[SegmentOptions, ...] = ()
    segment_measurements: int = 2_000

    @property
    def horizon(self) -> float:
        """Seconds of event time within which one id is one prediction."""
        return max(self.allowed_lateness, self.every)

    @classmethod
    def of(cls, settings: ModelSettings) -> ModelOptions:
        """The options that these settings state."""
        drift = settings.checks.drift
        stated = {key.name: getattr(settings.schema_, key.name) for key in fields(SchemaOverrides)}
        return cls(
            model=settings.model,
            every=settings.windows.every,
            allowed_lateness=settings.windows.allowed_lateness,
            maturity=settings.labels.maturity,
            coverage=settings.labels.coverage,
            replay=settings.time == "replay",
            checks=CheckOptions(
                min_rows=settings.windows.min_rows,
                drift=drift is not None,
                methods=drift.chosen if drift else (),
                preset=drift.preset if drift else None,
                ignore=tuple(drift.ignore) if drift else (),
                importance=drift.weights if drift else {},
                quality=settings.checks.quality,
                performance=settings.checks.performance,
            ),
            lookback=tuple(sorted(set(drift.lookback))) if drift else (),
            bins=drift.bins if drift else 10,
            schema=SchemaOverrides(
                **{**stated, "ignore": tuple(stated["ignore"]), "classes": tuple(stated["classes"])}
            ),
            csv=settings.reference.csv.options() if settings.reference else CsvOptions(),
            plan=ReferencePlan.of_model(settings),
            segments=tuple(SegmentOptions.of(segment) for segment in settings.segments),
            segment_measurements=settings.segment_measurements,
        )


def exact_note(preset: str) -> str:
    """What a preset of drift costs, for the log and `check-config`."""
    return (
        f"drift goes by {preset}'s definitions over rows: every window reads its own rows and all of the reference's "
        "file, which takes seconds, and memory for both; without checks.drift.preset it takes milliseconds"
    )


@dataclass(frozen=True, slots=True)
class BuiltReference:
    """A reference in the store."""

    id: int
    n: int
    created: bool
    """False when one with the same content and settings was there already."""
    notes: tuple[str, ...] = ()
    """What segments cost, and what of them is left out; empty without."""


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """What one run of compaction did."""

    rows: int = 0
    """Predictions kept."""
    duplicates: int = 0
    """Predictions dropped, because their id was there already within the horizon."""
    labels_read: int = 0
    """Labels of this run."""
    labels_placed: int = 0
    """Labels whose prediction is known, among them such as had waited for it."""
    labels_waiting: int = 0
    """Labels in all whose prediction is not known yet."""
    labels_invalid: int = 0
    """Labels of this run whose value does not fit the model's task: stored, but never measured with."""
    damaged: int = 0
    """Batches of this run that can't be read: they stay in the log, as of kind `damaged`, and are never measured."""


@dataclass(frozen=True, slots=True)
class UpkeepResult:
    """What one portion of upkeep did."""

    profiled: int = 0
    """Chunks profiled under the newest binning."""
    waiting: int = 0
    """Chunks that are still to be."""
    rolled: int = 0
    """Roll-ups made."""
