"""What goes out over HTTP to receivers, each exchange within one time limit; and the dead man's switch."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pydantic import SecretStr

from alerts.notify import NotifyError
from alerts.notify.transport import Post, Reply
from monitor.clock import Clock
from monitor.collectors.exchange import Client, Request
from monitor.collectors.failure import ExchangeError
from monitor.settings import HeartbeatSettings

log = logging.getLogger("watchkeeper.heartbeat")

MAX_TEXT = 4096


class Outbound:
    """A Transport: no redirects, no proxies."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._client, self._timeout = Client(clock.monotonic), timeout

    def __call__(self, post: Post) -> Reply:
        request = Request(post.url, "POST", post.headers, post.body)
        try:
            with self._client.ask(request, self._timeout) as answer:
                return Reply(answer.status, answer.said, retry_after=answer.header("Retry-After"))
        except ExchangeError as error:
            raise NotifyError(f"no answer from the receiver: {error}", retry=True) from None


class Heartbeat:
    """Asks the address as long as `well` says that rules are judged and notifications delivered. What listens there
    notices when it is not asked any more, for whatever reason."""

    def __init__(self, settings: HeartbeatSettings, clock: Clock, well: Callable[[], str | None]) -> None:
        """`well` gives None, or a sentence on what stands still."""
        self._url: SecretStr = settings.url
        self._timeout, self._well = settings.timeout, well
        self._client = Client(clock.monotonic)

    def beat(self) -> str | None:
        """Asks once; what is wrong in a sentence, None if nothing is."""
        if wrong := self._well():
            return f"no heartbeat is sent, because {wrong}"
        try:
            with self._client.ask(Request(self._url.get_secret_value(), "GET"), self._timeout) as answer:
                return None if 200 <= answer.status < 300 else f"the heartbeat's address answered {answer.said}"
        except ExchangeError as error:
            return f"the heartbeat's address can't be asked: {error}"
