"""What a press on a button leads to: who may, what is done, and what that user alone is told. That an incident was
acknowledged or silenced is told by the outbox, like everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from alerts.incidents.incident import Acknowledgement, Incident, Silencing
from alerts.notify import Address
from alerts.notify.slack.blocks import escape, when
from alerts.notify.slack.buttons import Button, Press, silent_until
from alerts.notify.slack.details import details


class Outcome(StrEnum):
    """What became of a press."""

    DONE = "done"
    REPEATED = "repeated"
    """It was so already."""
    SHOWN = "shown"
    OVER = "over"
    REFUSED = "refused"
    """The user may not."""
    FOREIGN = "foreign"
    """Not on our message: another app's, another daemon's, or made up."""
    UNKNOWN = "unknown"
    """It can't be told now whether this may be done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user alone is shown."""

    outcome: Outcome
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


class DeskStore(Protocol):
    """Incidents; see `monitor.store.alerts.slack_actions`."""

    def incident(self, id: str) -> Incident | None: ...
    def address(self, id: str, receiver: str) -> Address | None: ...
    def acknowledge(self, id: str, by: str, now: float, until: float) -> tuple[Acknowledgement | None, bool]: ...
    def silence(self, id: str, by: str, now: float, until: float, comment: str) -> tuple[Silencing | None, bool]: ...


MayPress = Callable[[str], bool | None]
"""Whether the user with this id may; None if that can't be told now."""


@dataclass(frozen=True, slots=True)
class DeskOptions:
    acknowledged_for: float = 86400.0
    time_zone: str = "UTC"
    page: str = ""


class Desk:
    """Takes presses one after another."""

    def __init__(self, store: DeskStore, may: MayPress, options: DeskOptions, receiver: str = "slack") -> None:
        self._store, self._may, self._options, self._receiver = store, may, options, receiver

    def take(self, press: Press, app: str, now: float) -> Answer:
        """Does what the press asks for at wall time `now`. `app` is what the connection says that this app is."""
        incident = self._store.incident(press.incident)
        address = self._store.address(press.incident, self._receiver)
        if incident is not None and address is None:
            return Answer(Outcome.UNKNOWN, "This message has only just been sent; nothing was done. Try again.")
        if incident is None or address is None or not _ours(press, app, address):
            return Answer(Outcome.FOREIGN, "This Watchkeeper knows no incident of this message; nothing was done.")
        if press.button is Button.DETAILS:
            text, blocks = details(incident, self._options.page)
            return Answer(Outcome.SHOWN, text, blocks)
        allowed = self._may(press.user)
        if allowed is None:
            return Answer(Outcome.UNKNOWN, "Whether you may do this can't be told now; nothing was done. Try again.")
        if not allowed:
            return Answer(Outcome.REFUSED, "You are not among those who may do this; nothing was done.")
        if press.button is Button.ACK:
            return self._acknowledge(press, now)
        return self._silence(press, incident, now)

    def _acknowledge(self, press: Press, now: float) -> Answer:
        held, new = self._store.acknowledge(press.incident, press.by, now, now + self._options.acknowledged_for)
        if held is None:
            return Answer(Outcome.OVER, "The incident is over already.")
        until = when(held.until)
        if new:
            return Answer(Outcome.DONE, f"You are on it, until {until}.")
        return Answer(Outcome.REPEATED, f"You are on it already, until {until}.")

    def _silence(self, press: Press, incident: Incident, now: float) -> Answer:
        until = silent_until(press.button, now, self._options.time_zone)
        comment = f"pressed in Slack on {incident.title}"
        held, new = self._store.silence(press.incident, press.by, now, until, comment)
        if held is None:
            return Answer(Outcome.OVER, "The incident is over already.")
        end = when(held.until)
        if new:
            return Answer(Outcome.DONE, f"Silenced until {end}; `watchkeeper silence expire` ends it earlier.")
        return Answer(Outcome.REPEATED, f"{escape(held.by, 100)} has silenced it already, until {end}.")


def _ours(press: Press, app: str, address: Address) -> bool:
    """Whether the press was made on our message about this incident, where we posted it."""
    return (address.get("channel"), address.get("ts")) == (press.channel, press.ts) and app in ("", press.app)
