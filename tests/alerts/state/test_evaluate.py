from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.rule import Rule
from alerts.state.evaluate import FORGET_AFTER, States, evaluate
from alerts.state.observation import Kind, Observation
from alerts.state.state import AlertState, Reason, Status, Transition
from alerts.state.step import step
from checks.base import Labels
from tests.alerts.builders import HOUR, START, firing_state, measure, rule

TEMP: Labels = (("feature", "temp"), ("method", "psi"))
WIND: Labels = (("feature", "wind"), ("method", "psi"))
NOW = START + HOUR
Evaluated = tuple[States, list[Transition]]


def test_steps_each_label_set_that_matches() -> None:
    rows = [
        measure(0.5, labels=TEMP),
        measure(0.0, labels=WIND),
        measure(0.5, labels=(("feature", "temp"), ("method", "jensenshannon"))),
        measure(0.5, labels=TEMP, name="missing_ratio"),
    ]
    states, changes = evaluate(rule(match={"method": "psi"}), {}, rows, None, NOW)
    assert {labels: state.status for labels, state in states.items()} == {TEMP: Status.FIRING, WIND: Status.INACTIVE}
    assert [(change.rule, change.labels) for change in changes] == [("drift", TEMP)]


def test_a_further_opinion_is_passed_over_unless_its_method_is_named() -> None:
    other: Labels = (("feature", "temp"), ("method", "ks"))
    rows = [measure(0.5, labels=TEMP), measure(0.5, labels=other, secondary=True)]
    assert set(evaluate(rule(), {}, rows, None, NOW)[0]) == {TEMP}
    assert set(evaluate(rule(match={"method": "ks"}), {}, rows, None, NOW)[0]) == {other}
    assert set(evaluate(rule(match={"feature": "temp"}), {}, rows, None, NOW)[0]) == {TEMP}


def test_a_vanished_label_set_is_no_data() -> None:
    known = {TEMP: firing_state(labels=TEMP), WIND: firing_state(labels=WIND)}
    states, changes = evaluate(rule(no_data="ok"), known, [measure(0.5, labels=WIND)], None, NOW)
    assert states[WIND].status is Status.FIRING
    assert [(change.labels, change.reason) for change in changes] == [(TEMP, Reason.NO_DATA)]
    kept, none = evaluate(rule(), known, [measure(0.5, labels=WIND)], None, NOW)
    assert (kept[TEMP].status, kept[TEMP].health_text, none) == (Status.FIRING, "vanished", [])


def test_a_failed_metric_is_an_error_for_all_it_knows() -> None:
    known = {TEMP: firing_state(labels=TEMP), WIND: AlertState(WIND)}
    states, changes = evaluate(rule(), known, [], "out of memory", NOW)
    assert changes == []
    assert {state.health for state in states.values()} == {Kind.ERROR}
    assert states[TEMP].status is Status.FIRING
    assert states[WIND].health_text == "out of memory"


def test_a_failed_metric_without_label_sets_is_an_error_of_the_rule_itself_until_one_is_measured() -> None:
    the_rule = rule(error="alert")
    states, changes = evaluate(the_rule, {}, [], "out of memory", NOW)
    assert [(change.labels, change.reason) for change in changes] == [((), Reason.ERROR)]
    assert states[()].whole_rule
    states, changes = evaluate(the_rule, states, [measure(0.0, labels=TEMP)], None, NOW + HOUR)
    assert [(change.labels, change.after, change.reason) for change in changes] == [
        ((), Status.INACTIVE, Reason.RECOVERED)
    ]
    assert list(states) == [TEMP]


def test_the_rule_itself_becomes_the_label_set_if_that_has_no_labels() -> None:
    states, _ = evaluate(rule(error="alert"), {}, [], "timeout", NOW)
    states, changes = evaluate(rule(error="alert"), states, [measure(0.0, end=NOW + HOUR)], None, NOW + HOUR)
    assert [change.reason for change in changes] == [Reason.RECOVERED]
    assert not states[()].whole_rule


def test_nothing_ever_measured_alerts_only_where_no_data_does() -> None:
    assert evaluate(rule(), {}, [], None, NOW) == ({}, [])
    _, changes = evaluate(rule(no_data="alert"), {}, [], None, NOW)
    assert [change.reason for change in changes] == [Reason.NO_DATA]


def test_the_same_labels_twice_are_an_error_not_a_coin_toss() -> None:
    rows = [measure(0.5, labels=TEMP), measure(0.0, labels=TEMP)]
    states, changes = evaluate(rule(), {TEMP: firing_state(labels=TEMP)}, rows, None, NOW)
    assert changes == []
    assert states[TEMP].health is Kind.ERROR
    assert "twice" in states[TEMP].health_text


