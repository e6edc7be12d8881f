"""Sends the flights through the model server and the labels to Watchkeeper, in one order at any speed."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import httpx
import pyarrow as pa
from watchkeeper_client import Client

from monitor.clock import Clock
from monitor.demo.data import FEATURES, DemoError
from monitor.demo.story import DAY, Fault, apply_faults, delay

FLUSH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Departures:
    """The flights of one hour of departure, as one request."""

    hour: float
    flights: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LabelQueue:
    """What became known at one moment: (id, late)."""

    time: float
    labels: list[tuple[str, int]]


Step = Departures | LabelQueue


def steps(flights: pa.Table, faults: tuple[Fault, ...]) -> Iterator[Step]:
    """Hour by hour what is sent: before the flights of an hour all labels that are due by it. `flights` is in
    order of time. Labels due after the last flight come at the end."""
    due: list[tuple[float, str, int]] = []
    for hour, rows in _hours(flights):
        yield from _labels(due, until=hour)
        departures = []
        for row in rows:
            features = apply_faults(faults, row["time"], row["id"], {name: row[name] for name in FEATURES})
            departures.append({"id": row["id"], "time": row["time"], "features": features})
            if row["late"] is not None:
                heapq.heappush(due, (row["known"], row["id"], row["late"]))
        yield Departures(hour, departures)
    yield from _labels(due, until=float("inf"))


def _hours(flights: pa.Table) -> Iterator[tuple[float, list[dict[str, Any]]]]:
    rows = (row for batch in flights.to_batches(max_chunksize=10_000) for row in batch.to_pylist())
    for hour, group in groupby(rows, key=lambda row: float(row["time"] // 3600 * 3600)):
        yield hour, list(group)


def _labels(due: list[tuple[float, str, int]], until: float) -> Iterator[LabelQueue]:
    while due and due[0][0] <= until:
        moment, labels = due[0][0], []
        while due and due[0][0] == moment:
            _, id, late = heapq.heappop(due)
            labels.append((id, late))
        yield LabelQueue(moment, labels)


class Pace:
    """Holds event time back to `speed` days a second; time lost is not made up for."""

    def __init__(self, speed: float, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._seconds_a_day = 1.0 / speed
        self._clock = clock
        self._sleep = sleep
        self._last: tuple[float, float] | None = None

    def wait(self, event_time: float) -> None:
        now = self._clock.monotonic()
        if self._last is None:
            self._last = (event_time, now)
            return
        before, at = self._last
        due = at + (event_time - before) / DAY * self._seconds_a_day
        if due > now:
            self._sleep(due - now)
        self._last = (event_time, max(due, now))


class Sink(Protocol):
    """Where a replay goes to."""

    def predict(self, departures: Departures) -> None: ...
    def label(self, labels: LabelQueue) -> None: ...
    def slow(self, seconds: float) -> None: ...


class Wire:
    """The real way: predictions through the model server's HTTP, labels to Watchkeeper as its client sends them.

    Each call returns when Watchkeeper has acknowledged all of it. Raises DemoError when something does not answer.
    """

    def __init__(self, server: str, watchkeeper: str, model: str, token: str | None = None) -> None:
        self._http = httpx.Client(base_url=server, timeout=FLUSH_SECONDS + 10)
        self._labels = Client(watchkeeper, model, token=token, batch_rows=1_000, flush_seconds=30.0)
        self.requests = 0

    def predict(self, departures: Departures) -> dict[str, int]:
        """Returns what the server predicted, by id."""
        predicted: dict[str, int] = {}
        for first in range(0, len(departures.flights), 1_000):
            flights = departures.flights[first : first + 1_000]
            answer = self._post("/predict", {"flights": flights})
            predicted.update(zip((flight["id"] for flight in flights), answer["predictions"], strict=True))
            self.requests += 1
            reply = self._post("/flush", None)
            if not reply["flushed"] or reply["dropped"] or reply["rejected"]:
                raise DemoError(f"Watchkeeper did not take all predictions: {reply}; see the logs in the demo's folder")
        return predicted

    def label(self, labels: LabelQueue) -> None:
        for id, late in labels.labels:
            self._labels.label(id, late, time=labels.time)
        if not self._labels.flush(FLUSH_SECONDS) or self._labels.dropped or self._labels.rejected:
            lost = {**self._labels.dropped, **self._labels.rejected}
            raise DemoError(f"Watchkeeper did not take all labels: {lost}; see the logs in the demo's folder")

    def slow(self, seconds: float) -> None:
        self._post("/fault", {"delay_seconds": seconds})

    def close(self) -> None:
        self._http.close()
        self._labels.close()

    def _post(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            reply = self._http.post(path, json=body)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise DemoError(f"the model server did not answer {path}: {error}; see server.log") from error
        return dict(reply.json())


def replay(flights: pa.Table, faults: tuple[Fault, ...], sink: Sink, pace: Pace, seen: Callable[[float], None]) -> None:
    """Plays all steps to `sink`; `seen` is told the event time before each hour and, at the end, infinity."""
    slowed = 0.0
    for step in steps(flights, faults):
        if isinstance(step, LabelQueue):
            sink.label(step)
            continue
        pace.wait(step.hour)
        seen(step.hour)
        if (seconds := delay(faults, step.hour)) != slowed:
            sink.slow(seconds)
            slowed = seconds
        sink.predict(step)
    if slowed:
        sink.slow(0.0)
    seen(float("inf"))
