"""Ping a dead-man's switch for as long as evaluation and delivery go on."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr

from monitor.clock import Clock
from monitor.net.client import Client, Request
from monitor.net.errors import ExchangeError
from monitor.settings.root import HeartbeatSettings


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