def test_a_label_set_first_met_twice_is_known_from_then_on() -> None:
    rows = [measure(0.5, labels=TEMP), measure(0.0, labels=TEMP)]
    states, _ = evaluate(rule(error="alert"), {}, rows, None, NOW)
    assert (states[TEMP].status, states[TEMP].whole_rule) == (Status.FIRING, False)
    states, changes = evaluate(rule(error="alert"), states, [measure(0.0, labels=WIND)], None, NOW + HOUR)
    assert (changes, states[TEMP].status) == ([], Status.FIRING), "no data of it, which is kept"


def test_what_long_vanished_is_forgotten_unless_it_fires() -> None:
    known = {TEMP: AlertState(TEMP), WIND: firing_state(labels=WIND)}
    states, _ = evaluate(rule(), known, [], None, NOW)
    states, _ = evaluate(rule(), states, [], None, NOW + FORGET_AFTER)
    assert set(states) == {TEMP, WIND}
    states, changes = evaluate(rule(), states, [], None, NOW + FORGET_AFTER + HOUR)
    assert (set(states), changes) == ({WIND}, [])


def test_a_long_error_text_is_cut() -> None:
    states, _ = evaluate(rule(), {}, [], "x" * 100_000, NOW)
    assert len(states[()].health_text) == 500


UA: Labels = (("feature", "temp"), ("method", "psi"), ("segment", "carrier=UA"))


def test_a_segment_that_there_is_no_more_ends_its_alert_and_one_without_rows_does_not() -> None:
    known = {TEMP: firing_state(labels=TEMP), UA: firing_state(labels=UA)}
    states, changes = evaluate(rule(), known, [measure(0.5, labels=TEMP)], None, NOW)
    assert set(states) == {TEMP}
    assert [(change.labels, change.reason, change.after) for change in changes] == [
        (UA, Reason.SEGMENT_REMOVED, Status.INACTIVE)
    ]
    empty = measure(None, labels=UA)
    states, changes = evaluate(rule(), known, [measure(0.5, labels=TEMP), empty], None, NOW)
    assert (states[UA].status, changes) == (Status.FIRING, [])
    states, changes = evaluate(rule(), known, [], "out of memory", NOW)
    assert (states[UA].health, changes) == (Kind.ERROR, [])


def test_a_rule_for_segments_leaves_the_whole_alone_and_the_other_way_round() -> None:
    rows = [measure(0.5, labels=TEMP), measure(0.5, labels=UA)]
    for segment, expected in (("*", {UA}), ("", {TEMP}), ("carrier=UA", {UA})):
        states, _ = evaluate(rule(match={"segment": segment}), {}, rows, None, NOW)
        assert set(states) == expected


# What rests is passed over


VALUES = st.one_of(st.sampled_from([0.0, 0.05, 0.1, 0.11, 5.0, float("nan"), float("inf"), float("-inf")]), st.none())
KINDS = st.sampled_from(
    [
        {},
        {"clear": 0.05},
        {"above": "limit"},
        {"above": {"reference": 0.1, "at_least": 0.05}},
        {"above": {"value": 0.1, "at_most": 0.06}},
        {"above": float("inf")},
        {"outside": {"low": 0.01, "high": 0.1}},
        {"outside": "limit"},
        {"for_": "2 of 3 windows"},
        {"for_": "2 windows", "no_data": "alert"},
        {"min_rows": 100, "no_data": "ok"},
        {"above": {"previous": True}},
        {"average": 2},
    ]
)
WINDOWS = st.lists(
    st.lists(st.tuples(VALUES, st.sampled_from([10, 500]), st.sampled_from([None, 0.06])), max_size=3), max_size=12
)


@given(keys=KINDS, windows=WINDOWS)
def test_what_is_passed_over_as_resting_would_have_stayed_as_it_is(keys: dict, windows: list) -> None:
    the_rule = rule(**({**keys, "above": None} if "outside" in keys else keys))
    quick: dict = {}
    for hour, rows in enumerate(windows, 1):
        now = START + hour * HOUR
        seen = [
            measure(value, now, n=n, limit_high=limit, limit_low=-1.0, reference=0.0, labels=(("feature", str(index)),))
            for index, (value, n, limit) in enumerate(rows)
        ]
        after, changes = evaluate(the_rule, quick, seen, None, now)
        for row in seen:
            state = quick.get(row.labels) or AlertState(row.labels)
            alone, stepped = step(the_rule, state, Observation.of(row), now)
            assert after[row.labels] == alone
            assert [change for change in changes if change.labels == row.labels] == stepped
        quick = after


