"""The queue between a model server and Watchkeeper, and the thread that empties it."""

from __future__ import annotations

import atexit
import os
import threading
import time as clock
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from watchkeeper_client.counts import Counts, log
from watchkeeper_client.delivery import Delivery, Stop
from watchkeeper_client.rows import Row, Time, copied, stamp
from watchkeeper_client.transport import Transport

KINDS = ("predictions", "labels")
WARN_SECONDS = 60.0
EXIT_SECONDS = 3.0


class _Lane:
    """Rows of one kind that wait, and how many were ever taken in and are done with."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque()
        self.taken = 0
        self.settled = 0
        self.wanted = 0
        self.since = 0.0


class Client:
    """Logs predictions and labels to Watchkeeper from inside a model server.

    No method waits for the network (save `flush` and `close`, which say so) and none raises: what can't be sent is
    counted in `dropped`, by reason. Safe to use from many threads, and across a fork. Raises ValueError only here,
    for a `url` that can't be one.

    `batch_rows` rows, or fewer after `flush_seconds`, make one request. At most `max_queue` rows wait, in memory. A
    request that fails is repeated for `retry_seconds`, under one Idempotency-Key, before its rows are given up.
    """

    def __init__(
        self,
        url: str,
        model: str,
        token: str | None = None,
        *,
        batch_rows: int = 500,
        flush_seconds: float = 1.0,
        max_queue: int = 20_000,
        timeout: float = 5.0,
        retry_seconds: float = 300.0,
    ) -> None:
        self._where = url
        self._batch_rows = max(1, batch_rows)
        self._flush_seconds = flush_seconds
        self._max_queue = max_queue
        self._make: Callable[[Counts, Stop], Delivery] = lambda counts, stop: Delivery(
            Transport(url, model, token, timeout), counts, stop, retry_seconds
        )
        self._begin()
        self._exit = _weakly(self, lambda client: client.close(EXIT_SECONDS))
        atexit.register(self._exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_weakly(self, lambda client: client._begin()))

    def _begin(self) -> None:
        """Starts from nothing: at first, and in a forked child, where the parent's thread does not run, its rows
        are the parent's to send, its locks may be held for ever and its connection is not ours to speak on."""
        self._lanes = {kind: _Lane() for kind in KINDS}
        self._pending = 0
        self._counts = Counts(WARN_SECONDS)
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._deadline: float | None = None
        self._delivery = self._make(self._counts, self._pause)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sent(self) -> int:
        """Rows that Watchkeeper has acknowledged as stored."""
        return self._counts.sent

    @property
    def dropped(self) -> dict[str, int]:
        """Rows given up on this side, by reason."""
        return dict(self._counts.dropped)

    @property
    def rejected(self) -> dict[str, int]:
        """Rows that Watchkeeper received and refused, by reason."""
        return dict(self._counts.rejected)

    def log(
        self,
        id: object,
        features: Mapping[str, Any],
        prediction: Any,
        *,
        time: Time | None = None,
        probabilities: Any = None,
        latency_seconds: float | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Queues one served prediction; `time` is now unless given (epoch seconds, datetime or RFC 3339)."""
        try:
            row: Row = {
                "id": str(id),
                "time": clock.time() if time is None else stamp(time),
                "features": dict(features),
                "prediction": prediction,
            }
            if probabilities is not None:
                row["probabilities"] = copied(probabilities)
            if latency_seconds is not None:
                row["latency_seconds"] = latency_seconds
            if version is not None:
                row["version"] = version
            if tags is not None:
                row["tags"] = dict(tags)
        except Exception:  # noqa: BLE001 - the server's request must not fail over what it logs
            self._counts.drop("invalid")
            return
        self._put("predictions", row)

    def label(self, id: object, label: Any, time: Time | None = None) -> None:
        """Queues the ground truth of the prediction `id`; `time` is when it became known, now unless given."""
        try:
            row = {"id": str(id), "label": label, "time": clock.time() if time is None else stamp(time)}
        except Exception:  # noqa: BLE001 - as in log
            self._counts.drop("invalid")
            return
        self._put("labels", row)

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all that was logged before is acknowledged or given up; False if `timeout` seconds pass."""
        end = clock.monotonic() + timeout
        with self._wake:
            targets = {kind: lane.taken for kind, lane in self._lanes.items()}
            for kind, lane in self._lanes.items():
                lane.wanted = targets[kind]
            self._wake.notify_all()
            while any(self._lanes[kind].settled < target for kind, target in targets.items()):
                left = end - clock.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(left)
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Sends what waits, for at most `timeout` seconds, and drops the rest; False if anything was dropped so."""
        with self._wake:
            before = self._counts.dropped["closed"]
            if not self._closed:
                self._closed = True
                self._deadline = clock.monotonic() + timeout
            thread = self._thread
            self._wake.notify_all()
        atexit.unregister(self._exit)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        self._abandon()
        return self._pending == 0 and self._counts.dropped["closed"] == before

    def _abandon(self) -> None:
        """Drops all that still waits."""
        with self._wake:
            for lane in self._lanes.values():
                if lane.rows:
                    self._counts.drop("closed", len(lane.rows))
                    self._settle(lane, len(lane.rows))
                    lane.rows.clear()

    def _settle(self, lane: _Lane, rows: int) -> None:
        lane.settled += rows
        self._pending -= rows
        self._wake.notify_all()

    def _put(self, kind: str, row: Row) -> None:
        lane = self._lanes[kind]
        try:
            with self._wake:
                if self._closed:
                    self._counts.drop("closed")
                    return
                if self._pending >= self._max_queue:
                    self._counts.drop("queue_full")
                    return
                if self._thread is None or not self._thread.is_alive():
                    self._start()
                self._pending += 1
                lane.taken += 1
                lane.rows.append(row)
                waiting = len(lane.rows)
                if waiting == 1:
                    lane.since = clock.monotonic()
                if waiting == 1 or waiting == self._batch_rows:
                    self._wake.notify_all()
        except Exception:  # noqa: BLE001 - no thread can be started while the interpreter ends, or on a full machine
            self._counts.drop("no_thread")

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="watchkeeper-client", daemon=True)
        thread.start()
        self._thread = thread

    def _run(self) -> None:
        while True:
            with self._wake:
                kind = self._next()
                if kind is None:
                    break
                lane = self._lanes[kind]
                rows = [lane.rows.popleft() for _ in range(min(len(lane.rows), self._batch_rows))]
                lane.since = clock.monotonic()
            try:
                self._delivery.deliver(kind, rows)
            except Exception:  # noqa: BLE001 - the thread must outlive a mistake of ours: count, tell, go on
                log.exception("a batch of %d %s was lost to an error of this client", len(rows), kind)
                self._counts.drop("internal", len(rows))
            with self._wake:
                self._settle(lane, len(rows))
            self._counts.warn(clock.monotonic(), self._where)
        self._delivery.close()
        self._counts.warn(clock.monotonic(), self._where)

    def _next(self) -> str | None:
        """Waits for a batch that is due and names its kind; None once closed and empty or out of time."""
        while True:
            now = clock.monotonic()
            if self._deadline is not None and now >= self._deadline:
                return None
            waiting = {kind: lane for kind, lane in self._lanes.items() if lane.rows}
            due = [kind for kind, lane in waiting.items() if self._closed or self._due(lane, now)]
            if due:
                return min(due, key=lambda kind: waiting[kind].since)
            if self._closed:
                return None
            ends = [lane.since + self._flush_seconds - now for lane in waiting.values()]
            self._wake.wait(min(ends) if ends else None)

    def _due(self, lane: _Lane, now: float) -> bool:
        return (
            len(lane.rows) >= self._batch_rows or lane.settled < lane.wanted or now >= lane.since + self._flush_seconds
        )

    def _pause(self, seconds: float) -> bool:
        """Waits before a retry; False when the client's closing leaves no time for one."""
        with self._wake:
            end = clock.monotonic() + seconds
            while True:
                now = clock.monotonic()
                if self._deadline is not None and end >= self._deadline:
                    return False
                if now >= end:
                    return True
                self._counts.warn(now, self._where)
                self._wake.wait(min(end - now, WARN_SECONDS))


def _weakly(client: Client, act: Callable[[Client], Any]) -> Callable[[], None]:
    """A callback that does not keep the client alive."""
    reference = weakref.ref(client)

    def call() -> None:
        if (alive := reference()) is not None:
            act(alive)

    return call
