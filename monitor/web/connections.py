"""Bounds on connections, which hold before a request is authenticated: on the bytes of its head, on how long that may
take to arrive, and on how many connections there are.

Where there are too many, one is closed that nobody misses: one that has been idle for longest, or one that has waited
for longest without finishing its request. One that has shown a right token is never closed for another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from monitor.web.errors import STATUS, RefusalReason
from monitor.web.uvicorn_import import STATUS_LINE, HttpToolsProtocol

TRUSTED = "watchkeeper_trusted"
"""Key of a request's `scope["state"]` that says that it came with a right token."""
_SLICE = 16 << 10


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    connections: int = 512
    head_bytes: int = 64 << 10
    """Bytes of a request's line and headers."""
    headers: int = 100
    head_seconds: float = 10.0
    """How long a request's line and headers may take to arrive."""
    linger_seconds: float = 1.0
    """How long the rest of a request that is answered already is read, to nowhere: otherwise its sender sees a reset
    instead of the answer."""
    discarded_bytes: int = 8 << 20
    """How much is read in that way within a second, of all connections together."""
    pipelined: int = 8
    """Requests of one connection that wait for the one before."""
    unread_bytes: int = 16 << 20
    """Answers that are not read, of all connections together; beyond, the connection is closed that is the slowest."""
    unread_seconds: float = 60.0
    """How long an answer may take to be read."""

    @property
    def unfinished(self) -> int:
        """Connections whose request has not arrived in whole; beyond, the oldest without a token is closed."""
        return self.connections // 4


