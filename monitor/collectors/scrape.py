"""Reads a page of metrics over HTTP: one GET, no redirects, bounded in time and size."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

MAX_BYTES = 32 << 20
_PIECE = 64 << 10


class ScrapeError(Exception):
    """The page could not be read; the message says why."""


def fetch(url: str, timeout: float, monotonic: Callable[[], float], max_bytes: int = MAX_BYTES) -> str:
    """The text at `url`, within `timeout` seconds in all. Raises ScrapeError."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    deadline = monotonic() + timeout
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Classic text only: prometheus_client's light parser does not read OpenMetrics' exemplars.
        headers = {"Accept": "text/plain;version=0.0.4", "User-Agent": "watchkeeper", "Connection": "close"}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        _judge(response)
        body = bytearray()
        while piece := response.read1(_PIECE):
            body += piece
            if len(body) > max_bytes:
                raise ScrapeError(f"the page is larger than {max_bytes >> 20} MiB")
            if monotonic() > deadline:
                raise ScrapeError(f"the page was not read whole within {timeout:g} s")
        return body.decode("utf-8", "replace")
    except TimeoutError:
        raise ScrapeError(f"no answer within {timeout:g} s") from None
    except OSError as error:
        raise ScrapeError((error.strerror or str(error)).lower()) from None
    except http.client.HTTPException as error:
        raise ScrapeError(f"no proper HTTP answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _judge(response: http.client.HTTPResponse) -> None:
    if 300 <= response.status < 400:
        raise ScrapeError(f"redirected to {response.getheader('Location', 'elsewhere')!r}; name that place itself")
    if response.status != 200:
        raise ScrapeError(f"answered {response.status} {response.reason}")
    content = response.getheader("Content-Type", "text/plain").partition(";")[0].strip().lower()
    if content not in ("text/plain", "application/openmetrics-text"):
        raise ScrapeError(f"answered {content!r}, which is no page of metrics")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise ScrapeError("answered in an encoding that was not asked for")
