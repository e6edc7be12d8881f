"""The judge driven through arbitrary observations, gaps, restarts, clock steps and reloads, beside a plain model.

For hours instead of seconds: ``pytest tests/alerts/test_machine.py --hypothesis-profile=thorough --timeout=0``.
"""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from alerts.rule import Rule
from checks.base import Measurement, Window, labels
from monitor.judge import Judge
from monitor.store.engine import open_engine, writing
from monitor.store.tables import alerts, incidents, metadata, transitions
from tests.alerts.builders import START, FakeClock
from tests.alerts.plain import FEW, PlainRule

INTERVAL = 15.0
NAMES = ("a", "b", "c")
"""Of three disks, or three features."""
VALUES = st.sampled_from([0.0, 0.07, 0.1, 0.11, 0.3, 0.93])
SEEN = st.one_of(VALUES, VALUES, st.sampled_from(["nan", "twice", "few"]))
WINDOWS = ["1 windows", "2 windows", "4 windows", "2 of 3 windows", "3 of 5 windows"]
HOLDS = st.sampled_from(["0s", "15s", "30s", "60s", *WINDOWS])
GAPS = [10.0, 29.0, 31.0, 60.0, 600.0, 7200.0, -3600.0]
KEEPS = st.sampled_from(["0s", "30s", "1 windows", "3 windows"])
POLICIES = st.sampled_from(["keep", "keep", "ok", "alert"])
LEVELS = st.sampled_from(
    [
        {"above": 0.1},
        {"above": 0.1, "clear": 0.06},
        {"below": 0.1},
        {"below": 0.1, "clear": 0.4},
        {"outside": {"low": 0.06, "high": 0.4}},
        {"outside": {"low": 0.06, "high": 0.9}, "clear": {"low": 0.1, "high": 0.4}},
        {"absent": True},
    ]
)
OVERRIDES = st.sampled_from([[], [], [{"match": {"of": "c"}, "above": 0.4, "for": "30s"}]])
MATCHES = st.sampled_from([{}, {}, {}, {"of": "b"}])
"""By `of` the label is meant that tells the three apart."""


