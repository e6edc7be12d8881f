"""Plays a test's series to the judge, in a database of its own in memory, and looks at what fires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from alerts.incidents.incident import Alert
from alerts.incidents.lifecycle import alert_of, worded
from alerts.notify.alertmanager import Push, payload
from alerts.rules.rule import Rule
from alerts.state.state import Status
from alerts.wording import Wording
from checks.base import Measurement, Window
from checks.catalog import CATALOG
from checks.drift.methods.names import LABELS
from monitor.alerting.engine import AlertEngine
from monitor.rule_tests.form import InputSeries, RuleTest
from monitor.rule_tests.notation import ERROR
from monitor.store.alerts import states
from monitor.store.engine import open_engine, writing
from monitor.store.tables import alerts, metadata

START = 1_704_067_200.0
"""Monday, 1 January 2024, 00:00 UTC: a test's time 0."""


@dataclass(frozen=True)
class FiredAlert:
    """An alert as a receiver would get it; `pending` says since when, in seconds of the test, one that does not fire
    yet."""

    labels: dict[str, str]
    annotations: dict[str, str]
    pending: float | None = None


class _Hand:
    """A clock moved by hand."""

    now = START

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Player:
    """One test in progress: `at` moves it on to a time and says what there is of a rule."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], test: RuleTest, interval: float) -> None:
        """`interval`: seconds from one value to the next. Whatever is in the database is deleted."""
        with writing(engine).begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self._engine, self._rules, self._interval = engine, {rule.name: rule for rule in rules}, interval
        self._clock, self._wording = _Hand(), Wording(LABELS)
        self._series = [(series, series.seen) for series in test.input_series]
        self._newest: dict[tuple[str, str], list[Measurement]] = {}
        self._next = 0
        given = {series.name.metric for series in test.input_series}
        needed = [rule for rule in rules if rule.metric in given]
        self._judge = AlertEngine(needed, (), self._clock, interval=interval, newest=self._newest_of)

    def at(self, seconds: float, rule: str) -> list[FiredAlert]:
        """The rule's alerts, firing and pending, after every evaluation up to `seconds` of the test's time."""
        while self._next * self._interval <= seconds + 1e-6:
            self._evaluate(self._next)
            self._next += 1
        with self._engine.connect() as connection:
            models = connection.scalars(select(alerts.c.model).where(alerts.c.rule == rule).distinct()).all()
            return [found for model in sorted(models) for found in self._found(connection, model, rule)]

    def _found(self, connection: Connection, model: str, rule: str) -> Iterator[FiredAlert]:
        for state in states.load_states(connection, model, [rule]).get(rule, {}).values():
            if state.status is Status.INACTIVE:
                continue
            alert = worded(alert_of(self._rules[rule], model, state), self._rules[rule], model, self._wording)
            labels, annotations = _received(alert, model)
            assert state.active_at is not None
            waits = state.status is Status.PENDING
            yield FiredAlert(labels, annotations, state.active_at - START if waits else None)

    def _evaluate(self, index: int) -> None:
        self._clock.now = now = START + index * self._interval
        rows: dict[tuple[str, str], list[Measurement]] = {}
        failed: dict[tuple[str, str], dict[str, str]] = {}
        for series, seen in self._series:
            key = (series.name.model, series.name.metric)
            value = seen[index] if index < len(seen) else None
            rows.setdefault(key, [])
            if value == ERROR:
                failed[key] = {series.name.metric: "error in the test"}
            elif isinstance(value, float):
                rows[key].append(_measurement(series, value, now, self._interval))
        self._newest = rows
        for (model, metric), found in rows.items():
            wall = CATALOG[metric].clock == "wall"
            with writing(self._engine).begin() as connection:
                self._judge.step(
                    connection,
                    model,
                    found,
                    now,
                    metrics={metric},
                    failed=failed.get((model, metric), {}),
                    interval=self._interval if wall else None,
                )

    def _newest_of(self, metric: str) -> list[Measurement]:
        return [row for (_, name), rows in self._newest.items() if name == metric for row in rows]


@contextmanager
def database() -> Iterator[Engine]:
    """One in memory, for one test after the other."""
    engine = open_engine("sqlite:///:memory:")
    try:
        metadata.create_all(engine)
        yield engine
    finally:
        engine.dispose()


def _measurement(series: InputSeries, value: float, now: float, interval: float) -> Measurement:
    metric, _, labels = series.name
    start = now if CATALOG[metric].clock == "wall" else now - interval
    return Measurement(
        metric,
        value,
        Window(start, now),
        labels,
        series.rows,
        reference=series.reference,
        limit_low=series.limit_low,
        limit_high=series.limit,
    )


def _received(alert: Alert, model: str) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations as Alertmanager gets them, without the rule's name."""
    [plain] = payload([Push(alert, model, START)], START, hold=0.0, labels={}, url="")
    labels = {name: value for name, value in plain["labels"].items() if name != "alertname"}
    return labels, dict(plain["annotations"])
