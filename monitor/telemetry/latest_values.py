"""The newest value of every series, in memory: what /metrics, the page and the API show."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from checks.base import Labels, Measurement


class Latest:
    """Holds one measurement a (model, name, labels); one without a value hides its series."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str, Labels], Measurement] = {}

    def put(self, model: str, measurements: Iterable[Measurement]) -> None:
        """Replaces each series by a measurement of the same or a later window; an older one changes nothing."""
        with self._lock:
            for measurement in measurements:
                key = (model, measurement.name, measurement.labels)
                known = self._series.get(key)
                if known is not None and known.window.end > measurement.window.end:
                    continue
                self._series[key] = measurement

    def forget(self, model: str, names: set[str]) -> None:
        """Removes every series of these names."""
        with self._lock:
            for key in [key for key in self._series if key[0] == model and key[1] in names]:
                del self._series[key]

    def newest(self, name: str) -> list[Measurement]:
        """The newest measurements of this name, of every model, that have a value."""
        with self._lock:
            return [row for key, row in self._series.items() if key[1] == name and row.value is not None]

    def replace(self, model: str, name: str, label: tuple[str, str], measurements: Iterable[Measurement]) -> None:
        """Puts these in the place of all series of this name that have the label."""
        with self._lock:
            for key in [key for key in self._series if key[:2] == (model, name) and label in key[2]]:
                del self._series[key]
            self._series |= {(model, row.name, row.labels): row for row in measurements}

    def snapshot(self) -> list[tuple[str, Measurement]]:
        """All series as (model, measurement), in order of name, model and labels."""
        with self._lock:
            items = list(self._series.items())
        items.sort(key=lambda item: (item[0][1], item[0][0], item[0][2]))
        return [(key[0], measurement) for key, measurement in items if measurement.value is not None]
