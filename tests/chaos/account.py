"""Holds what the daemon decided against what people read: what was lost, and what was said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.slack import Said


@dataclass
class Account:
    incidents: int = 0
    messages: int = 0
    lost: list[str] = field(default_factory=list)
    """Incidents whose end nobody could read, each with what is missing."""
    twice: int = 0
    """Messages and replies that say what another one says."""
    outside: int = 0
    """Of those, how many have no send between them whose end nobody could know."""
    most: int = 0
    """Of one and the same message or reply, how many too many at most."""


def account(incidents: Sequence[tuple[str, str]], said: Sequence[Said], unsure: Sequence[float]) -> Account:
    """`incidents`: (id, key) of all that the daemon decided, each of which is over; `unsure`: when (wall time) a send
    may have been cut off, by a kill or by Slack."""
    found = Account(incidents=len(incidents), messages=len(said))
    for id, key in incidents:
        mine = [item for item in said if item.incident == id]
        if not any(item.over for item in mine if not item.about):
            found.lost.append(f"{key} ({id}): {'its end was not told' if mine else 'never told'}")
        groups: dict[tuple[str, ...], list[float]] = {}
        for item in mine:
            if not item.deleted:
                groups.setdefault(item.about, []).append(item.at)
        for times in groups.values():
            found.twice += len(times) - 1
            found.most = max(found.most, len(times) - 1)
            found.outside += sum(not _excused(*pair, unsure) for pair in pairwise(times))
    return found


def _excused(first: float, second: float, unsure: Sequence[float]) -> bool:
    # A kill is noted just after it, the message's time by the stand-in as it arrives.
    return any(first - 0.5 <= at <= second for at in unsure)
