"""Sampling against a real database: ages without downtime, a pace of its own, a collector that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts.rules.rule import Rule
from checks.base import Measurement, Window
from monitor.alerting.engine import AlertEngine
from monitor.collectors.arrivals import ArrivalAges
from monitor.pipeline.parts import Parts
from monitor.pipeline.wall_clock import Sampler
from monitor.store.engine import open_engine, writing
from monitor.store.events import EventStore
from monitor.store.tables import arrivals, transitions
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters
from tests.alerts.builders import FakeClock
from tests.database import tables_in

DOWN = Rule.model_validate({"name": "down", "metric": "server_up", "below": 1, "for": "60s", "no_data": "ok"})


class Server:
    """A collector that answers, does not, or breaks."""

    name = "server"
    metrics = frozenset({"server_up"})
    up: float | None = 1.0

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        if self.up is None:
            raise ConnectionError("gone")
        return [Measurement("server_up", self.up, Window(now, now))]


class Rig:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.engine = open_engine(tables_in(folder / "s.db"))
        self.writer = Writer(self.engine)
        self.writer.start()
        self.latest, self.registry = Latest(), CollectorRegistry()
        self.server = Server()
        needed: dict[str, Any] = {"worker": None}
        self.parts = Parts(
            clock=self.clock,
            url="",
            engine=self.engine,
            writer=self.writer,
            alert_engine=AlertEngine([DOWN], [], self.clock),
            latest=self.latest,
            meters=Meters(self.registry),
            health=Health(),
            **needed,
        )

    def sampler(self, interval: float) -> Sampler:
        return Sampler("delays", self.server, interval, self.parts)

    def states(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.scalars(select(transitions.c.after).order_by(transitions.c.id)))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.writer.stop()
    rig.engine.dispose()


@pytest.mark.parametrize("interval", [15.0, 60.0, 300.0])
def test_a_slow_pace_of_its_own_is_no_downtime(rig: Rig, interval: float) -> None:
    sampler = rig.sampler(interval)
    rig.server.up = 0.0
    for _ in range(int(60 // interval) + 2):
        sampler.sample()
        rig.clock.forward(interval)
    assert rig.states() == ["pending", "firing"]


def test_a_collector_that_fails_is_counted_and_shows_nothing_old(rig: Rig) -> None:
    sampler = rig.sampler(15.0)
    sampler.sample()
    assert [row.value for _, row in rig.latest.snapshot()] == [1.0]
    rig.server.up = None
    rig.clock.forward(15.0)
    sampler.sample()
    assert rig.latest.snapshot() == []
    failures = rig.registry.get_sample_value("watchkeeper_collector_failures_total", {"collector": "server"})
    assert failures == 1.0
    assert rig.states() == [], "an error is neither a breach nor an all-clear"


def received(rig: Rig, at: float) -> None:
    with writing(rig.engine).begin() as connection:
        connection.execute(
            arrivals.insert().values(
                model="delays", kind="predictions", received_at=at, t_min=0, t_max=0, n=1,
                codec="msgpack-columns/1", payload=b"",
            )
        )  # fmt: skip


def test_time_in_which_nothing_could_be_received_is_not_counted(rig: Rig) -> None:
    received(rig, rig.clock.now - 3600)
    health = Health()
    health.ingest(None)
    ages = ArrivalAges("delays", EventStore(rig.writer, rig.engine, rig.clock), health)

    def age() -> float | None:
        return ages.collect(rig.clock.now, rig.clock.monotonic())[0].value

    assert age() == 0.0, "the hour before the start is not the model's"
    rig.clock.forward(120.0)
    assert age() == 120.0
    health.ingest("the database is locked")
    rig.clock.forward(600.0)
    assert age() == 0.0
    health.ingest(None)
    rig.clock.forward(30.0)
    assert age() == 30.0


@pytest.mark.parametrize("step", [365 * 86400.0, -365 * 86400.0])
def test_a_clock_that_is_set_is_no_traffic_missed_and_hides_none(rig: Rig, step: float) -> None:
    health, events = Health(), EventStore(rig.writer, rig.engine, rig.clock)
    health.ingest(None)
    ages = ArrivalAges("delays", events, health)
    received(rig, rig.clock.now)
    started, spent = rig.clock.now, 0.0

    def age(wait: float, by: float = 0.0) -> float | None:
        nonlocal spent
        spent += wait
        rig.clock.now += wait + by
        return ages.collect(rig.clock.now, started + spent)[0].value

    assert age(0.0) == 0.0
    assert age(120.0) == 120.0
    assert age(15.0, step) == 0.0, "what the clock skipped is not counted"
    assert age(600.0) == 600.0, "what has passed since is, even where the newest batch lies in the future now"
