"""Judging inside a transaction, on a real SQLite file."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.state.state import Status
from checks.base import Measurement, Window
from monitor.alerting.engine import AlertEngine
from monitor.store.tables import alerts, incidents, outbox, transitions
from monitor.telemetry.latest_values import Latest
from tests.alerts.builders import HOUR, START, FakeClock, measure, rule
from tests.alerts.world import Receiver, World, world

DRIFT = rule(name="drift", summary="{{ labels.feature }} drifted to {{ value }}")


def test_states_transitions_incident_and_outbox_are_one_transaction(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver("a"), Receiver("b")) as it:
        with pytest.raises(RuntimeError):
            it.writer.call(lambda connection: _judge_and_fail(it, connection))
        assert [it.count(table) for table in (alerts, transitions, incidents, outbox)] == [0, 0, 0, 0]
        it.window(3.2, 1)
        assert [it.count(table) for table in (alerts, transitions, incidents, outbox)] == [1, 1, 1, 2]


def _judge_and_fail(it: World, connection) -> None:  # type: ignore[no-untyped-def]
    rows = [measure(3.2, labels=(("feature", "distance"),))]
    it.alert_engine.step(connection, "delays", rows, START + HOUR, metrics={"feature_drift"}, failed={})
    raise RuntimeError("killed before the commit")


def test_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    the_rule, clock = rule(for_="3 windows"), FakeClock()
    for hour in range(1, 4):
        with world(tmp_path, [the_rule], clock=clock) as it:
            changes = it.window(3.2, hour)
            assert [change.after for change in changes] == [[Status.PENDING], [], [Status.FIRING]][hour - 1]


def test_restarting_between_all_windows_leaves_what_one_run_leaves(tmp_path: Path) -> None:
    rules = [rule(for_="2 windows", clear=0.05), rule(name="mean", average=3, above=0.5, group="drift")]
    values = [0.0, 0.2, 0.9, 1.5, 0.07, 0.0, 0.3, None, 0.3, 0.0, 2.0, 2.0, 0.0]
    (tmp_path / "once").mkdir()
    (tmp_path / "often").mkdir()
    with world(tmp_path / "once", rules, Receiver()) as it:
        for hour, value in enumerate(values, 1):
            it.window({"distance": value}, hour)
        once = it.dump()
    for hour, value in enumerate(values, 1):
        with world(tmp_path / "often", rules, Receiver()) as it:
            it.window({"distance": value}, hour)
            often = it.dump()
    assert often == once


def test_judging_a_window_again_changes_nothing(tmp_path: Path) -> None:
    with world(tmp_path, [rule(for_="3 windows"), rule(name="now")], Receiver()) as it:
        for hour in (1, 2):
            it.window(3.2, hour)
        before = it.dump(), it.count(outbox)
        assert it.window(3.2, 2) == []
        assert it.window(3.2, 1) == []
        assert (it.dump(), it.count(outbox)) == before


def test_windows_that_mature_at_one_moment_keep_all_their_transitions(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        now = START + 99 * HOUR
        for hour, value in enumerate([3.2, 0.0, 3.2, 0.0], 1):
            it.judged([measure(value, START + hour * HOUR, labels=(("feature", "distance"),))], now)
        kept = [(row["after"], row["window_end"]) for row in reversed(it.store.transitions())]
        ends = [START + hour * HOUR for hour in range(1, 5)]
        assert kept == list(zip(["firing", "inactive", "firing", "inactive"], ends, strict=True))
        assert all(now <= row["at"] < now + 1e-3 for row in it.store.transitions())


def test_only_rules_of_the_given_metrics_are_stepped(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT, rule(name="gaps", metric="missing_ratio", error="alert")]) as it:
        assert it.judged([], START, metrics=["feature_drift"], failed={"missing_ratio": "it broke"}) == []
        [change] = it.judged([], START, metrics=["missing_ratio"], failed={"missing_ratio": "it broke"})
        assert (change.rule, change.reason) == ("gaps", "error")


def test_wall_clock_rules_do_not_count_downtime(tmp_path: Path) -> None:
    cpu = rule(name="cpu", metric="cpu_utilization_ratio", above=0.9, for_="60s")
    clock = FakeClock()
    seen = []
    for moment in (0, 15, 30, 3630, 3645, 3660):
        with world(tmp_path, [cpu], clock=clock) as it:
            now = START + moment
            sample = measure(1.0, now, 15.0, name="cpu_utilization_ratio", labels=(("scope", "host"),))
            changes = it.judged([sample], now, model="", metrics=["cpu_utilization_ratio"])
            seen += [(moment, change.after.value) for change in changes]
    assert seen == [(0, "pending"), (3660, "firing")]


# Reconciling


def test_alerts_of_a_removed_rule_are_resolved_with_that_reason(tmp_path: Path) -> None:
    clock, receiver = FakeClock(), Receiver()
    with world(tmp_path, [DRIFT], receiver, clock=clock) as it:
        it.window(3.2, 1)
        it.deliver()
    for rules in ([], [rule(name="drift", enabled=False)]):
        with world(tmp_path, rules, receiver, clock=clock) as it:
            it.reconcile()
            assert it.store.transitions()[0]["reason"] == "rule_removed"
            assert it.store.alerts() == []
            it.deliver()
    assert receiver.told == ["first", "resolved"]
    assert receiver.sent[-1][0].incident.alerts[0].ended_why == "rule_removed"


@pytest.mark.parametrize("other", [{"match": {"feature": "temp"}}, {"metric": "prediction_drift"}])
def test_alerts_that_a_changed_rule_does_not_cover_end(tmp_path: Path, other: dict) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        it.window(3.2, 1)
    with world(tmp_path, [rule(name="drift", **other)], Receiver()) as it:
        assert [change.reason.value for change in it.reconcile()] == ["rule_changed"]
        assert it.store.incidents(open_only=True) == []


def test_alerts_of_a_removed_model_end(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        it.window(3.2, 1)
        it.window(3.2, 1, model="")
        assert [change.reason.value for change in it.reconcile(models={"fares"})] == ["model_removed"]
        assert [row["model"] for row in it.store.incidents(open_only=True)] == [""]


def test_rules_are_reloaded_while_it_runs_and_stay_if_that_fails(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        it.window(3.2, 1)
        other = rule(name="other")

        def fail(connection) -> None:  # type: ignore[no-untyped-def]
            connection.close()
            it.alert_engine.reload(connection, [other], it.clock.now)

        with pytest.raises(Exception, match="closed"):
            it.writer.call(fail)
        assert [item.name for item in it.alert_engine.rules] == ["drift"]
        changes = it.writer.call(lambda connection: it.alert_engine.reload(connection, [other], it.clock.now))
        assert [change.reason.value for change in changes] == ["rule_removed"]
        assert [change.rule for change in it.window(3.2, 2)] == ["other"]


def test_a_share_goes_on_after_a_restart_and_another_kind_does_not(tmp_path: Path) -> None:
    share = rule(match={"feature": "*"}, share=0.5)
    with world(tmp_path, [share], Receiver()) as it:
        it.window({"a": 1.0, "b": 1.0, "c": 0.0}, 1)
    with world(tmp_path, [share], Receiver()) as it:
        assert it.reconcile() == []
    with world(tmp_path, [rule()], Receiver()) as it:
        assert [change.reason.value for change in it.reconcile()] == ["rule_changed"]


def test_what_another_daemon_left_is_seen(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it, world(tmp_path, [DRIFT], Receiver(), clock=it.clock) as other:
        it.window(3.2, 1)
        assert other.window(3.2, 1) == [], "it fires already"
        assert [change.after for change in other.window(0.0, 2)] == [Status.INACTIVE]
        assert it.window(0.0, 2) == []
        assert [change.after for change in it.window(3.2, 3)] == [Status.FIRING]


def test_reconciling_twice_or_without_a_change_does_nothing(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:
        it.window(3.2, 1)
        before = it.dump(), it.count(outbox)
        assert (it.reconcile(), it.reconcile()) == ([], [])
        assert (it.dump(), it.count(outbox)) == before


# Reading


def test_lists_for_the_page_and_the_api(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT, rule(name="slow", for_="9 windows")], Receiver()) as it:
        it.window({"distance": 3.2, "temp": 0.0}, 1)
        rows = {(row["rule"], row["state"]): row for row in it.store.alerts("delays")}
        assert set(rows) == {("drift", "firing"), ("slow", "pending")}
        row = rows["drift", "firing"]
        assert (row["labels"], row["value"], row["level"], row["since"]) == ({"feature": "distance"}, 3.2, 0.1, START)
        assert row["incident"] == it.store.incidents()[0]["id"]
        assert (row["severity"], row["summary"]) == ("warning", "distance drifted to 3.2")
        assert rows["slow", "pending"]["incident"] is None
        assert len(it.store.alerts(states=list(Status))) == 4
        assert it.store.worst_states() == [("drift", "delays", 2), ("slow", "delays", 1)]
        assert it.store.transitions(rule="slow")[0]["reason"] == "breached"
        assert it.store.transitions(since=START + 2 * HOUR) == []


def test_silences_are_added_listed_and_expired(tmp_path: Path) -> None:
    from alerts.incidents.matcher import Matcher
    from monitor.store.alerts.queries import UnknownSilence

    with world(tmp_path, [DRIFT]) as it:
        now = it.clock.now
        matchers = [Matcher.parse("rule=drift"), Matcher.parse("feature=~dist.*")]
        made = it.store.add_silence(matchers, now, now + 60, by="ann", comment="known", now=now)
        assert it.store.list_silences(now) == [made]
        assert it.store.silences(now) == [made]
        assert it.store.expire_silence(made.id, now + 1).ends_at == now + 1
        assert it.store.list_silences(now + 2) == []
        assert len(it.store.list_silences(now + 2, expired=True)) == 1
        with pytest.raises(UnknownSilence):
            it.store.expire_silence("nothing", now)
        with pytest.raises(ValueError, match="past"):
            it.store.add_silence(matchers, now - 9, now - 1, by="ann", comment="", now=now)


def test_a_condition_looks_at_rules_of_every_model_and_at_fresh_values_only(tmp_path: Path) -> None:
    slow = rule(name="slow", metric="latency_p95_seconds", above=1.0)
    busy = rule(name="busy", metric="gpu_utilization_ratio", above=0.9, **{"while": [{"rule": "slow"}]})
    idle = rule(
        name="idle", metric="gpu_utilization_ratio", below=0.1, **{"while": [{"metric": "request_rate", "above": 1}]}
    )
    clock = FakeClock()
    newest = {"request_rate": [Measurement("request_rate", 5.0, Window(clock.now - 10, clock.now))]}
    with world(tmp_path, [slow, busy, idle], Receiver(), clock=clock) as it:
        alert_engine = AlertEngine([slow, busy, idle], ["a"], clock, newest=lambda name: newest.get(name, []))

        def step(model: str, name: str, value: float) -> list[Status]:
            row = Measurement(name, value, Window(clock.now, clock.now))
            changes = it.writer.call(
                lambda connection: alert_engine.step(connection, model, [row], clock.now, metrics={name}, failed={})
            )
            return [change.after for change in changes]

        assert step("", "gpu_utilization_ratio", 0.95) == [], "of the rule it waits for nothing is known yet"
        clock.forward(15)
        assert step("delays", "latency_p95_seconds", 3.0) == [Status.FIRING]
        clock.forward(15)
        assert step("", "gpu_utilization_ratio", 0.95) == [Status.FIRING]
        clock.forward(16)
        assert Status.FIRING not in step("", "gpu_utilization_ratio", 0.05), "the rate is older than three intervals"


def test_a_companion_is_fresh_by_its_own_interval(tmp_path: Path) -> None:
    hot = rule(
        name="hot", metric="load1_ratio", above=1.0, **{"while": [{"metric": "gpu_temperature_celsius", "above": 80}]}
    )
    clock, latest = FakeClock(), Latest()
    with world(tmp_path, [hot], Receiver(), clock=clock) as it:
        alert_engine = AlertEngine([hot], ["a"], clock, newest=latest.newest)

        def step(name: str, value: float, interval: float) -> list[str]:
            row = Measurement(name, value, Window(clock.now, clock.now))
            latest.put("", [row])
            changes = it.writer.call(
                lambda connection: alert_engine.step(
                    connection, "", [row], clock.now, metrics={name}, failed={}, interval=interval
                )
            )
            return [change.text for change in changes]

        step("gpu_temperature_celsius", 90.0, 60.0)
        clock.forward(170)
        assert step("load1_ratio", 2.0, 15.0) == ["while gpu_temperature_celsius > 80"], (
            "less than three times 60 s ago"
        )
        clock.forward(15)
        assert step("load1_ratio", 2.0, 15.0) == []
        states = it.store.alerts()
        assert [(state["state"], state["health"]) for state in states] == [("firing", "no_data")], "too old to tell"


def test_a_new_reference_ends_what_was_held_against_the_old_one(tmp_path: Path) -> None:
    """Whatever is relative to it, and only that: not what a number of the rule's own judges."""
    rules = [
        rule(name="drift", average=7, above=0.5),
        rule(name="loss", metric="performance", below={"reference": -0.05}),
        rule(name="floor", metric="performance", below=0.8),
    ]

    def judged(it: World, hour: int, reference: int, drift: float) -> list[tuple[str, str, str]]:
        end = START + hour * HOUR
        rows = [
            measure(drift, end, labels=(("feature", "distance"),), reference_id=reference),
            measure(0.7, end, name="performance", reference=0.9, reference_id=reference),
        ]
        changes = it.judged(rows, end, metrics=["feature_drift", "performance"])
        return [(change.rule, change.after.value, change.reason.value) for change in changes]

    with world(tmp_path, rules, Receiver()) as it:
        judged(it, 1, 1, 2.0)
        assert judged(it, 2, 1, 2.0) == []
    with world(tmp_path, rules, Receiver()) as it:
        assert judged(it, 3, 2, 0.1) == [
            ("drift", "inactive", "reference_changed"),
            ("loss", "inactive", "reference_changed"),
            ("loss", "firing", "breached"),
        ]
        (over,) = [row for row in it.store.incidents() if row["resolved_at"] is not None]
        assert [alert["ended_why"] for alert in over["alerts"]] == ["reference_changed"]
        assert judged(it, 4, 2, 0.1) == []
