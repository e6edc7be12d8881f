"""What one model server's processes hold of the GPUs' memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from checks.base import Measurement, Window
from monitor.collectors.gpu.collector import GpuCollector
from monitor.collectors.stale_series import StaleSeries

log = logging.getLogger("watchkeeper.collectors.gpu")

_METRIC = "gpu_process_memory_bytes"


class GpuProcessCollector:
    """GPU memory of one server's processes, in sum a GPU or instance; none where the driver knows none of them."""

    name = "gpu-process"
    metrics = frozenset({_METRIC})

    def __init__(self, gpus: GpuCollector, pids: Callable[[], Collection[int]], model: str) -> None:
        self._gpus, self._pids, self._model = gpus, pids, model
        self._shown = StaleSeries()
        self._said = False

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window, pids = Window(now, now), set(self._pids())
        found = (self._gpus.process_memory(monotonic) or {}) if pids else {}
        rows = [
            Measurement(_METRIC, sum(mine), window, own)
            for own, used in found.items()
            if (mine := [size for pid, size in used.items() if pid in pids])
        ]
        if not rows and any(found.values()) and not self._said:
            self._said = True
            log.info(
                "server of model %s: none of its processes is among those on the GPUs; in a container the driver may "
                "know them by the host's numbers (hostPID makes them the same)",
                self._model,
            )
        return self._shown.whole(rows, window)
