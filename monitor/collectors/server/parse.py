"""A page of metrics as running totals, and what was counted between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from monitor.collectors.server.preset import Counter, Preset
from monitor.collectors.server.scrape import ScrapeError

Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Totals:
    """Counters as a page has them, by series."""

    requests: dict[Series, float] = field(default_factory=dict)
    errors: dict[Series, float] = field(default_factory=dict)
    excluded: dict[Series, float] = field(default_factory=dict)
    """Requests of excluded routes."""
    buckets: dict[Series, float] = field(default_factory=dict)
    """Cumulative buckets, the upper bound among the labels as `le`."""
    names: set[str] = field(default_factory=set)
    """Metrics of the preset that the page knows, without the ending `_total`."""

    def all(self) -> Iterator[tuple[str, Series, float]]:
        for kind in ("requests", "errors", "excluded", "buckets"):
            for series, value in getattr(self, kind).items():
                yield kind, series, value


@dataclass
class HistogramCounts:
    """What happened in a while. `buckets` maps upper bounds, in seconds, to cumulative counts."""

    requests: float = 0.0
    errors: float = 0.0
    excluded: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)

    def add(self, other: HistogramCounts) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.excluded += other.excluded
        for bound, count in other.buckets.items():
            self.buckets[bound] = self.buckets.get(bound, 0.0) + count


def read(text: str, preset: Preset, exclude: Iterable[str]) -> Totals:
    """What the page says of the preset's metrics. Raises ScrapeError when its lines about them can't be parsed."""
    excluded = set(exclude)
    totals = Totals()
    try:
        for family in text_string_to_metric_families(_about(text, preset.names())):
            # The parser takes `_total` off a counter's family, and puts it on every counter's samples.
            totals.names.add(family.name.removesuffix("_total"))
            for sample in family.samples:
                if math.isfinite(sample.value):
                    _take(sample, preset, excluded, totals)
    except (ValueError, KeyError, IndexError) as error:
        raise ScrapeError(f"the page is not in Prometheus' text format: {error}") from None
    return totals


def between(before: Totals, now: Totals, unit: float = 1.0) -> HistogramCounts:
    """What was counted since `before`. A counter that fell or went away tells that the server was restarted: then all
    that `now` says has happened since. `unit` is what one unit of the histogram lasts, in seconds."""
    current = {(kind, series): value for kind, series, value in now.all()}
    restarted = any(current.get((kind, series), -1.0) < value for kind, series, value in before.all())
    base = {} if restarted else {(kind, series): value for kind, series, value in before.all()}
    counts = HistogramCounts()
    for (kind, series), value in current.items():
        more = value - base.get((kind, series), 0.0)
        if kind == "buckets":
            bound = float(dict(series[1])["le"]) * unit
            counts.buckets[bound] = counts.buckets.get(bound, 0.0) + more
        else:
            setattr(counts, kind, getattr(counts, kind) + more)
    return counts


def _about(text: str, names: tuple[str, ...]) -> str:
    """The lines about these metrics: a large server's page has thousands of others, which need no parsing."""
    comments = tuple(f"# {word} {name}" for word in ("TYPE", "HELP") for name in names)
    return "\n".join(line for line in text.splitlines() if line.startswith((*names, *comments))) + "\n"


def _take(sample: Sample, preset: Preset, excluded: set[str], totals: Totals) -> None:
    series = (sample.name, tuple(sorted(sample.labels.items())))
    latency = preset.latency
    if latency and sample.name == f"{latency.histogram}_bucket":
        if not (latency.handler and sample.labels.get(latency.handler) in excluded):
            totals.buckets[series] = sample.value
        return
    for counter in preset.requests:
        if _is(sample, counter):
            apart = counter.handler and sample.labels.get(counter.handler) in excluded
            (totals.excluded if apart else totals.requests)[series] = sample.value
    for counter in preset.errors:
        if _is(sample, counter) and not (counter.handler and sample.labels.get(counter.handler) in excluded):
            totals.errors[series] = sample.value


def _is(sample: Sample, counter: Counter) -> bool:
    return sample.name.removesuffix("_total") == counter.counter.removesuffix("_total") and counter.counts(
        sample.labels
    )
