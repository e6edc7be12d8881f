"""What the web application needs of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from alerts.rules.rule import Rule
from monitor.clock import Clock
from monitor.config.reload import Reloaded
from monitor.ingest.expected import ANYTHING, Expected
from monitor.settings.root import Config
from monitor.store.alerts.queries import AlertStore
from monitor.store.events import EventStore
from monitor.telemetry.data_warnings import DataWarnings
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters


@dataclass(frozen=True)
class WebContext:
    config: Config
    clock: Clock
    engine: Engine
    events: EventStore
    alerts: AlertStore
    latest: Latest
    health: Health
    meters: Meters
    registry: CollectorRegistry
    rules: Callable[[], Sequence[Rule]]
    """Those in force."""
    reload: Callable[[], Reloaded]
    """Raises ConfigError when the config's file is wrong."""
    data_warnings: DataWarnings = field(default_factory=lambda: DataWarnings(lambda: 0.0))
    expected: Callable[[str], Expected] = lambda model: ANYTHING
    """What a model's rows are to hold."""
    buttons: Callable[[], dict[str, Any] | None] = lambda: None
    """How presses on buttons in Slack are heard; None without Slack."""
