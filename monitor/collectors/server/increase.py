"""What was counted between pages, series by series, as Prometheus' increase() takes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.collectors.server.parse import ERROR, EXCLUDED, REQUEST, Series, Totals

MOST = 10_000
"""Series that are remembered after they went, at most."""


@dataclass
class HistogramCounts:
    """Counts of what happened in a while. `buckets` maps upper bounds, in seconds, to cumulative counts."""

    requests: float = 0.0
    errors: float = 0.0
    excluded: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)
    fell: int = 0
    """Series that counted less than before: they began anew."""
    rose: int = 0

    def add(self, other: HistogramCounts) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.excluded += other.excluded
        self.add_buckets(other.buckets)

    def add_buckets(self, buckets: Mapping[float, float], unit: float = 1.0) -> None:
        for bound, count in buckets.items():
            self.buckets[bound * unit] = self.buckets.get(bound * unit, 0.0) + count

    def moved(self, before: float, now: float) -> None:
        self.fell += now < before
        self.rose += now > before


class Baseline:
    """A memory of what each series counted when it was last seen, for `keep` seconds after it went.

    A series that falls counts from zero, all buckets of one histogram together. One that is new, or has been away for
    longer, gives nothing until it was seen twice, unless the page says that it was created since: nobody knows when
    the rest was counted.
    """

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._counters: dict[Series, float] = {}
        self._histograms: dict[Series, dict[float, float]] = {}
        self._gone: dict[Series, float] = {}

    def take(self, page: Totals, monotonic: float, unit: float = 1.0) -> HistogramCounts:
        """Return what was counted since the last page; `unit` is what one unit of the histogram lasts, in seconds."""
        counts = HistogramCounts()
        for series, value in page.counters.items():
            self._count(counts, page, series, value)
        for series, buckets in page.histograms.items():
            # Without +Inf nobody knows what of it is missing.
            if math.inf in buckets:
                self._count_buckets(counts, page, series, buckets, unit)
        self._remember(page, monotonic)
        return counts

    def restart(self, page: Totals) -> None:
        """Take this page as the first one."""
        self._counters, self._histograms, self._gone = page.counters, page.histograms, {}

    def _count(self, counts: HistogramCounts, page: Totals, series: Series, value: float) -> None:
        before = self._counters.get(series)
        if before is not None:
            counts.moved(before, value)
        more, kind = _more(before, value, page.fresh or series in page.born), page.counted[series]
        counts.requests += more if kind & REQUEST else 0.0
        counts.errors += more if kind & ERROR else 0.0
        counts.excluded += more if kind & EXCLUDED else 0.0

    def _count_buckets(
        self, counts: HistogramCounts, page: Totals, series: Series, buckets: Mapping[float, float], unit: float
    ) -> None:
        before = self._histograms.get(series, {})
        fell = any(count < before.get(bound, 0.0) for bound, count in buckets.items())
        if before:
            counts.fell += fell
            counts.rose += not fell and buckets[math.inf] > before.get(math.inf, math.inf)
        began = not before and (page.fresh or series in page.born)
        increases = {
            bound: count if fell else _more(before.get(bound), count, began) for bound, count in buckets.items()
        }
        counts.add_buckets(increases, unit)

    def _remember(self, page: Totals, monotonic: float) -> None:
        """Keep the page, and what the series counted that it has not any more."""
        counters, histograms = self._counters, self._histograms
        gone: dict[Series, float] = {}
        for series in (*(counters.keys() - page.counters.keys()), *(histograms.keys() - page.histograms.keys())):
            since = self._gone.get(series, monotonic)
            if monotonic - since < self._keep and len(gone) < MOST:
                gone[series] = since
        self.restart(page)
        if gone:
            self._gone = gone
            self._counters = {**page.counters, **{series: counters[series] for series in gone if series in counters}}
            kept = {series: histograms[series] for series in gone if series in histograms}
            self._histograms = {**page.histograms, **kept}


def _more(before: float | None, now: float, began: bool) -> float:
    """Return how much a counter grew; one that was not there before grew from zero if it `began` since."""
    if before is None:
        return now if began else 0.0
    return now - before if now >= before else now
