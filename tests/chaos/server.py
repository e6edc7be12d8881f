"""What the daemon watches here: an HTTP server whose paths answer with the status that they are told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WELL, ILL, WORSE = 200, 503, 504


class Watched:
    def __init__(self, url: str, paths: list[str]) -> None:
        self.url = url
        self.status = dict.fromkeys(paths, WELL)


@contextmanager
def watched(paths: list[str]) -> Iterator[Watched]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(server.status.get(self.path.strip("/"), 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Watched(f"http://127.0.0.1:{http.server_port}", paths)
    thread = threading.Thread(target=http.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
