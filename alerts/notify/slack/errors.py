"""What Slack's answers mean for those who asked: whether to try again, and what somebody has to do."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING, Any

from alerts.notify import NotifyError
from alerts.notify.transport import denial, wait_seconds

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookResponse

RATE_LIMIT_WAIT = 30.0
"""Seconds to wait when Slack limits the rate without saying for how long."""

_SOON = {
    "internal_error",
    "fatal_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "message_limit_exceeded",
    "rollup_error",
}
"""The way is barred for a while: the receiver waits, and no message is given up."""
_LIMITED = {"ratelimited", "rate_limited"}
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "message_deleted"}
_TOKEN = "set a valid bot token"
_CHANNEL = "let the app post to the channel, or name another in slack.channel"
_ACCOUNT = "ask those who run your Slack workspace"
_HOOK = "make a new incoming webhook and set slack.webhook_url"
_SOMEBODY = {
    **dict.fromkeys(["not_authed", "invalid_auth", "token_revoked", "token_expired", "not_allowed_token_type"], _TOKEN),
    **dict.fromkeys(["account_inactive", "no_permission", "ekm_access_denied", "access_denied"], _ACCOUNT),
    **dict.fromkeys(["org_login_required", "team_access_not_granted", "enterprise_is_restricted"], _ACCOUNT),
    **dict.fromkeys(["two_factor_setup_required", "accesslimited", "team_disabled", "no_team"], _ACCOUNT),
    "missing_scope": "give the app the scope chat:write and install it again",
    "channel_not_found": "check slack.channel, and invite the app to it if it is private",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "unarchive the channel or name another in slack.channel",
    "channel_is_archived": "unarchive the channel or make a webhook for another",
    **dict.fromkeys(["restricted_action", "restricted_action_read_only_channel", "user_not_found"], _CHANNEL),
    **dict.fromkeys(["restricted_action_thread_only_channel", "posting_to_general_channel_denied"], _CHANNEL),
    **dict.fromkeys(["no_service", "no_service_id", "invalid_token", "action_prohibited"], _HOOK),
}
"""What somebody has to do about the token, the account, the channel or the scope. Any other code is about one message,
for Slack has more of them than it lists, and no message may stand before all others."""


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


def hook_error(answer: WebhookResponse) -> NotifyError | None:
    """Return what is wrong by a webhook's answer; None where it took the message, which it says itself: `ok`, or from a
    workflow nothing or JSON without an error. The status alone says little."""
    text = answer.body.strip()
    denied = denial(text)
    if answer.status_code == 200 and denied is None and (text in ("", "ok") or text.startswith("{")):
        return None
    return _error(answer.status_code, text[:100] if denied is None else denied, answer.headers, of_hook=True)


def _error(status: int, code: str, headers: Mapping[str, Any], of_hook: bool = False) -> NotifyError:
    code = code if code.replace("_", "").isalnum() else ""
    said = f"{code or 'no reason given'} (HTTP {status})"
    if status == 429 or code in _LIMITED:
        return NotifyError(f"Slack limits the rate: {said}", retry=True, after=_retry_after(headers))
    if status >= 500 or code in _SOON or (status == 200 and not code):
        return NotifyError(f"Slack failed: {said}", retry=True, unsure=status >= 500)
    if 300 <= status < 400:
        key = "slack.webhook_url" if of_hook else "slack.api_url"
        return NotifyError(f"Slack's address leads elsewhere (HTTP {status}); look at {key}", retry=False)
    if (advice := _SOMEBODY.get(code)) or (not code and status in (401, 403, 404, 410)):
        return NotifyError(f"Slack refused: {said}; {advice or _HOOK}", retry=False)
    return NotifyError(f"Slack refused the message: {said}", retry=False, of_message=True)


def _retry_after(headers: Mapping[str, Any]) -> float:
    value = next((item for name, item in headers.items() if name.lower() == "retry-after"), None)
    asked = wait_seconds(str(value))
    return RATE_LIMIT_WAIT if asked is None else asked
