"""Jobs by interval, and clocks that step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from monitor.daemon.schedule import Schedule
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


def test_a_job_that_raises_is_told_and_runs_again(made: tuple[Schedule, Stepped, Health]) -> None:
    schedule, _, health = made
    job = Job(RuntimeError("it broke"))
    schedule.every(0.2, "broken", job)
    schedule.start()
    assert job.ran() and job.ran()
    assert health.degraded() == {"job broken": "RuntimeError: it broke"}
