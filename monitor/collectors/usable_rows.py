"""Sample how much of what a model's senders have sent lately can't be measured with."""

from __future__ import annotations

from collections.abc import Callable

from checks.base import Measurement, NotEnough, Window, labels
from monitor.ingest.warnings import UNUSABLE, WarningKind
from monitor.telemetry.data_warnings import DataWarnings
from monitor.telemetry.health import Health

MOST = 0.5
"""The share above which the model counts as unwell: the level of the shipped rule data-unusable, and"""
ENOUGH = 20
"""its rows."""
OF_STREAM = {
    "labels": frozenset({WarningKind.INVALID_LABEL}),
    "predictions": UNUSABLE - {WarningKind.INVALID_LABEL},
}


class UsableRows:
    """The share of unusable rows among a model's predictions, and among its labels, of the last 15 minutes."""

    name = "usable_rows"
    metrics = frozenset({"unusable_ratio"})

    def __init__(self, model: str, warnings: DataWarnings, health: Health, refresh: Callable[[str], None]) -> None:
        """`refresh` learns anew what the model's rows are expected to hold."""
        self._model, self._warnings, self._health, self._refresh = model, warnings, health, refresh

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        self._refresh(self._model)
        return [self._share(stream, Window(now, now)) for stream in OF_STREAM]

    def _share(self, stream: str, window: Window) -> Measurement:
        rows, unusable = self._warnings.recent(self._model, stream)
        of, share = labels(kind=stream), unusable / rows if rows else 0.0
        problem = None
        if rows >= ENOUGH and share > MOST:
            example = self._warnings.example(self._model, OF_STREAM[stream])
            problem = f"{share:.0%} of the rows of the last 15 minutes can't be used, such as: {example}"
        self._health.report(f"{stream} of {self._model}", problem)
        if not rows:
            return Measurement("unusable_ratio", None, window, of, reason=NotEnough.NO_ROWS)
        return Measurement("unusable_ratio", share, window, of, rows)
