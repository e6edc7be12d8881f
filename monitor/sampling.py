"""The wall-clock side of the daemon: runs collectors, and judges what they sampled at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from checks.base import Measurement, NotEnough, Window
from checks.catalog import CATALOG
from monitor.clock import Clock
from monitor.collectors import Collector
from monitor.health import Health
from monitor.judge import Judge
from monitor.latest import Latest
from monitor.metrics import Meters
from monitor.store.events import EventStore
from monitor.store.writer import Writer
from monitor.unstored import Unstored

log = logging.getLogger("watchkeeper.sampling")


@dataclass(frozen=True)
class Sampler:
    """Samples one collector. `model` is empty for what belongs to the machine."""

    model: str
    collector: Collector
    interval: float
    """Seconds between two samples: a longer silence is downtime, and counts toward nobody's `for`."""
    writer: Writer
    judge: Judge
    latest: Latest
    meters: Meters
    clock: Clock
    unstored: Unstored | None = None
    """Judges on while nothing can be stored."""

    def sample(self) -> None:
        """Takes one sample, shows it and steps the rules over it. A collector that raises leaves its rules an error,
        never a false all-clear."""
        now = self.clock.time()
        failed: dict[str, str] = {}
        rows: list[Measurement] = []
        try:
            rows = self.collector.collect(now, self.clock.monotonic())
        except Exception as error:  # a collector's boundary: counted, logged, judged as an error
            self.meters.collector_failures.labels(collector=self.collector.name).inc()
            log.exception("collector %s failed", self.collector.name)
            failed = dict.fromkeys(self.collector.metrics, f"{type(error).__name__}: {error}")
            self.latest.forget(self.model, set(self.collector.metrics))
        self.latest.put(self.model, rows)
        self.meters.last_evaluation.set(now)
        names = set(self.collector.metrics)
        try:
            self.writer.call(
                lambda connection: self.judge.step(
                    connection, self.model, rows, now, metrics=names, failed=failed, interval=self.interval
                )
            )
        except DBAPIError:
            if self.unstored is not None:
                self.unstored.judge(self.model, rows, now, metrics=names, failed=failed, interval=self.interval)
            raise


class ArrivalAges:
    """How long ago a prediction and a label were last received: what tells 'no traffic' from 'all is well'.

    Time in which none could be received, because Watchkeeper was down or could not store, is not counted.
    """

    name = "arrivals"
    metrics = frozenset({"prediction_age_seconds", "label_age_seconds"})

    def __init__(self, model: str, events: EventStore, health: Health) -> None:
        self._model, self._events, self._health = model, events, health
        self._served_since: float | None = None

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        if self._served_since is None or self._health.not_ready():
            self._served_since = now
        return [
            self._age("prediction_age_seconds", "predictions", now, self._served_since),
            self._age("label_age_seconds", "labels", now, self._served_since),
        ]

    def _age(self, name: str, kind: str, now: float, served_since: float) -> Measurement:
        window = Window(now, now)
        newest = self._events.newest_received(self._model, kind)
        if newest is None:
            return Measurement(name, None, window, reason=NotEnough.NO_ROWS)
        return Measurement(name, max(0.0, now - max(newest, served_since)), window)


class CheckStates:
    """Whether each check of a model failed when it last ran, as a metric that a rule can watch."""

    name = "checks"
    metrics = frozenset({"check_failing"})

    def __init__(self) -> None:
        self._failing: dict[str, bool] = {}

    def report(self, check: str, failing: bool) -> None:
        self._failing[check] = failing

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window = Window(now, now)
        return [
            Measurement("check_failing", float(failing), window, (("check", check),))
            for check, failing in sorted(self._failing.items())
        ]


assert all(CATALOG[name].clock == "wall" for name in ArrivalAges.metrics | CheckStates.metrics)