def test_a_resting_label_set_that_is_there_twice_is_an_error() -> None:
    states, _ = evaluate(rule(), {}, [measure(0.0, labels=TEMP)], None, NOW)
    for other in (0.0, 0.5):
        rows = [measure(0.0, NOW + HOUR, labels=TEMP), measure(other, NOW + HOUR, labels=TEMP)]
        after, changes = evaluate(rule(), states, rows, None, NOW + HOUR)
        assert (after[TEMP].health, changes) == (Kind.ERROR, [])


def held_against(reference: int | None, *values: float, the_rule: Rule, states: States, hour: int = 1) -> Evaluated:
    """One evaluation an hour of TEMP, held against this reference."""
    changes: list[Transition] = []
    for place, value in enumerate(values, hour):
        now = START + place * HOUR
        states, new = evaluate(the_rule, states, [measure(value, now, labels=TEMP)], None, now, reference_id=reference)
        changes += new
    return states, changes


def test_values_against_two_references_are_not_averaged() -> None:
    mean = rule(average=7, above=0.5)
    states, before = held_against(1, *[2.0] * 3, the_rule=mean, states={})
    assert [change.after for change in before] == [Status.FIRING]
    states, changes = held_against(2, 0.1, the_rule=mean, states=states, hour=4)
    assert [(change.after, change.reason) for change in changes] == [(Status.INACTIVE, Reason.REFERENCE_CHANGED)]
    assert [value for _, value, _ in states[TEMP].recent] == [0.1]
    assert held_against(2, *[0.1] * 9, the_rule=mean, states=states, hour=5)[1] == []


def test_windows_against_two_references_are_not_counted_together() -> None:
    for held in ("3 windows", "3 of 4 windows"):
        states, before = held_against(1, 2.0, 2.0, the_rule=rule(for_=held), states={})
        states, changes = held_against(2, 2.0, 2.0, the_rule=rule(for_=held), states=states, hour=3)
        assert [change.after for change in before] == [Status.PENDING]
        assert [(change.after, change.reason) for change in changes] == [
            (Status.INACTIVE, Reason.REFERENCE_CHANGED),
            (Status.PENDING, Reason.BREACHED),
        ]
        _, late = held_against(2, 2.0, the_rule=rule(for_=held), states=states, hour=5)
        assert [change.after for change in late] == [Status.FIRING]


def test_a_baseline_of_another_reference_is_forgotten() -> None:
    spikes = rule(above={"baseline": "1d", "times": 3})
    states, _ = held_against(1, *[0.1] * 12, the_rule=spikes, states={})
    assert len(states[TEMP].baseline) == 12
    states, changes = held_against(2, 5.0, the_rule=spikes, states=states, hour=13)
    assert (len(states[TEMP].baseline), changes) == (1, [])


def test_an_alert_ends_when_nothing_is_normal_any_more() -> None:
    """Without a reference no feature is measured at all."""
    states, _ = held_against(1, 2.0, the_rule=rule(), states={})
    states, changes = evaluate(rule(), states, [], None, NOW + HOUR, reference_id=0)
    assert [change.reason for change in changes] == [Reason.REFERENCE_CHANGED]
    assert states[TEMP].status is Status.INACTIVE


def test_what_no_reference_has_a_part_in_remembers_on() -> None:
    mean = rule(average=7, above=0.5)
    states, _ = held_against(None, *[2.0] * 3, the_rule=mean, states={})
    states, changes = held_against(None, 2.0, the_rule=mean, states=states, hour=4)
    assert (len(states[TEMP].recent), changes) == (4, [])


def test_what_is_judged_by_another_method_now_is_over() -> None:
    other: Labels = (("feature", "temp"), ("method", "ks"))
    rows = [measure(0.5, labels=other), measure(0.5, labels=TEMP, secondary=True)]
    known = {TEMP: firing_state(labels=TEMP, reference_id=1), WIND: AlertState(WIND, reference_id=1)}
    states, changes = evaluate(rule(), known, rows, None, NOW, reference_id=1)
    assert [(change.labels, change.after, change.reason) for change in changes] == [
        (TEMP, Status.INACTIVE, Reason.NOT_MEASURED),
        (other, Status.FIRING, Reason.BREACHED),
    ]
    assert set(states) == {other}
    week: Labels = (("feature", "temp"), ("method", "psi"), ("over", "7d"))
    states, changes = evaluate(
        rule(), {week: firing_state(labels=week, reference_id=1)}, rows, None, NOW, reference_id=1
    )
    assert states[week].status is Status.FIRING, "of a week nothing is known for a while"
    for rows, failed in (([], None), ([], "out of memory")):
        states, changes = evaluate(rule(), known, rows, failed, NOW, reference_id=1)
        assert (states[TEMP].status, changes) == (Status.FIRING, []), "nothing is measured, which ends nothing"
