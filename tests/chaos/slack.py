"""The strict stand-in for Slack, which can go away and come back, and remembers when what was said and what broke."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from monitor.clock import SystemClock
from tests.fakes.slack import FakeSlack, Message
from tests.fakes.slack_http import handler

UNANSWERED = ("500", "hang", "reset", "lost_reply")
"""Faults after which nobody can know whether a message arrived."""


@dataclass(frozen=True)
class Said:
    """A message, or a reply in its thread, of one incident."""

    incident: str
    about: tuple[str, ...]
    """What of the incident: the same twice is a duplicate."""
    at: float
    over: bool
    deleted: bool


class BusySlack(FakeSlack):
    def __init__(self) -> None:
        clock = SystemClock()
        super().__init__(rate_limit=True, clock=clock.monotonic, wall=clock.time)
        self.scopes = ["chat:write", "channels:history", "channels:read"]
        self.asked = threading.Event()
        """Set at each call, for whoever wants to strike then."""
        self.unanswered: list[float] = []
        """When a call was not answered as it should be."""

    def note(self, method: str, outcome: str) -> None:
        super().note(method, outcome)
        if outcome in UNANSWERED:
            self.unanswered.append(SystemClock().time())
        self.asked.set()

    def away(self) -> None:
        """Nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def back(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def said(self) -> list[Said]:
        """All that was ever said, in order."""
        gone = {message.ts for message in self.messages if message.deleted}
        return [_said(message, message.deleted or message.thread_ts in gone) for message in list(self.messages)]


def _said(message: Message, deleted: bool) -> Said:
    payload: dict[str, Any] = (message.metadata or {}).get("event_payload", {})
    reply = message.thread_ts is not None
    about = (str(payload.get("why")), str(payload.get("version"))) if reply else ()
    return Said(str(payload.get("incident")), about, float(message.ts), "RESOLVED" in message.text, deleted)
