"""XID errors: what the driver writes into the kernel's log when a GPU, or a program on it, fails."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from checks.base import Labels, Measurement, Window
from monitor.collectors.gpu.device import Device
from monitor.collectors.gpu.driver import Driver, Lost, Unanswered
from monitor.collectors.recent_count import RecentCount

log = logging.getLogger("watchkeeper.collectors.gpu")

_CRITICAL = 0x08
_AT_ONCE = 256
"""Events of a GPU that one sample takes; the rest wait for the next."""
_HIGHEST = 255


class XidErrors:
    """Counts them since Watchkeeper began to watch, by GPU and code; those while the driver is opened anew are missed.

    Each GPU has a set of events of its own, so that a lost one does not keep back the others'.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._sets: dict[Labels, Any] = {}
        self._totals: Counter[tuple[Labels, str]] = Counter()
        self._recent: dict[tuple[Labels, str], RecentCount] = {}
        self._lock = threading.Lock()  # rows are asked for while a driver that hangs has not ended the last sample

    def listen(self, own: Labels, gpu: Device) -> None:
        """Has the driver keep this GPU's events from now on, if it can."""
        try:
            events = self._driver.ask("nvmlEventSetCreate")
        except Unanswered:
            return
        try:
            gpu.ask("nvmlDeviceRegisterEvents", _CRITICAL, events)
        except (Unanswered, Lost):
            self._free(events)
        else:
            self._sets[own] = events

    def hear(self, monotonic: float) -> None:
        """Takes what has happened since the last time. Raises DriverGone."""
        for own, events in list(self._sets.items()):
            try:
                for _ in range(_AT_ONCE):
                    event = self._driver.ask("nvmlEventSetWait_v2", events, 0)
                    self._add(own, int(event.eventData), monotonic)
            except Unanswered:
                continue  # there are no more
            except Lost:
                del self._sets[own]

    def stop(self) -> None:
        """Lets go of the sets, before the driver is closed. Raises DriverGone."""
        for events in self._sets.values():
            self._free(events)
        self.forget()

    def forget(self) -> None:
        """The sets went with the driver."""
        self._sets = {}

    def rows(self, now: float, monotonic: float) -> Iterator[Measurement]:
        window = Window(now, now)
        with self._lock:
            counts = [(*key, total, self._recent[key].count(monotonic)) for key, total in self._totals.items()]
        for gpu, xid, total, recent in counts:
            labels = tuple(sorted((*gpu, ("xid", xid))))
            yield Measurement("gpu_xid_errors_total", float(total), window, labels)
            yield Measurement("gpu_xid_errors_recent", recent, window, labels)

    def _add(self, gpu: Labels, code: int, monotonic: float) -> None:
        key = gpu, str(code) if 0 <= code <= _HIGHEST else "other"
        with self._lock:
            self._totals[key] += 1
            self._recent.setdefault(key, RecentCount()).add(monotonic)

    def _free(self, events: Any) -> None:
        try:
            self._driver.ask("nvmlEventSetFree", events)
        except (Unanswered, Lost) as error:
            log.debug("a set of events could not be freed: %s", error)
