"""A real HTTP server on loopback whose answers a test writes, byte by byte if it likes, with or without TLS."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Peer:
    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[Received] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append(Received(self.command, self.path, dict(self.headers), body))
                with contextlib.suppress(OSError):
                    outer.answer(self, body)

            do_GET = do_HEAD = do_POST = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that refuses our certificate is none of ours."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            # The handshake is made at the first read, on the connection's own thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """An answer that never comes, as long as the server runs."""
        self.released.wait(60)

    def drip(self, data: bytes, at_once: bytes = b"") -> Answer:
        """After what comes at once the bytes one by one, each 20 ms after the one before."""

        def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            handler.wfile.write(at_once)
            for byte in data:
                handler.wfile.write(bytes([byte]))
                if self.released.wait(0.02):
                    return

        return answer


def says(body: bytes | str = b"", status: int = 200, **headers: str) -> Answer:
    data = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler, received: bytes) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    return answer


def says_json(value: Any, status: int = 200) -> Answer:
    return says(json.dumps(value), status, Content_Type="application/json")


def raw(data: bytes) -> Answer:
    """Bytes that need not be HTTP."""

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.wfile.write(data)

    return answer
