"""Judges measurements by the rules, and leaves in the same transaction whatever follows: states, transitions,
incidents, and the notifications owed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from alerts.delivery.routing import Routing
from alerts.incidents.actions import unacknowledged, unsilenced
from alerts.incidents.incident import Alert, Incident, ReportLink, Why
from alerts.incidents.lifecycle import advance, alert_of, with_picture, with_report, worded
from alerts.rules.match import fits
from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.evaluate import evaluate, matches
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.reading import MIN_GAP
from alerts.state.state import AlertState, Reason, Status, Transition, ended
from alerts.state.step import adopt
from alerts.wording import Wording
from checks.base import Labels, Measurement, Window
from checks.catalog import CATALOG
from checks.drift.methods.names import LABELS
from checks.pictures.drawn import Drawn
from monitor.alerting import incident_pictures
from monitor.clock import Clock
from monitor.store.alerts import incident_log, outbox, silences
from monitor.store.alerts import states as stored_states
from monitor.store.alerts.state_cache import StateReader
from monitor.store.alerts.states import States
from monitor.store.results import reports

logger = logging.getLogger("watchkeeper.judge")

LOGGED = 20
"""Transitions of one evaluation that are logged one by one."""


STALE_INTERVALS = 3
"""After so many intervals without a new one, a value tells nothing about now."""

_ALONE = ConditionInputs()
Moved = dict[tuple[str, Labels], tuple[str, ...]]
"""What moved in the data, by metric and labels, as measured now."""
_LOGGED: dict[Why, incident_log.What] = {
    Why.FIRST: "opened",
    Why.NEW_ALERTS: "new_alerts",
    Why.SEVERITY_ROSE: "severity_rose",
    Why.RESOLVED: "resolved",
}


@dataclass
class _Group:
    """What one evaluation did to one incident group."""

    begun: set[str] = field(default_factory=set)
    moved: Moved = field(default_factory=dict)
    ended: list[Alert] = field(default_factory=list)


class AlertEngine:
    """Holds the rules and receivers; every call runs inside the caller's write transaction."""

    def __init__(
        self,
        rules: Sequence[Rule],
        receivers: Sequence[str],
        clock: Clock,
        *,
        interval: float = 15.0,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        newest: Callable[[str], Sequence[Measurement]] = lambda _: (),
        routing: Routing | None = None,
    ) -> None:
        """`interval`: seconds between evaluations of wall-clock rules, where a measurement's window is not longer;
        `newest` gives a metric's newest measurements, of every model, for the conditions of rules."""
        self._take(rules)
        self._states = StateReader()
        self._routing = routing or Routing(receivers)
        self._clock = clock
        self._interval = interval
        self._new_id = new_id
        self._newest = newest
        # Seconds between two samples of each metric, as far as it was sampled; the longest where models differ.
        self._paces: dict[str, float] = {}
        self._wording = Wording(LABELS)

    @property
    def rules(self) -> Sequence[Rule]:
        """Those in force."""
        return self._rules

    def _take(self, rules: Sequence[Rule]) -> None:
        self._rules = [rule for rule in rules if rule.enabled]
        self._by_name = {rule.name: rule for rule in self._rules}
        self._groups: dict[str, list[str]] = {}
        for rule in self._rules:
            self._groups.setdefault(rule.incident_group, []).append(rule.name)

    def reload(
        self, connection: Connection, rules: Sequence[Rule], now: float, models: Collection[str] | None = None
    ) -> list[Transition]:
        """Puts other rules in force, and reconciles; with the old ones as before if that fails."""
        before = self._rules
        self._take(rules)
        try:
            return self.reconcile(connection, now, models)
        except BaseException:
            self._take(before)
            raise

    def step(
        self,
        connection: Connection,
        model: str,
        measurements: Iterable[Measurement],
        now: float,
        *,
        metrics: Collection[str],
        failed: Mapping[str, str],
        interval: float | None = None,
        within: Mapping[str, str] | None = None,
    ) -> list[Transition]:
        """Steps the rules whose metric is among `metrics`, at `now` on their clock; returns what changed. `failed`
        says why a metric could not be measured; `interval` is the seconds between two samples of wall-clock metrics
        where they are not the judge's own; `within` names the labels that all of these measurements share, where one
        metric is measured by several checks."""
        shared = within or {}
        if interval is not None:
            self._paces |= {name: max(interval, self._paces.get(name, 0.0)) for name in metrics}
        rules = [rule for rule in self._rules if rule.metric in metrics and _agree(rule.match, shared)]
        if not rules:
            return []
        known = self._states.load(connection, model, [rule.name for rule in rules])
        by_metric: dict[str, list[Measurement]] = {}
        for measurement in measurements:
            by_metric.setdefault(measurement.name, []).append(measurement)
        wall, moved = self._clock.time(), _moved(by_metric)
        changes: list[Transition] = []
        groups: dict[str, _Group] = {}
        saved: list[stored_states.Changed] = []
        for rule in rules:
            before = known.get(rule.name, {})
            after, stepped = self._evaluated(connection, rule, before, by_metric, failed, now, interval, shared)
            saved.append((rule.name, before, after))
            known[rule.name] = after
            changes += stepped
            if stepped or any(state.status is Status.FIRING for state in after.values()):
                _sort(groups.setdefault(rule.incident_group, _Group(moved=moved)), rule, model, before, stepped)
        stored_states.save_states(connection, model, saved, wall)
        self._record(connection, model, changes, wall)
        for name, group in groups.items():
            incident = stored_states.open_incident(connection, model, name)
            self._tell(connection, incident, model, name, group, now, wall, known)
        return changes

    def look(
        self,
        connection: Connection,
        known: States,
        model: str,
        measurements: Iterable[Measurement],
        now: float,
        *,
        metrics: Collection[str],
        failed: Mapping[str, str],
        interval: float | None = None,
    ) -> tuple[list[Alert], set[str]]:
        """Steps like `step`, from and in `known`, and stores nothing; returns what fires, and the fingerprints of what
        ended."""
        by_metric: dict[str, list[Measurement]] = {}
        for measurement in measurements:
            by_metric.setdefault(measurement.name, []).append(measurement)
        firing: list[Alert] = []
        over: set[str] = set()
        for rule in self._rules:
            if rule.metric not in metrics:
                continue
            before = known.get(rule.name, {})
            after, stepped = self._evaluated(connection, rule, before, by_metric, failed, now, interval, {})
            known[rule.name] = after
            over |= {
                alert_fingerprint(rule.name, model, item.labels) for item in stepped if item.before is Status.FIRING
            }
            fired = (alert_of(rule, model, state) for state in after.values() if state.status is Status.FIRING)
            firing += [self._worded(alert, model) for alert in fired]
        return firing, over

    def _evaluated(
        self,
        connection: Connection,
        rule: Rule,
        before: Mapping[Labels, AlertState],
        by_metric: Mapping[str, Sequence[Measurement]],
        failed: Mapping[str, str],
        now: float,
        interval: float | None,
        shared: Mapping[str, str],
    ) -> tuple[dict[Labels, AlertState], list[Transition]]:
        company = self._company(connection, rule, self._clock.time())
        rows = by_metric.get(rule.metric, [])
        pace, reference_id = self._pace(rule, interval), _reference_id_of(by_metric) if _is_relative(rule) else None
        return evaluate(rule, before, rows, failed.get(rule.metric), now, pace, company, shared, reference_id)

    def attach(self, connection: Connection, model: str, report: ReportLink) -> bool:
        """Links a report on a window to the model's incidents of that time; whether there was one. Only those over
        windows: what is sampled has no part in a report."""
        attached = False
        for incident in stored_states.recent_incidents(connection, model):
            after = with_report(incident, report) if _over_windows(incident) else None
            if after is not None:
                attached = True
                stored_states.save_incident(connection, after)
                outbox.owe(connection, after, Why.UPDATED, self.notified(connection, after), self._clock.time())
        return attached

    def illustrate(self, connection: Connection, model: str, drawn: Sequence[Drawn], window: Window) -> bool:
        """Gives the model's open incidents of drift that have no picture yet one of the columns that they are about;
        whether there was one. It is drawn later, and nobody waits for it."""
        illustrated = False
        for incident in stored_states.open_incidents(connection) if drawn else ():
            columns = (
                incident_pictures.columns_of(incident, drawn)
                if incident.model == model and incident.picture is None
                else []
            )
            if not columns:
                continue
            illustrated, wall = True, self._clock.time()
            after = with_picture(
                incident, incident_pictures.add(connection, incident, columns, window, self._new_id(), wall)
            )
            stored_states.save_incident(connection, after)
            outbox.owe(connection, after, Why.UPDATED, self.notified(connection, after), wall)
        return illustrated

    def _company(self, connection: Connection, rule: Rule, wall: float) -> ConditionInputs:
        """What the rule's conditions look at. At `wall`, values that have not been renewed count as unknown."""
        if not rule.while_:
            return _ALONE
        metrics = {condition.metric for condition in rule.while_ if condition.metric is not None}
        rules = {condition.rule for condition in rule.while_ if condition.rule is not None}
        return ConditionInputs(
            {name: self._fresh(name, wall) for name in metrics}, stored_states.load_statuses(connection, rules)
        )

    def _fresh(self, metric: str, wall: float) -> list[Measurement]:
        pace = self._paces.get(metric, self._interval)
        return [
            row
            for row in self._newest(metric)
            if wall - row.window.end <= max(STALE_INTERVALS * max(pace, row.window.seconds), MIN_GAP)
        ]

    def reconcile(self, connection: Connection, now: float, models: Collection[str] | None = None) -> list[Transition]:
        """Brings what is stored in line with the rules and receivers there are; for the start and after a reload.

        Alerts of removed or disabled rules, of label sets that a rule no longer matches and, if `models` are given, of
        models that are gone, end with that reason; what fires and would not yet by a longer `for` is pending again.
        Receivers that never heard of an open incident are told. `now` is wall time.
        """
        changes: list[Transition] = []
        ends: dict[str, Transition] = {}
        for model in stored_states.models(connection):
            given_up = self._give_up(connection, model, now, models)
            self._record(connection, model, given_up, now)
            ends |= {alert_fingerprint(change.rule, model, change.labels): change for change in given_up}
            changes += given_up
        for incident in stored_states.open_incidents(connection):
            group = _Group(ended=[_given_up(alert, ends) for alert in incident.alerts if alert.fingerprint in ends])
            at = max((ends[alert.fingerprint].at for alert in group.ended), default=now)
            after = self._tell(connection, incident, incident.model, incident.group, group, at, now, {})
            if after is not None and not after.resolved:
                new = [name for name in self._names(after) if outbox.never_owed(connection, after, name)]
                outbox.owe(connection, after, Why.FIRST, new, now)
        return changes

    def _give_up(
        self, connection: Connection, model: str, now: float, models: Collection[str] | None
    ) -> list[Transition]:
        changes: list[Transition] = []
        for name, states in stored_states.load_states(connection, model).items():
            kept: dict[Labels, AlertState] = {}
            for labels, state in states.items():
                reason = self._gone(name, model, state, models)
                if reason is None:
                    kept[labels], demoted = adopt(self._by_name[name], state)
                    changes += demoted
                else:
                    changes += ended(name, state, reason, now if state.at is None else state.at)
            stored_states.save_states(connection, model, [(name, states, kept)], now)
        return changes

    def _gone(self, name: str, model: str, state: AlertState, models: Collection[str] | None) -> Reason | None:
        rule = self._by_name.get(name)
        if models is not None and model and model not in models:
            return Reason.MODEL_REMOVED
        if rule is None:
            return Reason.RULE_REMOVED
        whole = state.whole_rule or rule.share is not None
        covered = (state.metric, state.unit) == (rule.metric, rule.unit) and (whole or matches(rule, state.labels))
        return None if covered else Reason.RULE_CHANGED

    def _tell(
        self,
        connection: Connection,
        incident: Incident | None,
        model: str,
        name: str,
        group: _Group,
        now: float,
        wall: float,
        known: States,
    ) -> Incident | None:
        """Brings the incident of a group up to date and owes what people are to be told of it. `known` are states that
        need not be read again."""
        rules = self._groups.get(name, [])
        others = self._states.load(connection, model, [rule for rule in rules if rule not in known])
        firing = [
            replace(
                alert_of(self._by_name[rule], model, state),
                moved=group.moved.get((self._by_name[rule].metric, state.labels), ()),
            )
            for rule in rules
            for state in (known.get(rule) or others.get(rule, {})).values()
            if state.status is Status.FIRING
        ]
        after, why = advance(
            incident,
            firing,
            group.ended,
            group.begun,
            model=model,
            group=name,
            now=now,
            wall=wall,
            new_id=self._new_id,
        )
        if after is None or why is None:
            return after
        after = replace(after, alerts=tuple(self._worded(alert, model) for alert in after.alerts))
        if incident is None and _over_windows(after):
            after = replace(after, reports=reports.link(connection, model, after.since))
        stored_states.save_incident(connection, after)
        if why in _LOGGED:
            incident_log.add(connection, after.id, wall, _LOGGED[why], text=after.alerts[0].summary)
        outbox.owe(connection, after, why, self.notified(connection, after), wall)
        return after

    def remind(self, connection: Connection, now: float) -> None:
        """Ends acknowledgements and silences that have run out, and owes again what still fires after its route's
        `repeat`, at wall time `now`."""
        quiet = silences.active(connection, now)
        for incident in stored_states.open_incidents(connection):
            incident = self._heard(connection, incident, quiet, now)
            acknowledged = incident.acknowledged
            if acknowledged is not None and acknowledged.until <= now:
                incident = unacknowledged(incident)
                stored_states.save_incident(connection, incident)
                incident_log.add(connection, incident.id, now, "acknowledgement_ended", acknowledged.by)
                outbox.owe(connection, incident, Why.REPEATED, self.notified(connection, incident), now)
            elif acknowledged is None:
                outbox.owe(connection, incident, Why.REPEATED, self._waiting(connection, incident, now), now)

    def _heard(self, connection: Connection, incident: Incident, quiet: frozenset[str], now: float) -> Incident:
        """The incident, no longer silenced if what silenced it has run out or was ended."""
        silenced = incident.silenced
        if silenced is None or (silenced.until > now and quiet.issuperset(silenced.silences)):
            return incident
        incident = unsilenced(incident)
        stored_states.save_incident(connection, incident)
        incident_log.add(connection, incident.id, now, "silence_ended", silenced.by)
        outbox.owe(connection, incident, Why.UPDATED, self.notified(connection, incident), now)
        return incident

    def _waiting(self, connection: Connection, incident: Incident, now: float) -> list[str]:
        """The receivers that are to be told again by now, and are not about to be told anyway."""
        repeats = {item.receiver: item.repeat for item in self._routing.targets(incident) if item.repeat is not None}
        sent = outbox.last_sent(connection, incident) if repeats else {}
        due = [name for name, repeat in repeats.items() if name in sent and now - sent[name] >= repeat]
        return [name for name in due if not outbox.is_owed(connection, incident, name)]

    def _names(self, incident: Incident) -> list[str]:
        return [target.receiver for target in self._routing.targets(incident)]

    def notified(self, connection: Connection, incident: Incident) -> list[str]:
        """Whom the routes name now, and everyone who was told before and is still there."""
        before = set(outbox.notified_receivers(connection, incident)) & set(self._routing.receivers)
        names = self._names(incident)
        return [*names, *sorted(before - set(names))]

    def _worded(self, alert: Alert, model: str) -> Alert:
        rule = self._by_name.get(alert.rule)
        if alert.summary or rule is None:
            return alert
        return worded(alert, rule, model, self._wording)

    def _record(self, connection: Connection, model: str, changes: Sequence[Transition], wall: float) -> None:
        stored_states.add_transitions(connection, model, changes, wall)
        for change in changes[:LOGGED]:
            pairs = ",".join(f"{name}={value}" for name, value in change.labels)
            logger.info(
                "%s %s{%s}: %s -> %s (%s)",
                model or "host",
                change.rule,
                pairs,
                change.before,
                change.after,
                change.reason,
            )
        if len(changes) > LOGGED:
            logger.info("%s: %d more transitions", model or "host", len(changes) - LOGGED)

    def _pace(self, rule: Rule, interval: float | None) -> float | None:
        metric = CATALOG.get(rule.metric)
        return (interval or self._interval) if metric is not None and metric.clock == "wall" else None


