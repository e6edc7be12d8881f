"""The parts of the daemon that the whole pipeline works with.

They stand here because the pipeline must not import `monitor.daemon`, which lies above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from monitor.alerting.engine import AlertEngine
from monitor.clock import Clock
from monitor.store.writer import Writer
from monitor.telemetry.data_warnings import DataWarnings
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters
from monitor.worker.pool import Worker


@dataclass(frozen=True)
class Parts:
    """What measures, judges and records, built once for all models."""

    clock: Clock
    url: str
    """Where the worker finds the database."""
    engine: Engine
    writer: Writer
    worker: Worker
    alert_engine: AlertEngine
    latest: Latest
    meters: Meters
    health: Health
    data_warnings: DataWarnings = field(default_factory=lambda: DataWarnings(lambda: 0.0))
