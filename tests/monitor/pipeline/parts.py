"""The parts that a daemon hands to its pipeline, around the alerting half that a test has."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from monitor.pipeline.parts import Parts
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters
from tests.alerts.world import World


def parts_of(it: World, worker: Any = None) -> Parts:
    """Return parts that record what they show apart from the world's own."""
    return Parts(
        clock=it.clock,
        url=str(it.engine.url),
        engine=it.engine,
        writer=it.writer,
        worker=worker,
        alert_engine=it.alert_engine,
        latest=Latest(),
        meters=Meters(CollectorRegistry()),
        health=Health(),
    )
