"""A page of metrics as running totals: what it says of a preset's counters and histogram."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.collectors.server.exposition import Sample, family, lines, number, sample
from monitor.collectors.server.preset import Counter, Preset
from monitor.collectors.server.scrape import ScrapeError

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and its labels; of a histogram without `le`."""
_START = "process_start_time_seconds"
_CREATED = "_created"
MOST = 1e100
"""What a counter may count to: sums of such are numbers still."""


REQUEST, ERROR, EXCLUDED = 1, 2, 4
"""What a counter counts, as a set of bits: requests, those that failed, those of excluded routes."""


@dataclass
class Totals:
    """Counters as a page has them, by series."""

    counters: dict[Series, float] = field(default_factory=dict)
    counted: dict[Series, int] = field(default_factory=dict)
    """What each of `counters` counts: REQUEST, ERROR, EXCLUDED."""
    histograms: dict[Series, dict[float, float]] = field(default_factory=dict)
    """Cumulative buckets by their upper bound, in the histogram's own unit."""
    names: set[str] = field(default_factory=set)
    """Metrics of the preset that the page knows, without the ending `_total`."""
    born: set[Series] = field(default_factory=set)
    """Series that the page says were created lately."""
    started: float | None = None
    """When the process began, in epoch seconds, if the page tells."""
    fresh: bool = False
    """The page says that the process began lately."""
    refused_counter: str = ""
    """A counter that has no number from 0 on, in a sentence."""
    refused_bucket: str = ""
    """A bucket that has none, in a sentence."""
    skipped: str = ""
    """Buckets that were left out since their bound is no number, in a sentence."""

    def total(self, counted: int) -> float:
        """Return what all counters of a kind have counted."""
        return sum(value for series, value in self.counters.items() if self.counted[series] & counted)

    def latency_problem(self, preset: Preset) -> str:
        """Return why the page has no latencies, in words that follow its address; empty where it may have them."""
        if preset.latency is None:
            return ""
        name = preset.latency.histogram
        if name not in self.names:
            return f"has no histogram {name}"
        if self.refused_bucket:
            return f"has {self.refused_bucket}"
        if self.histograms and not any(math.inf in buckets for buckets in self.histograms.values()):
            return f'has a histogram {name} without its bucket le="+Inf", which says how many there are'
        if self.histograms and not any(len(buckets) > 1 for buckets in self.histograms.values()):
            return f'has a histogram {name} without any bucket but le="+Inf", so no latency can be read from it'
        return ""


def read(page: bytes, preset: Preset, exclude: Iterable[str], since: float = math.inf) -> Totals:
    """Return what the page says of the preset's metrics; what began from `since` on, in epoch seconds, is `born`
    and `fresh`. Raises ScrapeError when its lines about them can't be parsed."""
    reader = _Reader(preset, frozenset(exclude), since)
    try:
        for line in lines(page, (*preset.names(), _START)):
            reader.take(line)
    except ValueError as error:
        raise ScrapeError(f"the page is not in Prometheus' text format: {error}") from None
    return reader.totals


class _Reader:
    def __init__(self, preset: Preset, exclude: frozenset[str], since: float) -> None:
        self.totals = Totals()
        self._preset, self._exclude, self._since = preset, exclude, since
        self._names = set(preset.names())
        self._histogram = preset.latency.histogram if preset.latency else None
        self._errors = {counter.counter.removesuffix("_total") for counter in preset.errors}
        self._counters = {counter.counter.removesuffix("_total") for counter in preset.requests} | self._errors

    def take(self, line: str) -> None:
        if line.startswith("#"):
            name = (family(line) or "").removesuffix("_total")
            if name in self._names:
                self.totals.names.add(name)
            return
        found = sample(line)
        name = found.name
        if (base := name.removesuffix("_total")) in self._counters:
            self.totals.names.add(base)
            self._counter(found)
        elif self._histogram is not None and name == f"{self._histogram}_bucket":
            self.totals.names.add(self._histogram)
            self._bucket(found)
        elif name == _START and math.isfinite(found.value):
            self.totals.started, self.totals.fresh = found.value, found.value >= self._since
        elif name.endswith(_CREATED) and found.value >= self._since:
            self._created(name.removesuffix(_CREATED), found)

    def _counter(self, found: Sample) -> None:
        if not (counted := self._kinds(found)):
            return
        if wrong := _not_a_count(found):
            self.totals.refused_counter = self.totals.refused_counter or wrong
            return
        series = _series(found.name, found.labels)
        # Of a series that stands twice Prometheus takes the first.
        self.totals.counters.setdefault(series, found.value)
        self.totals.counted[series] = counted

    def _kinds(self, found: Sample) -> int:
        kinds = 0
        for counter in self._preset.requests:
            if _is(found, counter):
                kinds |= EXCLUDED if self._excluded(counter.handler, found.labels) else REQUEST
        for counter in self._preset.errors:
            if _is(found, counter) and not self._excluded(counter.handler, found.labels):
                kinds |= ERROR
        return kinds

    def _bucket(self, found: Sample) -> None:
        assert self._preset.latency is not None
        if self._excluded(self._preset.latency.handler, found.labels):
            return
        text = found.labels.pop("le", None)
        bound = None if text is None else number(text)
        if bound is None or math.isnan(bound):
            said = "no label le" if text is None else f"le={text[:50]!a}, which is no number"
            self.totals.skipped = self.totals.skipped or f"a bucket of {self._histogram} has {said}"
            return
        if wrong := _not_a_count(found):
            self.totals.refused_bucket = self.totals.refused_bucket or wrong
            return
        series = _series(self._histogram or "", found.labels)
        self.totals.histograms.setdefault(series, {}).setdefault(bound, found.value)

    def _created(self, base: str, found: Sample) -> None:
        names = (base,) if base == self._histogram else (base, f"{base}_total")
        self.totals.born.update(_series(name, found.labels) for name in names)

    def _excluded(self, handler: str | None, labels: dict[str, str]) -> bool:
        return handler is not None and labels.get(handler) in self._exclude


def _series(name: str, labels: dict[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))


def _not_a_count(found: Sample) -> str:
    """Return what is wrong with a sample that must be a number from 0 on, or ''. Its value, which may change with
    every page, is not in it."""
    if 0 <= found.value <= MOST:
        return ""
    labels = ", ".join(f"{name}={value[:50]!a}" for name, value in list(found.labels.items())[:5])
    wrong = "below 0" if found.value < 0 else f"that is no finite number up to {MOST:g}"
    return f"a count {wrong}: {found.name}{{{labels}}}"


def _is(found: Sample, counter: Counter) -> bool:
    return found.name.removesuffix("_total") == counter.counter.removesuffix("_total") and counter.counts(found.labels)
