"""Slack: one message an incident, changed in place, with replies in its thread (bot token), or posts (webhook).

The SDK is imported when a Slack receiver is made, so that a daemon without one does not carry it. It retries nothing
itself: its own handlers would post a message twice after a dropped connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from alerts.incidents.incident import Notice, Why
from alerts.notify import Address, FoundMessage, NotifyError
from alerts.notify.slack.blocks import mention, payload, plain, reply
from alerts.notify.slack.buttons import links, pressable
from alerts.notify.slack.errors import Gone, api_error, hook_error, unanswered
from alerts.rules.rule import Severity
from alerts.secret_file import Secret

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.webhook import WebhookClient

SKEW = 300.0
"""Seconds by which Slack's clock and ours may differ."""
_READS = {"conversations.history", "conversations.replies", "users.conversations"}
_SAID = {Why.RESOLVED, Why.SEVERITY_ROSE, Why.NEW_ALERTS, Why.ACKNOWLEDGED, Why.SILENCED, Why.REPEATED}
"""Also said in the thread, where people are told of it."""
_CALLING = {Why.FIRST, Why.SEVERITY_ROSE, Why.REPEATED}
"""Where somebody is to come; Slack calls nobody for a message that is only changed."""


class SlackSettingsLike(Protocol):
    """What of a config's `slack` section is read."""

    @property
    def channel(self) -> str | None: ...
    @property
    def token(self) -> SecretStr | None: ...
    @property
    def webhook_url(self) -> SecretStr | None: ...
    @property
    def token_file(self) -> Path | None: ...
    @property
    def webhook_url_file(self) -> Path | None: ...
    @property
    def api_url(self) -> str: ...
    @property
    def timeout(self) -> float: ...
    @property
    def mentions(self) -> Mapping[Severity, list[str]]: ...


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """A bot token with a channel, or an incoming webhook's address; the token wins."""

    channel: str | None = None
    token: SecretStr | None = None
    webhook_url: SecretStr | None = None
    api_url: str = "https://slack.com/api/"
    timeout: float = 10.0
    page: str = ""
    """Where people reach Watchkeeper's page; for a link."""
    mentions: Mapping[Severity, list[str]] = field(default_factory=dict)
    """Whom to call, by severity: ids of users and user groups, here, channel or everyone."""
    grafana: str = ""
    """Where people reach the Grafana that has our dashboards; for a link."""
    token_file: Path | None = None
    """Where the token is from, if from a file."""
    webhook_url_file: Path | None = None
    """Where the webhook's address is from, if from a file."""


