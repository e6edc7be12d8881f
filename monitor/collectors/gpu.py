"""GPUs, their instances (MIG), and what the server's processes hold of their memory, through NVML."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from checks.base import Labels, Measurement, Window, labels
from checks.catalog import CATALOG
from monitor.collectors.gpu_device import OF_INSTANCES, QUESTIONS, Question
from monitor.collectors.gpu_driver import ABSENT, AGAIN_SECONDS, LOST, Driver, DriverGone, GpuError
from monitor.collectors.gpu_xid import XidErrors
from monitor.collectors.shown import Shown

log = logging.getLogger("watchkeeper.collectors.gpu")

ASKED_AGAIN = 600.0
"""Seconds before a question that a GPU has no answer to is asked again."""
_OF_PROCESSES = "gpu_process_memory_bytes"


class GpuCollector:
    """Samples every GPU that the driver shows.

    A question that fails leaves its series out and counts up `gpu_query_failures_total`; a GPU that was there and does
    not answer any more has `gpu_up` 0 and nothing else, until it is back.
    """

    name = "gpu"
    metrics = frozenset(name for name in CATALOG if name.startswith("gpu_")) - {_OF_PROCESSES}

    def __init__(self, driver: Driver | None = None) -> None:
        self._driver = driver or Driver()
        self._lock = threading.Lock()
        self._gpus: dict[Labels, Any] = {}
        self._instances: dict[Labels, Any] = {}
        self._known: dict[Labels, bool] = {}
        """Every GPU that was ever seen, and whether it answered last."""
        self._absent: dict[tuple[Labels, str], float] = {}
        self._found = False
        self._anew_at = float("inf")
        self._xid = XidErrors()
        self._shown = Shown()

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        with self._lock:
            rows = list(self._sample(now, monotonic))
        return self._shown.whole(rows, Window(now, now))

    def process_memory(self, monotonic: float) -> dict[Labels, dict[int, float]] | None:
        """Bytes that each process holds, by GPU or instance; None while the driver can't be asked."""
        with self._lock:
            if not self._found or not self._driver.ready(monotonic):
                return None
            found: dict[Labels, dict[int, float]] = {}
            try:
                for own, gpu in [*self._gpus.items(), *self._instances.items()]:
                    used = self._processes(own, gpu, monotonic)
                    if used is not None:
                        found[own] = used
            except DriverGone:
                self._found = False
                return None
            return found

    def close(self) -> None:
        with self._lock:
            self._found = False
            self._driver.close()

    def _sample(self, now: float, monotonic: float) -> Iterator[Measurement]:
        window = Window(now, now)
        rows: list[Measurement] = []
        answering: set[Labels] = set()
        if self._open(monotonic):
            try:
                rows = [*self._read(window, monotonic, answering)]
                self._xid.hear(self._driver, self._gpus, monotonic)
            except DriverGone:
                # Half a sample of a driver that is going is worth nothing.
                rows, answering, self._found = [], set(), False
        yield from rows
        for own in self._known:
            yield Measurement("gpu_up", float(own in answering), window, own)
            self._tell(own, own in answering)
        yield from self._xid.rows(now, monotonic)
        for error, count in sorted(self._driver.failures.items()):
            yield Measurement("gpu_query_failures_total", float(count), window, labels(error=error))

    def _open(self, monotonic: float) -> bool:
        """Whether there are GPUs to ask. A lost one can come back only to a driver that is opened anew."""
        if self._found and monotonic >= self._anew_at:
            self._driver.close()
            self._found = False
        if not self._driver.ready(monotonic):
            self._found = False
            return False
        if not self._found:
            try:
                self._find()
            except DriverGone:
                return False
            except GpuError as error:
                log.debug("GPUs can't be listed: %s", error)
                return False
            self._found, self._anew_at = True, float("inf")
            if set(self._known) - set(self._gpus):
                self._anew_at = monotonic + AGAIN_SECONDS
        return True

    def _find(self) -> None:
        self._gpus, self._instances, self._absent = {}, {}, {}
        for index in range(self._driver.ask("nvmlDeviceGetCount")):
            try:
                gpu = self._driver.ask("nvmlDeviceGetHandleByIndex", index)
                own = labels(gpu=str(index), uuid=_text(self._driver.ask("nvmlDeviceGetUUID", gpu)))
            except DriverGone:
                raise
            except GpuError:
                continue  # lost, or not ours to see
            self._gpus[own] = gpu
            self._known.setdefault(own, True)
            self._instances |= dict(self._parts(index, gpu))
        self._xid.listen(self._driver, self._gpus)
        self._driver.say_watched(f"{len(self._gpus)} GPUs are watched")

    def _parts(self, index: int, gpu: Any) -> Iterator[tuple[Labels, Any]]:
        """The GPU's instances, where it is split into such (MIG)."""
        try:
            if self._driver.ask("nvmlDeviceGetMigMode", gpu)[0] != 1:
                return
            count = self._driver.ask("nvmlDeviceGetMaxMigDeviceCount", gpu)
        except DriverGone:
            raise
        except GpuError:
            return
        for part in range(count):
            try:
                handle = self._driver.ask("nvmlDeviceGetMigDeviceHandleByIndex", gpu, part)
                uuid = _text(self._driver.ask("nvmlDeviceGetUUID", handle))
            except DriverGone:
                raise
            except GpuError:
                continue
            yield labels(gpu=f"{index}:{part}", uuid=uuid), handle

    def _read(self, window: Window, monotonic: float, answering: set[Labels]) -> Iterator[Measurement]:
        lost: set[str] = set()
        for own, gpu in self._gpus.items():
            try:
                rows = list(self._ask(own, gpu, QUESTIONS, window, monotonic))
            except GpuError as error:
                if isinstance(error, DriverGone):
                    raise
                lost.add(dict(own)["gpu"])
                self._anew_at = min(self._anew_at, monotonic + AGAIN_SECONDS)
                continue
            answering.add(own)
            yield from rows
        for own, part in self._instances.items():
            if dict(own)["gpu"].partition(":")[0] not in lost:
                yield from self._ask(own, part, OF_INSTANCES, window, monotonic)

    def _ask(
        self, own: Labels, gpu: Any, questions: Mapping[str, Question], window: Window, monotonic: float
    ) -> Iterator[Measurement]:
        """What the GPU answers. Raises GpuError when it is lost, or the driver gone."""
        for name, question in questions.items():
            if monotonic < self._absent.get((own, name), monotonic):
                continue
            try:
                values = list(question(self._driver, gpu))
            except GpuError as error:
                if isinstance(error, DriverGone) or error.code in LOST:
                    raise
                if error.code in ABSENT:
                    self._absent[own, name] = monotonic + ASKED_AGAIN
                continue
            for metric, extra, value in values:
                yield Measurement(metric, value, window, tuple(sorted((*own, *extra.items()))))

    def _processes(self, own: Labels, gpu: Any, monotonic: float) -> dict[int, float] | None:
        if monotonic < self._absent.get((own, "processes"), monotonic):
            return None
        try:
            running = self._driver.ask("nvmlDeviceGetComputeRunningProcesses", gpu)
        except DriverGone:
            raise
        except GpuError as error:
            if error.code in ABSENT:
                self._absent[own, "processes"] = monotonic + ASKED_AGAIN
            return None
        used: dict[int, float] = {}
        for process in running:
            if process.usedGpuMemory is not None:
                used[process.pid] = used.get(process.pid, 0.0) + process.usedGpuMemory
        return used

    def _tell(self, own: Labels, answers: bool) -> None:
        if self._known[own] != answers:
            pairs = dict(own)
            text = "answers again" if answers else "does not answer any more; it is looked for every minute"
            log.warning("GPU %s (%s) %s", pairs["gpu"], pairs["uuid"], text)
        self._known[own] = answers


class GpuProcessCollector:
    """GPU memory of one server's processes."""

    name = "gpu-process"
    metrics = frozenset({_OF_PROCESSES})

    def __init__(self, gpus: GpuCollector, pids: Callable[[], Collection[int]], model: str) -> None:
        self._gpus, self._pids, self._model = gpus, pids, model
        self._shown = Shown()
        self._said = False

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window, pids = Window(now, now), set(self._pids())
        found = self._gpus.process_memory(monotonic) or {}
        rows = [
            Measurement(_OF_PROCESSES, sum(mine), window, own)
            for own, used in found.items()
            if (mine := [size for pid, size in used.items() if pid in pids])
        ]
        if pids and not rows and any(found.values()) and not self._said:
            self._said = True
            log.info(
                "server of model %s: none of its processes is among those on the GPUs; in a container the driver may "
                "know them by the host's numbers (hostPID makes them the same)",
                self._model,
            )
        return self._shown.whole(rows, window)


def _text(found: str | bytes) -> str:
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
