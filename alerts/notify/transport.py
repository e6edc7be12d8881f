"""How notifiers reach an HTTP address: what they send, what comes back, and what the answer means for the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from alerts.notify import NotifyError

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
    if 200 <= reply.status < 300:
        return
    said = f"{who} answered {reply.said}"
    if reply.status in (408, 425, 429) or reply.status >= 500:
        raise NotifyError(said, retry=True, after=_seconds(reply.retry_after))
    if reply.status in of_message:
        raise NotifyError(f"{said}: it does not take this message", retry=False, of_message=True)
    raise NotifyError(f"{said}; {advice.get(reply.status, 'look at its address in the config')}", retry=False)


def _seconds(text: str) -> float | None:
    return min(float(text), LONGEST_WAIT) if text.isdigit() else None
