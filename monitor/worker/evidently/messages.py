"""Evidently's reports, as the daemon names them: plain data, and one function that imports the rest inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from checks.base import Measurement, Window

PRESETS = (
    "ClassificationDummyQuality",
    "ClassificationPreset",
    "ClassificationQuality",
    "ClassificationQualityByLabel",
    "DataDriftPreset",
    "DataSummaryPreset",
    "DatasetStats",
    "RecsysPreset",
    "RegressionDummyQuality",
    "RegressionPreset",
    "RegressionQuality",
    "TextEvals",
    "ValueStats",
)
"""What evidently.presets has."""
MetricNames = tuple[str | dict[str, dict[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class ReportTask:
    """One run of a check of `type: evidently`."""

    check: str
    window: Window
    seq: int
    """The position in the arrival log as of which the window is taken."""
    reference: str
    """The file that the model's reference was built from: a sample of its rows is compared with."""
    preset: str | None = None
    metrics: MetricNames = ()
    options: dict[str, Any] = field(default_factory=dict)
    sample: int = 5_000
    seed: int = 0
    html: bool = True
    id: str = ""
    """Of the report in the database."""


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """What a run found. `report` is empty where no HTML was kept; `skipped` says why nothing was measured."""

    measurements: list[Measurement]
    seconds: float
    rows: int
    report: str = ""
    skipped: str = ""
