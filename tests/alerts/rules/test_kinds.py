"""Kinds of rules beyond one level: two sides, earlier values, n of m windows, what is absent, overrides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.duration import Hold
from alerts.incidents.lifecycle import alert_of, worded
from alerts.rules.baselines import SEASON_SLOTS
from alerts.rules.rule import Rule
from alerts.state.evaluate import States, evaluate
from alerts.state.state import AlertState, Reason, Status
from alerts.wording import Wording
from checks.base import Labels
from checks.drift.methods.names import LABELS
from tests.alerts.builders import HOUR, START, measure, rule, steps, story

DAY, WEEK = 24 * HOUR, 7 * 24 * HOUR


def kind(**keys: Any) -> Rule:
    """A rule on feature_drift with nothing but these keys."""
    if "for_" in keys:
        keys["for"] = keys.pop("for_")
    return Rule.model_validate({"name": "drift", "metric": "feature_drift", **keys})


# Two sides


BAND = kind(outside={"low": 10, "high": 20})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([10, 20, 15], []),
        ([9, 15], [(1, "firing", "breached"), (2, "inactive", "cleared")]),
        ([21, 20], [(1, "firing", "breached"), (2, "inactive", "cleared")]),
        ([25, 5, 15], [(1, "firing", "breached"), (3, "inactive", "cleared")]),
    ],
)
def test_outside_is_wrong_on_both_sides(seen: list[float], expected: list[Any]) -> None:
    assert story(steps(BAND, seen)[1]) == expected


def test_the_side_is_told_with_its_level_and_worst() -> None:
    high, _ = steps(BAND, [25, 30, 26])
    assert (high.side, high.level, high.worst) == ("above", 20, 30)
    low, _ = steps(BAND, [5], high, START + 3 * HOUR)
    assert (low.side, low.level, low.worst) == ("below", 10, 5), "the worst of the other side is past"
    assert [alert_of(BAND, "m", state).finding for state in (high, low)] == ["30 > 20", "5 < 10"]


def test_each_side_has_its_own_clear_level() -> None:
    cleared = kind(outside={"low": 10, "high": 20}, clear={"low": 12, "high": 18})
    assert story(steps(cleared, [9, 11, 13])[1]) == [(1, "firing", "breached"), (3, "inactive", "cleared")]
    assert story(steps(cleared, [21, 19, 17])[1]) == [(1, "firing", "breached"), (3, "inactive", "cleared")]
    assert story(steps(cleared, [21, 11])[1])[-1] == (2, "inactive", "cleared"), "the other side's is not meant"


def test_a_calibrated_limit_may_have_one_side_only() -> None:
    both = kind(outside="limit")
    assert story(steps(both, [measure(5.0, START + HOUR, limit_high=1.0)])[1]) == [(1, "firing", "breached")]
    assert story(steps(both, [measure(-5.0, START + HOUR, limit_low=1.0)])[1]) == [(1, "firing", "breached")]
    assert steps(both, [5.0])[0].health_text == "no_limit"


# Against earlier values


def test_previous_is_the_window_before() -> None:
    doubled = kind(above={"previous": True, "times": 2})
    _, changes = steps(doubled, [1.0, 1.9, 5.0, 5.0, 12.0])
    assert story(changes) == [
        (3, "firing", "breached"),
        (4, "inactive", "cleared"),
        (5, "firing", "breached"),
    ]
    assert changes[0].level == pytest.approx(3.8)


def test_without_the_window_before_there_is_nothing_to_compare_with() -> None:
    doubled = kind(above={"previous": True, "times": 2})
    state, changes = steps(doubled, [1.0, None, 9.0])
    assert (changes, state.health_text) == ([], "no_baseline")
    fallen = kind(below={"previous": True, "plus": -0.5})
    assert story(steps(fallen, [1.0, 0.6, 0.05])[1]) == [(3, "firing", "breached")]


def test_previous_samples_may_be_some_intervals_apart_on_the_wall_clock() -> None:
    doubled = kind(above={"previous": True, "times": 2})
    for gap, fires in ((45.0, True), (60.0, False)):
        states: States = {}
        fired: list[str] = []
        for now, value in ((START, 1.0), (START + gap, 3.0)):
            states, changes = evaluate(doubled, states, [measure(value, now, 0.0)], None, now, 15.0)
            fired += [change.after.value for change in changes]
        assert bool(fired) is fires


SEASONAL = kind(above={"season": "7d", "times": 1.5})


def weekly(weeks: int, busy: float = 1.0) -> list[float]:
    """Hours whose value depends on the hour of the week."""
    return [float(10 + hour % 168) * busy for hour in range(weeks * 168)]


def test_a_season_compares_with_the_same_hour_of_last_week() -> None:
    state, changes = steps(SEASONAL, weekly(1))
    assert (changes, state.health_text) == ([], "no_baseline"), "there was no last week yet"
    state, changes = steps(SEASONAL, weekly(1), state, START + WEEK)
    assert (changes, state.health_text, len(state.season)) == ([], "", SEASON_SLOTS + 1)
    state, changes = steps(SEASONAL, [15.1], state, START + 2 * WEEK)
    assert [(change.after, change.level) for change in changes] == [(Status.FIRING, 15.0)]


def test_what_was_wrong_last_week_is_no_norm_this_week() -> None:
    learned, _ = steps(SEASONAL, weekly(1))
    state, changes = steps(SEASONAL, [99.0, 99.0, 12.0], learned, START + WEEK)
    assert story(changes) == [(169, "firing", "breached"), (171, "inactive", "cleared")]
    assert {slot - START // HOUR for slot, _, _ in state.season} == set(range(2, 168)) | {170}
    state, _ = steps(SEASONAL, weekly(1)[3:], state, START + WEEK + 3 * HOUR)
    state, changes = steps(SEASONAL, [99.0], state, START + 2 * WEEK)
    assert (changes, state.health_text) == ([], "no_baseline")


def test_samples_of_an_hour_are_one_mean_and_memory_is_bounded() -> None:
    state = AlertState()
    state, _ = steps(SEASONAL, [1.0, 3.0] * 120, state, START, 15.0)
    assert state.season == ((round(START / HOUR), pytest.approx(2.0), 240),)
    state, _ = steps(SEASONAL, [1.0] * 2000, state, START + HOUR)
    assert len(state.season) == SEASON_SLOTS + 1
    assert AlertState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_a_window_judged_again_is_learned_once() -> None:
    state, _ = steps(SEASONAL, [1.0])
    again, changes = steps(SEASONAL, [5.0], state)
    assert (again, changes) == (state, [])


# n of m windows


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([1, 0, 1, 0, 1], [(1, "pending", "breached"), (5, "firing", "held")]),
        ([1, 1, 1], [(1, "pending", "breached"), (3, "firing", "held")]),
        ([1, 0, 0, 0, 0, 0], [(1, "pending", "breached"), (6, "inactive", "cleared")]),
        ([1, None, "error", 1, None, 1], [(1, "pending", "breached"), (6, "firing", "held")]),
        # Firing goes on while 3 of the last 5 breached, calm windows among them or not.
        (
            [1, 1, 1, 0, 0, 0],
            [(1, "pending", "breached"), (3, "firing", "held"), (6, "inactive", "cleared")],
        ),
        # What breached before it ended still counts.
        (
            [1, 1, 1, 0, 0, 0, 1, 0, 1, 1],
            [
                (1, "pending", "breached"),
                (3, "firing", "held"),
                (6, "inactive", "cleared"),
                (7, "pending", "breached"),
                (10, "firing", "held"),
            ],
        ),
    ],
)
def test_n_of_m_windows(seen: list[Any], expected: list[Any]) -> None:
    assert story(steps(rule(for_="3 of 5 windows"), seen)[1]) == expected


def test_n_of_m_survives_a_restart_and_a_window_judged_again() -> None:
    of = rule(for_="2 of 3 windows")
    state, _ = steps(of, [1, 0])
    state = AlertState.from_dict(json.loads(json.dumps(state.to_dict())))
    again, changes = steps(of, [1, 0], state)
    assert (again, changes) == (state, [])
    assert story(steps(of, [1], state, START + 2 * HOUR)[1]) == [(3, "firing", "held")]


def test_keeping_counts_from_where_too_few_breach() -> None:
    of = rule(for_="2 of 3 windows", keep_firing_for="2 windows")
    _, changes = steps(of, [1, 1, 0, 0, 0, 0])
    assert story(changes)[-1] == (6, "inactive", "cleared")


@pytest.mark.parametrize("text", ["0 of 5 windows", "6 of 5 windows", "3 of 61 windows", "3 of windows"])
def test_n_of_m_must_be_possible(text: str) -> None:
    with pytest.raises(ValidationError):
        rule(for_=text)


def test_a_hold_reads_as_it_was_written() -> None:
    assert [str(rule(for_=text).for_) for text in ("3 of 5 windows", "2 windows", "90s")] == [
        "3 of 5 windows",
        "2 windows",
        "1m30s",
    ]
    assert str(Hold()) == ""


# Absent


def test_absent_alerts_on_what_is_not_there_for_a_time() -> None:
    gone = kind(absent=True, for_="30s")
    labels = (("feature", "temp"),)
    states: States = {}
    seen = []
    for index, there in enumerate([True, False, False, False, True]):
        now = START + 15 * index
        rows = [measure(9.0, now, 0.0, labels=labels)] if there else []
        states, changes = evaluate(gone, states, rows, None, now, 15.0)
        seen += [(index, change.after.value, change.reason.value) for change in changes]
    assert seen == [(1, "pending", "no_data"), (3, "firing", "no_data"), (4, "inactive", "recovered")]


def test_absent_alerts_where_nothing_was_ever_there_but_not_when_measuring_fails() -> None:
    gone = kind(absent=True)
    _, changes = evaluate(gone, {}, [], None, START, 15.0)
    assert [(change.labels, change.reason) for change in changes] == [((), Reason.NO_DATA)]
    _, changes = evaluate(gone, {}, [], "it broke", START, 15.0)
    assert changes == []


@pytest.mark.parametrize(
    "keys",
    [
        {"absent": True, "above": 1},
        {"absent": True, "no_data": "ok"},
        {"absent": True, "min_rows": 5},
        {"absent": True, "share": 0.5},
        {"above": 1, "clear": {"low": 0, "high": 1}},
        {"outside": {"low": 0, "high": 1}, "clear": 0.5},
        {"outside": {"low": 0}},
        {"outside": 5},
        {"above": 1, "outside": "limit"},
        {"above": {"value": 1, "times": 2}},
        {"above": {"season": "7d", "baseline": "1h"}},
        {"above": {"season": 0}},
        {"above": {"season": "7d"}, "clear": {"season": "1d"}},
        {"above": 1, "keep_firing_for": "2 of 3 windows"},
    ],
)
def test_kinds_that_do_not_go_together_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**keys)


# Overrides


TEMP: Labels = (("feature", "temp"), ("method", "psi"))
WIND: Labels = (("feature", "wind"), ("method", "psi"))
OVERRIDDEN = rule(
    clear=0.05,
    summary="{{ labels.feature }} is {{ severity }}",
    overrides=[
        {"match": {"feature": "temp"}, "above": 0.3, "severity": "critical", "for": "2 windows"},
        {"match": {"method": "psi"}, "summary": "the second"},
    ],
)


def test_the_first_override_that_matches_replaces_its_keys() -> None:
    temp, wind, other = (OVERRIDDEN.of(labels) for labels in (TEMP, WIND, ()))
    assert (temp.above and temp.above.value, temp.clear, str(temp.for_), temp.severity) == (
        0.3,
        None,
        "2 windows",
        "critical",
    ), "the old clear level went with the old level"
    assert (wind.above and wind.above.value, wind.summary) == (0.1, "the second")
    assert other is OVERRIDDEN


def test_label_sets_are_stepped_by_their_own_rule() -> None:
    states: States = {}
    seen = []
    for hour in (1, 2):
        rows = [measure(0.4, START + hour * HOUR, labels=labels) for labels in (TEMP, WIND)]
        states, changes = evaluate(OVERRIDDEN, states, rows, None, START + hour * HOUR)
        seen += [(hour, dict(change.labels)["feature"], change.after.value) for change in changes]
    assert seen == [(1, "temp", "pending"), (1, "wind", "firing"), (2, "temp", "firing")]
    told = [
        worded(alert_of(OVERRIDDEN, "m", states[labels]), OVERRIDDEN, "m", Wording(LABELS)) for labels in (TEMP, WIND)
    ]
    assert [(alert.severity.value, alert.summary) for alert in told] == [
        ("critical", "temp is critical"),
        ("warning", "the second"),
    ]


def test_a_copy_of_a_rule_has_its_own_overrides() -> None:
    copy = OVERRIDDEN.model_copy(update={"error": "alert"})
    assert (OVERRIDDEN.of(TEMP).error, copy.of(TEMP).error) == ("keep", "alert")
    assert OVERRIDDEN.model_copy() == OVERRIDDEN == Rule.model_validate(OVERRIDDEN.model_dump(exclude_unset=True))


@pytest.mark.parametrize("override", [{"match": {}}, {"match": {"feature": "x"}, "clear": {"low": 0, "high": 1}}])
def test_an_override_must_make_sense(override: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(overrides=[override])


# Texts


def test_what_a_rule_says_is_filled_in_everywhere() -> None:
    texts = rule(
        summary="{{ value }}",
        action="ask {{ labels.feature }}'s owner",
        runbook="https://wiki/{{ rule }}",
        annotations={"dashboard": "https://grafana/{{ labels.feature }}", "broken": "{{ 1 / 0 }}", "plain": "a\nb"},
    )
    state, _ = steps(texts, [0.5])
    told = worded(alert_of(texts, "delays", state), texts, "delays", Wording(LABELS))
    assert (told.summary, told.action, told.runbook) == ("0.5", "ask distance's owner", "https://wiki/drift")
    assert told.annotations == {
        "dashboard": "https://grafana/distance",
        "broken": "{{ 1 / 0 }}",
        "plain": "a\nb",
    }, "a text that can't be filled in stands as it is: no alert is lost by it"


def test_an_alert_without_data_still_says_what_to_do() -> None:
    texts = rule(summary="{{ value }}", action="ask {{ labels.feature }}", no_data="alert")
    state, _ = steps(texts, [None])
    told = worded(alert_of(texts, "delays", state), texts, "delays", Wording(LABELS))
    assert (told.summary, told.action) == ("feature_drift distance no data (no_rows)", "ask distance")
