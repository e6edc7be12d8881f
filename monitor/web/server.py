"""Serves the app with uvicorn, on an address taken before anything else is started."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import Literal

from litestar import Litestar

from monitor.web import uvicorn_import
from monitor.web.connections import BoundedProtocol, ConnectionBounds, ConnectionTable
from monitor.web.errors import RefusalReason

BACKLOG = 512
_GRACE = 5


class PortTaken(Exception):
    """The address can't be listened on; the message says why and what to do."""


class Server:
    """Holds the listening socket from the start. `run` returns after SIGTERM, SIGINT or `stop`."""

    def __init__(
        self,
        listen: str,
        app: Litestar,
        bounds: ConnectionBounds = ConnectionBounds(),  # noqa: B008 - frozen
        count: Callable[[RefusalReason], None] = lambda _: None,
    ) -> None:
        """`count` hears of what is refused before the application sees it."""
        self._socket = _bind(listen)
        loop: Literal["uvloop", "asyncio"] = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
        self._server = _Uvicorn(
            uvicorn_import.Config(
                app,
                http=partial(BoundedProtocol, table=ConnectionTable(bounds, count)),  # type: ignore[arg-type]
                loop=loop,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                # Longer than clients keep a connection, so that none writes into one that is being closed.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACE,
            )
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, the real one where port 0 was asked for."""
        host, port, *_ = self._socket.getsockname()
        return host, port

    def run(self) -> None:
        # A line for each request that can't be read would be a stranger's to fill the disk with; they are counted.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Has `run` finish what it is serving and return; from any thread."""
        self._server.should_exit = True


class _Uvicorn(uvicorn_import.Server):
    """uvicorn's server, which is woken to stop: its own looks ten times a second, a third of an idle daemon's CPU."""

    _wake: Callable[[], object] | None = None
    _exit = False

    @property
    def should_exit(self) -> bool:
        return self._exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._exit = value
        if self._wake is not None:
            self._wake()

    async def main_loop(self) -> None:
        """Writes the Date header anew once a second until it is time to stop."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = partial(loop.call_soon_threadsafe, woken.set)
        try:
            while not await self.on_tick(0):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), timeout=1)
        finally:
            self._wake = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but a signal is not raised again afterwards: that would end the process before the writer."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTaken(_why(listen, error)) from error


def _why(listen: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"listen: {listen} is taken by another process; stop it, or set `listen` to another port"
    if error.errno == errno.EACCES:
        return f"listen: {listen} is not allowed for this user; set `listen` to a port above 1023"
    return f"listen: {listen} can't be listened on: {error.strerror or error}"
