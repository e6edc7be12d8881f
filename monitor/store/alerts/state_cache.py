"""Alert states as the judge reads them, again and again: what has not changed is not decoded again."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection, select

from alerts.state.state import AlertState
from checks.base import Labels
from monitor.store.alerts.states import States
from monitor.store.tables import alerts


class StateReader:
    """Every read asks the database, so that whatever another transaction or daemon left is seen; the text it finds is
    decoded once, and as long as it is the same the state is the same object."""

    def __init__(self) -> None:
        self._decoded: dict[tuple[str, str], dict[str, tuple[str, AlertState]]] = {}

    def load(self, connection: Connection, model: str, rules: Collection[str]) -> States:
        """The states of these rules on one model."""
        if not rules:
            return {}
        query = select(alerts.c.rule, alerts.c.fingerprint, alerts.c.memory).where(alerts.c.model == model)
        by_rule: dict[str, list[tuple[str, str]]] = {rule: [] for rule in rules}
        for rule, fingerprint, memory in connection.execute(query.where(alerts.c.rule.in_(rules))).all():
            by_rule[rule].append((fingerprint, memory))
        return {rule: self._states(model, rule, rows) for rule, rows in by_rule.items() if rows}

    def _states(self, model: str, rule: str, rows: list[tuple[str, str]]) -> dict[Labels, AlertState]:
        before = self._decoded.get((model, rule), {})
        found: dict[str, tuple[str, AlertState]] = {}
        for fingerprint, memory in rows:
            known = before.get(fingerprint)
            if known is None or known[0] != memory:
                known = memory, AlertState.from_dict(json.loads(memory))
            found[fingerprint] = known
        self._decoded[model, rule] = found
        return {state.labels: state for _, state in found.values()}
