"""A strict stand-in for Slack: the Web API methods that Watchkeeper calls, incoming webhooks and Socket Mode, refusing
what Slack refuses, with faults to order.

In a test: ``with FakeSlack() as slack: …``; as a process: ``python -m tests.fakes.slack --port 8089``, with the
recorded state at ``GET /_state``, faults ordered by ``POST /_faults``, messages deleted by ``POST /_delete``, buttons
pressed by ``POST /_press`` and connections ended by ``POST /_socket``.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from monitor.clock import SystemClock
from tests.fakes.slack_api import NEEDED, WebApi
from tests.fakes.slack_content import content
from tests.fakes.slack_http import handler
from tests.fakes.slack_press import Answers, Press, block_actions
from tests.fakes.slack_refusal import Refusal
from tests.fakes.slack_workspace import APP, APP_TOKEN, CHANNEL, TOKEN, Channel, Message

__all__ = ["APP", "APP_TOKEN", "CHANNEL", "HOOK", "NEEDED", "TOKEN", "Channel", "FakeSlack", "Fault", "Message"]

HOOK = "/services/T000/B000/secret"
FAULTS = ("500", "hang", "reset", "revoked", "429", "lost_reply")


@dataclass
class Fault:
    """Applied to the next `times` calls (of `method`, if given)."""

    kind: str
    times: int = 1
    method: str = ""
    retry_after: int = 1


class FakeSlack(WebApi):
    """One workspace, and the server around it."""

    def __init__(
        self,
        port: int = 0,
        *,
        rate_limit: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = lambda: 1.7e9,
    ) -> None:
        """`clock` is what the rate limit goes by, `wall` gives messages their `ts`."""
        super().__init__(rate_limit, clock, wall)
        self.hooked: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        """(method, "ok" or the error) of every request, in order."""
        self.faults: list[Fault] = []
        self.hook_error: tuple[int, str] | None = None
        self.answers = Answers(clock)
        self.slack_actions: list[Press] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FakeSlack:
        self._thread.start()
        self.socket.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.socket.stop()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{HOOK}"

    def fail(self, kind: str, times: int = 1, method: str = "", retry_after: int = 1) -> None:
        """Orders a fault: 500, hang, reset (before anything is done), lost_reply (after), revoked, 429."""
        if kind not in FAULTS:
            raise ValueError(f"{kind!r} is none of {FAULTS}")
        with self._lock:
            self.faults.append(Fault(kind, times, method, retry_after))

    def posts(self) -> list[Message]:
        """Messages of the channel itself that are still there."""
        return [message for message in self.messages if message.thread_ts is None and not message.deleted]

    def replies(self, ts: str) -> list[Message]:
        return [message for message in self.messages if message.thread_ts == ts]

    def delete(self, ts: str) -> None:
        """What a user does who deletes a message."""
        with self._lock:
            next(message for message in self.messages if message.ts == ts).deleted = True

    def press(
        self, ts: str, button: str, user: str = "U0ANN", name: str = "ann", **forged: dict[str, Any] | str
    ) -> Press:
        """What happens when a user presses a button (by its action_id, or the end of one) of a message that shows it.
        `forged` replaces parts of the payload. Raises ValueError where the message has no such button."""
        with self._lock:
            message = next(item for item in self.messages if item.ts == ts and not item.deleted)
        answer = f"http://127.0.0.1:{self.port}{self.answers.address(user)}"
        payload = {**block_actions(APP, message, button, user, name, answer), **forged}
        press = Press(user, str(payload["actions"][0]["action_id"]), payload, self.socket.send(APP, payload))
        self.slack_actions.append(press)
        return press

    def state(self) -> dict[str, Any]:
        with self._lock:
            messages = [asdict(message) for message in self.messages]
            return {
                "messages": messages,
                "hooked": list(self.hooked),
                "calls": [list(call) for call in self.calls],
                "answers": [asdict(answer) for answer in self.answers.given],
                "connections": self.socket.open(APP),
                "socket_faults": self.socket.faults,
            }

    def take_fault(self, method: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.method in ("", method):
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    return fault
        return None

    def hang(self) -> None:
        self._released.wait(30.0)

    def note(self, method: str, outcome: str) -> None:
        with self._lock:
            self.calls.append((method, outcome))

    def hook(self, path: str, payload: Any) -> None:
        """One post to an incoming webhook; raises Refusal with the status and the text Slack answers."""
        if path != HOOK:
            raise Refusal("no_service", 404)
        if self.hook_error is not None:
            raise Refusal(self.hook_error[1], self.hook_error[0])
        if not isinstance(payload, dict):
            raise Refusal("invalid_payload", 400)
        if self.channels[0].archived:
            raise Refusal("channel_is_archived", 410)
        try:
            text, blocks, _ = content(payload)
        except Refusal as refusal:
            raise Refusal(refusal.code, 400) from None
        with self._lock:
            self.hooked.append({"text": text, "blocks": blocks})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--rate-limit", action="store_true", help="one message a second a channel, as Slack has it")
    options = parser.parse_args()
    with FakeSlack(options.port, rate_limit=options.rate_limit, wall=SystemClock().time) as slack:
        print(
            f"slack stand-in: {slack.api_url} token {TOKEN} channel {CHANNEL} webhook {slack.webhook_url} "
            f"app token {APP_TOKEN}",
            flush=True,
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()
