"""What the daemon watches here: an HTTP server whose paths answer with the status that they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.fakes.serving import serving

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

    with serving(Handler) as url:
        server = Watched(url, paths)
        yield server