class ConnectionTable:
    """All connections of one server; of its event loop's thread alone."""

    def __init__(self, bounds: ConnectionBounds, count: Callable[[RefusalReason], None] = lambda _: None) -> None:
        """`count` hears why a connection was refused or closed."""
        self.bounds, self.count = bounds, count
        # Dicts for their order: whoever came first is closed first.
        self._open: dict[BoundedProtocol, None] = {}
        self._unfinished: dict[BoundedProtocol, None] = {}
        self._idle: dict[BoundedProtocol, None] = {}
        self._unread: dict[BoundedProtocol, int] = {}
        self._second, self._discarded = 0, 0

    def add(self, connection: BoundedProtocol) -> bool:
        """Take a new connection in, and close another one if there are too many. Return False if none can be."""
        self._open[connection] = None
        if len(self._open) > self.bounds.connections:
            self._close_one((*self._idle, *self._unfinished))
        self.wait(connection)
        return len(self._open) <= self.bounds.connections

    def wait(self, connection: BoundedProtocol) -> None:
        """Remember that a connection's request has not arrived in whole."""
        self._idle.pop(connection, None)
        self._unfinished.setdefault(connection)
        if len(self._unfinished) > self.bounds.unfinished:
            self._close_one(one for one in self._unfinished if one is not connection)

    def serve(self, connection: BoundedProtocol) -> None:
        """Remember that a connection's request has arrived."""
        self._unfinished.pop(connection, None)
        self._idle.pop(connection, None)

    def rest(self, connection: BoundedProtocol) -> None:
        """Remember that a connection's request has been answered."""
        self.serve(connection)
        self._idle[connection] = None

    def discard(self, size: int, now: float) -> bool:
        """Count bytes that are read to nowhere. Return False when that was enough for this second."""
        if int(now) != self._second:
            self._second, self._discarded = int(now), 0
        self._discarded += size
        return self._discarded <= self.bounds.discarded_bytes

    def unread(self, connection: BoundedProtocol, size: int) -> None:
        """Remember how much a connection has not read, and close the slowest if that is too much."""
        self._unread[connection] = size
        while len(self._unread) > 1 and sum(self._unread.values()) > self.bounds.unread_bytes:
            self._drop(next(iter(self._unread)))

    def read(self, connection: BoundedProtocol) -> None:
        """Remember that a connection has read its answers."""
        self._unread.pop(connection, None)

    def remove(self, connection: BoundedProtocol) -> None:
        """Forget a connection that is closed."""
        for group in (self._open, self._unfinished, self._idle, self._unread):
            group.pop(connection, None)

    def _close_one(self, among: Iterable[BoundedProtocol]) -> None:
        victim = next((connection for connection in among if not connection.trusted), None)
        if victim is not None:
            self._drop(victim)

    def _drop(self, victim: BoundedProtocol) -> None:
        self.count(RefusalReason.TOO_MANY_CONNECTIONS)
        self.remove(victim)
        victim.abort()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds. Of each request, costs a few assignments where nothing is wrong."""

    def __init__(self, *given: Any, table: ConnectionTable, **named: Any) -> None:
        super().__init__(*given, **named)
        self._table, self._bounds = table, table.bounds
        self._unparsed = 0
        """Bytes read of what is no body: of a request's head, of its trailers, of a chunk's extensions."""
        self._in_body = False
        """Whether the head of a request has arrived and its end has not."""
        self._refused = False
        self._too_large = False
        self._trusted = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def trusted(self) -> bool:
        """Return whether a request of this connection came with a right token."""
        if not self._trusted and self.cycle is not None:
            self._trusted = bool(self.cycle.scope["state"].get(TRUSTED))
        return self._trusted

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._table.add(self):
            self._arm(self._bounds.head_seconds, self._late)
        else:
            self._refuse(RefusalReason.TOO_MANY_CONNECTIONS, "there are too many connections; try again in a moment")

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._disarm()
        self._unset_keepalive_if_required()
        if self._unread is not None:
            self._unread.cancel()
        self.headers = []
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if len(data) <= _SLICE:
            self._take(data)
            return
        for start in range(0, len(data), _SLICE):
            self._take(data[start : start + _SLICE])

    def _take(self, data: bytes) -> None:
        answered = self._refused or (self._in_body and self.cycle.response_complete)
        if answered and not self._table.discard(len(data), self.loop.time()):
            # Whoever sends on waits until the connection is closed.
            self.flow.pause_reading()
        if self._refused or self.transport.is_closing():
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._unparsed:
            self._check_head()
        elif self._in_body:
            self._table.wait(self)

    def _check_head(self) -> None:
        """Bound what is still to come of a head, or of what stands around a body's parts."""
        if self._unparsed > self._bounds.head_bytes or len(self.headers or ()) > self._bounds.headers:
            self._refuse_head()
            return
        self._table.wait(self)
        if self._deadline is None and not self._in_body:
            self._arm(self._bounds.head_seconds, self._late)

    def on_headers_complete(self) -> None:
        size = self._unparsed
        if size > self._bounds.head_bytes:
            # The end of the last piece is not the head's.
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._bounds.head_bytes or len(self.headers) > self._bounds.headers:
            self._too_large = True
            raise ValueError("the head is too large")
        if len(self.pipeline) >= self._bounds.pipelined:
            raise ValueError("too many requests wait for the one before")
        self._unparsed, self._in_body = 0, True
        self._disarm()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Take the size of a part of a body, which the parser has read."""
        self._unparsed = 0

    def on_message_complete(self) -> None:
        self._unparsed, self._in_body = 0, False
        super().on_message_complete()
        self._table.serve(self)
        if self._deadline is not None:
            # Answered before it had arrived: the connection can be used again after all.
            self._disarm()
            self._rest()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        _ = self.trusted
        if self.transport.is_closing():
            self._table.rest(self)
        elif not self.cycle.response_complete:
            pass  # The next one is on its way.
        elif self._in_body:
            self._unset_keepalive_if_required()
            self._arm(self._bounds.linger_seconds, self.abort)
        elif self._unparsed == 0:
            self._table.rest(self)

    def _rest(self) -> None:
        self._table.rest(self)
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        # An answer that nobody reads would keep a connection open that is only to be closed.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self._bounds.unread_seconds, self.abort)
        self._table.unread(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._table.read(self)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that can't be read, which uvicorn does in words of its own."""
        if self._too_large:
            self._refuse_head()
        else:
            self._refuse(RefusalReason.MALFORMED, "this is no HTTP request that can be read")

    def _refuse_head(self) -> None:
        most, bounds = f"{self._bounds.head_bytes} bytes", self._bounds
        sentence = f"the request's line and headers are over {most} or {bounds.headers} headers; send fewer"
        self._refuse(RefusalReason.HEAD_TOO_LARGE, sentence)

    def _late(self) -> None:
        if not self._unparsed:
            self._table.count(RefusalReason.TOO_SLOW)
            self.abort()
            return
        seconds = self._bounds.head_seconds
        self._refuse(RefusalReason.TOO_SLOW, f"the request's line and headers did not arrive within {seconds:g} s")

    def _refuse(self, reason: RefusalReason, sentence: str) -> None:
        """Answer without the application, read on for a moment, and close."""
        self._refused = True
        self._table.count(reason)
        self._disarm()
        self._unset_keepalive_if_required()
        self.headers = []
        if self.cycle is not None and not self.cycle.response_complete:
            self.abort()  # An answer now would be taken for that of the request before.
            return
        self.transport.write(_answer(STATUS[reason], sentence))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._arm(self._bounds.linger_seconds, self.abort)

    def _arm(self, seconds: float, act: Callable[[], None]) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, act)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _answer(status: int, sentence: str) -> bytes:
    body = json.dumps({"error": sentence}).encode()
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + body
