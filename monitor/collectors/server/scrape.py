"""Reads a page of metrics over HTTP: one GET, no redirects, bounded in time and size."""

from __future__ import annotations

from monitor.collectors.authorized import AuthorizedClient
from monitor.net.client import Answer, Request
from monitor.net.errors import ExchangeError

MAX_BYTES = 32 << 20
# Classic text is what every preset was tried with; OpenMetrics is read where a server knows nothing else.
_HEADERS = {"Accept": "text/plain;version=0.0.4"}
_OPEN_METRICS = "application/openmetrics-text"


class ScrapeError(Exception):
    """The page could not be read; the message says why."""


def fetch(client: AuthorizedClient, url: str, timeout: float, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the page at `url`, within `timeout` seconds in all. Raises ScrapeError."""
    try:
        with client.ask(Request(url, headers=_HEADERS), timeout) as answer:
            content = _judged(answer, client)
            page = answer.read(max_bytes)
    except ExchangeError as error:
        raise ScrapeError(client.without_secrets(str(error))) from None
    if content == _OPEN_METRICS and not page.endswith((b"# EOF\n", b"# EOF")):
        raise ScrapeError("the page ended before its '# EOF', so the rest of it is missing")
    return page


def _judged(answer: Answer, client: AuthorizedClient) -> str:
    """Return the kind of page, once it is one of metrics."""
    if 300 <= answer.status < 400:
        place = client.without_secrets(answer.header("Location", "elsewhere"))
        raise ScrapeError(f"redirected to {place!r}; name that place itself")
    if answer.status != 200:
        raise ScrapeError(f"answered {answer.said}")
    content = answer.header("Content-Type", "text/plain").partition(";")[0].strip().lower()
    if content not in ("text/plain", _OPEN_METRICS):
        raise ScrapeError(f"answered {client.without_secrets(content)!r}, which is no page of metrics")
    return content
