"""Reads a page of metrics over HTTP: one GET, no redirects, bounded in time and size."""

from __future__ import annotations

from monitor.net.client import Answer, Client, Request
from monitor.net.errors import ExchangeError

MAX_BYTES = 32 << 20
# Classic text only: prometheus_client's light parser does not read OpenMetrics' exemplars.
_HEADERS = {"Accept": "text/plain;version=0.0.4"}


class ScrapeError(Exception):
    """The page could not be read; the message says why."""


def fetch(client: Client, url: str, timeout: float, max_bytes: int = MAX_BYTES) -> str:
    """The text at `url`, within `timeout` seconds in all. Raises ScrapeError."""
    try:
        with client.ask(Request(url, headers=_HEADERS), timeout) as answer:
            _judge(answer)
            return answer.read(max_bytes).decode("utf-8", "replace")
    except ExchangeError as error:
        raise ScrapeError(str(error)) from None


def _judge(answer: Answer) -> None:
    if 300 <= answer.status < 400:
        raise ScrapeError(f"redirected to {answer.header('Location', 'elsewhere')!r}; name that place itself")
    if answer.status != 200:
        raise ScrapeError(f"answered {answer.said}")
    content = answer.header("Content-Type", "text/plain").partition(";")[0].strip().lower()
    if content not in ("text/plain", "application/openmetrics-text"):
        raise ScrapeError(f"answered {content!r}, which is no page of metrics")
