"""Buttons in Slack's messages: whether presses would be heard, and who may press. A connection is asked for, and not
opened."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from monitor.cli.doctor.finding import Finding, missing, off, ok, problem
from monitor.settings.receiver_names import tells_slack
from monitor.settings.root import Config
from monitor.settings.slack import SlackSettings

if TYPE_CHECKING:
    from slack_sdk import WebClient

TIMEOUT = 5
_TOKEN = "make an app-level token with the scope connections:write (Basic Information) and set SLACK_APP_TOKEN"


def slack_buttons(config: Config) -> Iterator[Finding]:
    settings = config.slack
    if settings is None or not tells_slack(config):
        return
    if settings.token is None:
        yield off("", "messages of an incoming webhook have a link to the page instead of buttons")
    elif settings.app_token is None:
        yield missing("", "messages have a link to the page instead of buttons", _TOKEN)
    else:
        yield from _heard(settings, settings.token.get_secret_value(), settings.app_token.get_secret_value())


def _heard(settings: SlackSettings, token: str, app_token: str) -> Iterator[Finding]:
    # Imported here so that the page of those without Slack does not wait for its SDK.
    from alerts.notify.slack.web_client import api_client

    web = api_client(token, settings.api_url, TIMEOUT)
    code = _asked(web, "apps.connections.open", {"token": app_token}, "POST")
    if code:
        yield problem("", f"presses are not heard: apps.connections.open answers {code}", _TOKEN)
    else:
        yield ok("", f"presses are heard over Socket Mode; {_who(settings)} may act")
    for group in [id for id in settings.allow if id.startswith("S")]:
        if code := _asked(web, "usergroups.users.list", {"usergroup": group}, "GET"):
            todo = "give the app the scope usergroups:read, install it again, and look at slack.allow"
            yield problem("", f"the members of user group {group} can't be read: {code}", todo)


def _who(settings: SlackSettings) -> str:
    groups = sum(id.startswith("S") for id in settings.allow)
    counts = {"user": len(settings.allow) - groups, "user group": groups}
    parts = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count]
    return " and ".join(parts) or "everybody who sees a message"


def _asked(web: WebClient, method: str, params: dict[str, Any], verb: str) -> str:
    """Asks, and gives what is wrong in a word; empty if nothing is."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        web.api_call(method, http_verb=verb, params=params)
    except SlackApiError as error:
        data = error.response.data
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        return code if code.isidentifier() else f"status {error.response.status_code}"
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return str(getattr(reason, "strerror", None) or type(reason).__name__).lower()
    return ""
