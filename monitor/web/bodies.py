"""Bodies of requests, read within a limit and a deadline, and booked as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from litestar import Request
from litestar.types import Empty

from monitor.web.errors import RefusalReason, Refused

BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
ROOM = "room"
"""Key of the application's state: the BodyRoom of all its requests."""
FORM_BYTES = 16 << 10
"""Bytes of a form."""
API_BYTES = 256 << 10
"""Bytes of any other body that is no batch."""
DRAIN_SECONDS = 1.0
DRAIN_BYTES = 32 << 20
"""How long, and how much, is read of a body that is refused for its size."""
_DEEP = "the JSON is nested too deeply"
_NOT_UTF8 = "the body is not UTF-8"


class BodyRoom:
    """Bytes of all bodies that are being taken, up to a bound; of the event loop's thread alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def book(self, size: int) -> None:
        """Count bytes that have arrived. Raises Refused when there is no room for them."""
        if self.held and self.held + size > self._most:
            raise Refused(RefusalReason.OVER_CAPACITY, "too many bodies are being taken at once; retry after 1 s", 1.0)
        self.held += size


class BookedBody:
    """The part of a BodyRoom that one body takes, until it is left."""

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._size = 0

    def __enter__(self) -> BookedBody:
        return self

    def book(self, size: int) -> None:
        """Count bytes that have arrived. Raises Refused when there is no room for them."""
        self._room.book(size)
        self._size += size

    def __exit__(self, *_: object) -> None:
        self._room.held -= self._size


class BoundedRequest(Request[Any, Any, Any]):
    """A request whose body has the limit of its handler (`request_max_body_size`) and a deadline. It takes its part of
    the application's `room` while it arrives."""

    async def body(self) -> bytes:
        if self._body is Empty:
            limit = self.route_handler.resolve_request_max_body_size() or API_BYTES
            with BookedBody(self.app.state[ROOM]) as booked:
                self._body = self._connection_state.body = await read(self, limit, book=booked.book)
        return self._body

    async def json(self) -> Any:
        try:
            return await super().json()
        except RecursionError:
            raise Refused(RefusalReason.MALFORMED, _DEEP) from None
        except UnicodeDecodeError as error:
            raise Refused(RefusalReason.MALFORMED, f"{_NOT_UTF8}: {error.reason} at byte {error.start}") from None


async def read(
    request: Request[Any, Any, Any],
    limit: int,
    seconds: float = BODY_SECONDS,
    book: Callable[[int], None] = lambda _: None,
    name: str = "",
) -> bytes:
    """Return the body. `book` hears of each part that arrives, and may refuse it; `name` is the limit's in the config,
    for senders that may send that much. Raises Refused."""
    try:
        async with asyncio.timeout(seconds):
            return await _arrived(request, limit, book)
    except TimeoutError:
        raise Refused(RefusalReason.TOO_SLOW, f"the body did not arrive within {seconds:g} s") from None
    except _TooLarge:
        if name:
            await _drain(request)
        raise Refused(RefusalReason.TOO_LARGE, _too_large(limit, name)) from None


class _TooLarge(Exception):
    pass


async def _arrived(request: Request[Any, Any, Any], limit: int, book: Callable[[int], None]) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise _TooLarge
    body = bytearray()
    while True:
        event = await request.receive()
        if event["type"] != "http.request":
            raise Refused(RefusalReason.MALFORMED, "the connection was closed before the whole body had arrived")
        part, more = event["body"], event.get("more_body", False)
        if len(body) + len(part) > limit:
            raise _TooLarge
        book(len(part))
        if not more and not body:
            return part
        body += part
        if not more:
            return bytes(body)


async def _drain(request: Request[Any, Any, Any]) -> None:
    """Read on for a while, to nowhere: a sender that can't get rid of its body sees a reset, not the answer."""
    if "expect" in request.headers:
        return  # It sends nothing before it is told to.
    left = DRAIN_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                event = await request.receive()
                if event["type"] != "http.request" or not event.get("more_body", False):
                    return
                left -= len(event["body"])


def _too_large(limit: int, name: str) -> str:
    if name:
        return f"the body is over {name} ({limit} bytes); send smaller batches"
    return f"the body is over {limit} bytes, the most that is taken here"
