"""The only clock. Everything else takes the time as an argument or this object as a constructor argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since the epoch, UTC: for stamps."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back: for durations."""
        ...


class SystemClock:
    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def iso(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the millisecond only where there are any.

    >>> iso(0.0)
    '1970-01-01T00:00:00Z'
    """
    stamp = datetime.fromtimestamp(seconds, UTC)
    return stamp.isoformat(timespec="milliseconds" if stamp.microsecond else "seconds").replace("+00:00", "Z")
