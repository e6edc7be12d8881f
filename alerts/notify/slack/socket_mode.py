"""Slack's Socket Mode: how presses on buttons reach a daemon that nobody can reach from outside.

The SDK's own client keeps the connection; when to try again is decided here, for it would ask every five seconds, also
with a token that is revoked. https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random as randomness
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from alerts.notify import NotifyError, backoff
from alerts.notify.slack.client import SlackClient
from alerts.notify.slack.errors import api_error, quiet_logger, unanswered
from alerts.notify.slack.web_client import api_client
from alerts.secret_file import Secret

log = logging.getLogger("watchkeeper.slack.socket")

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Seconds between tries; doubles from the one to the other."""
PARKED_WAIT = 300.0
"""While somebody has to act."""
HELLO_SECONDS = 10.0
"""A connection over which nothing was said for so long is none."""
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 60.0
"""When others seem to be connected as this app, that is looked at again after so long: Slack counts a connection that
broke for a while."""
WAITING = 100
"""Presses that wait for their turn; more are dropped, and their users told nothing."""
STOP_SECONDS = 2.0
CROWDED = 3
"""After so many looks in a row others are connected as this app, indeed."""


@dataclass(frozen=True, slots=True)
class SocketOptions:
    token: SecretStr
    """The app's own (xapp-…)."""
    api_url: str = "https://slack.com/api/"
    timeout: float = 10.0
    shared: bool = False
    """Other daemons may be connected as this app, for they know the same incidents."""
    token_file: Path | None = None
    """Where the token is from, if from a file."""


