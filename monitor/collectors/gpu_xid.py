"""XID errors: what the driver writes into the kernel's log when a GPU, or a program on it, fails."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from checks.base import Labels, Measurement, Window
from monitor.collectors.gpu_driver import Driver, DriverGone, GpuError
from monitor.collectors.recent import Recent

_CRITICAL = 0x08
_AT_ONCE = 256
"""Events that one sample takes; the rest wait for the next."""
_HIGHEST = 255


class XidErrors:
    """Counts them since Watchkeeper began to watch, by GPU and code."""

    def __init__(self) -> None:
        self._set: Any = None
        self._totals: Counter[tuple[Labels, str]] = Counter()
        self._recent: dict[tuple[Labels, str], Recent] = {}

    def listen(self, driver: Driver, gpus: Mapping[Labels, Any]) -> None:
        """Has the driver keep the events of these GPUs from now on; those that can't are counted by the driver."""
        self._set = None
        try:
            events = driver.ask("nvmlEventSetCreate")
        except DriverGone:
            raise
        except GpuError:
            return
        for gpu in gpus.values():
            try:
                driver.ask("nvmlDeviceRegisterEvents", gpu, _CRITICAL, events)
            except DriverGone:
                raise
            except GpuError:
                continue
            self._set = events

    def hear(self, driver: Driver, gpus: Mapping[Labels, Any], monotonic: float) -> None:
        """Takes what has happened since the last time."""
        if self._set is None:
            return
        names = {_address(gpu): labels for labels, gpu in gpus.items()}
        try:
            for _ in range(_AT_ONCE):
                event = driver.ask("nvmlEventSetWait_v2", self._set, 0)
                labels = names.get(_address(event.device))
                if labels is not None:
                    self._add(labels, int(event.eventData), monotonic)
        except DriverGone:
            raise
        except GpuError:
            return  # none left, or the GPU is lost

    def rows(self, now: float, monotonic: float) -> Iterator[Measurement]:
        window = Window(now, now)
        for (gpu, xid), total in self._totals.items():
            labels = tuple(sorted((*gpu, ("xid", xid))))
            yield Measurement("gpu_xid_errors_total", float(total), window, labels)
            yield Measurement("gpu_xid_errors_recent", self._recent[gpu, xid].count(monotonic), window, labels)

    def _add(self, gpu: Labels, code: int, monotonic: float) -> None:
        key = gpu, str(code) if 0 <= code <= _HIGHEST else "other"
        self._totals[key] += 1
        self._recent.setdefault(key, Recent()).add(monotonic)


def _address(gpu: Any) -> int | None:
    return ctypes.cast(gpu, ctypes.c_void_p).value
