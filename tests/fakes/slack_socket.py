"""Slack's side of Socket Mode: tickets that are good once, envelopes that are to be acknowledged within 3 seconds, and
connections that end when Slack likes; on a real WebSocket server."""

from __future__ import annotations

import http
import json
import secrets
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

CONNECTIONS = 10
"""Of one app, at the same time."""
TICKET_SECONDS = 30.0
ACKNOWLEDGE_SECONDS = 3.0
LONGER_SECONDS = 1.0
"""For which one is waited beyond that, to tell how late it came."""
REFUSED = (http.HTTPStatus.UNAUTHORIZED, "this ticket is used, old or unknown\n")


@dataclass
class Envelope:
    """One that was sent, and what became of it."""

    id: str
    sent_at: float
    acknowledged_after: float | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def in_time(self) -> bool:
        return self.acknowledged_after is not None and self.acknowledged_after < ACKNOWLEDGE_SECONDS


class SocketSide:
    """The connections of every app of the workspace."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        """What clients did that Slack would not understand."""
        self.connected = threading.Semaphore(0)
        """Released with every connection that has said hello."""
        self.mute = False
        """Whether new connections hear nothing."""
        self.elsewhere = 0
        """Connections of the app that are none of this process's."""
        self._tickets: dict[str, tuple[str, float]] = {}
        self._open: dict[str, list[ServerConnection]] = {}
        self._envelopes: dict[str, Envelope] = {}
        self._turn = 0
        self._lock = threading.Lock()
        self._server = serve(self._serve, "127.0.0.1", 0, process_request=self._admit, compression=None)
        self.port = int(self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def ticket(self, app: str) -> str:
        """The address of one connection, good once and for half a minute."""
        ticket = secrets.token_hex(16)
        with self._lock:
            self._tickets[ticket] = (app, time.monotonic())
        return f"ws://127.0.0.1:{self.port}/link/?ticket={ticket}&app_id={app}"

    def open(self, app: str) -> int:
        """How many connections the app has."""
        with self._lock:
            return len(self._open.get(app, ()))

    def send(self, app: str, payload: dict[str, Any], kind: str = "interactive") -> Envelope | None:
        """Sends an envelope to one of the app's connections, in turn; None if it has none. Waits for the
        acknowledgement, somewhat longer than Slack does."""
        with self._lock:
            found = self._open.get(app, [])
            if not found:
                return None
            self._turn += 1
            connection = found[self._turn % len(found)]
            envelope = Envelope(secrets.token_hex(8), time.monotonic())
            self._envelopes[envelope.id] = envelope
        whole = {"envelope_id": envelope.id, "type": kind, "payload": payload, "accepts_response_payload": False}
        try:
            connection.send(json.dumps(whole))
        except ConnectionClosed:
            return envelope
        envelope.answered.wait(ACKNOWLEDGE_SECONDS + LONGER_SECONDS)
        return envelope

    def end(self, app: str, how: str) -> None:
        """Ends the app's connections: drop, close, or by the reason of a disconnect."""
        if how in ("drop", "close"):
            getattr(self, how)(app)
        else:
            self.disconnect(app, how)

    def disconnect(self, app: str, reason: str = "refresh_requested") -> None:
        """Tells every connection of the app that it will be closed soon, as Slack does before it recycles one."""
        for connection in self._of(app):
            connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-0"}}))

    def drop(self, app: str) -> None:
        """Breaks every connection of the app without a word."""
        for connection in self._of(app):
            # Its own thread reads from it: so the other side sees a reset, and here the end.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.socket.shutdown(socket.SHUT_RDWR)

    def close(self, app: str) -> None:
        """Closes every connection of the app, as the protocol has it."""
        for connection in self._of(app):
            connection.close()

    def _of(self, app: str) -> list[ServerConnection]:
        with self._lock:
            return list(self._open.get(app, ()))

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        query = parse_qs(urlsplit(request.path).query)
        ticket = query.get("ticket", [""])[0]
        with self._lock:
            app, since = self._tickets.pop(ticket, ("", 0.0))
        if not app or query.get("app_id") != [app] or time.monotonic() - since > TICKET_SECONDS:
            return connection.respond(*REFUSED)
        connection.app = app  # type: ignore[attr-defined]
        return None

    def _serve(self, connection: ServerConnection) -> None:
        app = str(connection.app)  # type: ignore[attr-defined]
        with self._lock:
            here = self._open.setdefault(app, [])
            full = len(here) + self.elsewhere >= CONNECTIONS
            if not full:
                here.append(connection)
            number = len(here) + self.elsewhere
        try:
            if full:
                connection.send(json.dumps({"type": "disconnect", "reason": "too_many_websockets"}))
                return
            info = {"app_id": app}
            debug = {"host": "applink-0", "build_number": 1, "approximate_connection_time": 18_060}
            hello = {"type": "hello", "num_connections": number, "connection_info": info, "debug_info": debug}
            if not self.mute:
                connection.send(json.dumps(hello))
                self.connected.release()
            for message in connection:
                self._heard(message)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                if connection in here:
                    here.remove(connection)

    def _heard(self, message: str | bytes) -> None:
        try:
            plain = json.loads(message)
            id = plain["envelope_id"]
        except (ValueError, TypeError, KeyError):
            self.faults.append(f"no acknowledgement: {message!r}")
            return
        envelope = self._envelopes.get(id)
        if envelope is None:
            self.faults.append(f"no such envelope: {id}")
        elif envelope.acknowledged_after is not None:
            self.faults.append(f"acknowledged twice: {id}")
        elif set(plain) - {"envelope_id"}:
            self.faults.append("an answer to an envelope that takes none")
        else:
            envelope.acknowledged_after = time.monotonic() - envelope.sent_at
            envelope.answered.set()
