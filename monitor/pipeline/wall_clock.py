"""The wall-clock side of the daemon: runs collectors, and judges what they sampled at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from checks.base import Measurement
from checks.catalog import CATALOG
from monitor.alerting.outage import Outage
from monitor.collectors import Collector
from monitor.collectors.arrivals import ArrivalAges
from monitor.collectors.check_states import CheckStates
from monitor.collectors.stream_shares import StreamShares
from monitor.pipeline.parts import Parts

log = logging.getLogger("watchkeeper.sampling")


@dataclass(frozen=True)
class Sampler:
    """Samples one collector. `model` is empty for what belongs to the machine."""

    model: str
    collector: Collector
    interval: float
    """Seconds between two samples: a longer silence is downtime, and counts toward nobody's `for`."""
    parts: Parts
    outage: Outage | None = None
    """Judges on while nothing can be stored."""

    def sample(self) -> None:
        """Takes one sample, shows it and steps the rules over it. A collector that raises leaves its rules an error,
        never a false all-clear."""
        now = self.parts.clock.time()
        failed: dict[str, str] = {}
        rows: list[Measurement] = []
        try:
            rows = self.collector.collect(now, self.parts.clock.monotonic())
        except Exception as error:  # a collector's boundary: counted, logged, judged as an error
            self.parts.meters.collector_failures.labels(collector=self.collector.name).inc()
            log.exception("collector %s failed", self.collector.name)
            failed = dict.fromkeys(self.collector.metrics, f"{type(error).__name__}: {error}")
            self.parts.latest.forget(self.model, set(self.collector.metrics))
        self.parts.latest.put(self.model, rows)
        self.parts.meters.last_evaluation.set(now)
        names = set(self.collector.metrics)
        try:
            self.parts.writer.call(
                lambda connection: self.parts.alert_engine.step(
                    connection, self.model, rows, now, metrics=names, failed=failed, interval=self.interval
                )
            )
        except DBAPIError:
            if self.outage is not None:
                self.outage.step(self.model, rows, now, metrics=names, failed=failed, interval=self.interval)
            raise


assert all(CATALOG[name].clock == "wall" for name in ArrivalAges.metrics | CheckStates.metrics | StreamShares.metrics)
