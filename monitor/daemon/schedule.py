"""Jobs by interval: APScheduler, told once how Watchkeeper wants it, and a guard for clocks that go back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from monitor.clock import Clock
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

log = logging.getLogger("watchkeeper.schedule")

STEP_BACK = 5.0
"""Seconds the wall clock may fall behind the monotonic one before every job is scheduled anew."""
RETRY_SECONDS = 60.0
"""How soon a job that failed runs again, if its interval is longer: its error must not outlive its cause for hours."""


class SkippingInterval(IntervalTrigger):  # type: ignore[misc] # APScheduler has no types
    """An interval whose next run always lies ahead.

    APScheduler asks a trigger for every run since the last one, to merge them afterwards: of 15 s in a year, as a
    clock that is set right may skip, that is 2.1 million times of 64 bytes, a job, before anything runs again.
    """

    __slots__ = ()

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        """Return the time an interval after the previous run, or an interval from `now` where that has passed."""
        following = super().get_next_fire_time(previous_fire_time, now)
        if previous_fire_time is None or following > now:
            return following
        return now + timedelta(seconds=self.interval_length)


class Schedule:
    """Runs each job at its interval, one instance at a time; missed runs are merged into one.

    A job that raises is counted, reported as degraded and run again at its next time, after a minute at most.
    """

    def __init__(
        self,
        clock: Clock,
        health: Health,
        meters: Meters,
        threads: int,
        on_database: Callable[[DBAPIError], str | None] = lambda _: None,
    ) -> None:
        """`on_database` gets what the database refuses a job, and returns a sentence on it where a traceback would say
        no more: then the sentence alone is logged, by the callee."""
        self._clock, self._health, self._meters = clock, health, meters
        self._on_database = on_database
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(threads)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._offset = clock.time() - clock.monotonic()
        self._stop = threading.Event()
        self._guard = threading.Thread(target=self._watch_clock, name="clock-guard", daemon=True)

    def every(self, seconds: float, name: str, job: Callable[[], object], jitter: float = 0.0) -> None:
        """Runs `job` now and then every `seconds`, give or take `jitter`."""
        self._scheduler.add_job(
            self._guarded(name, job, seconds),
            SkippingInterval(seconds=seconds, jitter=jitter or None, timezone=UTC),
            id=name,
            next_run_time=self._now(),
        )

    def start(self) -> None:
        self._scheduler.start()
        self._guard.start()

    def stop(self) -> None:
        self._stop.set()
        self._scheduler.shutdown(wait=False)

    def _guarded(self, name: str, job: Callable[[], object], seconds: float) -> Callable[[], None]:
        def run() -> None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - a job's boundary: counted, reported, and run again
                if self._stop.is_set():
                    log.info("job %s was cut short by the stop", name)
                    return
                self._failed(name, error, seconds)
            else:
                self._health.report(f"job {name}", None)

        return run

    def _failed(self, name: str, error: Exception, seconds: float) -> None:
        """Counts and reports the failure, and has the job run again soon."""
        self._meters.job_failures.labels(scheduled_job=name).inc()
        known = self._on_database(error) if isinstance(error, DBAPIError) else None
        self._health.report(f"job {name}", known or f"{type(error).__name__}: {error}")
        if known is None:
            log.exception("job %s failed; it runs again at its next time", name)
        if seconds > RETRY_SECONDS:
            self._scheduler.modify_job(name, next_run_time=self._now() + timedelta(seconds=RETRY_SECONDS))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)

    def due(self, name: str) -> datetime:
        """When the job of this name runs next."""
        due: datetime = self._scheduler.get_job(name).next_run_time
        return due

    def look_at_clock(self) -> None:
        """APScheduler plans by the wall clock: after a step back it would stay idle until the old time comes again."""
        offset = self._clock.time() - self._clock.monotonic()
        if offset < self._offset - STEP_BACK:
            log.warning("the clock went back by %.0f s; every job is scheduled anew", self._offset - offset)
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=self._now())
        self._offset = offset

    def _watch_clock(self) -> None:
        while not self._stop.wait(1.0):
            self.look_at_clock()
