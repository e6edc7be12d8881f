"""What became of the rows, by reason, and the one warning a minute that tells of losses."""

from __future__ import annotations

import logging
import threading
from collections import Counter

log = logging.getLogger("watchkeeper.client")


class Counts:
    """Rows sent, dropped here and rejected there. Thread-safe."""

    def __init__(self, warn_seconds: float) -> None:
        self._lock = threading.Lock()
        self._warn_seconds = warn_seconds
        self._warned_at: float | None = None
        self._untold: Counter[str] = Counter()
        self._trouble = ""
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    def accept(self, rows: int) -> None:
        with self._lock:
            self.sent += rows

    def drop(self, reason: str, rows: int = 1) -> None:
        with self._lock:
            self.dropped[reason] += rows
            self._untold[reason] += rows

    def reject(self, reason: str, rows: int = 1) -> None:
        with self._lock:
            self.rejected[reason] += rows
            self._untold[f"rejected: {reason}"] += rows

    def trouble(self, text: str) -> None:
        """Notes what last went wrong, for the next warning."""
        with self._lock:
            self._trouble = text

    def warn(self, now: float, where: str) -> None:
        """Logs what was lost since the last warning, unless that was less than a minute ago. `now` is monotonic."""
        with self._lock:
            too_soon = self._warned_at is not None and now - self._warned_at < self._warn_seconds
            if too_soon or not (self._untold or self._trouble):
                return
            lost = ", ".join(f"{reason} {rows}" for reason, rows in sorted(self._untold.items()))
            trouble = self._trouble
            self._untold.clear()
            self._trouble = ""
            self._warned_at = now
        log.warning("watchkeeper at %s: %s", where, "; ".join(filter(None, [trouble, lost and f"rows lost: {lost}"])))
