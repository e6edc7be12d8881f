"""Delivers owed notifications: small stages, each with a named outcome; retries in this one place.

What is owed was written in the transaction that changed the alerts. A pass takes each row through silence → up to date
→ wanted → send → record. A crash between send and record sends once more; nothing is lost.
"""

from __future__ import annotations

import logging
import random as randomness
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from alerts.incident import KEPT, Incident, Notice, Seen, seen_of, why_owed
from alerts.notify import Address, Notifier, NotifyError
from alerts.silence import Silence, silenced

log = logging.getLogger("watchkeeper.outbox")

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Backoff doubles from the one to the other, so that a receiver is tried within half a minute of its recovery."""
PARKED_WAIT = 300.0
"""Seconds between tries while someone has to act, such as on a revoked token."""
MESSAGE_TRIES = 5
"""After so many refusals of one message it is given up."""
BATCH = 32


class Outcome(StrEnum):
    """What became of a notification in a pass. The first five end it."""

    SENT = "sent"
    COLLAPSED = "collapsed"
    SILENCED = "silenced"
    SKIPPED = "skipped"
    FAILED = "failed"
    POSTPONED = "postponed"
    RETRIED = "retried"
    PARKED = "parked"
    UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True)
class Owed:
    """One row of the outbox, with what is needed to deliver it."""

    id: int
    receiver: str
    attempts: int
    due_at: float
    incident: Incident
    seen: Seen | None
    address: Address | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a receiver's message is, and what it says."""

    incident: str
    receiver: str
    address: Address
    seen: Seen


class OutboxStore(Protocol):
    def owed(self, receiver: str, now: float, limit: int) -> list[Owed]:
        """Rows due at `now`, oldest first."""
        ...

    def silences(self, now: float) -> list[Silence]:
        """Silences active at `now`."""
        ...

    def record(self, id: int, outcome: Outcome, now: float, *, delivered: Delivered | None = None) -> None:
        """Ends a row and stores its message's address, in one transaction."""
        ...

    def postpone(self, id: int, due_at: float, why: str, *, attempted: bool) -> None: ...


OnOutcome = Callable[[str, Outcome, str | None], None]
"""(receiver, outcome, problem): the problem is one sentence while the receiver is not well, None when it is."""


@dataclass(slots=True)
class _Line:
    """A receiver's standing within this process; monotonic seconds."""

    not_before: float = 0.0
    failures: int = 0


