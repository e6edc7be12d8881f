"""Event times as rows give them, and the span in which they are believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.clock import iso
from monitor.ingest.rejection import BadRow, RejectionReason

Stamp = datetime | float | None

# Outside of these no window is meant, and closing every window up to them would take years.
_FIRST = datetime(1900, 1, 1, tzinfo=UTC).timestamp()
_LAST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Which times are taken: within [earliest, newest] where given; `received` stands in for a time not given."""

    earliest: float | None = None
    newest: float | None = None
    received: float | None = None

    def all_seconds(self, stamps: Sequence[Stamp]) -> list[float] | None:
        """Epoch seconds of every stamp, or None when one of them needs a closer look. Takes no NaN."""
        if set(map(type, stamps)) == {float}:
            times: list[float] = list(stamps)  # type: ignore[arg-type]
        else:
            try:
                times = [self._plain(stamp) for stamp in stamps]
            except BadRow:
                return None
        low = _FIRST if self.earliest is None else self.earliest
        high = _LAST if self.newest is None else self.newest
        return times if low <= min(times) and max(times) <= high else None

    def seconds(self, stamp: Stamp) -> float:
        """Epoch seconds of one stamp. Raises BadRow."""
        time = self._plain(stamp)
        if not math.isfinite(time):
            raise BadRow(RejectionReason.NOT_FINITE, f"time is {time}")
        if not _FIRST <= time <= _LAST:
            raise BadRow(
                RejectionReason.INVALID_TIME, f"time {time:g} is outside of 1900 to 2200; epoch seconds are meant"
            )
        if self.newest is not None and time > self.newest:
            raise BadRow(
                RejectionReason.IN_FUTURE,
                f"time {iso(time)} is ahead of the clock here; taken up to {iso(self.newest)}",
            )
        if self.earliest is not None and time < self.earliest:
            raise BadRow(
                RejectionReason.TOO_OLD, f"time {iso(time)} is older than retention; taken from {iso(self.earliest)}"
            )
        return time

    def _plain(self, stamp: Stamp) -> float:
        if stamp is None:
            if self.received is None:
                raise BadRow(RejectionReason.MISSING_TIME, "no time; a model replaying the past needs it in every row")
            return self.received
        if isinstance(stamp, datetime):
            return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
        return stamp
