"""What goes out over HTTP to receivers, each exchange within one time limit; and the dead man's switch."""

from __future__ import annotations

import logging

from alerts.notify import NotifyError
from alerts.notify.transport import Post, Reply
from monitor.clock import Clock
from monitor.net.client import Client, Request
from monitor.net.errors import ExchangeError

log = logging.getLogger("watchkeeper.heartbeat")


class HttpTransport:
    """A Transport: no redirects, no proxies."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._client, self._timeout = Client(clock.monotonic), timeout

    def __call__(self, post: Post) -> Reply:
        request = Request(post.url, "POST", post.headers, post.body)
        try:
            with self._client.ask(request, self._timeout) as answer:
                return Reply(answer.status, answer.said, answer.beginning(), answer.header("Retry-After"))
        except ExchangeError as error:
            raise NotifyError(f"no answer from the receiver: {error}", retry=True) from None
