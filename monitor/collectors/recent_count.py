"""Counts of what happened lately: gauges that a rule can judge, beside the counters that only grow."""

from __future__ import annotations

from collections import deque

RECENT_SECONDS = 900.0


class RecentCount:
    """How often something happened in the last 15 minutes. Moments are on the monotonic clock.

    >>> kills = RecentCount()
    >>> kills.add(0.0, 2)
    >>> kills.count(899.0), kills.count(900.0)
    (2.0, 0.0)
    """

    def __init__(self, seconds: float = RECENT_SECONDS) -> None:
        self._seconds = seconds
        self._events: deque[tuple[float, float]] = deque()

    def add(self, monotonic: float, count: float = 1.0) -> None:
        if count > 0:
            self._events.append((monotonic, count))

    def take(self, monotonic: float, count: float) -> None:
        """Count so much less from now on, for as long as what happened now would count."""
        if count > 0:
            self._events.append((monotonic, -count))

    def count(self, monotonic: float) -> float:
        while self._events and self._events[0][0] <= monotonic - self._seconds:
            self._events.popleft()
        return float(sum(count for _, count in self._events))