class SocketMode:
    """Keeps one connection, on threads of its own, and hands each interaction to `take`, one after another."""

    def __init__(
        self,
        options: SocketOptions,
        take: Callable[[Mapping[str, Any], str], None],
        on_state: Callable[[str | None], None],
        monotonic: Callable[[], float],
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """`take` gets an interaction's payload, and the id of this app. `on_state` hears of every change: a sentence on
        why there is no connection, None when there is one."""
        self._options, self._take, self._on_state = options, take, on_state
        self._token = Secret(options.token, options.token_file)
        self._monotonic, self._random = monotonic, random
        self._client: SlackClient | None = None
        self._app = ""
        self._failures = 0
        self._crowded = 0
        """How often in a row others were connected as this app."""
        self._greeted, self._enough = threading.Event(), threading.Event()
        self._hurried = threading.Event()
        """Ends a wait early."""
        self._waiting: queue.Queue[Mapping[str, Any] | None] = queue.Queue(WAITING)
        self.problem: str | None = "not connected yet"
        self.parked = False
        """Somebody has to act; nobody hears a press before that."""
        self._threads = [
            threading.Thread(target=self._keep, name="slack-socket", daemon=True),
            threading.Thread(target=self._work, name="slack-presses", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Takes what waits, and closes; in the given time, also if Slack hangs."""
        end = self._monotonic() + seconds
        self._enough.set()
        self._hurried.set()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        for thread in self._threads:
            thread.join(max(0.0, end - self._monotonic()))

    def hasten(self) -> None:
        """Connect at once where that waits: there may be another token by now."""
        self._token.read_again()
        self._hurried.set()

    # The connection.

    def _keep(self) -> None:
        while not self._enough.is_set():
            try:
                problem = self._once()
            except NotifyError as error:
                problem = error
            except (SlackClientError, OSError, HTTPException, ValueError) as error:
                problem = _problem(error)
            except Exception as error:  # the thread's boundary: said, and connected anew
                log.exception("the connection failed")
                problem = NotifyError(f"the connection failed: {type(error).__name__}", retry=True)
            if problem is not None and not self._enough.is_set():
                self._close()
                if not problem.retry and self._token.read_again():
                    continue
                self._failures += 1
                self._say(problem)
                self._hurried.wait(self._wait(problem))
                self._hurried.clear()
        self._close()

    def _once(self) -> NotifyError | None:
        """Connects, and stays until the connection ends: the reason, or None if it is only to be made anew. Raises what
        was wrong, if it did not come about."""
        self._connect()
        self._say(None)
        self._failures = 0
        until = self._monotonic() + AGAIN_SECONDS if self._crowded else None
        while not self._enough.wait(LOOK_SECONDS):
            if self._client is None or not self._client.is_connected():
                return NotifyError("Slack's socket was closed", retry=True)
            if until is not None and self._monotonic() >= until:
                return None
        return None

    def _connect(self) -> None:
        self._greeted.clear()
        self._close()
        self._client = client = self._made()
        client.connect()
        if not client.is_connected():  # the SDK only logs what was wrong
            raise NotifyError("Slack's socket can't be opened", retry=True)
        if not self._greeted.wait(HELLO_SECONDS) and not self._enough.is_set():
            raise NotifyError("Slack's socket does not say hello", retry=True)
        if self._crowded >= CROWDED:
            raise NotifyError(
                "another process is connected as this Slack app, and presses on buttons would reach either; give each "
                "Watchkeeper an app of its own",
                retry=False,
            )

    def _made(self) -> SlackClient:
        client = SlackClient(
            app_token=self._token.text,
            logger=quiet_logger(),
            web_client=api_client(None, self._options.api_url, self._options.timeout),
            auto_reconnect_enabled=False,
            concurrency=1,
        )
        client.message_listeners.append(self._greet)
        client.socket_mode_request_listeners.append(self._hear)
        return client

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            # The connection ends at once; but then it waits for threads of its own.
            threading.Thread(target=client.close, name="slack-socket-close", daemon=True).start()

    def _say(self, problem: NotifyError | None) -> None:
        self.parked = problem is not None and not problem.retry
        text = None if problem is None else str(problem)
        self._on_state(text)
        if text == self.problem:
            return
        self.problem = text
        if text is None:
            log.info("presses on buttons are heard")
        else:
            # Slack ends connections when it likes; that the next one can't be made is another thing.
            level = logging.INFO if self._failures <= 1 and not self.parked else logging.WARNING
            log.log(level, "presses on buttons are not heard: %s", text)

    def _wait(self, problem: NotifyError) -> float:
        if not problem.retry:
            return PARKED_WAIT
        if problem.after is not None:
            return problem.after
        return backoff(self._failures - 1, FIRST_WAIT, LONGEST_WAIT, self._random())

    # What comes over it; on the SDK's threads.

    def _greet(self, client: BaseSocketModeClient, message: dict[str, Any], raw: str | None = None) -> None:
        if message.get("type") != "hello":
            return
        info = message.get("connection_info")
        self._app = str(info.get("app_id", "")) if isinstance(info, dict) else ""
        if not self._greeted.is_set():
            # A connection that Slack renews is counted beside the one that it replaces; only the first tells of others.
            alone = self._options.shared or message.get("num_connections", 1) <= 1
            self._crowded = 0 if alone else self._crowded + 1
        self._greeted.set()

    def _hear(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledges first: Slack waits three seconds. What can't be acknowledged is not done, for its user has seen
        an error."""
        try:
            client.send_socket_mode_response({"envelope_id": request.envelope_id})
        except (SlackClientError, OSError) as error:
            log.warning("a press could not be acknowledged, and was not taken: %s", type(error).__name__)
            return
        if request.type != "interactive":
            return
        try:
            self._waiting.put_nowait(request.payload)
        except queue.Full:
            log.warning("%d presses wait already; one was dropped", WAITING)

    def _work(self) -> None:
        while (payload := self._waiting.get()) is not None:
            try:
                self._take(payload, self._app)
            except Exception:  # a press's boundary: the next ones are still to be taken
                log.exception("a press failed")


def _problem(error: Exception) -> NotifyError:
    """What went wrong with the connection, for people."""
    if not isinstance(error, SlackApiError):
        return unanswered(error)
    found = api_error(error.response)
    if isinstance(found, NotifyError) and found.retry:
        return found
    data = error.response.data
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    said = code if code.isidentifier() else f"HTTP {error.response.status_code}"
    return NotifyError(
        f"Slack refuses the app's token: {said}; make one with the scope connections:write, and switch Socket Mode on",
        retry=False,
    )