class Delivery:
    """Drains the outbox. One pass at a time a receiver; receivers do not wait for each other's back-off."""

    def __init__(
        self,
        store: OutboxStore,
        receivers: Mapping[str, Notifier],
        clock: _Clock,
        on_outcome: OnOutcome,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._store = store
        self._receivers = dict(receivers)
        self._clock = clock
        self._on_outcome = on_outcome
        self._random = random
        self._lines = {name: _Line() for name in receivers}
        self._unrecorded: dict[str, tuple[int, Delivered]] = {}

    def deliver_due(self, now: float) -> int:
        """One pass over every receiver at wall time `now`; returns how many notifications were sent. Never raises."""
        return sum(self.deliver(name, now) for name in self._receivers)

    def deliver(self, receiver: str, now: float) -> int:
        """One pass over one receiver; for a thread of its own, so that a hanging one holds up nobody."""
        line = self._lines[receiver]
        if self._clock.monotonic() < line.not_before:
            return 0
        sent = 0
        try:
            self._record_sent(receiver, now)
            due = self._store.owed(receiver, now, BATCH)
            silences = self._store.silences(now) if due else []
            for owed in due:
                outcome = self._one(owed, silences, now)
                sent += outcome is Outcome.SENT
                if self._clock.monotonic() < line.not_before:
                    break
        except Exception:
            log.exception("a delivery pass to %s failed", receiver)
            line.not_before = self._clock.monotonic() + FIRST_WAIT
            self._on_outcome(receiver, Outcome.UNRECORDED, "the outbox can't be read or written; see the log")
        return sent

    def _one(self, owed: Owed, silences: Sequence[Silence], now: float) -> Outcome:
        incident = owed.incident
        quiet = muted(incident, silences, now)
        if quiet is not None:
            if not incident.resolved:
                return self._postpone(owed, quiet)
            if owed.seen is None:
                return self._end(owed, Outcome.SILENCED, now)
        why = why_owed(incident, owed.seen)
        if why is None:
            return self._end(owed, Outcome.COLLAPSED, now)
        if why not in self._receivers[owed.receiver].wants:
            return self._end(owed, Outcome.SKIPPED, now)
        return self._send(owed, Notice(incident, why), now)

    def _postpone(self, owed: Owed, silence: Silence) -> Outcome:
        if owed.due_at != silence.ends_at:
            self._store.postpone(owed.id, silence.ends_at, f"silenced by {silence.id}", attempted=False)
            log.info("%s: %s is silenced by %s", owed.receiver, owed.incident.key, silence.id)
            self._on_outcome(owed.receiver, Outcome.POSTPONED, None)
        return Outcome.POSTPONED

    def _send(self, owed: Owed, notice: Notice, now: float) -> Outcome:
        notifier, line = self._receivers[owed.receiver], self._lines[owed.receiver]
        try:
            address = notifier.send(notice, owed.address)
        except NotifyError as error:
            return self._refused(owed, error, now)
        except Exception as error:
            log.exception("the %s notifier failed", owed.receiver)
            return self._refused(owed, NotifyError(f"{type(error).__name__}: {error}", retry=True), now)
        line.failures = 0
        line.not_before = self._clock.monotonic() + notifier.pace
        log.info(
            "%s: told of %s, version %d (%s)", owed.receiver, notice.incident.key, notice.incident.version, notice.why
        )
        delivered = Delivered(notice.incident.id, owed.receiver, address, seen_of(notice.incident))
        # Kept until it is recorded: what can't be recorded must not be sent again and again.
        self._unrecorded[owed.receiver] = (owed.id, delivered)
        self._record_sent(owed.receiver, now)
        return Outcome.SENT

    def _record_sent(self, receiver: str, now: float) -> None:
        if receiver in self._unrecorded:
            id, delivered = self._unrecorded[receiver]
            self._store.record(id, Outcome.SENT, now, delivered=delivered)
            del self._unrecorded[receiver]
            self._on_outcome(receiver, Outcome.SENT, None)

    def _refused(self, owed: Owed, error: NotifyError, now: float) -> Outcome:
        line, text = self._lines[owed.receiver], str(error)
        if error.of_message:
            if owed.attempts + 1 >= MESSAGE_TRIES:
                log.error("%s: gave up on %s: %s", owed.receiver, owed.incident.key, text)
                return self._end(owed, Outcome.FAILED, now, text)
            wait, outcome = self._backoff(owed.attempts), Outcome.RETRIED
        else:
            line.failures += 1
            outcome = Outcome.RETRIED if error.retry else Outcome.PARKED
            wait = error.after if error.after is not None else self._backoff(line.failures - 1)
            wait = wait if error.retry else PARKED_WAIT
            line.not_before = self._clock.monotonic() + wait
        log.warning("%s: %s waits %.0f s: %s", owed.receiver, owed.incident.key, wait, text)
        self._on_outcome(owed.receiver, outcome, text)
        self._store.postpone(owed.id, now + wait, text, attempted=True)
        return outcome

    def _backoff(self, failures: int) -> float:
        """Exponential, with the upper half of each wait random ('equal jitter')."""
        wait: float = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 16))
        return wait * (0.5 + self._random() / 2)

    def _end(self, owed: Owed, outcome: Outcome, now: float, problem: str | None = None) -> Outcome:
        self._store.record(owed.id, outcome, now)
        self._on_outcome(owed.receiver, outcome, problem)
        return outcome


class _Clock(Protocol):
    def monotonic(self) -> float: ...


def muted(incident: Incident, silences: Sequence[Silence], now: float) -> Silence | None:
    """The silence that mutes the whole incident at `now`: every alert that fires (or, once resolved, fired) is muted.
    Of several the one that ends first, after which it is looked at again. Alerts that the incident only counts can't be
    judged, and so not be muted."""
    listed = sum(alert.firing for alert in incident.alerts)
    if listed < incident.firing or (incident.resolved and incident.total > len(incident.alerts) >= KEPT):
        return None
    judged = [alert for alert in incident.alerts if alert.firing or incident.resolved]
    found = [silenced(alert.silence_labels(incident.model), silences, now) for alert in judged]
    if not found or None in found:
        return None
    return min((silence for silence in found if silence), key=lambda silence: silence.ends_at)
