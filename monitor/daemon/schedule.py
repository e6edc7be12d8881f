"""Jobs by interval: APScheduler, told once how Watchkeeper wants it, and a guard for clocks that go back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.clock import Clock
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

log = logging.getLogger("watchkeeper.schedule")

STEP_BACK = 5.0
"""Seconds the wall clock may fall behind the monotonic one before every job is scheduled anew."""


class Schedule:
    """Runs each job at its interval, one instance at a time; missed runs are merged into one.

    A job that raises is counted, reported as degraded and run again at its next time.
    """

    def __init__(self, clock: Clock, health: Health, meters: Meters, threads: int) -> None:
        self._clock, self._health, self._meters = clock, health, meters
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
            self._guarded(name, job),
            "interval",
            seconds=seconds,
            jitter=jitter or None,
            id=name,
            next_run_time=datetime.fromtimestamp(self._clock.time(), UTC),
        )

    def start(self) -> None:
        self._scheduler.start()
        self._guard.start()

    def stop(self) -> None:
        self._stop.set()
        self._scheduler.shutdown(wait=False)

    def _guarded(self, name: str, job: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                job()
            except Exception as error:  # a job's boundary: counted, said, and run again
                if self._stop.is_set():
                    log.info("job %s was cut short by the stop", name)
                    return
                self._meters.job_failures.labels(scheduled_job=name).inc()
                self._health.report(f"job {name}", f"{type(error).__name__}: {error}")
                log.exception("job %s failed; it runs again at its next time", name)
            else:
                self._health.report(f"job {name}", None)

        return run

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
                job.modify(next_run_time=datetime.fromtimestamp(self._clock.time(), UTC))
        self._offset = offset

    def _watch_clock(self) -> None:
        while not self._stop.wait(1.0):
            self.look_at_clock()
