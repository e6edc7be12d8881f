"""Into which spans of time profiles are gathered, so that any longer span is a merge of few of them.

Pure arithmetic on seconds since the epoch; every bucket is aligned to the epoch, as windows are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checks.base import Window

MINUTE, HOUR, DAY = 60, 3600, 86400


def grain(every: float) -> float:
    """Seconds of the shortest bucket of a model whose windows are `every` seconds long: a chunk lies inside one.

    >>> grain(900.0), grain(3600.0), grain(86400.0), grain(5400.0)
    (900.0, 3600.0, 3600.0, 5400.0)
    """
    return float(HOUR) if every > HOUR and every % HOUR == 0 else every


def levels(every: float) -> tuple[int, ...]:
    """Seconds of the buckets that are kept as roll-ups, shortest first; none where the shortest one is no whole number
    of seconds.

    >>> levels(10.0), levels(3600.0), levels(86400.0), levels(5400.0)
    ((10, 60, 3600, 86400), (3600, 86400), (3600, 86400), (5400, 86400))
    """
    shortest = grain(every)
    if shortest % 1:
        return ()
    return (int(shortest), *(level for level in (MINUTE, HOUR, DAY) if level > shortest and level % shortest == 0))


def bucket_of(start: float, seconds: float) -> float:
    """Start of the bucket of this length that holds the one that begins at `start`."""
    return start // seconds * seconds


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """A roll-up's place: `seq` is the arrival up to which it holds all that is in `[start, start + seconds)`."""

    start: float
    seconds: int
    seq: int

    @property
    def end(self) -> float:
        return self.start + self.seconds

    def covers(self, start: float, seq: int) -> bool:
        """Whether it holds what came with this arrival into the shortest bucket that begins at `start`."""
        return self.start <= start < self.end and seq <= self.seq


def cover(window: Window, known: Iterable[Bucket], seq: int) -> list[Bucket]:
    """The fewest of these roll-ups that tell most of the window as of arrival `seq`, in order of time: of buckets that
    hold one another the longest, and of each the newest that holds nothing later."""
    newest: dict[tuple[int, float], Bucket] = {}
    for bucket in known:
        if bucket.seq <= seq and window.start <= bucket.start and bucket.end <= window.end:
            key = (bucket.seconds, bucket.start)
            if key not in newest or newest[key].seq < bucket.seq:
                newest[key] = bucket
    chosen: list[Bucket] = []
    taken: set[tuple[int, float]] = set()
    lengths = sorted({seconds for seconds, _ in newest}, reverse=True)
    for (seconds, start), bucket in sorted(newest.items(), reverse=True):
        longer = [length for length in lengths if length > seconds]
        if not any((length, bucket_of(start, length)) in taken for length in longer):
            taken.add((seconds, start))
            chosen.append(bucket)
    return sorted(chosen)
