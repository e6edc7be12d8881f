"""Keeps incidents: what each one is about now, and which notifications about it are owed to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from alerts.delivery.routing import Routing
from alerts.incidents.actions import unacknowledged, unsilenced
from alerts.incidents.incident import Alert, Incident, ReportLink, Why
from alerts.incidents.lifecycle import advance, alert_of, with_picture, with_report, worded
from alerts.rules.rule import Rule
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.state import AlertState, Status, Transition
from alerts.wording import Wording
from checks.base import Labels, Measurement, Window
from checks.catalog import CATALOG
from checks.drift.methods.names import LABELS
from checks.pictures.drawn import Drawn
from monitor.alerting import incident_pictures
from monitor.clock import Clock
from monitor.store.alerts import incident_log, outbox, silences, states
from monitor.store.results import reports

Moved = dict[tuple[str, Labels], tuple[str, ...]]
"""What moved in the data, by metric and labels, as measured now."""
_LOGGED: dict[Why, incident_log.What] = {
    Why.FIRST: "opened",
    Why.NEW_ALERTS: "new_alerts",
    Why.SEVERITY_ROSE: "severity_rose",
    Why.RESOLVED: "resolved",
}


@dataclass
class GroupChange:
    """What one evaluation did to one incident group of a model."""

    model: str
    group: str
    moved: Moved = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    """Fingerprints of the alerts that began."""
    ended: list[Alert] = field(default_factory=list)

    def add(self, rule: Rule, before: Mapping[Labels, AlertState], changes: Iterable[Transition]) -> None:
        """Add which alerts of a rule began and which ended."""
        for change in changes:
            if change.after is Status.FIRING:
                self.begun.add(alert_fingerprint(rule.name, self.model, change.labels))
            elif change.before is Status.FIRING:
                end = (change.at, change.reason.value)
                self.ended.append(alert_of(rule, self.model, before[change.labels], ended=end))

    def give_up(self, alerts: Iterable[Alert], ends: Mapping[str, Transition]) -> None:
        """Add the alerts whose end, by fingerprint, is no finding of their rule."""
        for alert in alerts:
            if (end := ends.get(alert.fingerprint)) is not None:
                self.ended.append(replace(alert, firing=False, ended=end.at, ended_why=end.reason.value))


class Incidents:
    """Every call runs inside the caller's write transaction."""

    def __init__(self, routing: Routing, clock: Clock, new_id: Callable[[], str]) -> None:
        self._routing, self._clock, self._new_id = routing, clock, new_id
        self._wording = Wording(LABELS)

    def update(
        self,
        connection: Connection,
        incident: Incident | None,
        change: GroupChange,
        firing: Iterable[Alert],
        rules: Mapping[str, Rule],
        now: float,
        wall: float,
    ) -> Incident | None:
        """Bring the incident of a group up to date, of which these alerts fire at `now` on their clock, and owe what
        people are to be notified of. `rules` are those in force, by name."""
        model, group, new_id = change.model, change.group, self._new_id
        after, why = advance(
            incident, firing, change.ended, change.begun, model=model, group=group, now=now, wall=wall, new_id=new_id
        )
        if after is None or why is None:
            return after
        after = replace(after, alerts=tuple(self.worded(alert, model, rules.get(alert.rule)) for alert in after.alerts))
        if incident is None and _over_windows(after):
            after = replace(after, reports=reports.link(connection, model, after.since))
        states.save_incident(connection, after)
        if why in _LOGGED:
            incident_log.add(connection, after.id, wall, _LOGGED[why], text=after.alerts[0].summary)
        more = incident is not None and after.total > incident.total
        outbox.owe(connection, after, why, self.notified(connection, after), wall, at_once=more)
        return after

    def worded(self, alert: Alert, model: str, rule: Rule | None) -> Alert:
        """Return the alert with its rule's texts filled in, unless they are already or the rule is gone."""
        return alert if alert.summary or rule is None else worded(alert, rule, model, self._wording)

    def notify_new_receivers(self, connection: Connection, incident: Incident, now: float) -> None:
        """Owe an open incident to those receivers that the routes name and that it was never owed to."""
        new = [name for name in self._routed(incident) if outbox.never_owed(connection, incident, name)]
        outbox.owe(connection, incident, Why.FIRST, new, now)

    def remind(self, connection: Connection, now: float) -> list[Incident]:
        """End acknowledgements and silences that have run out, and owe again what still fires after its route's
        `repeat`, at wall time `now`. Return the open incidents of which no route lets anybody hear."""
        active, forgotten = silences.active(connection, now), []
        for incident in states.open_incidents(connection):
            if self._routing.forgets(incident) and not self.notified(connection, incident):
                forgotten.append(incident)
            incident = self._end_silence(connection, incident, active, now)
            acknowledged = incident.acknowledged
            if acknowledged is not None and acknowledged.until <= now:
                incident = unacknowledged(incident)
                states.save_incident(connection, incident)
                incident_log.add(connection, incident.id, now, "acknowledgement_ended", acknowledged.by)
                outbox.owe(connection, incident, Why.REPEATED, self.notified(connection, incident), now)
            elif acknowledged is None:
                outbox.owe(connection, incident, Why.REPEATED, self._due(connection, incident, now), now)
        return forgotten

    def attach_report(self, connection: Connection, model: str, report: ReportLink) -> bool:
        """Link a report on a window to the model's incidents of that time; return whether there was one. Only those
        over windows: what is sampled has no part in a report."""
        attached = False
        for incident in states.recent_incidents(connection, model):
            after = with_report(incident, report) if _over_windows(incident) else None
            if after is not None:
                attached = True
                self._save_updated(connection, after, self._clock.time())
        return attached

    def attach_pictures(self, connection: Connection, model: str, drawn: Sequence[Drawn], window: Window) -> bool:
        """Give the model's open incidents of drift that have no picture yet one of the columns that they are about;
        return whether there was one. It is drawn later, and nobody waits for it."""
        attached = False
        for incident in states.open_incidents(connection) if drawn else ():
            if incident.model != model or incident.picture is not None:
                continue
            if columns := incident_pictures.columns_of(incident, drawn):
                attached, id, now = True, self._new_id(), self._clock.time()
                link = incident_pictures.add(connection, incident, columns, window, id, now)
                self._save_updated(connection, with_picture(incident, link), now)
        return attached

    def notified(self, connection: Connection, incident: Incident) -> list[str]:
        """Return whom the routes name now, and everyone who was notified before and is still there."""
        before = set(outbox.notified_receivers(connection, incident)) & set(self._routing.receivers)
        names = self._routed(incident)
        return [*names, *sorted(before - set(names))]

    def _routed(self, incident: Incident) -> list[str]:
        return [target.receiver for target in self._routing.targets(incident)]

    def _save_updated(self, connection: Connection, incident: Incident, now: float) -> None:
        states.save_incident(connection, incident)
        outbox.owe(connection, incident, Why.UPDATED, self.notified(connection, incident), now)

    def _end_silence(self, connection: Connection, incident: Incident, active: frozenset[str], now: float) -> Incident:
        """Return the incident, no longer silenced if what silenced it has run out or was ended."""
        silenced = incident.silenced
        if silenced is None or (silenced.until > now and active.issuperset(silenced.silences)):
            return incident
        incident = unsilenced(incident)
        states.save_incident(connection, incident)
        incident_log.add(connection, incident.id, now, "silence_ended", silenced.by)
        outbox.owe(connection, incident, Why.UPDATED, self.notified(connection, incident), now)
        return incident

    def _due(self, connection: Connection, incident: Incident, now: float) -> list[str]:
        """Return the receivers that are to be notified again by now, and are not about to be notified anyway."""
        repeats = {item.receiver: item.repeat for item in self._routing.targets(incident) if item.repeat is not None}
        sent = outbox.last_sent(connection, incident) if repeats else {}
        due = [name for name, repeat in repeats.items() if name in sent and now - sent[name] >= repeat]
        return [name for name in due if not outbox.is_owed(connection, incident, name)]


def what_moved(measured: Mapping[str, Iterable[Measurement]]) -> Moved:
    """Return what the measurements, by metric, say about what moved in the data."""
    found: Moved = {}
    for name, rows in measured.items():
        for row in rows:
            if said := row.detail.get("why"):
                found[name, row.labels] = (said,) if isinstance(said, str) else tuple(map(str, said))
    return found


def _over_windows(incident: Incident) -> bool:
    """Return whether the incident has alerts in event time, which reports are in."""
    metrics = (CATALOG.get(alert.metric) for alert in incident.alerts)
    return any(metric is not None and metric.clock == "event" for metric in metrics)
