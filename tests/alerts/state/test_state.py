"""The state machine, stepped through rows of observations."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.state.observation import Kind, Observation
from alerts.state.state import AlertState, Reason, Status, ended
from alerts.state.step import adopt, step
from checks.base import Measurement
from tests.alerts.builders import HOUR, START, measure, rule, steps, story

PENDING = [(1, "pending", "breached")]


@pytest.mark.parametrize(
    ("keys", "seen", "expected"),
    [
        ({}, [0.1, 0.2], [(2, "firing", "breached")]),
        ({}, [0.2, 0.1], [(1, "firing", "breached"), (2, "inactive", "cleared")]),
        ({"for_": "3 windows"}, [0.2, 0.2, 0.2], [(1, "pending", "breached"), (3, "firing", "held")]),
        ({"for_": "1 window"}, [0.2], [(1, "firing", "breached")]),
        ({"for_": "2 windows"}, [0.2, 0.1, 0.2], [*PENDING, (2, "inactive", "cleared"), (3, "pending", "breached")]),
        ({"for_": "2h"}, [0.2, 0.2, 0.2], [(1, "pending", "breached"), (3, "firing", "held")]),
        ({"below": 0.8}, [0.8, 0.79, 0.9], [(2, "firing", "breached"), (3, "inactive", "cleared")]),
        ({"clear": 0.05}, [0.2, 0.07, 0.06, 0.05], [(1, "firing", "breached"), (4, "inactive", "cleared")]),
        ({"below": 0.8, "clear": 0.85}, [0.7, 0.82, 0.85], [(1, "firing", "breached"), (3, "inactive", "cleared")]),
        ({"keep_firing_for": "2 windows"}, [0.2, 0, 0, 0], [(1, "firing", "breached"), (4, "inactive", "cleared")]),
        ({"keep_firing_for": "2h"}, [0.2, 0, 0, 0], [(1, "firing", "breached"), (4, "inactive", "cleared")]),
        ({"keep_firing_for": "2 windows"}, [0.2, 0, 0, 0.2, 0, 0], [(1, "firing", "breached")]),
    ],
)  # fmt: skip
def test_for_clear_and_keep_firing_for(keys: dict, seen: list, expected: list) -> None:
    assert story(steps(rule(**keys), seen)[1]) == expected


def test_clear_level_does_not_keep_a_pending_alert() -> None:
    _, changes = steps(rule(for_="3 windows", clear=0.05), [0.2, 0.07, 0.2])
    assert story(changes) == [(1, "pending", "breached"), (2, "inactive", "cleared"), (3, "pending", "breached")]


def test_remembers_since_when_value_level_and_worst() -> None:
    state, changes = steps(rule(for_="2 windows"), [0, 0.2, 0.9, 0.3])
    assert (state.since, state.value, state.level, state.worst) == (START + HOUR, 0.3, 0.1, 0.9)
    assert state.fired_at == START + 3 * HOUR
    assert (changes[-1].value, changes[-1].level, changes[-1].n) == (0.9, 0.1, 500)


# Levels


def test_limit_is_the_side_the_rule_looks_at() -> None:
    seen = [measure(0.5, START + HOUR, limit_low=0.2, limit_high=0.4)]
    assert story(steps(rule(above="limit"), seen)[1]) == [(1, "firing", "breached")]
    assert steps(rule(below="limit"), seen)[1] == []


def test_without_a_limit_nothing_fires_and_the_reason_is_named() -> None:
    state, changes = steps(rule(above="limit"), [5.0, 6.0])
    assert (changes, state.status, state.health_text) == ([], Status.INACTIVE, "no_limit")


def test_an_alert_whose_limit_is_gone_ends_with_that_reason() -> None:
    _, changes = steps(
        rule(above="limit"), [measure(5.0, START + HOUR, limit_high=1.0), measure(5.0, START + 2 * HOUR)]
    )
    assert story(changes) == [(1, "firing", "breached"), (2, "inactive", "no_limit")]


def test_reference_with_offset() -> None:
    the_rule = rule(below={"reference": -0.05})
    assert steps(the_rule, [measure(0.86, START + HOUR, reference=0.9)])[1] == []
    state, changes = steps(the_rule, [measure(0.84, START + HOUR, reference=0.9)])
    assert story(changes) == [(1, "firing", "breached")]
    assert state.level == pytest.approx(0.85)
    assert steps(the_rule, [0.1])[0].health_text == "no_reference"


SLOT = 60.0
"""One slot of a 1 h baseline."""
BASELINE = rule(above={"baseline": "1h", "times": 3, "at_least": 0.1})


def _every_slot(values: list[float], state: AlertState | None = None, start: float = START) -> tuple[AlertState, list]:
    return steps(BASELINE, values, state, start, SLOT)


def test_a_baseline_judges_only_once_it_has_ten_slots() -> None:
    assert _every_slot([0.1] * 9 + [9.0])[1] == []
    assert [change.reason for change in _every_slot([0.1] * 10 + [9.0])[1]] == [Reason.BREACHED]


def test_a_baseline_has_a_floor() -> None:
    state, changes = _every_slot([0.001] * 20 + [0.09])
    assert changes == []
    assert _every_slot([0.11], state, START + 21 * SLOT)[0].level == 0.1


def test_a_long_fault_does_not_become_the_norm() -> None:
    state, changes = _every_slot([0.1] * 20 + [1.0] * 300)
    assert [change.after for change in changes] == [Status.FIRING]
    assert state.level == pytest.approx(0.3)
    assert max(value for _, value in state.baseline) == 0.1
    _, after = _every_slot([0.1], state, START + 320 * SLOT)
    assert [change.after for change in after] == [Status.INACTIVE]


def test_a_baseline_does_not_learn_while_an_alert_is_kept_firing() -> None:
    kept = rule(above={"baseline": "1h", "times": 3, "at_least": 0.1}, keep_firing_for="10m")
    state, _ = steps(kept, [0.1] * 20 + [1.0, 0.2, 0.2], every=SLOT)
    assert state.status is Status.FIRING
    assert len(state.baseline) == 20


def test_a_clear_level_on_the_wrong_side_never_keeps_an_alert_longer_or_ends_it_sooner() -> None:
    seen = [measure(value, START + hour * HOUR, reference=0.0) for hour, value in enumerate([0.2, 0.15, 0.1], 1)]
    assert story(steps(rule(clear={"reference": 0.3}), seen)[1]) == [
        (1, "firing", "breached"),
        (3, "inactive", "cleared"),
    ]


@pytest.mark.parametrize("limit", [float("inf"), float("nan")])
def test_a_limit_that_is_no_number_judges_nothing(limit: float) -> None:
    state, changes = steps(rule(above="limit"), [measure(5.0, START + HOUR, limit_high=limit)])
    assert (changes, state.health_text) == ([], "no_limit")


def test_a_baseline_is_bounded_and_survives_a_restart() -> None:
    state, _ = _every_slot([0.1] * 500)
    assert len(state.baseline) == 60
    assert AlertState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_a_baseline_takes_one_value_a_slot() -> None:
    state, _ = steps(BASELINE, [0.1, 0.2, 0.15, 0.12], every=SLOT / 4, start=START - SLOT / 4)
    assert state.baseline == ((int(START // SLOT), 0.1),)


# Averages


def test_average_is_weighted_by_rows() -> None:
    the_rule = rule(average=3, above=0.5)
    seen = [measure(1.0, START + HOUR, n=100), measure(0.0, START + 2 * HOUR, n=300)]
    state, changes = steps(the_rule, seen)
    assert story(changes) == [(1, "firing", "breached"), (2, "inactive", "cleared")]
    assert changes[1].value == pytest.approx(0.25)
    assert changes[1].n == 400
    assert len(state.recent) == 2


def test_average_skips_windows_without_data_and_forgets_the_oldest() -> None:
    state, _ = steps(rule(average=2, above=9), [1.0, None, 2.0, 3.0])
    assert [value for _, value, _ in state.recent] == [2.0, 3.0]


def test_min_rows_counts_over_the_averaged_windows() -> None:
    few = [measure(1.0, START + (index + 1) * HOUR, n=100) for index in range(3)]
    _, changes = steps(rule(average=3, min_rows=250), few)
    assert story(changes) == [(3, "firing", "breached")]
    alone, none = steps(rule(min_rows=250), few)
    assert (none, alone.health, alone.health_text) == ([], Kind.NO_DATA, "too_few_rows")


def test_average_of_samples_without_rows_is_the_plain_mean() -> None:
    seen = [measure(1.0, START + HOUR, n=0), measure(2.0, START + 2 * HOUR, n=0)]
    assert steps(rule(average=2, above=1.4), seen)[1][0].value == 1.5


# No data and errors


@pytest.mark.parametrize("item", [None, "error"])
def test_keep_touches_nothing(item: object) -> None:
    firing, _ = steps(rule(for_="2 windows"), [0.2, 0.2])
    after, changes = steps(rule(for_="2 windows"), [item] * 5, firing, START + 2 * HOUR)
    assert changes == []
    assert after.health is (Kind.NO_DATA if item is None else Kind.ERROR)
    assert after.health_since == START + 3 * HOUR
    assert replace(after, health=firing.health, health_since=firing.health_since, health_text="") == firing


def test_keep_neither_counts_for_nor_breaks_a_pending_alert() -> None:
    _, changes = steps(rule(for_="2 windows"), [0.2, None, "error", 0.2])
    assert story(changes) == [(1, "pending", "breached"), (4, "firing", "held")]


@pytest.mark.parametrize(("item", "policy", "reason"), [(None, "no_data", "no_data"), ("error", "error", "error")])
def test_policy_alert_fires_and_recovers(item: object, policy: str, reason: str) -> None:
    state, changes = steps(rule(for_="2 windows", **{policy: "alert"}), [0, item, item, 0])
    assert story(changes) == [(2, "pending", reason), (3, "firing", reason), (4, "inactive", "recovered")]
    assert state.status is Status.INACTIVE


@pytest.mark.parametrize(("item", "policy"), [(None, "no_data"), ("error", "error")])
def test_policy_ok_resolves(item: object, policy: str) -> None:
    _, changes = steps(rule(**{policy: "ok"}), [0.2, item])
    assert story(changes) == [(1, "firing", "breached"), (2, "inactive", policy)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_not_a_number_is_no_data_and_never_an_all_clear(value: float) -> None:
    state, changes = steps(rule(), [0.2, value])
    assert story(changes) == [(1, "firing", "breached")]
    assert (state.health, state.health_text) == (Kind.NO_DATA, "not_finite")


# Clocks, restarts, repeats


def _wall(the_rule, moments: list[tuple[float, float]], state: AlertState | None = None):  # type: ignore[no-untyped-def]
    """Steps at wall times (seconds since START) every 15 s or so, through JSON each time, as a restart would."""
    state, changes = state or AlertState(), []
    for seconds, value in moments:
        now = START + seconds
        observation = Observation.of(measure(value, now, 15.0), interval=15.0)
        state, new = step(the_rule, state, observation, now)
        state = AlertState.from_dict(json.loads(json.dumps(state.to_dict())))
        changes += [(seconds, change.after.value) for change in new]
    return state, changes


def test_downtime_does_not_count_toward_for() -> None:
    up = [(0, 1.0), (15, 1.0), (30, 1.0)]
    after_an_hour = [(3630 + 15 * index, 1.0) for index in range(4)]
    assert _wall(rule(for_="60s"), up + after_an_hour)[1] == [(0, "pending"), (3660, "firing")]


def test_a_late_evaluation_does_count() -> None:
    assert _wall(rule(for_="60s"), [(0, 1.0), (40, 1.0), (80, 1.0)])[1] == [(0, "pending"), (80, "firing")]


def test_downtime_does_not_count_toward_keep_firing_for() -> None:
    moments = [(0, 1.0), (15, 0.0), (30, 0.0), (3630, 0.0), (3645, 0.0), (3660, 0.0), (3675, 0.0)]
    assert _wall(rule(keep_firing_for="60s"), moments)[1] == [(0, "firing"), (3675, "inactive")]


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_step_neither_fires_nor_resolves(jump: float) -> None:
    pending = [(0, 1.0), (15, 1.0)]
    assert _wall(rule(for_="60s"), [*pending, (30 + jump, 1.0)])[1] == [(0, "pending")]
    keeping = [(0, 1.0), (15, 0.0)]
    assert _wall(rule(keep_firing_for="60s"), [*keeping, (30 + jump, 0.0)])[1] == [(0, "firing")]


def test_after_the_clock_went_back_for_goes_on_from_where_it_was() -> None:
    moments = [(0, 1.0), (15, 1.0), (30, 1.0), (-3555, 1.0), (-3540, 1.0), (-3525, 1.0), (-3510, 1.0)]
    assert _wall(rule(for_="60s"), moments)[1] == [(0, "pending"), (-3525, "firing")]


def test_in_event_time_there_is_no_downtime() -> None:
    the_rule = rule(for_="5h")
    first, _ = steps(the_rule, [1.0])
    _, changes = steps(the_rule, [1.0], first, START + 99 * HOUR)
    assert [change.after for change in changes] == [Status.FIRING]


def test_a_window_stepped_again_changes_nothing() -> None:
    the_rule = rule(for_="3 windows", average=2)
    state, _ = steps(the_rule, [1.0, 1.0])
    again, changes = steps(the_rule, [1.0, 1.0], state)
    assert (again, changes) == (state, [])


def test_windows_that_mature_together_count_one_by_one() -> None:
    the_rule, state, reasons = rule(for_="3 windows"), AlertState(), []
    for index in range(1, 4):
        observation = Observation.of(measure(1.0, START + index * HOUR))
        state, changes = step(the_rule, state, observation, START + 99 * HOUR)
        reasons += [change.reason for change in changes]
    assert reasons == [Reason.BREACHED, Reason.HELD]


def test_an_alert_given_up_ends_with_its_reason() -> None:
    firing, _ = steps(rule(), [0.2])
    [change] = ended("drift", firing, Reason.RULE_REMOVED, START + 9 * HOUR)
    assert (change.before, change.after, change.reason) == (Status.FIRING, Status.INACTIVE, Reason.RULE_REMOVED)
    assert ended("drift", AlertState(), Reason.RULE_REMOVED, START) == []


# Other rules


def test_a_longer_for_makes_what_fires_pending_again_and_a_shorter_one_nothing() -> None:
    firing, _ = steps(rule(for_="2 windows"), [0.2, 0.2, 0.2])
    for text in ("3 windows", "2h", "2 of 3 windows", "0s"):
        state, changes = adopt(rule(for_=text), firing)
        assert (state.status, changes) == (Status.FIRING, [])
    for text in ("4 windows", "3h"):
        state, [change] = adopt(rule(for_=text), firing)
        assert (change.before, change.after, change.reason) == (Status.FIRING, Status.PENDING, Reason.RULE_CHANGED)
        assert (state.status, state.since, state.worst) == (Status.PENDING, firing.since, 0.2)
        assert story(steps(rule(for_=text), [0.2], state, START + 3 * HOUR)[1]) == [(4, "firing", "held")]


def test_a_restart_leaves_what_fires_by_windows_from_before_it_was_pending() -> None:
    the_rule = rule(for_="2 of 4 windows")
    firing, _ = steps(the_rule, [0.2, None, 0.2])
    gone = START + 4 * HOUR
    ended, _ = step(rule(for_="2 of 4 windows", no_data="ok"), firing, Observation.vanished(gone), gone)
    again, changes = steps(the_rule, [0.2], ended, gone)
    assert (again.status, again.breaches, [change.after for change in changes]) == (Status.FIRING, 1, [Status.FIRING])
    assert adopt(the_rule, again) == (again, [])


def test_a_longer_for_of_an_override_counts_for_its_label_set() -> None:
    firing, _ = steps(rule(), [0.2])
    for feature, changed in (("distance", True), ("other", False)):
        longer = rule(overrides=[{"match": {"feature": feature}, "for": "9 windows"}])
        assert bool(adopt(longer, firing)[1]) is changed


@pytest.mark.parametrize("seen", ["error", None])
def test_a_window_stepped_again_is_marked_once(seen: str | None) -> None:
    the_rule = rule(for_="2 of 4 windows", no_data="ok", error="ok")
    state, _ = steps(the_rule, [0.2, 0.0, 0.0])
    for index in (4, 4, 4, 5):
        now = START + index * HOUR
        observation = Observation.failed("x", now) if seen else Observation.vanished(now)
        state, _ = step(the_rule, state, observation, now)
        assert state.marks.bit_count() == (index < 5), f"after window {index}"


# Against a plain model

SEEN = st.lists(st.one_of(st.sampled_from([0.0, 0.05, 0.07, 0.1, 0.11, 5.0]), st.none(), st.just("error")), max_size=40)


@given(seen=SEEN, windows=st.integers(0, 4), keep=st.integers(0, 3), clear=st.sampled_from([None, 0.05]))
def test_step_equals_a_plain_model(seen: list, windows: int, keep: int, clear: float | None) -> None:
    keys = {} if clear is None else {"clear": clear}
    the_rule = rule(for_=f"{windows} windows", keep_firing_for=f"{keep} windows", **keys)
    state, run, calm, status, expected = AlertState(), 0, 0, "inactive", []
    for index, item in enumerate(seen, 1):
        now = START + index * HOUR
        if isinstance(item, float):
            bad = item > 0.1 or (status == "firing" and item > (clear or 0.1))
            run, calm = (run + 1, 0) if bad else (0, calm + 1)
            if bad:
                status = "firing" if status == "firing" or run >= windows else "pending"
            elif status == "pending" or (status == "firing" and calm > keep):
                status = "inactive"
        expected.append(status)
        observation = Observation.failed("x", now) if item == "error" else Observation.of(measure(item, now))
        before = state
        state, changes = step(the_rule, state, observation, now)
        assert state.status.value == status
        assert [(c.before, c.after) for c in changes] == (
            [(before.status, state.status)] if before.status != state.status else []
        )
        assert AlertState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(
    rows=st.lists(st.tuples(st.floats(-1e7, 1e7), st.one_of(st.none(), FLOATS)), max_size=30),
    level=st.sampled_from([0.1, "limit", {"reference": 0.1}, {"baseline": "10m", "times": 2}]),
    policy=st.sampled_from(["ok", "keep", "alert"]),
    average=st.integers(1, 4),
)
def test_any_values_at_any_times_leave_a_state_that_can_be_stored(
    rows: list, level: object, policy: str, average: int
) -> None:
    the_rule = rule(above=level, no_data=policy, error=policy, average=average, for_="30s", keep_firing_for="30s")
    state = AlertState()
    for seconds, value in rows:
        now = START + seconds
        seen: Measurement = measure(value, now, 15.0, limit_high=value, reference=0.0)
        state, changes = step(the_rule, state, Observation.of(seen, interval=15.0), now)
        assert len(changes) <= 1
        assert AlertState.from_dict(json.loads(json.dumps(state.to_dict(), allow_nan=False))) == state
        assert (state.status is Status.INACTIVE) == (state.active_at is None)


@pytest.mark.parametrize("seen", ["error", None])
def test_a_long_time_without_data_is_taken_off_for_once(seen: object) -> None:
    the_rule, state, changes = rule(for_="60s"), AlertState(), []
    for index in range(60):
        now = START + 15.0 * index
        if index in (0, *range(55, 60)):
            observation = Observation.of(measure(1.0, now, 15.0), interval=15.0)
        elif seen == "error":
            observation = Observation.failed("it broke", now, 15.0)
        else:
            observation = Observation.vanished(now, 15.0)
        state, new = step(the_rule, state, observation, now)
        changes += [(index, change.after.value) for change in new]
    assert changes == [(0, "pending"), (59, "firing")], "60 s of breaching, however long nothing was known between"


def test_a_state_of_an_earlier_version_is_read_by_its_present_names() -> None:
    assert AlertState.from_dict({"against": 3}).reference_id == 3
