"""What the config's `slack` section may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from alerts.delivery.mute_times import TimeZone
from alerts.duration import Timeout
from alerts.rules.rule import Severity

_ID = re.compile(r"[UWS][A-Z0-9]{2,30}")
_ALL = ("here", "channel", "everyone")


def _who(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(
            f"{value!r} is no id of a user (U…) or a user group (S…); a profile's menu has it, as 'Copy member ID'"
        )
    return value


def _whom(value: str) -> str:
    value = value.removeprefix("@") if value.removeprefix("@") in _ALL else value
    if value not in _ALL and not _ID.fullmatch(value):
        raise ValueError(f"{value!r} is no id of a user (U…) or a user group (S…), and none of {', '.join(_ALL)}")
    return value


class SlackSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str | None = None
    """Where messages go, such as #ml-oncall; with `token`."""
    token: SecretStr | None = None
    """The bot's token (xoxb-…); SLACK_BOT_TOKEN unless given."""
    token_file: Path | None = None
    """A file with the bot's token."""
    webhook_url: SecretStr | None = None
    """An incoming webhook instead of channel and token; it can't update its messages."""
    webhook_url_file: Path | None = None
    """A file with the webhook's address."""
    api_url: str = "https://slack.com/api/"
    """Where Slack's Web API is."""
    timeout: Timeout = 10.0
    """Of one request."""
    also_direct: bool = False
    """Send to Slack although Alertmanager is told."""
    app_token: SecretStr | None = None
    """The app's own token (xapp-…, scope connections:write): with it messages have buttons, over Socket Mode."""
    app_token_file: Path | None = None
    """A file with the app's token."""
    allow: list[Annotated[str, AfterValidator(_who)]] = []
    """Ids of the users (U…) and user groups (S…) whose presses count; none means everybody who sees the message."""
    mentions: dict[Severity, list[Annotated[str, AfterValidator(_whom)]]] = {}
    """Whom a message calls, by severity: ids of users and user groups, here, channel or everyone."""
    time_zone: TimeZone = "UTC"
    """Where the receivers live: 'until tomorrow' ends there at nine in the morning."""
