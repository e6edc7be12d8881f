"""All that is known now, put together once for the page and for /api/v1/status."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from checks.base import Measurement
from monitor.settings.model import ModelSettings
from monitor.store.references.active import ReferenceStatus, reference_status
from monitor.store.tables import progress
from monitor.telemetry.metrics import release
from monitor.web.context import WebContext


@dataclass(frozen=True)
class ModelView:
    """One model: its settings, how far its arrival log is judged, and its newest values."""

    settings: ModelSettings
    newest_event: float | None
    judged_until: float | None
    unprofiled: int
    """Chunks that are still to be profiled under the reference."""
    reference_status: ReferenceStatus
    measurements: list[Measurement]
    warnings: list[dict[str, object]]
    """What of its rows can't be used or looks like a mistake, since the start."""

    @property
    def name(self) -> str:
        return self.settings.model

    @property
    def window(self) -> dict[str, float] | None:
        """The newest closed window that holds a value."""
        closed = [row for row in self.measurements if row.name == "window_rows"]
        return {"start": closed[0].window.start, "end": closed[0].window.end} if closed else None

    def plain(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "time": self.settings.time,
            "windows": {
                "every": self.settings.windows.every,
                "allowed_lateness": self.settings.windows.allowed_lateness,
            },
            "window": self.window,
            "newest_event": self.newest_event,
            "judged_until": self.judged_until,
            "references": self.reference_status.plain(),
            "unprofiled_chunks": self.unprofiled,
            "warnings": self.warnings,
            "values": [plain(row) for row in self.measurements],
        }


@dataclass(frozen=True)
class Overview:
    now: float
    not_ready: str | None
    degraded: dict[str, str]
    models: list[ModelView]
    host: list[Measurement]
    buttons: dict[str, Any] | None = None
    """Of messages in Slack, and whether a press on one is heard."""

    def plain(self) -> dict[str, Any]:
        return {
            "version": release(),
            "now": self.now,
            "ready": self.not_ready is None,
            "not_ready": self.not_ready,
            "degraded": self.degraded,
            "models": [model.plain() for model in self.models],
            "host": [plain(row) for row in self.host],
            "slack_buttons": self.buttons,
        }


def overview(services: WebContext) -> Overview:
    """Reads the database: for a thread, not the event loop."""
    values: dict[str, list[Measurement]] = defaultdict(list)
    for model, measurement in services.latest.snapshot():
        values[model].append(measurement)
    with services.engine.connect() as connection:
        reached = {row.model: row for row in connection.execute(select(progress))}
        statuses = {settings.model: reference_status(connection, settings.model) for settings in services.config.models}
    models = [
        ModelView(
            settings=settings,
            newest_event=reached[settings.model].newest_time if settings.model in reached else None,
            judged_until=reached[settings.model].judged_window if settings.model in reached else None,
            unprofiled=(reached[settings.model].unprofiled or 0) if settings.model in reached else 0,
            reference_status=statuses[settings.model],
            measurements=values[settings.model],
            warnings=services.data_warnings.shown(settings.model),
        )
        for settings in services.config.models
    ]
    return Overview(
        now=services.clock.time(),
        not_ready=services.health.not_ready(),
        degraded=services.health.degraded(),
        models=models,
        host=values[""],
        buttons=services.buttons(),
    )


def plain(row: Measurement) -> dict[str, Any]:
    """A measurement as JSON; what it does not have is left out."""
    whole = {
        "name": row.name,
        "labels": dict(row.labels),
        "value": row.value,
        "n": row.n,
        "window": {"start": row.window.start, "end": row.window.end},
        "low": row.low,
        "high": row.high,
        "reference": row.reference,
        "limit_low": row.limit_low,
        "limit_high": row.limit_high,
        "provisional": row.provisional,
        "detail": dict(row.detail) or None,
    }
    return {name: value for name, value in whole.items() if value is not None}
