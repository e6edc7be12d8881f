"""What the config may say about one model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alerts.duration import Length, Seconds
from checks.data.canonical_text import text
from monitor.settings.base import ModelName, Settings
from monitor.settings.checks import CheckSettings
from monitor.settings.reference import ReferenceSettings
from monitor.settings.segments import SegmentSettings, distinct
from monitor.settings.server import ProbeSettings, ServerSettings

Task = Literal["binary", "multiclass", "regression"]


FeatureType = Literal["numeric", "categorical", "boolean", "datetime"]


def _texts(given: Any) -> Any:
    """Classes as keys: YAML reads 0 and true as what they are."""
    return {text(key): value for key, value in given.items()} if isinstance(given, dict) else given


class SchemaSettings(Settings):
    """Overrides of what is inferred from the reference."""

    task: Task | None = None
    """What the model predicts: one of two classes, one of several, or a number."""
    target: str | None = None
    """The column with the true answer."""
    prediction: str | None = None
    """The column with the model's answer."""
    score: str | None = None
    """Binary: the column with the positive class's probability."""
    positive_class: str | int | bool | None = None
    """Binary: the class that counts as positive; else the later of the two, as scikit-learn's `classes_[1]`."""
    classes: Annotated[list[str | int | float | bool], Field(max_length=1_000)] = []
    """All classes in the order of lists of probabilities, where that is not the order of scikit-learn's `classes_`."""
    probabilities: Annotated[dict[str, str], BeforeValidator(_texts)] = {}
    """Class → the column with its probability, where the column is not named proba_<class>."""
    id: str | None = None
    """The column that names each prediction."""
    time: str | None = None
    """The column with the time of each prediction; with it limits know the time of day."""
    features: dict[str, FeatureType] = {}
    """Types of features, by column, where the type inferred is not the one meant."""
    ignore: list[str] = []
    """Columns that nothing watches."""


class WindowSettings(Settings):
    every: Length = 3600.0
    """Length of a window, in event time; fixed for a database."""
    allowed_lateness: Seconds = 300.0
    """How long after its end, in event time, a window waits for late events."""
    min_rows: int = Field(200, ge=1)
    """Rows of a window below which drift is not measured."""


class LabelSettings(Settings):
    maturity: Seconds = 7 * 86400.0
    """Event time after a window's end at which its performance stops being provisional."""
    coverage: float = Field(0.95, gt=0, le=1)
    """Share of labels at which it stops earlier."""


class ModelSettings(Settings):
    model: ModelName
    """The model's name: in the label `model` and in the addresses that it is sent to."""
    reference: ReferenceSettings | None = None
    """What is normal; without one nothing is compared with a reference."""
    schema_: SchemaSettings = Field(SchemaSettings(), alias="schema")
    """What the reference's columns mean, where that can't be inferred."""
    server: ServerSettings | None = None
    """The model's server, read where it shows its metrics."""
    probes: list[ProbeSettings] = Field([], max_length=32)
    """Requests whose answer is known."""
    windows: WindowSettings = WindowSettings()
    """How event time is cut for checks."""
    labels: LabelSettings = LabelSettings()
    """When performance is final."""
    time: Literal["live", "replay"] = "live"
    """live, or replay: event time is history, whose age is not checked."""
    checks: CheckSettings = CheckSettings()
    """What is measured of each window."""
    segments: Annotated[list[SegmentSettings], AfterValidator(distinct)] = Field([], max_length=16)
    """Tags and features by whose values checks are made, too."""
    segment_measurements: int = Field(2_000, ge=1)
    """Measurements of segments that a window makes at most."""

    @model_validator(mode="after")
    def _rows(self) -> ModelSettings:
        drift = self.checks.drift
        if drift and drift.preset and self.reference is not None and self.reference.path is None:
            raise ValueError(
                f"checks.drift.preset: {drift.preset} compares rows with those of a file; give the reference a path, "
                "or leave the preset out"
            )
        return self

    @property
    def reference_file(self) -> Path | None:
        """The file that the reference is built from, if it comes from one."""
        return self.reference.path if self.reference else None
