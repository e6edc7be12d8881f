"""Delivers owed notifications: small stages, each with a named outcome; retries in this one place.

What is owed was written in the transaction that changed the alerts. A pass takes each row through quiet (inhibition,
mute times, silences) → up to date → wanted → claim → send → record. A crash between send and record sends once more;
nothing is lost.
"""

from __future__ import annotations

import logging
import random as randomness
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from alerts.delivery.routing import Inhibition, Labels, Routing
from alerts.delivery.suppression import Suppression, SuppressionReason, Suppressions
from alerts.incidents.incident import Incident, LastNotified, Notice, Why
from alerts.incidents.lifecycle import seen_of, why_owed
from alerts.incidents.silence import Silence
from alerts.notify import Address, Notifier, NotifyError, Reconciling, Rereading, backoff

log = logging.getLogger("watchkeeper.outbox")

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Backoff doubles from the one to the other, so that a receiver is tried within half a minute of its recovery."""
LONGEST_KEPT = 3600.0
"""Seconds that a line waits after a start at most: the clock may have been set meanwhile."""
PARKED_WAIT = 300.0
"""Seconds between tries while someone has to act, such as on a revoked token."""
MESSAGE_TRIES = 5
"""After so many refusals of one message it is given up."""
BATCH = 32
CLAIM_SECONDS = 60.0
"""How long others leave a row alone whose send began; longer than any receiver's time-outs."""


class DeliveryOutcome(StrEnum):
    """What became of a notification in a pass. The first seven end it."""

    SENT = "sent"
    COLLAPSED = "collapsed"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MUTED = "muted"
    SKIPPED = "skipped"
    FAILED = "failed"
    POSTPONED = "postponed"
    RETRIED = "retried"
    PARKED = "parked"
    UNRECORDED = "unrecorded"
    ELSEWHERE = "elsewhere"
    """Another daemon on the same database sends it, or has."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One row of the outbox, with what is needed to deliver it."""

    id: int
    receiver: str
    attempts: int
    due_at: float
    incident: Incident
    seen: LastNotified | None
    address: Address | None
    reason: Why = Why.UPDATED
    """Why it was owed when it was written."""
    error: str = ""
    """Why it was postponed, if it was."""
    tried_at: float | None = None
    """When a send began of which nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a receiver's message is, and what it says."""

    incident: str
    receiver: str
    address: Address
    seen: LastNotified


class OutboxStore(Protocol):
    def owed(self, receiver: str, now: float, limit: int) -> list[Owed]:
        """Return rows due at `now`, those tried least first, then the oldest."""
        ...

    def silences(self, now: float) -> list[Silence]:
        """Silences active at `now`."""
        ...

    def firing(self) -> list[Labels]:
        """The labels of every alert that fires and is told of, with model, rule and severity."""
        ...

    def owe_also(self, incident: Incident, why: Why, receiver: str, now: float) -> None:
        """Owes the incident to a further receiver, if it is not owed to it or known there."""
        ...

    def lines(self) -> dict[str, ReceiverState]:
        """What is remembered of each receiver's line."""
        ...

    def keep_line(self, receiver: str, line: ReceiverState, now: float) -> None: ...

    def record(self, id: int, outcome: DeliveryOutcome, now: float, *, delivered: Delivered | None = None) -> None:
        """Ends a row and stores its message's address, in one transaction."""
        ...

    def postpone(self, id: int, due_at: float, why: str, *, attempted: bool, unsure: bool = False) -> None:
        """Puts a row off; `unsure` keeps that a send of it may have arrived."""
        ...

    def hasten(self, why: str, now: float) -> None:
        """Put rows that were put off for this reason to the front again: they are due now."""
        ...

    def claim(self, id: int, owner: str, now: float, until: float, begin: bool) -> Owed | None:
        """Takes an unfinished row for one owner until a wall time, and returns it as it is now; None if another has it.
        With `begin` it notes that a send begins, unless one of it began before."""
        ...


