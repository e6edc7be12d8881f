"""The attacks, each in a process of its own: `python -m tests.hostile.attacks NAME PORT SECONDS [TOKEN]`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
from collections.abc import Callable, Coroutine
from typing import Any

Attack = Callable[["Target"], Coroutine[Any, Any, None]]
PREDICTIONS = "/v1/models/delays/predictions"
MIB = 1 << 20


class Target:
    """The daemon that is attacked."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.sent = 0

    async def pour(self, first: bytes, part: bytes, pause: float = 0.0, most: int = 500 * MIB) -> None:
        """Open a connection, send `first` and then `part` over and over, and read nothing, until it is closed."""
        writer: asyncio.StreamWriter | None = None
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(first)
            for _ in range(most // max(1, len(part))):
                await writer.drain()
                await asyncio.sleep(pause)
                writer.write(part)
                self.sent += len(part)
        except OSError:
            pass
        finally:
            if writer is not None:
                writer.transport.abort()

    async def hold(self, first: bytes) -> None:
        """Open a connection, send `first`, and wait until it is closed."""
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(first)
            while await reader.read(1 << 16):
                pass
        except OSError:
            pass
        finally:
            if writer is not None:
                writer.transport.abort()

    def head(self, path: str, *headers: str) -> bytes:
        """The head of a POST, without the blank line at its end."""
        given = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
        if self.token:
            given.append(f"Authorization: Bearer {self.token}")
        return ("\r\n".join(given) + "\r\n").encode()


async def _many(count: int, one: Callable[[], Coroutine[Any, Any, None]], pause: float = 0.02) -> None:
    """Keep `count` of them going, each begun anew when it ends."""

    async def again() -> None:
        while True:
            await one()
            await asyncio.sleep(pause)

    await asyncio.gather(*(again() for _ in range(count)))


async def long_header(target: Target) -> None:
    await _many(4, lambda: target.pour(target.head("/") + b"X: ", b"a" * 65536))


async def many_headers(target: Target) -> None:
    await _many(20, lambda: target.pour(target.head("/"), b"a:\r\n" * 4096))


async def half_open(target: Target) -> None:
    await _many(1500, lambda: target.hold(target.head("/") + b"X: "), pause=2.0)


async def slow_heads(target: Target) -> None:
    await _many(300, lambda: target.pour(target.head("/"), b"X: a\r\n", pause=1.0), pause=1.0)


async def idle(target: Target) -> None:
    await _many(1500, lambda: target.hold(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), pause=2.0)


async def forms(target: Target) -> None:
    kind = "Content-Type: application/x-www-form-urlencoded"
    head = target.head("/silences", kind, f"Content-Length: {15 * MIB}") + b"\r\n"
    chunked = target.head("/silences", kind, "Transfer-Encoding: chunked") + b"\r\n"
    await asyncio.gather(
        _many(30, lambda: target.pour(head, b"a" * 65536, most=15 * MIB - 1)),
        _many(30, lambda: target.pour(chunked, b"1000\r\n" + b"a" * 4096 + b"\r\n", pause=0.01)),
        _many(30, lambda: target.pour(chunked, b"1\r\na\r\n", pause=1.0)),
    )


async def bodies(target: Target) -> None:
    """Batches that never end: as large as they may be, by their length and in parts of one byte."""
    kind = "Content-Type: application/json"
    head = target.head(PREDICTIONS, kind, f"Content-Length: {16 * MIB}") + b"\r\n"
    chunked = target.head(PREDICTIONS, kind, "Transfer-Encoding: chunked") + b"\r\n"
    await asyncio.gather(
        _many(30, lambda: target.pour(head, b" " * 65536, most=16 * MIB - 1), pause=0.5),
        _many(8, lambda: target.pour(chunked, b"1\r\n[\r\n", pause=1.0)),
    )


async def unread(target: Target) -> None:
    """Pages that are asked for, and not read."""
    asked = b"GET /schema HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    await _many(100, lambda: target.pour(asked, asked, pause=0.2, most=1 << 20), pause=1.0)


async def large(target: Target) -> None:
    """Whole batches of 13 MB with a value in each row that takes a closer look."""
    row = {"id": "aaaaaaaa", "prediction": 1, "features": {f"f{i}": float("nan") for i in range(10)}}
    body = ("[" + ",".join([json.dumps(row)] * 90_000) + "]").encode()[: 16 * MIB]
    head = target.head(
        PREDICTIONS, "Content-Type: application/json", "Connection: close", f"Content-Length: {len(body)}"
    )
    await _many(4, lambda: target.hold(head + b"\r\n" + body))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (long_header, many_headers, half_open, slow_heads, idle, forms, bodies, unread, large)
}


async def _run(attack: Attack, target: Target, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await attack(target)


if __name__ == "__main__":
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    name, port, seconds, *token = sys.argv[1:]
    asyncio.run(_run(ATTACKS[name], Target(int(port), token[0] if token else ""), float(seconds)))
