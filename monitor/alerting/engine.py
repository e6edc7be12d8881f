"""Judges measurements by the rules, and leaves in the same transaction whatever follows: states, transitions,
incidents, and the notifications owed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from alerts.delivery.routing import Routing
from alerts.incidents.incident import Alert, Incident
from alerts.incidents.lifecycle import alert_of
from alerts.rules.match import fits
from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.evaluate import evaluate, matches
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.reading import MIN_GAP
from alerts.state.state import AlertState, Reason, Status, Transition, ended
from alerts.state.step import adopt
from checks.base import Labels, Measurement
from checks.catalog import CATALOG
from monitor.alerting.incidents import GroupChange, Incidents, what_moved
from monitor.clock import Clock
from monitor.store.alerts import states as stored_states
from monitor.store.alerts.state_cache import StateReader
from monitor.store.alerts.states import States

logger = logging.getLogger("watchkeeper.judge")

LOGGED = 20
"""Transitions of one evaluation that are logged one by one."""
STALE_INTERVALS = 3
"""After so many intervals without a new one, a value tells nothing about now."""

_ALONE = ConditionInputs()


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
        self.incidents = Incidents(routing or Routing(receivers), clock, new_id)
        self._clock = clock
        self._interval = interval
        self._newest = newest
        # Seconds between two samples of each metric, as far as it was sampled; the longest where models differ.
        self._paces: dict[str, float] = {}

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
        by_metric, wall = _by_metric(measurements), self._clock.time()
        moved = what_moved(by_metric)
        changes: list[Transition] = []
        groups: dict[str, GroupChange] = {}
        saved: list[stored_states.Changed] = []
        for rule in rules:
            before = known.get(rule.name, {})
            after, stepped = self._evaluated(connection, rule, before, by_metric, failed, now, interval, shared)
            saved.append((rule.name, before, after))
            known[rule.name] = after
            changes += stepped
            if stepped or any(state.status is Status.FIRING for state in after.values()):
                group = rule.incident_group
                groups.setdefault(group, GroupChange(model, group, moved)).add(rule, before, stepped)
        stored_states.save_states(connection, model, saved, wall)
        self._record(connection, model, changes, wall)
        for name, change in groups.items():
            incident = stored_states.open_incident(connection, model, name)
            self._update_incident(connection, incident, change, now, wall, known)
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
        by_metric = _by_metric(measurements)
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
            firing += [self.incidents.worded(alert, model, rule) for alert in fired]
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

    def _company(self, connection: Connection, rule: Rule, wall: float) -> ConditionInputs:
        """What the rule's conditions look at. At `wall`, values that have not been renewed count as unknown."""
        if not rule.while_:
            return _ALONE
        metrics = {condition.metric for condition in rule.while_ if condition.metric is not None}
        rules = {condition.rule for condition in rule.while_ if condition.rule is not None}
        values = {name: self._fresh(name, wall) for name in metrics}
        return ConditionInputs(values, stored_states.load_statuses(connection, rules))

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
            change = GroupChange(incident.model, incident.group)
            change.give_up(incident.alerts, ends)
            at = max((ends[alert.fingerprint].at for alert in change.ended), default=now)
            after = self._update_incident(connection, incident, change, at, now, {})
            if after is not None and not after.resolved:
                self.incidents.notify_new_receivers(connection, after, now)
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

    def _update_incident(
        self, connection: Connection, old: Incident | None, change: GroupChange, now: float, wall: float, known: States
    ) -> Incident | None:
        """Bring the incident of a group up to date. `known` are states that need not be read again."""
        rules = [self._by_name[name] for name in self._groups.get(change.group, [])]
        others = self._states.load(connection, change.model, [rule.name for rule in rules if rule.name not in known])
        firing = [
            replace(alert_of(rule, change.model, state), moved=change.moved.get((rule.metric, state.labels), ()))
            for rule in rules
            for state in (known.get(rule.name) or others.get(rule.name, {})).values()
            if state.status is Status.FIRING
        ]
        return self.incidents.update(connection, old, change, firing, self._by_name, now, wall)

    def _record(self, connection: Connection, model: str, changes: Sequence[Transition], wall: float) -> None:
        stored_states.add_transitions(connection, model, changes, wall)
        where = model or "host"
        for change in changes[:LOGGED]:
            pairs = ",".join(f"{name}={value}" for name, value in change.labels)
            states = f"{change.before} -> {change.after} ({change.reason})"
            logger.info("%s %s{%s}: %s", where, change.rule, pairs, states)
        if len(changes) > LOGGED:
            logger.info("%s: %d more transitions", where, len(changes) - LOGGED)

    def _pace(self, rule: Rule, interval: float | None) -> float | None:
        metric = CATALOG.get(rule.metric)
        return (interval or self._interval) if metric is not None and metric.clock == "wall" else None


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


def _by_metric(measurements: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        found.setdefault(measurement.name, []).append(measurement)
    return found
