"""What goes on while the database can't be written, such as on a full disk: rules of the wall's clock are judged in
memory, and receivers are told directly, past the outbox. As well as it goes: nothing of that outlives the process.

What is in event time waits: its windows are judged, once and in order, when the database can be written again.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from alerts.delivery.routing import Routing
from alerts.incidents.incident import Alert, Incident, LastNotified, Notice
from alerts.incidents.lifecycle import advance, seen_of, why_owed
from alerts.notify import Address, Notifier
from alerts.rules.rule import Severity
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.observation import Kind
from alerts.state.state import Status
from checks.base import Measurement
from monitor.alerting.engine import AlertEngine
from monitor.clock import Clock
from monitor.store.alerts.states import States, load_states
from monitor.store.engine import explain, is_refusal
from monitor.telemetry.health import Health

log = logging.getLogger("watchkeeper.unstored")

PATIENCE = 30.0
"""Seconds of failing writes before anyone is told: a lock that is held for a moment is nobody's business."""
CALM = 60.0
"""Seconds without a failing write, at least, after which the database counts as well again."""
AGAIN = 30.0
"""Seconds between two direct messages to one receiver, and after one that failed."""
RULE = "database-unwritable"
ACTION = (
    "Make room on the disk of the database, or end whatever locks it; nothing has to be restarted. Meanwhile "
    "predictions are refused, windows wait to be judged, and this message alone says what fires."
)


@dataclass
class _Told:
    """What a receiver was told directly."""

    incident: str = ""
    address: Address | None = None
    seen: LastNotified | None = None
    not_before: float = 0.0


class Outage:
    """`failed` and `step` may be called from any thread, `tell` from the receiver's own."""

    def __init__(
        self,
        engine: Engine,
        alert_engine: AlertEngine,
        routing: Routing,
        receivers: Mapping[str, Notifier],
        clock: Clock,
        health: Health,
        *,
        url: str,
        calm: float = CALM,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._engine, self._alert_engine, self._routing = engine, alert_engine, routing
        self._clock, self._health = clock, health
        self._url, self._calm, self._new_id = url, calm, new_id
        self._receivers = dict(receivers)
        self._told = {name: _Told() for name in receivers}
        self._lock = threading.Lock()
        self._since: float | None = None
        self._newest = 0.0
        self._problem = ""
        self._known: dict[str, States] = {}
        self._stored: set[str] = set()
        """Fingerprints of what fired when it was last stored: people know."""
        self._firing: dict[str, Alert] = {}
        self._incident: Incident | None = None
        self._counted: set[str] = set()
        """Fingerprints that the incident's total has: it describes fewer."""

    def failed(self, error: Exception) -> None:
        """A transaction was lost."""
        if not isinstance(error, DBAPIError):
            return
        with self._lock:
            self._problem, self._newest = explain(error, self._url), self._clock.monotonic()
            if self._since is None:
                self._since = self._newest
                log.error("nothing can be stored: %s", self._problem)
        self._health.report("storage", self._problem)

    def refused(self, error: DBAPIError) -> str | None:
        """Record that the database refused something; return why in a sentence. None if it is not to blame."""
        if not is_refusal(error):
            return None
        self.failed(error)
        return explain(error, self._url)

    def look(self) -> None:
        """End the outage once the database has been well for long enough, also where there is nobody to notify."""
        with self._lock:
            self._advance()

    def step(
        self,
        model: str,
        measurements: Sequence[Measurement],
        now: float,
        *,
        metrics: Collection[str],
        failed: Mapping[str, str],
        interval: float,
    ) -> None:
        """Steps the rules of these metrics in memory, as what they led to could not be stored."""
        with self._lock, self._engine.connect() as connection:
            if model not in self._known:
                self._known[model] = load_states(connection, model)
                self._stored |= {
                    alert_fingerprint(rule, model, labels)
                    for rule, states in self._known[model].items()
                    for labels, state in states.items()
                    if state.status is Status.FIRING
                }
            fired, over = self._alert_engine.look(
                connection,
                self._known[model],
                model,
                measurements,
                now,
                metrics=metrics,
                failed=failed,
                interval=interval,
            )
            self._stored -= over
            for fingerprint in over:
                self._firing.pop(fingerprint, None)
            for alert in fired:
                if alert.fingerprint not in self._stored:
                    self._firing[alert.fingerprint] = alert

    def tell(self, receiver: str) -> None:
        """Tells one receiver what it does not know yet. Never raises."""
        told, now = self._told[receiver], self._clock.monotonic()
        with self._lock:
            incident = self._advance()
        if incident is None or now < told.not_before:
            return
        if incident.id != told.incident:
            told.incident, told.address, told.seen = incident.id, None, None
        why = why_owed(incident, told.seen)
        if why is None or why not in self._receivers[receiver].wants or (incident.resolved and told.seen is None):
            return
        # What is wrong with the database stands first, whatever else fires.
        incident = replace(incident, alerts=tuple(sorted(incident.alerts, key=lambda alert: alert.rule != RULE)))
        if receiver not in [target.receiver for target in self._routing.targets(incident)]:
            return
        told.not_before = now + AGAIN
        try:
            told.address = self._receivers[receiver].send(Notice(incident, why), told.address)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again; its text may hold secrets
            log.warning("%s can't be told directly: %s", receiver, type(error).__name__)
            return
        told.seen = seen_of(incident)
        log.info("%s: told directly, past the outbox (%s)", receiver, why)

    def _advance(self) -> Incident | None:
        """The incident as it is now: it begins with the patience's end, and ends with the calm."""
        now, wall = self._clock.monotonic(), self._clock.time()
        if self._since is None:
            return self._incident
        if now - self._newest >= self._calm:
            self._since = None
            self._known, self._stored, self._firing = {}, set(), {}
            self._health.report("storage", None)
            log.warning("the database can be written again")
            current: list[Alert] = []
        elif now - self._since < PATIENCE and not self._open():
            return self._incident
        else:
            current = [_own(self._problem, wall - (now - self._since)), *self._firing.values()]
        before = self._incident if self._open() else None
        ended = [replace(alert, firing=False, ended=wall) for alert in before.alerts] if before and not current else []
        begun = {alert.fingerprint for alert in current} - self._counted
        after, _ = advance(
            before,
            current,
            ended,
            begun,
            model="",
            group="database",
            now=wall,
            wall=wall,
            new_id=self._new_id,
        )
        self._incident = after
        self._counted = self._counted | begun if current else set()
        return after

    def _open(self) -> bool:
        return self._incident is not None and not self._incident.resolved


def _own(problem: str, since: float) -> Alert:
    return Alert(
        fingerprint=alert_fingerprint(RULE, "", ()),
        rule=RULE,
        metric="database",
        labels={},
        severity=Severity.CRITICAL,
        above=True,
        firing=True,
        cause=Kind.ERROR,
        since=since,
        ended=None,
        ended_why="",
        value=None,
        level=None,
        worst=None,
        n=0,
        text=problem,
        summary=f"Watchkeeper can store nothing: {problem}",
        action=ACTION,
        runbook="",
    )