_LESS_THAN_REPEATED = (None, Why.UPDATED, Why.WATCHED_AGAIN, Why.WATCHER_STOPPED, Why.NEW_ALERTS)
_ENDED_BY = {
    SuppressionReason.INHIBITED: DeliveryOutcome.INHIBITED,
    SuppressionReason.SILENCED: DeliveryOutcome.SILENCED,
    SuppressionReason.MUTE_TIME: DeliveryOutcome.MUTED,
}

OnOutcome = Callable[[str, DeliveryOutcome, str | None], None]
"""(receiver, outcome, problem): the problem is one sentence while the receiver is not well, None when it is."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """A receiver's standing as it is kept over restarts. `not_before` is wall time."""

    not_before: float = 0.0
    failures: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Line:
    """A receiver's standing within this process; monotonic seconds."""

    not_before: float = 0.0
    failures: int = 0
    asked: bool = False
    """Whether the receiver itself has said for how long to wait."""
    problem: str = ""
    """Why it waits."""


class Delivery:
    """Drains the outbox. One pass at a time a receiver; receivers do not wait for each other's back-off."""

    def __init__(
        self,
        store: OutboxStore,
        receivers: Mapping[str, Notifier],
        clock: _Clock,
        on_outcome: OnOutcome,
        random: Callable[[], float] = randomness.random,
        *,
        routing: Routing | None = None,
        inhibitions: Sequence[Inhibition] = (),
        fallbacks: Mapping[str, str] | None = None,
        owner: str = "",
    ) -> None:
        """`fallbacks`: who is told instead of a receiver for which somebody has to act; `owner`: whose claims on rows
        are ours, where other daemons deliver from the same outbox."""
        self._store, self._owner = store, owner
        self._routing = routing or Routing(list(receivers))
        self._inhibitions = list(inhibitions)
        self._fallbacks = dict(fallbacks or {})
        self._receivers = dict(receivers)
        self._clock = clock
        self._on_outcome = on_outcome
        self._random = random
        self._lines: dict[str, _Line] = {}
        self._first = threading.Lock()
        self._unrecorded: dict[str, tuple[int, Delivered]] = {}

    def deliver_due(self, now: float) -> int:
        """One pass over every receiver at wall time `now`; returns how many notifications were sent. Never raises."""
        return sum(self.deliver(name, now) for name in self._receivers)

    def deliver(self, receiver: str, now: float) -> int:
        """One pass over one receiver; for a thread of its own, so that a hanging one holds up nobody."""
        sent, line = 0, self._lines.get(receiver) or _Line()
        try:
            line = self._line(receiver, now)
            if self._clock.monotonic() < line.not_before:
                return 0
            self._record_sent(receiver, now)
            due = self._store.owed(receiver, now, BATCH)
            quietness = self._quietness(now) if due else None
            for owed in due:
                outcome = self._one(owed, quietness, now)
                sent += outcome is DeliveryOutcome.SENT
                if self._clock.monotonic() < line.not_before:
                    break
        except Exception:  # the loop's boundary: said, counted, and tried again
            log.exception("a delivery pass to %s failed", receiver)
            line.not_before = self._clock.monotonic() + FIRST_WAIT
            self._on_outcome(receiver, DeliveryOutcome.UNRECORDED, "the outbox can't be read or written; see the log")
        return sent

    def hasten(self, now: float) -> None:
        """Try at once what waits for somebody to act, or for its next turn: the receiver may be well by now, or have
        another secret. One that said for how long to wait is left alone. Raises what the store raises."""
        for name, notifier in self._receivers.items():
            if isinstance(notifier, Rereading):
                notifier.read_again()
            line = self._line(name, now)
            if line.problem and not line.asked:
                self._store.hasten(line.problem, now)
                line.not_before, line.problem = 0.0, ""

    def drained(self, receiver: str, now: float, seconds: float) -> bool:
        """Whether nothing more can be told this receiver within so many seconds. Raises what the store raises."""
        line = self._line(receiver, now)
        if line.not_before - self._clock.monotonic() > seconds:
            return True
        return not self._store.owed(receiver, now, 1)

    def _line(self, receiver: str, now: float) -> _Line:
        """The receiver's line; after a start as it was left, so that a restart asks nobody sooner who said when."""
        with self._first:  # receivers' threads begin together, and each line is one object
            if not self._lines:
                self._lines = self._kept_lines(now)
        return self._lines[receiver]

    def _kept_lines(self, now: float) -> dict[str, _Line]:
        kept, monotonic = self._store.lines(), self._clock.monotonic()
        lines: dict[str, _Line] = {}
        for name in self._receivers:
            known = kept.get(name, ReceiverState())
            wait = min(max(known.not_before - now, 0.0), LONGEST_KEPT)
            lines[name] = _Line(monotonic + wait if wait else 0.0, known.failures, bool(wait), known.problem)
            if known.problem and not wait:
                self._store.hasten(known.problem, now)
            if known.problem:
                self._on_outcome(name, DeliveryOutcome.RETRIED, known.problem)
        return lines

    def _quietness(self, now: float) -> Suppressions:
        firing = self._store.firing() if self._inhibitions else []
        return Suppressions(self._routing, self._inhibitions, self._store.silences(now), firing)

    def _one(self, owed: Owed, quietness: Suppressions | None, now: float) -> DeliveryOutcome:
        incident = owed.incident
        quiet = quietness.of(incident, owed.receiver, now) if quietness is not None else None
        if quiet is not None and not self._passes(owed, quiet):
            if incident.resolved and owed.seen is None:
                return self._end(owed, _ENDED_BY[quiet.why], now)
            # Of what people know they hear the end at once, but not at night.
            if not incident.resolved or quiet.why is SuppressionReason.MUTE_TIME:
                return self._postpone(owed, quiet)
        why = _why(owed)
        if why is None:
            return self._end(owed, DeliveryOutcome.COLLAPSED, now)
        if why not in self._receivers[owed.receiver].wants:
            return self._end(owed, DeliveryOutcome.SKIPPED, now)
        begin = isinstance(self._receivers[owed.receiver], Reconciling)
        mine = self._store.claim(owed.id, self._owner, now, now + CLAIM_SECONDS, begin)
        if mine is None:
            return DeliveryOutcome.ELSEWHERE
        # What was read before the claim may have been sent by another since.
        why = _why(mine)
        return self._end(mine, DeliveryOutcome.COLLAPSED, now) if why is None else self._send(mine, why, now)

    def _passes(self, owed: Owed, quiet: Suppression) -> bool:
        """Whether it is told all the same: what people did themselves, in spite of silences; and whether anybody
        watches, in spite of everything, for that changes messages only, and would be wrong if it came late."""
        incident, seen = owed.incident, owed.seen
        if seen is None or incident.resolved:
            return False
        if (incident.unwatched_since is not None) is not seen.unwatched:
            return Why.WATCHER_STOPPED in self._receivers[owed.receiver].wants
        return quiet.why is SuppressionReason.SILENCED and why_owed(incident, seen) in (Why.SILENCED, Why.ACKNOWLEDGED)

    def _postpone(self, owed: Owed, quiet: Suppression) -> DeliveryOutcome:
        if owed.due_at != quiet.until:
            self._store.postpone(owed.id, quiet.until, quiet.text, attempted=False)
            if owed.error != quiet.text:
                log.info("%s: %s is held back: %s", owed.receiver, owed.incident.key, quiet.text)
                self._on_outcome(owed.receiver, DeliveryOutcome.POSTPONED, None)
        return DeliveryOutcome.POSTPONED

    def _send(self, owed: Owed, why: Why, now: float) -> DeliveryOutcome:
        notifier, line = self._receivers[owed.receiver], self._lines[owed.receiver]
        notice = Notice(owed.incident, why)
        try:
            address = self._sent(notifier, owed, notice)
        except NotifyError as error:
            return self._refused(owed, error, now)
        except Exception as error:  # a notifier's bug costs its own receiver a retry, and no other one anything
            log.exception("the %s notifier failed", owed.receiver)
            return self._refused(owed, NotifyError(f"{type(error).__name__}: {error}", retry=True, unsure=True), now)
        if line.failures:
            self._store.keep_line(owed.receiver, ReceiverState(), now)
        line.failures, line.asked, line.problem = 0, False, ""
        line.not_before = self._clock.monotonic() + notifier.pace
        log.info(
            "%s: told of %s, version %d (%s)", owed.receiver, notice.incident.key, notice.incident.version, notice.why
        )
        delivered = Delivered(notice.incident.id, owed.receiver, address, seen_of(notice.incident))
        # Kept until it is recorded: what can't be recorded must not be sent again and again.
        self._unrecorded[owed.receiver] = (owed.id, delivered)
        self._record_sent(owed.receiver, now)
        return DeliveryOutcome.SENT

    def _sent(self, notifier: Notifier, owed: Owed, notice: Notice) -> Address:
        """Sends, unless a send that was cut short turns out to have arrived; returns where the message is."""
        address = owed.address
        if isinstance(notifier, Reconciling) and owed.tried_at is not None:
            try:
                found = notifier.find(notice, address, owed.tried_at)
                if found is not None:
                    log.info("%s: an earlier message on %s had arrived", owed.receiver, notice.incident.key)
                    return found.address if found.done else notifier.send(notice, found.address)
            except NotifyError as error:
                # Where the earlier message is stays unrecorded, so it is looked for again before anything is sent.
                error.unsure = True
                raise
        try:
            return notifier.send(notice, address)
        except NotifyError as error:
            # Read again in any case: what may succeed soon is tried with the new secret then.
            if not (isinstance(notifier, Rereading) and notifier.read_again()) or error.retry or error.unsure:
                raise
            log.info("%s: refused, and its secret has been replaced: tried again with the new one", owed.receiver)
        return notifier.send(notice, address)

    def _record_sent(self, receiver: str, now: float) -> None:
        if receiver in self._unrecorded:
            id, delivered = self._unrecorded[receiver]
            self._store.record(id, DeliveryOutcome.SENT, now, delivered=delivered)
            del self._unrecorded[receiver]
            self._on_outcome(receiver, DeliveryOutcome.SENT, None)

    def _refused(self, owed: Owed, error: NotifyError, now: float) -> DeliveryOutcome:
        line, text = self._lines[owed.receiver], str(error)
        if error.of_message:
            if owed.attempts + 1 >= MESSAGE_TRIES:
                log.error("%s: gave up on %s: %s", owed.receiver, owed.incident.key, text)
                return self._end(owed, DeliveryOutcome.FAILED, now, text)
            wait, outcome = self._wait(owed.attempts), DeliveryOutcome.RETRIED
            line.not_before = self._clock.monotonic() + self._receivers[owed.receiver].pace
        else:
            line.failures += 1
            outcome = DeliveryOutcome.RETRIED if error.retry else DeliveryOutcome.PARKED
            wait = error.after if error.after is not None else self._wait(line.failures - 1)
            wait = wait if error.retry else PARKED_WAIT
            line.not_before, line.asked = self._clock.monotonic() + wait, error.retry and error.after is not None
            line.problem = text
            # Only what the receiver itself asked for outlasts a restart, with which people may have mended the rest.
            until = now + wait if line.asked else 0.0
            self._store.keep_line(owed.receiver, ReceiverState(until, line.failures, text), now)
            if outcome is DeliveryOutcome.PARKED and (fallback := self._fallbacks.get(owed.receiver)):
                self._store.owe_also(owed.incident, owed.reason, fallback, now)
        log.warning("%s: %s waits %.0f s: %s", owed.receiver, owed.incident.key, wait, text)
        self._on_outcome(owed.receiver, outcome, text)
        self._store.postpone(owed.id, now + wait, text, attempted=True, unsure=error.unsure)
        return outcome

    def _wait(self, failures: int) -> float:
        return backoff(failures, FIRST_WAIT, LONGEST_WAIT, self._random())

    def _end(self, owed: Owed, outcome: DeliveryOutcome, now: float, problem: str | None = None) -> DeliveryOutcome:
        self._store.record(owed.id, outcome, now)
        self._on_outcome(owed.receiver, outcome, problem)
        return outcome


def _why(owed: Owed) -> Why | None:
    """Why the receiver is to be told, by what it was last told."""
    why = why_owed(owed.incident, owed.seen)
    again = owed.reason is Why.REPEATED and owed.incident.acknowledged is None
    return Why.REPEATED if again and why in _LESS_THAN_REPEATED else why


class _Clock(Protocol):
    def monotonic(self) -> float: ...