def _sort(
    group: _Group, rule: Rule, model: str, before: Mapping[Labels, AlertState], changes: Iterable[Transition]
) -> None:
    """Adds to the group which of its alerts began and which ended."""
    for change in changes:
        if change.after is Status.FIRING:
            group.begun.add(alert_fingerprint(rule.name, model, change.labels))
        elif change.before is Status.FIRING:
            state = before[change.labels]
            group.ended.append(alert_of(rule, model, state, ended=(change.at, change.reason.value)))


def _moved(measured: Mapping[str, Iterable[Measurement]]) -> Moved:
    found: Moved = {}
    for name, rows in measured.items():
        for row in rows:
            if said := row.detail.get("why"):
                found[name, row.labels] = (said,) if isinstance(said, str) else tuple(map(str, said))
    return found


def _over_windows(incident: Incident) -> bool:
    """Whether it has alerts in event time, which reports are in."""
    metrics = (CATALOG.get(alert.metric) for alert in incident.alerts)
    return any(metric is not None and metric.clock == "event" for metric in metrics)


def _reference_id_of(measured: Mapping[str, Iterable[Measurement]]) -> int | None:
    """The reference that all of these, which are of one window, were held against."""
    held = (row.reference_id for rows in measured.values() for row in rows)
    return next((number for number in held if number is not None), None)


def _is_relative(rule: Rule) -> bool:
    """Whether it matters to the rule which reference its values are held against."""
    metric = CATALOG.get(rule.metric)
    return rule.compares or (metric is not None and metric.relative)


def _agree(match: Mapping[str, str], shared: Mapping[str, str]) -> bool:
    """Whether measurements with the shared labels can be the rule's."""
    return all(name not in match or fits(match[name], value) for name, value in shared.items())


def _given_up(alert: Alert, ends: Mapping[str, Transition]) -> Alert:
    change = ends[alert.fingerprint]
    return replace(alert, firing=False, ended=change.at, ended_why=change.reason.value)
