"""Which windows an arrival log closes, and where: pure, so that a log read in any portions gives the same answer.

The watermark after an arrival is the newest event time so far less the allowed lateness (as in Akidau et al., The
Dataflow Model, VLDB 2015); a window closes at the first arrival that moves the watermark to its end or past it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from checks.base import Window

LONGEST_GAP = 1000
"""Empty windows in a row that are still judged; a longer gap is a break in the stream, not a thousand alerts."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch of predictions in the log: its position and its newest event time."""

    seq: int
    t_min: float
    t_max: float


@dataclass(frozen=True, slots=True)
class Closed:
    window: Window
    close_seq: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a model's log has been read."""

    seq: int = 0
    newest_time: float | None = None
    next_start: float | None = None
    """Start of the first window that has not closed; None before the first event."""


def advance(
    position: Position, arrivals: Iterable[Arrival], *, every: float, allowed_lateness: float
) -> tuple[Position, list[Closed]]:
    """Reads arrivals in order of `seq`; returns the new position and the windows that they closed, in order.

    Windows are `every` seconds long and aligned to the epoch; the first one holds the first batch's oldest event.
    """
    closed: list[Closed] = []
    for arrival in arrivals:
        before, start = position.newest_time, position.next_start
        if start is None or before is None:
            start, before = _floor(arrival.t_min, every), arrival.t_min
        newest = max(before, arrival.t_max)
        empty = (_floor(newest, every) - max(start, _floor(before, every) + every)) / every
        if empty > LONGEST_GAP:
            for window in _windows(start, _floor(before, every) + every, every):
                closed.append(Closed(window, arrival.seq))
            start = _floor(newest, every)
        end = _floor(newest - allowed_lateness, every)
        closed.extend(Closed(window, arrival.seq) for window in _windows(start, end, every))
        position = replace(position, seq=arrival.seq, newest_time=newest, next_start=max(start, end))
    return position, closed


def _floor(time: float, every: float) -> float:
    return math.floor(time / every) * every


def _windows(start: float, end: float, every: float) -> Iterable[Window]:
    for index in range(round((end - start) / every)):
        yield Window(start + index * every, start + (index + 1) * every)
