"""How notifiers reach an HTTP address: what they send, what comes back, and what the answer means for the outbox."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from alerts.notify import NotifyError

_DENIALS = {"no_service", "no_service_id", "no_team", "invalid_token", "action_prohibited", "channel_not_found"}
"""Texts with which Slack's webhooks, and those like them, have refused a message under status 200."""
LONGEST_WAIT = 3600.0
"""No receiver's Retry-After keeps a line waiting longer."""


@dataclass(frozen=True, slots=True)
class Post:
    """One POST. Address, headers and body may hold secrets, and are not shown."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of an answer, its status in words, and the first of its text."""

    status: int
    said: str
    text: str = ""
    retry_after: str = ""


class Transport(Protocol):
    """Makes one exchange within a time limit; raises NotifyError (`retry`) when there is no answer."""

    def __call__(self, post: Post) -> Reply: ...


def raise_for_reply(
    who: str, reply: Reply, advice: Mapping[int, str], of_message: Collection[int] = (400, 413, 422)
) -> None:
    """Raises NotifyError for all but success: a busy or broken receiver is tried again, a refused message is given up
    after some tries, and for the rest somebody has to act. The answer's text is not repeated: it may hold secrets."""
    said = f"{who} answered {reply.said}"
    if 200 <= reply.status < 300:
        if denial(reply.text) is None:
            return
        raise NotifyError(f"{said}, and in its text that it failed", retry=False, of_message=True)
    if 300 <= reply.status < 400:
        raise NotifyError(
            f"{said}: the address leads elsewhere, which is not followed; give the right one", retry=False
        )
    if reply.status in (408, 425, 429) or reply.status >= 500:
        raise NotifyError(said, retry=True, after=wait_seconds(reply.retry_after))
    if reply.status in of_message:
        raise NotifyError(f"{said}: it does not take this message", retry=False, of_message=True)
    raise NotifyError(f"{said}; {advice.get(reply.status, 'look at its address in the config')}", retry=False)


def denial(text: str) -> str | None:
    """Return the reason with which an answer says no in its text, whatever its status says; None where it does not.

    >>> denial('{"ok": false, "error": "channel_not_found"}'), denial('{"success": false}'), denial("no_service")
    ('channel_not_found', 'no reason given', 'no_service')
    >>> denial('{"ok": true}'), denial("ok"), denial("")
    (None, None, None)
    """
    if text.strip() in _DENIALS:
        return text.strip()
    try:
        said = json.loads(text) if text.lstrip().startswith("{") else {}
    except ValueError:
        return None
    if said.get("ok") is False or said.get("success") is False:
        return str(said.get("error") or "no reason given")
    return None


def wait_seconds(text: str) -> float | None:
    """Return the seconds that a header Retry-After asks for, LONGEST_WAIT at most; None where it is no number of them.

    >>> wait_seconds("30"), wait_seconds("²"), wait_seconds("Wed, 21 Oct 2015 07:28:00 GMT")
    (30.0, None, None)
    """
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else None
