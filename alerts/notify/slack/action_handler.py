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
from alerts.notify.slack.buttons import Button, ButtonAction, silent_until
from alerts.notify.slack.details import details


class ActionOutcome(StrEnum):
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
class ActionReply:
    """What the user alone is shown."""

    outcome: ActionOutcome
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


class ActionStore(Protocol):
    """Incidents; see `monitor.store.alerts.slack_actions`."""

    def incident(self, id: str) -> Incident | None: ...
    def address(self, id: str, receiver: str) -> Address | None: ...
    def acknowledge(self, id: str, by: str, now: float, until: float) -> tuple[Acknowledgement | None, bool]: ...
    def silence(self, id: str, by: str, now: float, until: float, comment: str) -> tuple[Silencing | None, bool]: ...


MayPress = Callable[[str], bool | None]
"""Whether the user with this id may; None if that can't be told now."""


@dataclass(frozen=True, slots=True)
class ActionOptions:
    acknowledged_for: float = 86400.0
    time_zone: str = "UTC"
    page: str = ""


class ActionHandler:
    """Takes presses one after another."""

    def __init__(self, store: ActionStore, may: MayPress, options: ActionOptions, receiver: str = "slack") -> None:
        self._store, self._may, self._options, self._receiver = store, may, options, receiver

    def take(self, press: ButtonAction, app: str, now: float) -> ActionReply:
        """Does what the press asks for at wall time `now`. `app` is what the connection says that this app is."""
        incident = self._store.incident(press.incident)
        address = self._store.address(press.incident, self._receiver)
        if incident is not None and address is None:
            return ActionReply(
                ActionOutcome.UNKNOWN, "This message has only just been sent; nothing was done. Try again."
            )
        if incident is None or address is None or not _ours(press, app, address):
            return ActionReply(
                ActionOutcome.FOREIGN, "This Watchkeeper knows no incident of this message; nothing was done."
            )
        if press.button is Button.DETAILS:
            text, blocks = details(incident, self._options.page)
            return ActionReply(ActionOutcome.SHOWN, text, blocks)
        allowed = self._may(press.user)
        if allowed is None:
            return ActionReply(
                ActionOutcome.UNKNOWN, "Whether you may do this can't be told now; nothing was done. Try again."
            )
        if not allowed:
            return ActionReply(ActionOutcome.REFUSED, "You are not among those who may do this; nothing was done.")
        if press.button is Button.ACK:
            return self._acknowledge(press, now)
        return self._silence(press, incident, now)

    def _acknowledge(self, press: ButtonAction, now: float) -> ActionReply:
        held, new = self._store.acknowledge(press.incident, press.by, now, now + self._options.acknowledged_for)
        if held is None:
            return ActionReply(ActionOutcome.OVER, "The incident is over already.")
        until = when(held.until)
        if new:
            return ActionReply(ActionOutcome.DONE, f"You are on it, until {until}.")
        return ActionReply(ActionOutcome.REPEATED, f"You are on it already, until {until}.")

    def _silence(self, press: ButtonAction, incident: Incident, now: float) -> ActionReply:
        until = silent_until(press.button, now, self._options.time_zone)
        comment = f"pressed in Slack on {incident.title}"
        held, new = self._store.silence(press.incident, press.by, now, until, comment)
        if held is None:
            return ActionReply(ActionOutcome.OVER, "The incident is over already.")
        end = when(held.until)
        if new:
            return ActionReply(
                ActionOutcome.DONE, f"Silenced until {end}; `watchkeeper silence expire` ends it earlier."
            )
        return ActionReply(ActionOutcome.REPEATED, f"{escape(held.by, 100)} has silenced it already, until {end}.")


def _ours(press: ButtonAction, app: str, address: Address) -> bool:
    """Whether the press was made on our message about this incident, where we posted it."""
    return (address.get("channel"), address.get("ts")) == (press.channel, press.ts) and app in ("", press.app)
