"""The real application on a real SQLite file, with a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select

from monitor.config.reload import Reloaded
from monitor.config.rules_in_force import all_rules
from monitor.settings.root import Config
from monitor.store.alerts.queries import AlertStore
from monitor.store.engine import open_engine
from monitor.store.events import EventStore
from monitor.store.tables import arrivals
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.web.app import create_app
from monitor.web.context import WebContext
from tests.database import tables_in

NOW = 1_700_000_000.0


@dataclass
class StillClock:
    now: float = NOW

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@dataclass
class Rig:
    services: WebContext
    writer: Writer
    app: Litestar
    clock: StillClock
    client: TestClient[Litestar] = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(self.app, base_url="http://127.0.0.1:9797", raise_server_exceptions=True)

    @property
    def engine(self) -> Engine:
        return self.services.engine

    def arrivals(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(arrivals).order_by(arrivals.c.seq)))

    def metric(self, name: str, **labels: str) -> float | None:
        return self.services.registry.get_sample_value(name, labels)

    def close(self) -> None:
        self.writer.stop()
        self.engine.dispose()


def rig(folder: Path, config: dict[str, Any] | None = None, queue_bytes: int = 64 << 20) -> Rig:
    """Everything the daemon would construct for HTTP, started."""
    settings = Config.model_validate(
        {"models": [{"model": "delays"}, {"model": "past", "time": "replay"}]} | (config or {})
    )
    settings = settings.model_copy(update={"database": tables_in(folder / "w.db")})
    clock = StillClock()
    engine = open_engine(settings.database)
    writer = Writer(engine, max_bytes=queue_bytes)
    writer.start()
    registry = CollectorRegistry()
    latest, alerts, health = Latest(), AlertStore(engine, writer), Health()
    registry.register(LatestCollector(latest, alerts))
    health.ingest(None)
    services = WebContext(
        config=settings,
        clock=clock,
        engine=engine,
        events=EventStore(writer, engine, clock),
        alerts=alerts,
        latest=latest,
        health=health,
        meters=Meters(registry),
        registry=registry,
        rules=lambda: all_rules(settings),
        reload=lambda: Reloaded(0, False, ()),
    )
    return Rig(services, writer, create_app(services), clock)
