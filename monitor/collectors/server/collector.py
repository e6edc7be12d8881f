"""The model server's own /metrics: is it up, how much it is asked, how often it fails, how long it takes."""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from alerts.redact import shown_url
from checks.base import Measurement, NotEnough, Window
from monitor.clock import Clock, SystemClock
from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.server.increase import Baseline, HistogramCounts
from monitor.collectors.server.parse import EXCLUDED, REQUEST, Totals, read
from monitor.collectors.server.preset import load_preset
from monitor.collectors.server.processes import REMEDY, SEVERAL, Answered, Processes
from monitor.collectors.server.quantile import quantile, without_fastest
from monitor.collectors.server.scrape import ScrapeError, fetch
from monitor.net.client import Client
from monitor.settings.server import ServerSettings

log = logging.getLogger("watchkeeper.collectors.server")

ENOUGH = 100
"""Requests on which a share or a quantile is worth something."""
LOOK_BACK = 300.0
"""Seconds to look back for them at most."""

_OTHER = "another process answered than the last time, with counters of its own"

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
        self._client = AuthorizedClient(Client((clock or SystemClock()).monotonic), settings)
        self._preset = load_preset(settings.preset)
        self._url = settings.url.rstrip("/") + settings.metrics_path
        self._shown = shown_url(self._url)
        self._baseline, self._processes = Baseline(LOOK_BACK), Processes()
        self._before: tuple[float, float] | None = None
        """When the last page came, by the wall clock and the monotonic one."""
        self._spans: deque[_Span] = deque()
        self._said = ""

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        before = self._before
        try:
            page = fetch(self._client, self._url, self._settings.timeout)
            totals = read(page, self._preset, self._settings.exclude, before[0] if before else math.inf)
        except ScrapeError as error:
            problem = f"{self._shown}: {error}"
            self._say(problem)
            return [
                Measurement("server_up", 0.0, Window(now, now), detail={"error": problem}),
                *_none(("request_rate", *_RATIOS), Window(now, now), NotEnough.ERROR, problem),
            ]
        del page  # as large as the server likes
        return [Measurement("server_up", 1.0, Window(now, now)), *self._measured(totals, now, monotonic)]

    def _measured(self, totals: Totals, now: float, monotonic: float) -> list[Measurement]:
        before, self._before = self._before, (now, monotonic)
        unit = self._preset.latency.seconds if self._preset.latency else 1.0
        counts = self._baseline.take(totals, monotonic, unit)
        answered = self._processes.judge(totals, counts)
        window, names = Window(now, now), ("request_rate", *_RATIOS)
        if lacking := self._lacking(totals) or _several(answered, self._shown):
            self._say(lacking)
            self._spans.clear()
            self._baseline.restart(totals)
            return _none(names, window, NotEnough.ERROR, lacking)
        unread = self._unread(totals)
        self._say(unread)
        if before is None or monotonic <= before[1]:
            return _none(names, window, NotEnough.FIRST_SAMPLE)
        if answered is Answered.OTHER:
            self._baseline.restart(totals)
            return _none(names, window, NotEnough.FIRST_SAMPLE, f"{self._shown}: {_OTHER}")
        span = _Span(before[1], monotonic, counts)
        return [self._rate(span, now), *self._judged(span, now, totals)]

    def _rate(self, span: _Span, now: float) -> Measurement:
        seconds = span.end - span.start
        requests = span.counts.requests
        return Measurement("request_rate", requests / seconds, Window(now - seconds, now), n=round(requests))

    def _judged(self, newest: _Span, now: float, totals: Totals) -> list[Measurement]:
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
        detail = {"seconds": round(newest.end - start, 3)}
        if counts.requests:
            ratio = min(1.0, counts.errors / counts.requests)
            rows = [Measurement("error_ratio", ratio, window, n=n, detail=detail)]
        else:
            rows = _none(("error_ratio",), window, NotEnough.NO_TRAFFIC)
        if self._preset.latency is None:
            return rows if counts.requests else _none(_RATIOS, window, NotEnough.NO_TRAFFIC)
        if wrong := totals.latency_problem(self._preset):
            return [*rows, *_none(tuple(_LATENCIES), window, NotEnough.ERROR, f"{self._shown} {wrong}")]
        return [*rows, *self._latencies(counts, window, detail)]

    def _latencies(self, counts: HistogramCounts, window: Window, detail: dict[str, Any]) -> list[Measurement]:
        assert self._preset.latency is not None
        excluded = 0.0 if self._preset.latency.handler else counts.excluded
        buckets = without_fastest(counts.buckets, excluded)
        rows = []
        for name, q in _LATENCIES.items():
            value = quantile(q, buckets) if counts.requests else None
            if value is None:
                rows += _none((name,), window, NotEnough.NO_TRAFFIC)
            else:
                rows.append(Measurement(name, value, window, n=round(counts.requests), detail=detail))
        return rows

    def _lacking(self, totals: Totals) -> str:
        """What to say when the page has none of the preset's request counters, or one that can't be one, else ''. One
        that is known and has no series yet counts nothing, and so does an absent counter of errors."""
        if totals.refused_counter:
            return f"{self._shown} has {totals.refused_counter}"
        names = [counter.counter for counter in self._preset.requests]
        seen = any(kind & (REQUEST | EXCLUDED) for kind in totals.counted.values())
        if seen or {name.removesuffix("_total") for name in names} & totals.names:
            return ""
        return f"{self._shown} has no {' or '.join(names)}; is preset '{self._settings.preset}' right?"

    def _unread(self, totals: Totals) -> str:
        """What to say when there are requests and errors, and no latencies, or some of them, else ''."""
        if wrong := totals.latency_problem(self._preset):
            return f"{self._shown} {wrong}; latency is not measured"
        return f"{self._shown}: {totals.skipped}, and is left out" if totals.skipped else ""

    def _say(self, problem: str) -> None:
        """Logs a problem when it begins, changes or ends; not at every scrape."""
        if problem and problem != self._said:
            log.warning("server of model %s: %s", self._model, problem)
        elif self._said and not problem:
            log.info("server of model %s: its metrics can be read again", self._model)
        self._said = problem


def _several(answered: Answered, url: str) -> str:
    if answered is not Answered.SEVERAL:
        return ""
    return f"{url}: {SEVERAL}; {REMEDY}"


def _none(names: tuple[str, ...], window: Window, reason: NotEnough, problem: str = "") -> list[Measurement]:
    detail: dict[str, Any] = {"error": problem} if problem else {}
    return [Measurement(name, None, window, reason=reason, detail=detail) for name in names]
