"""What Alertmanager is to be told, from the alerts' stored states and the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from alerts.incidents.incident import Alert, incident_key
from alerts.incidents.lifecycle import alert_of, worded
from alerts.incidents.silence import Silence
from alerts.notify.alertmanager import Push, not_silenced
from alerts.rules.rule import Rule
from alerts.state.state import AlertState
from alerts.wording import Wording
from checks.catalog import CATALOG
from checks.drift.methods.names import LABELS
from monitor.store.alerts.active import ActiveAlert, mark, standing
from monitor.store.alerts.states import open_incidents


class ActiveAlerts:
    """Of one member: what an end is called depends on how far back that member is told."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], silences: Callable[[float], Sequence[Silence]]) -> None:
        self._engine, self._silences = engine, silences
        self._rules = {rule.name: rule for rule in rules}
        self._wording = Wording(LABELS)
        self._last: dict[str, Alert] = {}
        """How each alert was last told, for the words of its end."""

    def use(self, rules: Sequence[Rule]) -> None:
        """Goes by other rules from now on."""
        self._rules = {rule.name: rule for rule in rules}

    def mark(self) -> int:
        """Changes whenever there may be something new."""
        with self._engine.connect() as connection:
            return mark(connection)

    def pushes(self, now: float, since: float) -> list[Push]:
        """All that fires, and what ended since (wall time), as far as silences let it through."""
        with self._engine.connect() as connection:
            found = standing(connection, since)
            opened = open_incidents(connection) if found else []
        reports = {incident.key: incident.reports[-1].path for incident in opened if incident.reports}
        pictures = {incident.key: incident.picture.path("png") for incident in opened if incident.picture}
        pushes = [
            replace(push, picture=pictures.get(self._key(push), ""))
            for item in found
            if (push := self._push(item, reports)) is not None
        ]
        self._last = {push.alert.fingerprint: push.alert for push in pushes}
        return not_silenced(pushes, self._silences(now), now)

    def _key(self, push: Push) -> str:
        """Of the incident that the alert is in."""
        rule = self._rules.get(push.alert.rule)
        return incident_key(push.model, rule.incident_group) if rule is not None else ""

    def _push(self, item: ActiveAlert, reports: Mapping[str, str]) -> Push | None:
        rule, last = self._rules.get(item.rule), self._last.get(item.fingerprint)
        report = reports.get(incident_key(item.model, rule.incident_group), "") if rule is not None else ""
        if item.state is not None:
            if rule is None:
                return None
            alert = worded(alert_of(rule, item.model, item.state), rule, item.model, self._wording)
            return Push(alert, item.model, item.started_at, None, _in_event_time(alert), report)
        if last is None:
            # Told by an earlier process, so the words are gone. Without its rule the labels are, too: there it ends
            # by itself, when its time is up.
            if rule is None:
                return None
            last = alert_of(rule, item.model, AlertState(item.labels))
            last = replace(last, summary=f"{rule.name} has ended")
        return Push(
            replace(last, firing=False), item.model, item.started_at, item.ended_at, _in_event_time(last), report
        )


def _in_event_time(alert: Alert) -> bool:
    metric = CATALOG.get(alert.metric)
    return metric is None or metric.clock == "event"
