"""One POST over a kept connection: what came back, or why nothing did."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time
from typing import Any
from urllib.parse import quote, urlsplit

MOST_REPLY_BYTES = 1 << 20


@dataclass(frozen=True)
class Reply:
    """`retry_after` is in seconds, where the server asked for a pause."""

    status: int
    body: Any
    retry_after: float | None


class Unreachable(Exception):
    """No reply came: refused, timed out, or lost after sending (so the request may have been carried out)."""


class Transport:
    """Keeps one HTTP/1.1 connection to Watchkeeper. For one thread at a time.

    Raises ValueError for a URL that is not http(s)://host[:port][/path], and for a token that no header can carry.
    """

    def __init__(self, url: str, model: str, token: str | None, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of Watchkeeper; write http://host:9797")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = f"{parts.path.rstrip('/')}/v1/models/{quote(model, safe='')}/"
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "User-Agent": "watchkeeper-client"}
        if token := (token or "").strip():
            if not (token.isascii() and token.isprintable()):
                raise ValueError("the token holds characters that no HTTP header can carry")
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def post(self, kind: str, body: bytes, key: str) -> Reply:
        """Sends `body` to the model's predictions or labels. Raises Unreachable."""
        kept = self._connection is not None
        try:
            return self._post(kind, body, key)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # A server may close an idle connection at any moment: that says nothing about its health, and the key
            # makes sending twice harmless.
            if not (kept and isinstance(error, (ConnectionError, http.client.BadStatusLine))):
                raise Unreachable(f"{type(error).__name__}: {error}") from error
        try:
            return self._post(kind, body, key)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def _post(self, kind: str, body: bytes, key: str) -> Reply:
        if self._connection is None:
            connect = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = connect(self._host, self._port, timeout=self._timeout)
        headers = {**self._headers, "Idempotency-Key": key}
        self._connection.request("POST", self._path + kind, body, headers)
        response = self._connection.getresponse()
        content = response.read(MOST_REPLY_BYTES)
        if not response.isclosed() or response.will_close:
            self.close()
        return Reply(response.status, _json(content), _seconds(response.getheader("Retry-After")))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _seconds(header: str | None) -> float | None:
    """Retry-After, which is a number of seconds or a date."""
    if header is None:
        return None
    try:
        asked = float(header)
    except ValueError:
        pass
    else:
        return max(0.0, asked) if isfinite(asked) else None
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except (TypeError, ValueError):
        return None