class Slack:
    """Sends to one channel. Safe for one thread at a time."""

    name = "slack"
    pace = 1.0

    def __init__(self, options: SlackOptions) -> None:
        self._options = options
        self._web: WebClient | None = None
        self._hook: WebhookClient | None = None
        self._blind = False
        self._told: tuple[str, int, str] | None = None
        """What `find` saw in the thread: incident, version, why."""
        self.hears: Callable[[], bool] = lambda: False
        """Whether a press on a button would reach somebody; else the message has a link instead."""
        from alerts.notify.slack.web_client import api_client, hook_client

        self._token = Secret(options.token, options.token_file)
        self._hook_url = Secret(options.webhook_url, options.webhook_url_file)
        if options.token and options.channel:
            self._web = api_client(self._token.text, options.api_url, options.timeout)
        elif options.webhook_url:
            self._hook = hook_client(self._hook_url.text, options.timeout)
        else:
            raise ValueError("slack needs a bot token and a channel, or an incoming webhook")

    @classmethod
    def of(cls, settings: SlackSettingsLike, page: str = "", grafana: str = "") -> Slack:
        """From the config's `slack` section, with its secrets filled in."""
        return cls(
            SlackOptions(
                settings.channel,
                settings.token,
                settings.webhook_url,
                settings.api_url,
                settings.timeout,
                page,
                settings.mentions,
                grafana,
                settings.token_file,
                settings.webhook_url_file,
            )
        )

    def read_again(self) -> bool:
        """Read the token, or the webhook's address, from its file again; return whether it is another one."""
        if self._web is not None:
            changed = self._token.read_again()
            self._web.token = self._token.text
        else:
            assert self._hook is not None
            changed = self._hook_url.read_again()
            self._hook.url = self._hook_url.text
        # What the app may read is the new token's.
        self._blind = self._blind and not changed
        return changed

    @property
    def wants(self) -> frozenset[Why]:
        """A webhook's messages can't be changed: it gets a post of each piece of news, and none of mere changes."""
        return frozenset(Why) if self._web is not None else frozenset({Why.FIRST, *_SAID})

    def send(self, notice: Notice, address: Address | None) -> Address:
        """Posts the incident, or changes its message in place and replies in the thread where people are to look
        again. Raises NotifyError."""
        from slack_sdk.errors import SlackClientError

        try:
            if self._web is None:
                self._post_to_hook(notice)
                return {}
            if address is None or address.get("to") != self._options.channel or "ts" not in address:
                return self._post(notice)
            try:
                self._lay_out("chat.update", notice, {"channel": address["channel"], "ts": address["ts"]})
                if notice.why in _SAID and _news(notice) != self._told:
                    where = {"channel": address["channel"], "thread_ts": address["ts"]}
                    said = reply(notice.incident, notice.why, self._call_for(notice))
                    self._call("chat.postMessage", where | said | _broadcast(notice))
            except Gone:
                return self._post(notice)
            return address
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise unanswered(error) from None

    def find(self, notice: Notice, address: Address | None, since: float) -> FoundMessage | None:
        """Looks for the incident's message by its metadata, and for the news in its thread. Needs the scope to read the
        channel's history; without it nothing is found."""
        from slack_sdk.errors import SlackClientError

        if self._web is None or self._blind:
            return None
        try:
            if address is None or address.get("to") != self._options.channel or "ts" not in address:
                address, version = self._posted(notice, since)
                if address is None:
                    return None
            else:
                version = None  # an update that is made again changes nothing
            done = version == notice.incident.version
            if notice.why in _SAID and version is None and self._is_said(notice, address, since):
                self._told = _news(notice)
            return FoundMessage(address, done)
        except Gone:
            return None
        except NotifyError as error:
            if not error.retry:
                self._blind = True
                logging.getLogger("watchkeeper.slack").warning(
                    "the channel's history can't be read (%s): a message whose end is not known may be sent twice",
                    error,
                )
                return None
            raise
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise unanswered(error) from None

    def _posted(self, notice: Notice, since: float) -> tuple[Address | None, int | None]:
        """Where the incident's message is, and the version that it shows."""
        # A history is read by the channel's id, which is not known before the first answer to a post.
        for channel in self._channels():
            query = {"channel": channel, "oldest": f"{since - SKEW:.6f}", "limit": 200, "include_all_metadata": True}
            for message in self._call("conversations.history", query).get("messages", []):
                payload = _payload_of(message)
                if payload.get("incident") == notice.incident.id and "thread_ts" not in message:
                    where = {"channel": channel, "ts": str(message["ts"]), "to": self._options.channel or ""}
                    return where, payload.get("version")
        return None, None

    def _is_said(self, notice: Notice, address: Address, since: float) -> bool:
        query = {
            "channel": address["channel"],
            "ts": address["ts"],
            "oldest": f"{since - SKEW:.6f}",
            "limit": 200,
            "include_all_metadata": True,
        }
        wanted = _news(notice)
        for message in self._call("conversations.replies", query).get("messages", []):
            payload = _payload_of(message)
            said = (payload.get("incident"), payload.get("version"), payload.get("why"))
            if said == wanted and str(message["ts"]) != address["ts"]:  # the first one is the thread's own
                return True
        return False

    def _channels(self) -> list[str]:
        """The ids of the channels that may be the configured one."""
        channel = self._options.channel or ""
        if not channel.startswith("#"):
            return [channel]
        found = self._call("users.conversations", {"types": "public_channel,private_channel", "limit": 200})
        return [str(item["id"]) for item in found.get("channels", []) if item.get("name") == channel[1:]]

    def _post(self, notice: Notice) -> Address:
        channel = self._options.channel or ""
        answer = self._lay_out("chat.postMessage", notice, {"channel": channel})
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"]), "to": channel}

    def _lay_out(self, method: str, notice: Notice, where: Mapping[str, str]) -> Mapping[str, Any]:
        """Sends with blocks, and as plain text if Slack refuses those."""
        try:
            return self._call(method, {**where, **self._laid_out(notice)})
        except NotifyError as error:
            if not error.of_message:
                raise
        # An empty list takes an updated message's old blocks away.
        return self._call(method, {**where, **self._plain(notice), "blocks": []})

    def _laid_out(self, notice: Notice) -> dict[str, Any]:
        incident, page, grafana = notice.incident, self._options.page, self._options.grafana
        row = None
        if not incident.resolved:
            row = pressable(incident) if self._web is not None and self.hears() else links(incident, page)
        calling = self._first_call(notice)
        return payload(incident, notice.why, page, grafana=grafana, buttons=row, calling=calling)

    def _plain(self, notice: Notice) -> dict[str, Any]:
        return plain(notice.incident, notice.why, self._first_call(notice))

    def _first_call(self, notice: Notice) -> str:
        """Whom a message itself calls; elsewhere than in a webhook's, only the first one does."""
        return self._call_for(notice) if notice.why is Why.FIRST or self._web is None else ""

    def _call_for(self, notice: Notice) -> str:
        if notice.why not in _CALLING:
            return ""
        return " ".join(mention(name) for name in self._options.mentions.get(notice.incident.severity, ()))

    def _call(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackApiError

        assert self._web is not None
        quiet = {"unfurl_links": False, "unfurl_media": False} if method == "chat.postMessage" else {}
        try:
            # What only reads takes no JSON.
            given = {"params": dict(body)} if method in _READS else {"json": {**body, **quiet}}
            answer = self._web.api_call(method, http_verb="GET" if method in _READS else "POST", **given)
        except SlackApiError as error:
            raise api_error(error.response) from None
        data = answer.data
        if not isinstance(data, dict):
            raise NotifyError("Slack answered with something that is not JSON", retry=True)
        return data

    def _post_to_hook(self, notice: Notice) -> None:
        """Post with blocks, and as plain text if Slack refuses those."""
        error = self._hook_error(self._laid_out(notice))
        if error is not None and error.of_message:
            error = self._hook_error(self._plain(notice))
        if error is not None:
            raise error

    def _hook_error(self, message: Mapping[str, Any]) -> NotifyError | None:
        assert self._hook is not None
        return hook_error(self._hook.send(text=message["text"], blocks=message.get("blocks")))


def _broadcast(notice: Notice) -> dict[str, bool]:
    """What shows a reply in the channel, too: a rise to critical is not for the thread alone."""
    rose = notice.why is Why.SEVERITY_ROSE and notice.incident.severity is Severity.CRITICAL
    return {"reply_broadcast": True} if rose else {}


def _news(notice: Notice) -> tuple[str, int, str]:
    return notice.incident.id, notice.incident.version, notice.why.value


def _payload_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    found: Mapping[str, Any] = metadata.get("event_payload") or {}
    return found if metadata.get("event_type") == "watchkeeper_incident" else {}
