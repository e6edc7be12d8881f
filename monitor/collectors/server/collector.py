"""The model server's own /metrics: is it up, how much it is asked, how often it fails, how long it takes."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import Any

from checks.base import Measurement, NotEnough, Window
from monitor.clock import Clock, SystemClock
from monitor.collectors.server.parse import HistogramCounts, Totals, between, read
from monitor.collectors.server.preset import load_preset
from monitor.collectors.server.quantile import quantile, without_fastest
from monitor.collectors.server.scrape import ScrapeError, fetch
from monitor.net.client import Client
from monitor.settings.server import ServerSettings

log = logging.getLogger("watchkeeper.collectors.server")

ENOUGH = 100
"""Requests on which a share or a quantile is worth something."""
LOOK_BACK = 300.0
"""Seconds to look back for them at most."""

_LATENCIES = {"latency_p50_seconds": 0.50, "latency_p95_seconds": 0.95, "latency_p99_seconds": 0.99}
_RATIOS = ("error_ratio", *_LATENCIES)


@dataclass(frozen=True)
class _Span:
    """What was counted between two scrapes, on the monotonic clock."""

    start: float
    end: float
    counts: HistogramCounts


class ServerCollector:
    """Scrapes one server as its preset says.

    The request rate is over the time since the last scrape, which is the window of every measurement. Error ratio and
    latencies look back over the newest scrapes that together hold ENOUGH requests, LOOK_BACK seconds at most: under
    load that is one interval, so a spike shows at once; a quiet server's few requests are judged together. `n` is the
    number of requests, `detail["seconds"]` how long it took to see them.
    """

    name = "server"
    metrics = frozenset({"server_up", "request_rate", *_RATIOS})

    def __init__(self, settings: ServerSettings, model: str, clock: Clock | None = None) -> None:
        self._settings = settings
        self._model = model
        self._client = Client((clock or SystemClock()).monotonic)
        self._preset = load_preset(settings.preset)
        self._url = settings.url.rstrip("/") + settings.metrics_path
        self._before: tuple[float, Totals] | None = None
        self._spans: deque[_Span] = deque()
        self._said = ""

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        try:
            page = fetch(self._client, self._url, self._settings.timeout)
            totals = read(page, self._preset, self._settings.exclude)
        except ScrapeError as error:
            problem = f"{self._url}: {error}"
            self._say(problem)
            return [
                Measurement("server_up", 0.0, Window(now, now), detail={"error": problem}),
                *_none(("request_rate", *_RATIOS), Window(now, now), NotEnough.ERROR, problem),
            ]
        before, self._before = self._before, (monotonic, totals)
        up = Measurement("server_up", 1.0, Window(now, now))
        if lacking := self._lacking(totals):
            self._say(lacking)
            return [up, *_none(("request_rate", *_RATIOS), Window(now, now), NotEnough.ERROR, lacking)]
        self._say("")
        if before is None or monotonic <= before[0]:
            return [up, *_none(("request_rate", *_RATIOS), Window(now, now), NotEnough.FIRST_SAMPLE)]
        unit = self._preset.latency.seconds if self._preset.latency else 1.0
        span = _Span(before[0], monotonic, between(before[1], totals, unit))
        return [up, self._rate(span, now), *self._judged(span, now)]

    def _rate(self, span: _Span, now: float) -> Measurement:
        seconds = span.end - span.start
        requests = span.counts.requests
        return Measurement("request_rate", requests / seconds, Window(now - seconds, now), n=round(requests))

    def _judged(self, newest: _Span, now: float) -> list[Measurement]:
        """Error ratio and latencies over the look-back."""
        self._spans.append(newest)
        while self._spans[0] is not newest and self._spans[0].start < newest.end - LOOK_BACK:
            self._spans.popleft()
        counts, start = HistogramCounts(), newest.end
        for span in reversed(self._spans):
            counts.add(span.counts)
            start = span.start
            if counts.requests >= ENOUGH:
                break
        window, n = Window(now - (newest.end - newest.start), now), round(counts.requests)
        if not counts.requests:
            return _none(_RATIOS, window, NotEnough.NO_TRAFFIC)
        detail = {"seconds": round(newest.end - start, 3)}
        rows = [Measurement("error_ratio", min(1.0, counts.errors / counts.requests), window, n=n, detail=detail)]
        latency = self._preset.latency
        if latency is None:
            return rows
        if not counts.buckets:
            lacking = f"{self._url} has no histogram {latency.histogram}"
            return [*rows, *_none(tuple(_LATENCIES), window, NotEnough.ERROR, lacking)]
        buckets = without_fastest(counts.buckets, 0.0 if latency.handler else counts.excluded)
        for name, q in _LATENCIES.items():
            value = quantile(q, buckets)
            reason = NotEnough.NO_TRAFFIC if value is None else None
            rows.append(Measurement(name, value, window, n=n, reason=reason, detail=detail))
        return rows

    def _lacking(self, totals: Totals) -> str:
        """What to say when the page knows none of the preset's request counters, else ''. One that is known and has
        no series yet counts nothing, and so does an absent counter of errors."""
        names = [counter.counter for counter in self._preset.requests]
        if totals.requests or totals.excluded or {name.removesuffix("_total") for name in names} & totals.names:
            return ""
        return f"{self._url} has no {' or '.join(names)}; is preset '{self._settings.preset}' right?"

    def _say(self, problem: str) -> None:
        """Logs a problem when it begins, changes or ends; not at every scrape."""
        if problem and problem != self._said:
            log.warning("server of model %s: %s", self._model, problem)
        elif self._said and not problem:
            log.info("server of model %s: its metrics can be read again", self._model)
        self._said = problem


def _none(names: tuple[str, ...], window: Window, reason: NotEnough, problem: str = "") -> list[Measurement]:
    detail: dict[str, Any] = {"error": problem} if problem else {}
    return [Measurement(name, None, window, reason=reason, detail=detail) for name in names]
