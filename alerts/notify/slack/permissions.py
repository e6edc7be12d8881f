"""Who may press buttons: everybody who sees the message, or those that the config names, by user and user group."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from http.client import HTTPException

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError

from alerts.notify.slack.web_client import api_client
from alerts.secret_file import Secret

log = logging.getLogger("watchkeeper.slack.people")

FRESH_SECONDS = 60.0
"""How long the members of a group are remembered."""


class Permissions:
    """Asks Slack for the members of groups, when somebody presses."""

    def __init__(
        self,
        allowed: Sequence[str],
        token: SecretStr | Secret,
        monotonic: Callable[[], float],
        api_url: str = "https://slack.com/api/",
        timeout: float = 10.0,
    ) -> None:
        """`allowed`: ids of users (U…, W…) and of user groups (S…); none means everybody."""
        self._users = {id for id in allowed if not id.startswith("S")}
        self._groups = [id for id in allowed if id.startswith("S")]
        self._everybody, self._monotonic = not allowed, monotonic
        self._token = token if isinstance(token, Secret) else Secret(token)
        self._web = api_client(self._token.text, api_url, timeout)
        self._members: dict[str, tuple[float, frozenset[str]]] = {}
        self.problem: str | None = None
        """Why a group's members are not known, in a sentence."""

    def may(self, user: str) -> bool | None:
        """Whether this user may; None if that depends on a group which can't be read now."""
        if self._everybody or user in self._users:
            return True
        groups = [self._of(group) for group in self._groups]
        if any(user in members for members in groups if members is not None):
            return True
        return None if None in groups else False

    def _of(self, group: str) -> frozenset[str] | None:
        now = self._monotonic()
        at, members = self._members.get(group, (-math.inf, frozenset()))
        if now - at < FRESH_SECONDS:
            return members
        try:
            self._web.token = self._token.text
            answer = self._web.api_call("usergroups.users.list", http_verb="GET", params={"usergroup": group})
            members = frozenset(map(str, answer.get("users") or ()))
        except (SlackClientError, OSError, HTTPException, ValueError) as error:
            if isinstance(error, SlackApiError) and self._token.read_again():
                return self._of(group)
            self.problem = f"the members of user group {group} can't be read ({_said(error)}); needs usergroups:read"
            log.warning("%s", self.problem)
            return None
        self.problem = None
        self._members[group] = now, members
        return members


def _said(error: Exception) -> str:
    response = getattr(error, "response", None)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    return code if code.isidentifier() else type(error).__name__
