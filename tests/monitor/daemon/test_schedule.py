"""Jobs by interval, and clocks that step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from monitor.clock import SystemClock
from monitor.daemon.schedule import RETRY_SECONDS, Schedule, SkippingInterval
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

PATIENCE = 30.0


class Stepped:
    """The machine's clock, put forward or back by a step."""

    def __init__(self) -> None:
        self.step = 0.0

    def time(self) -> float:
        return time.time() + self.step  # noqa: TID251

    def monotonic(self) -> float:
        return time.monotonic()


class Job:
    """Counts its runs, and lets a test wait for the next."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs, self._ran, self._error = 0, threading.Semaphore(0), error

    def __call__(self) -> None:
        self.runs += 1
        self._ran.release()
        if self._error is not None:
            raise self._error

    def ran(self, within: float = PATIENCE) -> bool:
        return self._ran.acquire(timeout=within)


@pytest.fixture
def made() -> Iterator[tuple[Schedule, Stepped, Health]]:
    clock, health = Stepped(), Health()
    schedule = Schedule(clock, health, Meters(CollectorRegistry()), threads=2)
    yield schedule, clock, health
    schedule.stop()


def test_after_the_clock_went_back_jobs_run_all_the_same(made: tuple[Schedule, Stepped, Health]) -> None:
    schedule, clock, _ = made
    job = Job()
    schedule.every(3600.0, "hourly", job)
    schedule.start()
    assert job.ran()
    clock.step = -3600.0
    assert job.ran(), "planned by the old time, it would run in two hours"


def test_after_the_clock_went_forward_a_job_is_not_run_for_each_time_it_missed(
    made: tuple[Schedule, Stepped, Health],
) -> None:
    schedule, clock, _ = made
    hourly, often = Job(), Job()
    schedule.every(3600.0, "hourly", hourly)
    schedule.every(0.5, "often", often)
    schedule.start()
    assert hourly.ran()
    clock.step = 3600.0
    before = often.runs
    while often.runs < before + 4:  # two seconds, in which the guard has looked
        assert often.ran()
    assert hourly.runs == 1


YEAR = 365 * 86400.0
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("late", [15.0, 3600.0, YEAR, 20 * YEAR])
def test_runs_that_were_missed_are_not_listed_one_by_one(late: float) -> None:
    trigger = SkippingInterval(seconds=15.0, timezone=UTC)
    now = NOW + timedelta(seconds=late)
    assert trigger.get_next_fire_time(NOW, now) == now + timedelta(seconds=15)


@pytest.mark.parametrize("late", [0.0, 0.1, 14.9])
def test_a_run_that_is_a_little_late_moves_no_later_one(late: float) -> None:
    trigger = SkippingInterval(seconds=15.0, timezone=UTC)
    assert trigger.get_next_fire_time(NOW, NOW + timedelta(seconds=late)) == NOW + timedelta(seconds=15)


@pytest.mark.parametrize("steps", [[YEAR], [-YEAR], [YEAR, -YEAR], [-YEAR, YEAR], [-7200.0, 3600.0]])
def test_when_the_machines_clock_is_set_every_job_goes_on(
    made: tuple[Schedule, Stepped, Health], monkeypatch: pytest.MonkeyPatch, steps: list[float]
) -> None:
    """Unlike above APScheduler has the stepped clock too; listing a year of these runs would take minutes."""
    schedule, clock, _ = made

    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Now:
            return cls.fromtimestamp(clock.time(), tz)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Now)
    often, hourly = Job(), Job()
    schedule.every(0.01, "often", often)
    schedule.every(3600.0, "hourly", hourly)
    schedule.start()
    assert often.ran() and hourly.ran()
    for step in steps:
        clock.step += step
        schedule.look_at_clock()
        for _ in range(3):
            assert often.ran()
        assert schedule.due("hourly").timestamp() <= clock.time() + 3600.0
    assert hourly.runs <= 1 + 2 * len(steps)


def test_a_job_of_an_hour_that_failed_runs_again_after_a_minute(made: tuple[Schedule, Stepped, Health]) -> None:
    schedule, clock, health = made
    failing, fine = Job(RuntimeError("it broke")), Job()
    schedule.every(3600.0, "failing", failing)
    schedule.every(0.05, "often", fine)
    schedule.start()
    assert failing.ran()
    while "job failing" not in health.degraded() or _wait(schedule, clock) > RETRY_SECONDS:
        assert fine.ran()
    assert 0 < _wait(schedule, clock) <= RETRY_SECONDS


def _wait(schedule: Schedule, clock: Stepped) -> float:
    return schedule.due("failing").timestamp() - clock.time()


def test_what_the_database_refuses_is_one_sentence_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    health, seen = Health(), []

    def explained(error: Exception) -> str:
        seen.append(error)
        return "the database is locked"

    schedule = Schedule(SystemClock(), health, Meters(CollectorRegistry()), threads=1, on_database=explained)
    job = Job(OperationalError("INSERT INTO secrets", {}, Exception("database is locked")))
    schedule.every(0.01, "writing", job)
    schedule.start()
    assert job.ran() and job.ran()
    schedule.stop()
    assert health.degraded() == {"job writing": "the database is locked"}
    assert len(seen) >= 1 and "INSERT" not in caplog.text


def test_a_job_that_raises_is_told_and_runs_again(made: tuple[Schedule, Stepped, Health]) -> None:
    schedule, _, health = made
    job = Job(RuntimeError("it broke"))
    schedule.every(0.2, "broken", job)
    schedule.start()
    assert job.ran() and job.ran()
    assert health.degraded() == {"job broken": "RuntimeError: it broke"}
