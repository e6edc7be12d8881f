"""Why alerts fire, or do not, from the rules in force, the stored states, and the newest values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, select

from alerts.delivery.routing import Inhibition, inhibited
from alerts.incidents.lifecycle import alert_of
from alerts.incidents.silence import silenced
from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.explain import Fact, explain
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.state import AlertState
from alerts.wording import stamp
from checks.base import Labels, Measurement
from checks.suggest import did_you_mean
from monitor.store.alerts import states
from monitor.store.alerts.queries import AlertStore
from monitor.store.tables import alerts

SHOWN = 20
"""Label sets of one rule that are explained at once."""


class UnknownRule(LookupError):
    """There is no such rule in force, or no such alert."""


@dataclass(frozen=True)
class Question:
    """Which alerts: one by its fingerprint, or a rule's on these models and labels."""

    fingerprint: str = ""
    rule: str = ""
    model: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Explainer:
    """`newest` holds (model, measurement) of each series as far as they are known."""

    engine: Engine
    store: AlertStore
    rules: Sequence[Rule]
    newest: Sequence[tuple[str, Measurement]]
    inhibitions: Sequence[Inhibition] = ()

    def answer(self, question: Question, now: float) -> list[dict[str, Any]]:
        """Each alert that is asked for, at most SHOWN, with `facts`: [{about, found}]. Raises UnknownRule."""
        by_name = {rule.name: rule for rule in self.rules}
        if not question.fingerprint and question.rule not in by_name:
            hint = did_you_mean(question.rule, by_name, "`check-config` shows those there are")
            raise UnknownRule(f"there is no rule {question.rule!r} in force{hint}")
        with self.engine.connect() as connection:
            found = [
                self._alert(connection, by_name.get(rule), rule, model, state, now)
                for rule, model, state in self._known(connection, question)
            ]
            if found:
                return found
            if question.fingerprint:
                raise UnknownRule(
                    f"there is no alert {question.fingerprint}; `alerts list --all` shows those there are"
                )
            labels = tuple(sorted(question.labels.items()))
            rule, model = by_name[question.rule], question.model or ""
            facts = explain(rule, None, None, self._company(connection, rule), now)
            return [_plain(rule.name, model, labels, None, facts)]

    def _known(self, connection: Connection, question: Question) -> list[tuple[str, str, AlertState]]:
        query = select(alerts.c.rule, alerts.c.model, alerts.c.memory).order_by(
            alerts.c.state != "firing", alerts.c.state == "inactive", alerts.c.model, alerts.c.labels
        )
        if question.fingerprint:
            query = query.where(alerts.c.fingerprint == question.fingerprint)
        else:
            query = query.where(alerts.c.rule == question.rule)
        if question.model is not None:
            query = query.where(alerts.c.model == question.model)
        rows = (
            (row.rule, row.model, AlertState.from_dict(json.loads(row.memory))) for row in connection.execute(query)
        )
        wanted = question.labels.items()
        return [item for item in rows if wanted <= dict(item[2].labels).items()][:SHOWN]

    def _alert(
        self, connection: Connection, rule: Rule | None, name: str, model: str, state: AlertState, now: float
    ) -> dict[str, Any]:
        if rule is None:
            facts = [("rule", f"{name} is not in force any more; the alert ends when the config is reloaded")]
            return _plain(name, model, state.labels, state, facts)
        measurement = next(
            (row for its, row in self.newest if (its, row.name, row.labels) == (model, rule.metric, state.labels)), None
        )
        facts = explain(rule, state, measurement, self._company(connection, rule), now)
        return _plain(name, model, state.labels, state, [*facts, *self._held_back(rule, model, state, now)])

    def _company(self, connection: Connection, rule: Rule) -> ConditionInputs:
        metrics = {item.metric for item in rule.while_ if item.metric is not None}
        names = {item.rule for item in rule.while_ if item.rule is not None}
        newest = {name: [row for _, row in self.newest if row.name == name] for name in metrics}
        return ConditionInputs(newest, states.load_statuses(connection, names))

    def _held_back(self, rule: Rule, model: str, state: AlertState, now: float) -> Iterable[Fact]:
        alert = alert_of(rule, model, state)
        silence = silenced(alert.silence_labels(model), self.store.list_silences(now), now)
        if silence is not None:
            comment = f" ({silence.comment})" if silence.comment else ""
            who = silence.created_by or "somebody"
            yield "silenced", f"by {who} until {stamp(silence.ends_at)}{comment}, with silence {silence.id}"
        if self.inhibitions and inhibited(alert, model, self.inhibitions, self.store.firing()):
            yield "inhibited", "another alert that fires holds it back (inhibitions)"


def _plain(rule: str, model: str, labels: Labels, state: AlertState | None, facts: Iterable[Fact]) -> dict[str, Any]:
    return {
        "fingerprint": "" if state is None else alert_fingerprint(rule, model, labels),
        "rule": rule,
        "model": model,
        "labels": dict(labels),
        "state": "inactive" if state is None else state.status.value,
        "facts": [{"about": about, "found": found} for about, found in facts],
    }
