"""Slack: one message an incident, changed in place, with replies in its thread (bot token), or posts (webhook).

The SDK is imported when a Slack receiver is made, so that a daemon without one does not carry it. It retries nothing
itself: its own handlers would post a message twice after a dropped connection.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from alerts.incident import Notice, Why
from alerts.notify import Address, Found, NotifyError
from alerts.notify.blocks import payload, plain, reply

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.webhook import WebhookClient, WebhookResponse

RATE_LIMIT_WAIT = 30.0
"""Seconds to wait when Slack limits the rate without saying for how long."""

_SOON = {
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "message_limit_exceeded",
    "rollup_error",
}
_OF_MESSAGE = {
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_payload",
    "msg_too_long",
    "msg_blocks_too_long",
    "no_text",
    "too_many_attachments",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
    "invalid_arguments",
}
SKEW = 300.0
"""Seconds by which Slack's clock and ours may differ."""
_READS = {"conversations.history", "conversations.replies", "users.conversations"}
_SAID = {Why.RESOLVED, Why.SEVERITY_ROSE, Why.ACKNOWLEDGED, Why.REPEATED}
"""Also said in the thread, where people are told of it."""
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "message_deleted"}
_ADVICE = {
    "channel_not_found": "check slack.channel, and invite the app to it if it is private",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "unarchive the channel or name another in slack.channel",
    "channel_is_archived": "unarchive the channel or make a webhook for another",
    "missing_scope": "give the app the scope chat:write and install it again",
    "no_service": "make a new incoming webhook and set slack.webhook_url",
}
_TOKEN = {"not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}


class SlackSettingsLike(Protocol):
    """What of a config's `slack` section is read."""

    @property
    def channel(self) -> str | None: ...
    @property
    def token(self) -> SecretStr | None: ...
    @property
    def webhook_url(self) -> SecretStr | None: ...
    @property
    def api_url(self) -> str: ...
    @property
    def timeout(self) -> float: ...


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


class _Gone(Exception):
    """The message to change is deleted or not ours to change."""


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
        # At DEBUG the SDK would log the webhook's address; and each failure is told once, by the outbox.
        logger = logging.getLogger("watchkeeper.slack.sdk")
        logger.setLevel(logging.CRITICAL)
        timeout = max(1, math.ceil(options.timeout))
        if options.token and options.channel:
            from slack_sdk import WebClient

            self._web = WebClient(
                options.token.get_secret_value(),
                base_url=options.api_url,
                timeout=timeout,
                retry_handlers=[],
                logger=logger,
            )
        elif options.webhook_url:
            from slack_sdk.webhook import WebhookClient

            self._hook = WebhookClient(
                options.webhook_url.get_secret_value(), timeout=timeout, retry_handlers=[], logger=logger
            )
        else:
            raise ValueError("slack needs a bot token and a channel, or an incoming webhook")

    @classmethod
    def of(cls, settings: SlackSettingsLike, page: str = "") -> Slack:
        """From the config's `slack` section, with its secrets filled in."""
        return cls(
            SlackOptions(
                settings.channel, settings.token, settings.webhook_url, settings.api_url, settings.timeout, page
            )
        )

    @property
    def wants(self) -> frozenset[Why]:
        """A webhook's messages can't be changed, so it is told only of beginnings and ends."""
        return frozenset(Why) if self._web is not None else frozenset({Why.FIRST, Why.RESOLVED})

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
                    self._call("chat.postMessage", where | reply(notice.incident, notice.why))
            except _Gone:
                return self._post(notice)
            return address
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise _unanswered(error) from None

    def find(self, notice: Notice, address: Address | None, since: float) -> Found | None:
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
            return Found(address, done)
        except _Gone:
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
            raise _unanswered(error) from None

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
        message = payload(notice.incident, notice.why, self._options.page)
        try:
            return self._call(method, {**where, **message})
        except NotifyError as error:
            if not error.of_message:
                raise
        # An empty list takes an updated message's old blocks away.
        return self._call(method, {**where, **plain(notice.incident, notice.why), "blocks": []})

    def _call(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackApiError

        assert self._web is not None
        quiet = {"unfurl_links": False, "unfurl_media": False} if method == "chat.postMessage" else {}
        try:
            # What only reads takes no JSON.
            given = {"params": dict(body)} if method in _READS else {"json": {**body, **quiet}}
            answer = self._web.api_call(method, http_verb="GET" if method in _READS else "POST", **given)
        except SlackApiError as error:
            raise _api_error(error.response) from None
        data = answer.data
        if not isinstance(data, dict):
            raise NotifyError("Slack answered with something that is not JSON", retry=True)
        return data

    def _post_to_hook(self, notice: Notice) -> None:
        assert self._hook is not None
        for message in (payload(notice.incident, notice.why, self._options.page), plain(notice.incident, notice.why)):
            answer = self._hook.send(text=message["text"], blocks=message.get("blocks"))
            if answer.status_code == 200:
                return
            error = _hook_error(answer)
            if not error.of_message:
                raise error
        raise error


def _news(notice: Notice) -> tuple[str, int, str]:
    return notice.incident.id, notice.incident.version, notice.why.value


def _payload_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    found: Mapping[str, Any] = metadata.get("event_payload") or {}
    return found if metadata.get("event_type") == "watchkeeper_incident" else {}


def _unanswered(error: Exception) -> NotifyError:
    """There was no answer, so it may have arrived."""
    if isinstance(error, OSError):
        reason = getattr(error, "reason", None) or error
        return NotifyError(f"Slack can't be reached: {reason or type(error).__name__}", retry=True, unsure=True)
    # Their texts may hold the address, and a webhook's address is a secret.
    soon = isinstance(error, HTTPException) and not isinstance(error, InvalidURL)
    return NotifyError(f"Slack can't be asked: {type(error).__name__}", retry=soon, unsure=soon)


def _api_error(response: Any) -> Exception:
    status, data = response.status_code, response.data
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if code in _GONE:
        return _Gone(code)
    return _error(status, code, response.headers)


def _hook_error(answer: WebhookResponse) -> NotifyError:
    return _error(answer.status_code, answer.body.strip()[:100], answer.headers)


def _error(status: int, code: str, headers: Mapping[str, Any]) -> NotifyError:
    code = code if code.replace("_", "").isalnum() else ""
    said = f"{code or 'no reason given'} (HTTP {status})"
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return NotifyError(f"Slack limits the rate: {said}", retry=True, after=_retry_after(headers))
    if status >= 500 or code in _SOON or (status == 200 and not code):
        return NotifyError(f"Slack failed: {said}", retry=True, unsure=status >= 500)
    if code in _OF_MESSAGE:
        return NotifyError(f"Slack refused the message: {said}", retry=False, of_message=True)
    advice = "set a valid bot token" if code in _TOKEN else _ADVICE.get(code, "see Slack's documentation of this error")
    return NotifyError(f"Slack refused: {said}; {advice}", retry=False)


def _retry_after(headers: Mapping[str, Any]) -> float:
    value = next((item for name, item in headers.items() if name.lower() == "retry-after"), None)
    try:
        return max(0.0, float(value if value is not None else RATE_LIMIT_WAIT))
    except ValueError:
        return RATE_LIMIT_WAIT
