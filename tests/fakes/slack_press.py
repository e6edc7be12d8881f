"""A user who presses a button: the payload that the app gets, and the address at which it may answer that user."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_refusal import Refusal
from tests.fakes.slack_socket import Envelope

USES = 5
SECONDS = 1800.0
"""How often, and how long, one press may be answered."""


@dataclass
class Answer:
    """What one user was shown."""

    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    ephemeral: bool = True


@dataclass
class Press:
    user: str
    action_id: str
    payload: dict[str, Any]
    envelope: Envelope | None
    """None: the app was not connected, and the user saw an error."""

    @property
    def acknowledged(self) -> bool:
        return self.envelope is not None and self.envelope.in_time

    @property
    def seconds(self) -> float | None:
        return self.envelope.acknowledged_after if self.envelope is not None else None


class Answers:
    """The response_urls that were handed out, and what came back to them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.given: list[Answer] = []
        self._clock = clock
        self._open: dict[str, tuple[str, float, int]] = {}

    def address(self, user: str) -> str:
        path = f"/actions/T000/{secrets.token_hex(6)}/{secrets.token_hex(12)}"
        self._open[path] = (user, self._clock(), 0)
        return path

    def take(self, path: str, body: bytes, content: Callable[[dict[str, Any]], Any]) -> str | None:
        """One answer; the error code if Slack does not take it. `content` checks text and blocks as in a message."""
        if path not in self._open:
            return "expired_url"
        user, since, uses = self._open[path]
        if self._clock() - since > SECONDS:
            return "expired_url"
        if uses >= USES:
            return "used_url"
        try:
            plain = json.loads(body)
            text, blocks, _ = content(plain)
        except ValueError:
            return "invalid_payload"
        except Refusal as refusal:
            return str(refusal)
        kind = plain.get("response_type", "ephemeral")
        if kind not in ("ephemeral", "in_channel") or plain.get("delete_original"):
            return "invalid_payload"
        if plain.get("replace_original", True) is not False:
            return "replaces the incident's message"
        self._open[path] = (user, since, uses + 1)
        self.given.append(Answer(user, text, blocks, kind == "ephemeral"))
        return None


def block_actions(app: str, message: Any, button: str, user: str, name: str, response_url: str) -> dict[str, Any]:
    """The payload of a press on a button of this message, found by the end of its action_id. Raises ValueError if the
    message shows no such button, or one that only opens an address."""
    for block in message.blocks:
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            if not str(element.get("action_id", "")).endswith(button) or "url" in element:
                continue
            action = {name: element[name] for name in ("action_id", "text", "value", "style") if name in element}
            action |= {"type": "button", "block_id": block.get("block_id", ""), "action_ts": f"{time.monotonic():.6f}"}
            return {
                "type": "block_actions",
                "api_app_id": app,
                "token": "legacy-verification-token",
                "team": {"id": "T000", "domain": "fake"},
                "user": {"id": user, "username": name, "name": name, "team_id": "T000"},
                "channel": {"id": message.channel, "name": "ml-oncall"},
                "container": {
                    "type": "message",
                    "message_ts": message.ts,
                    "channel_id": message.channel,
                    "is_ephemeral": False,
                },
                "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks},
                "trigger_id": secrets.token_hex(8),
                "response_url": response_url,
                "actions": [action],
            }
    raise ValueError(f"the message shows no button {button!r}")
