"""Sample which share of what a model was sent lately can't be used."""

from __future__ import annotations

import threading

from prometheus_client import Counter

from checks.base import Measurement, NotEnough, Window
from monitor.collectors.recent_count import RecentCount
from monitor.telemetry.metrics import Meters

ROWS_SECONDS = 3600.0
LABELS_SECONDS = 86400.0
"""Labels often come in one batch a day."""


class StreamShares:
    """The shares of rows and labels that can't be used, as metrics that a rule can watch."""

    name = "stream"
    metrics = frozenset(
        {"events_rejected_ratio", "events_corrupt_recent", "labels_unmatched_ratio", "labels_invalid_ratio"}
    )

    def __init__(self, model: str, meters: Meters) -> None:
        self._model, self._meters = model, meters
        self._lock = threading.Lock()
        self._taken, self._refused = RecentCount(ROWS_SECONDS), RecentCount(ROWS_SECONDS)
        self._labels, self._unmatched = RecentCount(LABELS_SECONDS), RecentCount(LABELS_SECONDS)
        self._invalid, self._corrupt = RecentCount(LABELS_SECONDS), RecentCount(LABELS_SECONDS)
        self._before = (0.0, 0.0)

    def compacted(self, monotonic: float, *, labels: int, placed: int, invalid: int, corrupt: int) -> None:
        """Note what a run of compaction read: labels, those whose prediction is known (of this run or an earlier one),
        those that do not fit the task, and batches that can't be read."""
        with self._lock:
            self._labels.add(monotonic, labels)
            # A prediction that came after its label takes that label off again.
            self._unmatched.add(monotonic, labels)
            self._unmatched.take(monotonic, placed)
            self._invalid.add(monotonic, invalid)
            self._corrupt.add(monotonic, corrupt)

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window = Window(now, now)
        with self._lock:
            self._count_rows(monotonic)
            refused = self._refused.count(monotonic)
            rows, labels = refused + self._taken.count(monotonic), self._labels.count(monotonic)
            return [
                _share("events_rejected_ratio", refused, rows, window),
                Measurement("events_corrupt_recent", self._corrupt.count(monotonic), window),
                _share("labels_unmatched_ratio", max(0.0, self._unmatched.count(monotonic)), labels, window),
                _share("labels_invalid_ratio", self._invalid.count(monotonic), labels, window),
            ]

    def _count_rows(self, monotonic: float) -> None:
        now = _total(self._meters.events_ingested, self._model), _total(self._meters.events_rejected, self._model)
        self._taken.add(monotonic, now[0] - self._before[0])
        self._refused.add(monotonic, now[1] - self._before[1])
        self._before = now


def _share(name: str, part: float, whole: float, window: Window) -> Measurement:
    if not whole:
        return Measurement(name, None, window, reason=NotEnough.NO_ROWS)
    return Measurement(name, min(1.0, part / whole), window, n=int(whole))


def _total(counter: Counter, model: str) -> float:
    (family,) = counter.collect()
    samples = (item for item in family.samples if item.name.endswith("_total"))
    return sum(item.value for item in samples if item.labels["model"] == model)
