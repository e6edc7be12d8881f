"""A real HTTP server in Watchkeeper's place: it acknowledges a key once and misbehaves on demand."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the next request gets. `lose` stores the rows and closes the connection without a word."""

    status: int = 202
    lose: bool = False
    stall: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    close: bool = False


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    rows: list[dict[str, Any]]


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.script: list[Answer] = []
        self.requests: list[Request] = []
        self.stored: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def rows(self, kind: str = "predictions") -> list[dict[str, Any]]:
        """All rows stored, in order; a batch sent again under its key counts once."""
        with self.lock:
            return [row for (path, _), rows in self.stored.items() if path.endswith(kind) for row in rows]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up on a stalled reply is what some tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def receive(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            answer = self.script.pop(0) if self.script else Answer()
            if answer.status == 202:
                self.stored.setdefault((request.path, request.headers["idempotency-key"]), request.rows)
            return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, json.loads(content))
        answer = self.server.receive(request)
        if answer.stall is not None:
            answer.stall.wait(60)
        if answer.lose:
            self.close_connection = True
            return
        told = {"accepted": len(request.rows), "rejected": 0, "errors": []} if answer.body is None else answer.body
        body = json.dumps(told).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = answer.close

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