def _keys(level: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A rule's keys; what looks at no value takes no level for some, no rows, and is about no data."""
    absent = {"overrides": [], "no_data": "alert", "min_rows": 0} if "absent" in level else {}
    return {**level, **others, **absent}


RULES = st.builds(
    _keys,
    LEVELS,
    keep_firing_for=KEEPS,
    no_data=POLICIES,
    error=POLICIES,
    min_rows=st.sampled_from([0, 0, 100]),
    overrides=OVERRIDES,
    match=MATCHES,
    **{"for": HOLDS},
)


# What is on disk after a crash is not what this is about.
ENGINE = open_engine("sqlite:///:memory:")
metadata.create_all(ENGINE)


class Sampled(RuleBasedStateMachine):
    """One rule over three label sets, every 15 s, in a database; of what is sampled, in wall time."""

    metric: ClassVar[str] = "disk_utilization_ratio"
    label: ClassVar[str] = "path"
    patience: ClassVar[float] = 45.0

    @initialize(keys=RULES)
    def begin(self, keys: dict[str, Any]) -> None:
        self.clock, self.event_time = FakeClock(START), START
        with writing(ENGINE).begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.read, self.told = 0, dict[str, str]()
        self.keys: dict[str, Any] | None = None
        self.judge = Judge([], ["pager"], self.clock, interval=INTERVAL)
        self.plain = PlainRule(self.patience)
        self.reload(keys)

    @property
    def now(self) -> float:
        """On the rule's clock."""
        return self.clock.now

    def pass_(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(seen=st.dictionaries(st.sampled_from(NAMES), SEEN), failed=st.sampled_from([False, False, False, True]))
    def evaluate(self, seen: dict[str, float | str], failed: bool) -> None:
        self.pass_(INTERVAL)
        self.last = seen, failed
        self._judge(seen, failed)
        self.plain.evaluate(seen, failed, self.now)
        self._compare()

    @rule(steps=st.lists(st.tuples(VALUES, st.sampled_from([0.0, 0.0, 0.0, *GAPS])), min_size=2, max_size=6))
    def evaluate_the_same_for_all(self, steps: list[tuple[float, float]]) -> None:
        for value, gap in steps:
            self.pass_(gap)
            self.evaluate(dict.fromkeys(NAMES, value), False)

    @rule(values=st.lists(VALUES, min_size=1, max_size=2), times=st.integers(2, 4))
    def evaluate_again_and_again(self, values: list[float], times: int) -> None:
        for value in values * times:
            self.evaluate(dict.fromkeys(NAMES, value), False)

    @rule(times=st.integers(2, 6), failed=st.booleans(), value=VALUES)
    def nothing_is_measured_for_a_while(self, times: int, failed: bool, value: float) -> None:
        for _ in range(times):
            self.evaluate({}, failed)
        for _ in range(2):
            self.evaluate(dict.fromkeys(NAMES, value), False)

    @precondition(lambda self: self.last is not None)
    @rule()
    def evaluate_once_more(self) -> None:
        """A second daemon, or an overlapping run."""
        assert self.last is not None
        before = self._stored()
        self._judge(*self.last)
        assert self._stored() == before

    @rule(seconds=st.sampled_from([*GAPS, 3600.0]), clock_only=st.booleans())
    def nothing_happens(self, seconds: float, clock_only: bool) -> None:
        """Time passes, or the wall's clock is set."""
        if clock_only:
            self.clock.now += seconds
        else:
            self.pass_(seconds)
        self.last = None

    @rule()
    def restart(self) -> None:
        self.judge = Judge(self._rules(), ["pager"], self.clock, interval=INTERVAL)
        with writing(ENGINE).begin() as connection:
            assert self.judge.reconcile(connection, self.clock.now) == []

    @rule(keys=st.one_of(RULES, RULES, st.none()))
    def reload(self, keys: dict[str, Any] | None) -> None:
        """Without keys the rule is removed."""
        self.keys, self.last = keys, None
        with writing(ENGINE).begin() as connection:
            self.judge.reload(connection, self._rules(), self.clock.now)
        self.plain.reload(keys)

    @precondition(lambda self: self.keys is not None)
    @rule(key=st.one_of(st.tuples(st.just("for"), HOLDS), st.tuples(st.just("keep_firing_for"), KEEPS)))
    def reload_with_one_key_changed(self, key: tuple[str, str]) -> None:
        self.reload({**(self.keys or {}), key[0]: key[1]})

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        """Statuses are the model's; each change follows from the one before, with a reason; and an incident is open
        exactly while something fires."""
        if not hasattr(self, "plain"):
            return
        statuses = self._compare()
        with ENGINE.connect() as connection:
            changes = select(transitions).where(transitions.c.id > self.read).order_by(transitions.c.id)
            rows = connection.execute(changes).all()
            is_open = connection.scalar(select(func.count()).where(incidents.c.resolved_at.is_(None)))
        for row in rows:
            name = json.loads(row.labels).get(self.label, "")
            assert row.reason
            assert row.before == self.told.get(name, "inactive") != row.after
            self.told[name], self.read = row.after, row.id
        assert {name for name, status in self.told.items() if status != "inactive"} == {
            name for name, status in statuses.items() if status != "inactive"
        }
        assert is_open == ("firing" in statuses.values())

    def _compare(self) -> dict[str, str]:
        statuses = {name: status for name, (status, _) in self._stored().items()}
        assert statuses == {name: plain.status for name, plain in self.plain.alerts.items()}
        return statuses

    def _rules(self) -> list[Rule]:
        if self.keys is None:
            return []
        keys = {**self.keys, "match": self._labelled(self.keys["match"])}
        keys["overrides"] = [{**item, "match": self._labelled(item["match"])} for item in keys["overrides"]]
        return [Rule.model_validate({"name": "r", "metric": self.metric, **keys})]

    def _labelled(self, match: dict[str, str]) -> dict[str, str]:
        return {self.label if name == "of" else name: value for name, value in match.items()}

    def _judge(self, seen: dict[str, float | str], failed: bool) -> None:
        rows = [row for name, value in seen.items() for row in self._rows(name, value)]
        why = {self.metric: "it broke"} if failed else {}
        with writing(ENGINE).begin() as connection:
            self.judge.step(connection, "m", rows, self.now, metrics={self.metric}, failed=why)

    def _rows(self, name: str, value: float | str) -> list[Measurement]:
        number = value if isinstance(value, float) else math.nan if value == "nan" else 1.0
        n = FEW if value == "few" else 500
        row = Measurement(self.metric, number, self._window(), labels(**{self.label: name}), n)
        return [row, row] if value == "twice" else [row]

    def _window(self) -> Window:
        return Window(self.now, self.now)

    def _stored(self) -> dict[str, tuple[str, str]]:
        """(status, all that is remembered) by the label that tells label sets apart."""
        with ENGINE.connect() as connection:
            rows = connection.execute(select(alerts)).all()
        return {json.loads(row.labels).get(self.label, ""): (row.state, row.memory) for row in rows}


class Windowed(Sampled):
    """The same of what is measured once a window: in event time, which only goes forward, whatever the clock does."""

    metric = "feature_drift"
    label = "feature"
    patience = math.inf

    @property
    def now(self) -> float:
        return self.event_time

    def pass_(self, seconds: float) -> None:
        self.event_time += abs(seconds)
        self.clock.forward(1.0)

    def _window(self) -> Window:
        return Window(self.now - INTERVAL, self.now)


def _settings(examples: int) -> settings:
    """The same examples each time, unless a profile asks for more."""
    if settings.get_current_profile_name() == "thorough":
        return settings()
    return settings(max_examples=examples, stateful_step_count=25, derandomize=True)


TestSampled = Sampled.TestCase
TestSampled.settings = _settings(56)
TestWindowed = Windowed.TestCase
TestWindowed.settings = _settings(32)


LASTING = {"above": 0.1, "for": "60s", "keep_firing_for": "0s", "no_data": "keep", "error": "keep", "min_rows": 0}
OF_THREE = {**LASTING, "for": "2 of 3 windows", "no_data": "ok", "error": "ok"}


@pytest.mark.parametrize("machine", [Sampled, Windowed])
@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        pytest.param(LASTING, [0.3, *[None] * 20, 0.3, 0.3, 0.3, 0.3, 0.3], id="long without data"),
        pytest.param(OF_THREE, [0.3, None, None, 0.3, 0.0, 0.3], id="n of m without data, each stepped again"),
        pytest.param(LASTING, ["twice", 0.0, None, 0.3], id="first met twice"),
        pytest.param({**LASTING, "error": "alert"}, ["twice", None, None, None], id="first met twice, an error"),
    ],
)
def test_what_chance_seldom_meets(machine: type[Sampled], keys: dict[str, Any], seen: list[float | str | None]) -> None:
    """Of one label set, beside another that is always there; None is not measured."""
    driven = machine()
    driven.begin({"overrides": [], "match": {}, **keys})
    for value in seen:
        for _ in range(2):
            driven.evaluate({"a": 0.0, **({} if value is None else {"b": value})}, False)
            driven.what_is_stored_is_what_the_model_says()
            driven.evaluate_once_more()
