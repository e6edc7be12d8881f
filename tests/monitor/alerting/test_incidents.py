"""What an evaluation makes of incidents, and what receivers are owed of them, on a real SQLite file."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.duration import Hold
from checks.base import Measurement, Window
from monitor.store.tables import outbox
from tests.alerts.builders import HOUR, START, FakeClock, measure, rule
from tests.alerts.world import Receiver, world

DRIFT = rule(name="drift", summary="{{ labels.feature }} drifted to {{ value }}")


def test_alerts_of_a_group_are_one_incident_a_model(tmp_path: Path) -> None:
    rules = [rule(name="a", group="data"), rule(name="b", group="data", above=1.0, severity="critical")]
    with world(tmp_path, rules, Receiver()) as it:
        it.window({"distance": 0.5, "temp": 2.0}, 1)
        it.window({"distance": 0.5}, 1, model="fares")
        found = {row["model"]: row for row in it.store.incidents()}
        assert set(found) == {"delays", "fares"}
        assert (found["delays"]["total"], found["delays"]["severity"], found["fares"]["total"]) == (3, "critical", 1)


def test_an_incident_spans_evaluations_and_resolves_with_its_last_alert(tmp_path: Path) -> None:
    rules = [rule(name="a", group="data"), rule(name="gaps", metric="missing_ratio", group="data")]
    with world(tmp_path, rules, Receiver()) as it:
        it.window(3.2, 1)
        gap = measure(0.9, labels=(("feature", "temp"),), name="missing_ratio")
        it.judged([gap], START + HOUR, metrics=["missing_ratio"])
        it.window(0.0, 2)
        [incident] = it.store.incidents()
        assert (incident["firing"], incident["total"], incident["resolved_at"]) == (1, 2, None)
        gone = measure(0.0, START + 2 * HOUR, labels=(("feature", "temp"),), name="missing_ratio")
        it.judged([gone], START + 2 * HOUR, metrics=["missing_ratio"])
        assert it.store.incidents(open_only=True) == []
        it.window(3.2, 3)
        assert len(it.store.incidents()) == 2


def test_a_steady_alert_owes_nothing_more(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        for hour in range(1, 50):
            it.window(3.2, hour)
        assert it.count(outbox) == 1


def test_at_most_one_unfinished_row_an_incident_and_receiver(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver("a"), Receiver("b")) as it:
        for hour, value in enumerate([1.0, 2.0, 3.0, 4.0, 0.0], 1):
            it.window(value, hour)
        assert it.store.pending() == {"a": 1, "b": 1}
        newest = it.store.notifications()[0]
        assert (newest["reason"], newest["version"]) == ("resolved", 5)


def test_a_rule_that_changes_its_group_closes_one_incident_and_opens_another(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        it.window(3.2, 1)
    with world(tmp_path, [rule(name="drift", group="data")], Receiver()) as it:
        assert it.reconcile() == []
        it.window(3.2, 2)
        [row] = it.store.incidents(open_only=True)
        assert (row["group"], row["firing"]) == ("data", 1)


def test_raising_for_ends_the_incident_until_it_has_lasted_so_long(tmp_path: Path) -> None:
    clock, receiver = FakeClock(), Receiver()
    with world(tmp_path, [DRIFT], receiver, clock=clock) as it:
        it.window(3.2, 1)
        it.deliver()
    longer = DRIFT.model_copy(update={"for_": Hold(windows=3)})
    with world(tmp_path, [longer], receiver, clock=clock) as it:
        assert [(change.after.value, change.reason.value) for change in it.reconcile()] == [("pending", "rule_changed")]
        it.deliver()
        it.window(3.2, 2)
        it.window(3.2, 3)
        it.deliver()
    assert receiver.told == ["first", "resolved", "first"]
    assert receiver.sent[1][0].incident.alerts[0].ended_why == "rule_changed"


def test_a_renamed_rule_ends_its_alerts_and_begins_anew(tmp_path: Path) -> None:
    receiver = Receiver()
    with world(tmp_path, [rule(for_="2 windows")], receiver) as it:
        it.window(3.2, 1)
        it.window(3.2, 2)
        it.deliver()
        renamed = rule(name="feature-moved", for_="2 windows")
        changes = it.writer.call(lambda connection: it.alert_engine.reload(connection, [renamed], it.clock.now))
        assert [(change.rule, change.reason.value) for change in changes] == [("drift", "rule_removed")]
        it.deliver()
        assert [(change.rule, change.after.value) for change in it.window(3.2, 3)] == [("feature-moved", "pending")]
        assert [(change.rule, change.after.value) for change in it.window(3.2, 4)] == [("feature-moved", "firing")]
        it.deliver()
    assert receiver.told == ["first", "resolved", "first"]
    ended, begun = receiver.sent[1][0].incident, receiver.sent[2][0].incident
    assert (ended.alerts[0].ended_why, begun.id == ended.id) == ("rule_removed", False)


@pytest.mark.parametrize(
    "text",
    ["{{ 1 / (n - n) }}", "{{ labels.feature.nothing.more }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
)
def test_an_alert_whose_texts_can_not_be_filled_in_is_delivered(tmp_path: Path, text: str) -> None:
    receiver = Receiver()
    with world(tmp_path, [rule(summary=text, action=text, annotations={"more": text})], receiver) as it:
        it.window(3.2, 1)
        it.deliver()
    [alert] = receiver.sent[0][0].incident.alerts
    assert receiver.told == ["first"]
    assert (alert.summary, alert.action, alert.annotations) == (
        "feature_drift distance 3.2 > 0.1",
        text,
        {"more": text},
    )


def test_a_receiver_configured_later_hears_of_what_is_open(tmp_path: Path) -> None:
    clock, late = FakeClock(), Receiver("late")
    with world(tmp_path, [DRIFT], clock=clock) as it:
        it.window(3.2, 1)
    with world(tmp_path, [DRIFT], late, clock=clock) as it:
        it.reconcile()
        it.reconcile()
        it.deliver()
        it.deliver()
    assert late.told == ["first"]


def test_people_are_told_for_which_models_rule_a_condition_holds(tmp_path: Path) -> None:
    slow = rule(name="slow", metric="latency_p95_seconds", above=1.0)
    busy = rule(name="busy", metric="gpu_utilization_ratio", above=0.9, **{"while": [{"rule": "slow"}]})
    receiver, clock = Receiver(), FakeClock()
    with world(tmp_path, [slow, busy], receiver, clock=clock) as it:
        for model, name, value in (("delays", "latency_p95_seconds", 3.0), ("", "gpu_utilization_ratio", 0.95)):
            row = Measurement(name, value, Window(clock.now, clock.now))
            it.writer.call(lambda c: it.alert_engine.step(c, model, [row], clock.now, metrics={name}, failed={}))  # noqa: B023
        it.deliver()
        (told,) = [notice.incident for notice, _ in receiver.sent if notice.incident.group == "busy"]
        assert told.alerts[0].summary == "gpu_utilization_ratio 95% > 90% while slow is firing on delays"
