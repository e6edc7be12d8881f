from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from checks.inputs import CheckOptions
from monitor.clock import SystemClock
from monitor.pipeline import profile_upkeep
from monitor.pipeline.parts import Parts
from monitor.pipeline.profile_upkeep import Upkeep
from monitor.settings.root import WorkerSettings
from monitor.store.tables import profiles
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import Worker
from monitor.worker.tasks import compact
from tests.monitor.worker.log import HOUR, START, Log, Prediction
from tests.monitor.worker.sample import write_reference

OPTIONS = ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Six hours, a chunk each, from before the reference; a portion is one chunk."""
    found = Log(tmp_path / "watchkeeper.db", OPTIONS)
    for hour in range(6):
        found.predict(Prediction(f"{hour}", START + hour * HOUR))
    found.scan()
    compact(found.url, found.model, 1 << 40, OPTIONS)
    write_reference(found, tmp_path)
    return found


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(WorkerSettings(), SystemClock())
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def one_chunk_a_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_upkeep, "PORTION_SECONDS", 0.0)


def made(log: Log, worker: Worker) -> tuple[Upkeep, Meters, Health]:
    meters, health = Meters(CollectorRegistry()), Health()
    needed: dict[str, Any] = dict.fromkeys(("writer", "alert_engine"))
    parts = Parts(
        clock=SystemClock(),
        url=log.url,
        engine=log.engine,
        worker=worker,
        latest=Latest(),
        meters=meters,
        health=health,
        **needed,
    )
    return Upkeep(OPTIONS, parts), meters, health


def profiled(log: Log) -> int:
    return len(log.rows(select(profiles.c.chunk_id)))


def left(meters: Meters) -> float:
    [family] = meters.chunks_unprofiled.collect()
    return family.samples[0].value


def test_a_closing_that_waits_goes_before_the_rest(log: Log, worker: Worker) -> None:
    work, meters, _ = made(log, worker)
    work.run(0, lambda: False)
    assert profiled(log) == 0, "nothing was judged, and nobody has said that there is something to do"
    work.run(1, lambda: True)
    assert (profiled(log), left(meters), work.due) == (1, 5, True)
    work.run(0, lambda: False)
    assert (profiled(log), left(meters), work.due) == (6, 0, False)


def test_a_turn_ends_although_there_is_more(log: Log, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_upkeep, "TURN_SECONDS", 0.0)
    work, meters, _ = made(log, worker)
    work.run(1, lambda: False)
    assert (profiled(log), left(meters), work.due) == (1, 5, True)


def test_a_failure_is_told_and_does_not_come_back_every_tick(log: Log, worker: Worker) -> None:
    work, _, health = made(log, worker)
    worker.stop()
    work.run(1, lambda: False)
    assert "profiles of delays" in health.degraded()
    assert not work.due


def test_a_failure_is_reported_no_longer_once_its_cause_is_gone(
    log: Log, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no window closes any more, too."""
    work, _, health = made(log, broken := Worker(WorkerSettings(), SystemClock()))
    broken.stop()
    work.run(1, lambda: False)
    work._parts = replace(work._parts, worker=worker)
    work.run(0, lambda: False)
    assert "profiles of delays" in health.degraded(), "not at every tick"
    monkeypatch.setattr(profile_upkeep, "RETRY_SECONDS", 0.0)
    work.run(0, lambda: False)
    assert health.degraded() == {}
    assert profiled(log) == 6
