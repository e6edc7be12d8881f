"""Presses on buttons in Slack: the socket, the desk that handles them, and what is told of both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Literal

from pydantic import SecretStr
from slack_sdk.errors import SlackClientError

from alerts.notify.slack.action_handler import ActionHandler, ActionOptions, ActionReply, ActionStore
from alerts.notify.slack.buttons import ButtonAction, press_of
from alerts.notify.slack.permissions import Permissions
from alerts.notify.slack.socket_mode import SocketMode, SocketOptions
from alerts.notify.slack.web_client import hook_client
from alerts.secret_file import Secret
from monitor.clock import Clock
from monitor.settings.slack import SlackSettings

log = logging.getLogger("watchkeeper.slack")

ANSWER_SECONDS = 10
State = Literal["connected", "connecting", "waiting for somebody to act"]
OnPress = Callable[[str, str], None]
"""(button, outcome)"""
OnState = Callable[[bool, str | None], None]
"""(whether presses are heard, what is wrong in a sentence)"""


class SlackActions:
    """Hears presses over one socket and answers each user."""

    def __init__(
        self,
        settings: SlackSettings,
        app_token: SecretStr,
        store: ActionStore,
        clock: Clock,
        on_state: OnState,
        on_press: OnPress,
        *,
        acknowledged_for: float,
        page: str,
        shared: bool,
    ) -> None:
        """`shared`: other daemons on the same database may be connected as the same app."""
        assert settings.token is not None
        self._clock, self._on_press, self._on_state = clock, on_press, on_state
        self._token = token = Secret(settings.token, settings.token_file)
        self.people = Permissions(settings.allow, token, clock.monotonic, settings.api_url, settings.timeout)
        self._desk = ActionHandler(store, self.people.may, ActionOptions(acknowledged_for, settings.time_zone, page))
        options = SocketOptions(app_token, settings.api_url, settings.timeout, shared, settings.app_token_file)
        self.socket = SocketMode(options, self._take, self._tell, clock.monotonic)

    @property
    def state(self) -> State:
        if self.socket.problem is None:
            return "connected"
        return "waiting for somebody to act" if self.socket.parked else "connecting"

    def heard(self) -> bool:
        """Whether messages are to have buttons: also while a connection is being renewed."""
        return not self.socket.parked

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, or else with knowing who may press."""
        return self.socket.problem or self.people.problem

    def hasten(self) -> None:
        """Connect at once, with the tokens that their files have now."""
        self._token.read_again()
        self.socket.hasten()

    def _tell(self, problem: str | None) -> None:
        self._on_state(problem is None, problem or self.people.problem)

    def _take(self, payload: Mapping[str, Any], app: str) -> None:
        press = press_of(payload)
        if press is None:
            return
        answer = self._desk.take(press, app, self._clock.time())
        self._on_press(press.button.value, answer.outcome.value)
        self._on_state(self.socket.problem is None, self.problem)
        log.info("%s pressed %s on %s: %s", press.by, press.button, press.incident, answer.outcome)
        self._answer(press, answer)

    def _answer(self, press: ButtonAction, answer: ActionReply) -> None:
        """Shows the user alone what came of it. Nobody else misses it if that fails."""
        if not press.response_url.startswith(("http://", "https://")):
            return
        client = hook_client(press.response_url, ANSWER_SECONDS)
        try:
            said = client.send(
                text=answer.text, blocks=answer.blocks or None, response_type="ephemeral", replace_original=False
            )
            failed = None if said.status_code == 200 else f"HTTP {said.status_code}"
        except (SlackClientError, OSError, HTTPException, ValueError) as error:
            failed = type(error).__name__
        if failed is not None:
            log.warning("an answer to a press did not reach its user: %s", failed)
