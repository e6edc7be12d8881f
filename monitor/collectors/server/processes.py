"""Tells a server that was restarted from several processes that answer by turns, each with counters of its own.

gunicorn's or uvicorn's workers without a shared folder of metrics are such, and replicas behind one address. Prometheus
takes each change of the process for a restart, and what the other one has ever counted for what happened since.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from monitor.collectors.server.increase import HistogramCounts
from monitor.collectors.server.parse import Totals

WINDOW = 12
"""Pages that are looked back on."""
RETURNS, FALLS, ONLY_FALLS = 5, 2, 4
"""How often, on these pages, a process answers again after another one did, and some counter falls, before there are
several for sure: while a deployment rolls, old and new answer by turns, too. And how often most counters fall, which is
enough where the page does not name its process."""
PATIENCE = 3
"""Changes of the process without any counter falling, after which they are taken to show one set of counters."""

SEVERAL = (
    "its counters fall and rise again, since several workers answer by turns, each with counters of its own (or it is "
    "restarted all the time)"
)
REMEDY = (
    "set PROMETHEUS_MULTIPROC_DIR, so that each page adds up all workers, or run one worker, or have each worker read "
    "at an address of its own"
)


class Answered(Enum):
    """An answer to whose counters a page has."""

    SAME = "same"
    """Those of the page before, or of a process that began since."""
    OTHER = "other"
    """Those of a process that was there before: nothing can be said of the time in between."""
    SEVERAL = "several"
    """Those of one of several processes that answer by turns."""


class Processes:
    """A memory of which processes the newest pages came from, and where counters fell."""

    def __init__(self) -> None:
        self._started: deque[float | None] = deque(maxlen=WINDOW)
        self._fell: deque[bool] = deque(maxlen=WINDOW)
        self._most_fell: deque[bool] = deque(maxlen=WINDOW)
        self._calm = 0
        """Changes of the process since a counter fell."""
        self._peak: tuple[float, int] | None = None
        """What all had counted before they fell, and on how many pages since."""
        self._total = 0.0

    def judge(self, page: Totals, counts: HistogramCounts) -> Answered:
        """Return whose counters the page has; `counts` is what they grew by, and how many of them fell."""
        fell = counts.fell > 0 and not page.fresh
        # A single series may begin anew by itself.
        most_fell = fell and counts.fell > counts.rose
        foreign = self._is_foreign(page, fell) or self._is_back(page, most_fell)
        self._started.append(page.started)
        self._fell.append(fell)
        self._most_fell.append(most_fell)
        if sum(self._most_fell) >= ONLY_FALLS or (sum(self._fell) >= FALLS and self._returns() >= RETURNS):
            return Answered.SEVERAL
        return Answered.OTHER if foreign else Answered.SAME

    def _is_foreign(self, page: Totals, fell: bool) -> bool:
        """Whether the page names a process that has not begun since the last one, and is not known to share counters:
        pages of one set of counters may name any of the workers."""
        before = self._started[-1] if self._started else None
        if page.fresh or None in (before, page.started) or page.started == before:
            return False
        self._calm = 0 if fell else self._calm + 1
        return self._calm <= PATIENCE

    def _is_back(self, page: Totals, fell: bool) -> bool:
        """Whether counters that fell are where they were before, on a page that does not name its process."""
        before, self._total = self._total, sum(page.counters.values())
        if fell:
            self._peak = before, 0
            return False
        if self._peak is None:
            return False
        peak, pages = self._peak
        back = self._total >= peak
        self._peak = None if back or pages >= WINDOW else (peak, pages + 1)
        return back and page.started is None

    def _returns(self) -> int:
        """How often a process answered that had answered before, and not just now."""
        seen, last, found = set(), None, 0
        for started in self._started:
            if started is not None and started != last:
                found += started in seen
                seen.add(started)
                last = started
        return found
