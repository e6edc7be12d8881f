"""GPUs and their instances (MIG) through NVML, as a source of samples that a driver which hangs can't hold up."""

from __future__ import annotations

import logging
from functools import partial

from checks.base import Labels, Measurement, Window, labels
from checks.catalog import CATALOG
from monitor.collectors.gpu.driver import NO_ANSWER, Driver
from monitor.collectors.gpu.fleet import Fleet, GpuReading
from monitor.collectors.gpu.timeouts import NoAnswer, Timeouts
from monitor.collectors.stale_series import StaleSeries

log = logging.getLogger("watchkeeper.collectors.gpu")

ANSWER_SECONDS = 10.0
"""How long a sample may take. Opening a driver that nobody else holds open takes seconds."""
PROCESS_SECONDS = 2.0
"""The same, for what the server's processes hold."""
_OF_PROCESSES = "gpu_process_memory_bytes"


class GpuCollector:
    """Samples every GPU that the driver shows.

    A question that fails leaves its series out and counts up `gpu_query_failures_total`; one that is not supported or
    not permitted is asked again every ten minutes. A GPU that was there and answers nothing any more, as it is lost or
    the driver was unloaded or hangs, has `gpu_up` 0 and of the rest only the XID errors that were counted, until it is
    back. A driver that hangs holds up a thread of its own, and no sample longer than `patience` seconds.
    """

    name = "gpu"
    metrics = frozenset(name for name in CATALOG if name.startswith("gpu_")) - {_OF_PROCESSES}

    def __init__(self, driver: Driver | None = None, patience: float = ANSWER_SECONDS) -> None:
        self._driver = driver or Driver()
        self._fleet = Fleet(self._driver)
        self._line, self._patience = Timeouts(), patience
        self._told: dict[Labels, bool | None] = {}
        self._hangs = False
        self._shown = StaleSeries()

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window = Window(now, now)
        rows: list[Measurement] = []
        seen = self._sample(window, monotonic)
        for gpu in seen:
            if gpu.answers is not None:
                rows.append(Measurement("gpu_up", float(gpu.answers), window, gpu.own))
            rows += gpu.rows
            self._tell(gpu)
        self._told = {gpu.own: gpu.answers for gpu in seen}
        rows += self._fleet.xid.rows(now, monotonic)
        for error, count in sorted(dict(self._driver.failures).items()):
            if count:
                rows.append(Measurement("gpu_query_failures_total", float(count), window, labels(error=error)))
        return self._shown.whole(rows, window)

    def process_memory(self, monotonic: float) -> dict[Labels, dict[int, float]] | None:
        """Bytes that each process holds, by GPU or instance; None while the driver can't be asked."""
        try:
            return self._line.run(partial(self._fleet.processes, monotonic), min(PROCESS_SECONDS, self._patience))
        except NoAnswer:
            return None

    def close(self) -> None:
        """Lets go of the driver, unless it hangs."""
        try:
            self._line.run(self._fleet.close, self._patience)
        except NoAnswer:
            log.debug("the GPU driver hangs; it is not closed")

    def _sample(self, window: Window, monotonic: float) -> list[GpuReading]:
        try:
            seen = self._line.run(partial(self._fleet.sample, window, monotonic), self._patience)
        except NoAnswer:
            self._driver.failures[NO_ANSWER] += 1
            if not self._hangs:
                log.warning("the GPU driver has not answered within %g s; nothing is known of GPUs", self._patience)
            self._hangs = True
            return [GpuReading(own, False) for own in self._told]
        if self._hangs:
            log.info("the GPU driver answers again")
        self._hangs = False
        return seen

    def _tell(self, gpu: GpuReading) -> None:
        if gpu.answers is None or gpu.answers == self._told.get(gpu.own, True):
            return
        name = " ".join(value for _, value in gpu.own)
        if gpu.answers:
            log.info("GPU %s answers again", name)
        else:
            log.warning("GPU %s does not answer; the driver is opened anew every minute until it does", name)
