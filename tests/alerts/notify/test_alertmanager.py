"""What Alertmanager is told of an alert."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.incidents.incident import Alert
from alerts.incidents.lifecycle import alert_of, worded
from alerts.incidents.matcher import Matcher, Op
from alerts.incidents.silence import Silence
from alerts.notify.alertmanager import Push, hold_seconds, not_silenced, payload
from alerts.wording import Wording
from checks.drift.methods.names import LABELS
from tests.alerts.builders import firing_state, rule

NOW = 1_800_000_000.0
RULE = rule(summary="{{ labels.feature }} drifted", action="Look.", runbook="https://wiki.example/drift")


def push(started_at: float = NOW - 60, ended_at: float | None = None) -> Push:
    alert: Alert = worded(alert_of(RULE, "delays", firing_state()), RULE, "delays", Wording(LABELS))
    return Push(alert, "delays", started_at, ended_at, in_event_time=True)


def test_a_firing_alert_lives_for_four_times_the_longer_interval_on_the_walls_clock() -> None:
    (plain,) = payload([push()], NOW, hold=hold_seconds(15.0, 60.0), labels={"team": "ml"}, url="http://page/")
    assert plain["labels"] == {
        "alertname": "drift",
        "model": "delays",
        "severity": "warning",
        "feature": "distance",
        "method": "psi",
        "team": "ml",
    }
    assert (plain["startsAt"], plain["endsAt"]) == ("2027-01-15T07:59:00.000Z", "2027-01-15T08:04:00.000Z")
    assert plain["annotations"]["event_time"].startswith("2013-"), "event time is told, and judged by nobody"
    assert plain["annotations"]["summary"] == "distance drifted"
    assert plain["annotations"]["description"] == "Look."
    assert plain["annotations"]["runbook_url"] == "https://wiki.example/drift"
    assert plain["generatorURL"] == "http://page/"


def test_a_resolved_alert_ended_when_it_did() -> None:
    (plain,) = payload([push(ended_at=NOW - 5)], NOW, hold=240.0, labels={}, url="")
    assert plain["endsAt"] == "2027-01-15T07:59:55.000Z"


def test_a_clock_that_was_put_back_makes_no_alert_end_before_it_began_or_after_now() -> None:
    (firing,) = payload([push(started_at=NOW + 7200)], NOW, hold=240.0, labels={}, url="")
    assert firing["startsAt"] == "2027-01-15T08:00:00.000Z"
    (over,) = payload([push(started_at=NOW + 7200, ended_at=NOW + 7300)], NOW, hold=240.0, labels={}, url="")
    assert (over["startsAt"], over["endsAt"]) == ("2027-01-15T08:00:00.000Z",) * 2


def test_names_of_labels_are_those_of_prometheus() -> None:
    odd = replace(push(), alert=replace(push().alert, labels={"2nd-feature.x": "a"}))
    (plain,) = payload([odd], NOW, hold=240.0, labels={}, url="")
    assert plain["labels"]["_2nd_feature_x"] == "a"


def test_a_rule_of_the_walls_clock_says_since_when() -> None:
    sampled = replace(push(), alert=replace(push().alert, since=NOW - 90), in_event_time=False)
    (plain,) = payload([sampled], NOW, hold=240.0, labels={}, url="")
    assert plain["annotations"]["since"] == "2027-01-15T07:58:30.000Z"
    assert "event_time" not in plain["annotations"]


def test_labels_of_the_config_do_not_replace_the_alerts_own_and_empty_ones_are_left_out() -> None:
    host = replace(push(), model="")
    (plain,) = payload([host], NOW, hold=240.0, labels={"feature": "x", "team": ""}, url="")
    assert plain["labels"]["feature"] == "distance"
    assert {"team", "model"}.isdisjoint(plain["labels"])


def test_what_is_no_text_is_told_all_the_same() -> None:
    odd = replace(push(), alert=replace(push().alert, labels={"feature": "a\ud800"}, summary="x" * 100_000))
    (plain,) = payload([odd], NOW, hold=240.0, labels={}, url="")
    assert plain["labels"]["feature"] == "a?"
    assert len(plain["annotations"]["summary"]) == 4000


@pytest.mark.parametrize(("silence_began", "count"), [(NOW - 120, 0), (NOW - 30, 1)])
def test_a_silence_keeps_back_what_began_under_it_and_nothing_that_alertmanager_knows(
    silence_began: float, count: int
) -> None:
    silence = Silence("s", (Matcher("rule", Op("="), "drift"),), silence_began, NOW + 600)
    assert len(not_silenced([push()], [silence], NOW)) == count
    assert len(not_silenced([push()], [silence], NOW + 700)) == 1, "it has ended"
