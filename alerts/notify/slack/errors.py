"""What Slack's answers mean for those who asked: whether to try again, and what somebody has to do."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING, Any

from alerts.notify import NotifyError

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookResponse

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


class Gone(Exception):
    """The message to change is deleted or not ours to change."""


def quiet_logger() -> logging.Logger:
    """For the SDK, which at DEBUG would log tokens and addresses; and each failure is told once, by whoever asked."""
    logger = logging.getLogger("watchkeeper.slack.sdk")
    logger.setLevel(logging.CRITICAL)
    return logger


def unanswered(error: Exception) -> NotifyError:
    """There was no answer, so it may have arrived."""
    if isinstance(error, OSError):
        reason = getattr(error, "reason", None) or error
        return NotifyError(f"Slack can't be reached: {reason or type(error).__name__}", retry=True, unsure=True)
    # Their texts may hold the address, and a webhook's address is a secret.
    soon = isinstance(error, HTTPException) and not isinstance(error, InvalidURL)
    return NotifyError(f"Slack can't be asked: {type(error).__name__}", retry=soon, unsure=soon)


def api_error(response: Any) -> Exception:
    status, data = response.status_code, response.data
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if code in _GONE:
        return Gone(code)
    return _error(status, code, response.headers)


def hook_error(answer: WebhookResponse) -> NotifyError:
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
