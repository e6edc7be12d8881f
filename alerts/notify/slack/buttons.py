"""The buttons below an incident's message, and the press that comes back. Pure.

https://docs.slack.dev/reference/block-kit/block-elements/button-element and
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from alerts.incidents.incident import Incident

URL = 3000
BLOCK = "watchkeeper"
_PREFIX = f"{BLOCK}:"
MORNING = 9
"""The hour at which 'tomorrow' begins for people."""
NIGHT = 5
"""Before this hour it is still the night before."""


class Button(StrEnum):
    ACK = "ack"
    HOUR = "silence_1h"
    HOURS = "silence_4h"
    TOMORROW = "silence_tomorrow"
    DETAILS = "details"


_TEXTS = {
    Button.ACK: "Acknowledge",
    Button.HOUR: "Silence 1 h",
    Button.HOURS: "Silence 4 h",
    Button.TOMORROW: "Silence until tomorrow",
    Button.DETAILS: "Details",
}
_SPANS = {Button.HOUR: 3600.0, Button.HOURS: 4 * 3600.0}


@dataclass(frozen=True, slots=True)
class ButtonAction:
    """One click, as Slack tells of it. `user` is Slack's own id, `name` is what the user chose."""

    button: Button
    incident: str
    user: str
    name: str
    app: str
    channel: str
    ts: str
    """Of the message that the button belongs to."""
    response_url: str

    @property
    def by(self) -> str:
        """Who it was: names can be chosen, ids can't."""
        return f"{self.name} ({self.user})" if self.name else self.user


def pressable(incident: Incident) -> dict[str, Any]:
    """The row of buttons of an open incident; whoever has acknowledged it is not asked again."""
    shown = [button for button in Button if button is not Button.ACK or incident.acknowledged is None]
    return {"type": "actions", "block_id": BLOCK, "elements": [_button(button, incident) for button in shown]}


def links(incident: Incident, page: str) -> dict[str, Any] | None:
    """What stands there where nobody would hear a press: a way to the incident's page, if that has an address."""
    url = f"{page.rstrip('/')}/incidents/{incident.id}"
    if not page.startswith(("http://", "https://")) or len(url) > URL:
        return None
    button = {"type": "button", "action_id": f"{_PREFIX}page", "text": _plain("Open Watchkeeper"), "url": url}
    return {"type": "actions", "block_id": BLOCK, "elements": [button]}


def press_of(payload: Mapping[str, Any]) -> ButtonAction | None:
    """The press in an interaction's payload; None if it is something else, or lacks a part."""
    if payload.get("type") != "block_actions":
        return None
    for action in _list(payload.get("actions")):
        prefix, _, name = str(action.get("action_id", "")).partition(":")
        if prefix != BLOCK or name not in set(Button):
            continue
        user, container = _dict(payload.get("user")), _dict(payload.get("container"))
        found = ButtonAction(
            button=Button(name),
            incident=str(action.get("value", "")),
            user=str(user.get("id", "")),
            name=str(user.get("username") or user.get("name") or ""),
            app=str(payload.get("api_app_id", "")),
            channel=str(container.get("channel_id") or _dict(payload.get("channel")).get("id", "")),
            ts=str(container.get("message_ts") or _dict(payload.get("message")).get("ts", "")),
            response_url=str(payload.get("response_url", "")),
        )
        return found if found.incident and found.user and found.channel and found.ts else None
    return None


def silent_until(button: Button, now: float, time_zone: str) -> float:
    """When the silence of this button ends; 'tomorrow' is nine in the morning where the receivers live."""
    if button in _SPANS:
        return now + _SPANS[button]
    local = datetime.fromtimestamp(now, ZoneInfo(time_zone))
    day = local.date() if local.hour < NIGHT else local.date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, MORNING, tzinfo=local.tzinfo).timestamp()


def _button(button: Button, incident: Incident) -> dict[str, Any]:
    made = {
        "type": "button",
        "action_id": f"{_PREFIX}{button}",
        "text": _plain(_TEXTS[button]),
        "value": incident.id,
    }
    return {**made, "style": "primary"} if button is Button.ACK else made


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
