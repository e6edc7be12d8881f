"""Who works next when several want the worker: the more urgent first, and whoever came first among these."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from enum import IntEnum

from monitor.clock import Clock

PATIENCE = 60.0
"""Seconds after which whoever waits goes first: work without end of the more urgent kinds must not fill the disk, as
nothing old would ever be removed."""


class Urgency(IntEnum):
    """Kinds of tasks, the most urgent first."""

    STOP = 0
    """Ends the worker."""
    CLOSING = 1
    """Measures what has closed."""
    PAGE = 2
    """Completes what people are shown."""
    UPKEEP = 3
    """Keeps the database in order. Works in pieces of at most a second, and asks for a turn for each."""
    BACKGROUND = 4
    """Takes as long as it takes, such as a reference of a large file. For a worker that does nothing else."""


@dataclass(eq=False, slots=True)
class _Waiting:
    urgency: Urgency
    number: int
    since: float


class Turns:
    """One thread at a time has its turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._taken = False

    def take(self, urgency: Urgency, timeout: float | None = None) -> bool:
        """Wait for the turn; return whether it came within `timeout` seconds. It is to be given back."""
        with self._changed:
            mine = _Waiting(urgency, next(self._numbers), self._clock.monotonic())
            self._waiting.append(mine)
            taken = self._changed.wait_for(lambda: not self._taken and self._next() is mine, timeout)
            self._waiting.remove(mine)
            self._taken = self._taken or taken
            self._changed.notify_all()
            return taken

    def give_back(self) -> None:
        """End the turn, for the next one to begin."""
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many threads wait for their turn."""
        with self._changed:
            return len(self._waiting)

    def _next(self) -> _Waiting:
        now = self._clock.monotonic()
        return min(self._waiting, key=lambda one: (_now(one, now), one.number))


def _now(one: _Waiting, now: float) -> Urgency:
    """Return how urgent it is by now."""
    return min(one.urgency, Urgency.CLOSING) if now - one.since >= PATIENCE else one.urgency
