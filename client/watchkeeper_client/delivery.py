"""One batch to its end: sent, refused, or given up, with every row accounted for."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

from watchkeeper_client.counts import Counts
from watchkeeper_client.rows import Row, encode
from watchkeeper_client.transport import Reply, Transport, Unreachable

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
LONGEST_REQUESTED_PAUSE = 300.0

Stop = Callable[[float], bool]
"""Waits so many seconds; False when there is no time left to wait."""


class Delivery:
    """Sends batches over one transport, repeating what may succeed later. For one thread at a time."""

    def __init__(self, transport: Transport, counts: Counts, pause: Stop, retry_seconds: float) -> None:
        self._transport = transport
        self._counts = counts
        self._pause = pause
        self._retry_seconds = retry_seconds

    def close(self) -> None:
        self._transport.close()

    def deliver(self, kind: str, rows: list[Row]) -> None:
        """Returns when every row is counted as sent, rejected or dropped."""
        body, bad = encode(rows)
        if bad:
            self._counts.drop("unserialisable", len(bad))
            rows = [rows[position] for position in sorted(set(range(len(rows))) - set(bad))]
        if not rows:
            return
        reply = self._repeat(kind, body, len(rows))
        if reply is None:
            return
        if 200 <= reply.status < 300:
            self._account(reply.body, len(rows))
        elif reply.status == 413 and len(rows) > 1:
            half = len(rows) // 2
            self.deliver(kind, rows[:half])
            self.deliver(kind, rows[half:])
        else:
            self._counts.trouble(f"{kind} refused with status {reply.status}{_detail(reply.body)}")
            self._counts.drop(_REASONS.get(reply.status, "refused"), len(rows))

    def _repeat(self, kind: str, body: bytes, rows: int) -> Reply | None:
        """Posts until there is a final reply; None when the rows were given up."""
        key = uuid.uuid4().hex
        give_up = monotonic() + self._retry_seconds
        ceiling = FIRST_PAUSE
        while True:
            asked: float | None = None
            try:
                reply = self._transport.post(kind, body, key)
                if not _later(reply.status):
                    return reply
                reason, trouble = f"status_{reply.status}", f"replied {reply.status}{_detail(reply.body)}"
                asked = reply.retry_after
            except Unreachable as error:
                reason, trouble = "unreachable", f"can't be reached ({error})"
            self._counts.trouble(trouble)
            # Half the pause is random, so that a fleet of servers does not come back in step.
            seconds = ceiling * (0.5 + random.random() / 2) if asked is None else asked
            ceiling = min(ceiling * 2, LONGEST_PAUSE)
            if monotonic() + seconds > give_up:
                self._counts.drop(reason, rows)
                return None
            if not self._pause(min(seconds, LONGEST_REQUESTED_PAUSE)):
                self._counts.drop("closed", rows)
                return None

    def _account(self, reply: Any, rows: int) -> None:
        told = reply if isinstance(reply, dict) else {}
        rejected = told.get("rejected")
        rejected = min(rejected, rows) if isinstance(rejected, int) else 0
        self._counts.accept(rows - rejected)
        # The reply may name only the first of many errors.
        for error in list(told.get("errors") or ())[:rejected]:
            reason = error.get("reason") if isinstance(error, dict) else None
            self._counts.reject(str(reason or "unnamed"))
            rejected -= 1
        if rejected:
            self._counts.reject("unnamed", rejected)


_REASONS = {400: "malformed", 401: "unauthorized", 403: "unauthorized", 404: "unknown_model", 413: "too_large"}


def _later(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status >= 500 or status in (408, 425, 429)


def _detail(body: Any) -> str:
    text = body.get("detail") if isinstance(body, dict) else None
    return f": {str(text)[:200]}" if text else ""
