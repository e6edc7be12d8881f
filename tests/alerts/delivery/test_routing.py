"""Who is told, and when nobody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from alerts.delivery.mute_times import MuteTime
from alerts.delivery.routing import Inhibition, Route, Routing, incident_labels
from alerts.delivery.suppression import SuppressionReason, Suppressions
from alerts.incidents.matcher import Matcher
from alerts.incidents.silence import Silence
from alerts.rules.rule import Severity
from tests.alerts.builders import alert, incident

BERLIN = ZoneInfo("Europe/Berlin")


def route(*receivers: str, **keys: Any) -> Route:
    return Route.model_validate({"receivers": list(receivers), **keys})


def told(routing: Routing, **keys: Any) -> list[str]:
    return [target.receiver for target in routing.targets(replace(incident(), **keys))]


def test_without_routes_everybody_is_told() -> None:
    assert told(Routing(["console", "slack"])) == ["console", "slack"]


def test_the_first_route_that_matches_decides_unless_it_continues() -> None:
    routing = Routing(
        ["console", "duty", "team"],
        [
            route("duty", matchers=["severity=critical"], **{"continue": True}),
            route("team", matchers=['model=~"delays|fares"']),
            route("console"),
        ],
    )
    assert told(routing, severity=Severity.CRITICAL) == ["duty", "team"]
    assert told(routing, severity=Severity.WARNING) == ["team"]
    assert told(routing, severity=Severity.WARNING, model="other") == ["console"]
    assert told(Routing(["duty"], [route("duty", matchers=["severity=critical"])]), severity=Severity.INFO) == []


def test_an_incident_has_the_labels_that_all_of_its_alerts_share() -> None:
    one, other = alert(feature="temp"), alert(feature="wind")
    labels = incident_labels(incident(one, other))
    assert labels["method"] == "psi"
    assert "feature" not in labels
    assert labels["rule"] == one.rule


def berlin(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-25T21:59", None),
        ("2026-11-25T22:00", "2026-11-26T06:00"),
        ("2026-11-26T05:59", "2026-11-26T06:00"),
        ("2026-11-26T06:00", None),
        ("2026-03-28T23:00", "2026-03-29T06:00"),  # the clock goes forward in this night
    ],
)
def test_a_mute_time_goes_by_the_clock_of_its_zone(now: str, until: str | None) -> None:
    nights = MuteTime(name="nights", times=["22:00-06:00"], time_zone="Europe/Berlin")
    assert nights.until(berlin(now)) == (None if until is None else berlin(until))


def test_mute_times_that_touch_are_one() -> None:
    weekend = MuteTime(name="weekend", days=["sat", "sun"], time_zone="Europe/Berlin")
    assert weekend.until(berlin("2026-11-28T12:00")) == berlin("2026-11-30T00:00")
    always = MuteTime(name="always")
    end = always.until(0.0)
    assert end is not None and end >= 8 * 86400.0


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"times": ["22-6"]}, "no time of day"),
        ({"times": ["25:00-26:00"]}, "no time of day"),
        ({"time_zone": "Berlin"}, "no time zone"),
        ({"days": ["Monday"]}, "mon"),
    ],
)
def test_mute_times_that_mean_nothing_are_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        MuteTime.model_validate({"name": "nights", **keys})


DOWN = {"rule": "server-down", "model": "delays", "severity": "critical"}
RULE = Inhibition(source=["rule=server-down"], target=["rule=~drift|latency-high|server-down"])


def test_a_source_holds_back_targets_of_its_own_model_only() -> None:
    drift = {"rule": "drift", "model": "delays"}
    assert RULE.holds_back(drift, [DOWN])
    assert not RULE.holds_back(drift, [])
    assert not RULE.holds_back(drift, [{**DOWN, "model": "fares"}])
    assert not RULE.holds_back({"rule": "disk-full", "model": "delays"}, [DOWN])
    assert not RULE.holds_back(DOWN, [DOWN]), "what is both a source and a target is told"


# From Alertmanager's inhibit/inhibit_test.go: what fires, and which targets are held back.
TWO = [
    Inhibition(source=["s1=1"], target=["t1=1"], equal=["e"]),
    Inhibition(source=["s2=1"], target=["t2=1"], equal=["e"]),
]
SOURCES = [{"s1": "1", "t1": "2", "e": "1"}, {"s2": "1", "t2": "1", "e": "1"}]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"t1": "1", "e": "1"}, True),
        ({"t2": "1", "e": "1"}, True),
        ({"t1": "1", "t3": "1", "e": "1"}, True),
        ({"t1": "1", "t2": "1", "e": "1"}, True),
        ({"t1": "0", "e": "1"}, False),
        ({"s1": "1", "t1": "1", "e": "1"}, True),  # both sides, held back by what is the source alone
        ({"s2": "1", "t2": "1", "e": "1"}, False),  # both sides, and so is the one that fires
        ({"t1": "1", "e": "0"}, False),
        # Thought of here: a label that both lack is equal, and one that one of them lacks is not.
        ({"t1": "1"}, False),
    ],
)
def test_inhibits_what_alertmanager_does(target: dict[str, str], expected: bool) -> None:
    assert any(rule.holds_back(target, SOURCES) for rule in TWO) is expected


def test_a_label_that_both_lack_is_equal() -> None:
    assert TWO[0].holds_back({"t1": "1"}, [{"s1": "1"}])
    assert TWO[0].holds_back({"t1": "1", "e": ""}, [{"s1": "1"}])
    assert not TWO[0].holds_back({"t1": "1", "e": "2"}, [{"s1": "1"}])


def test_an_incident_that_no_route_matches_is_forgotten_and_one_that_is_to_reach_nobody_is_not() -> None:
    crit, silent = route("duty", matchers=["severity=crit"]), route(matchers=["model=delays"])
    it = incident()
    assert Routing(["duty"], [crit]).forgets(it)
    assert Routing(["duty"], [route("duty", matchers=["alertname=drift"])]).forgets(it)
    assert not Routing(["duty"], [crit, silent]).forgets(it)
    assert not Routing(["duty"], [crit, route("duty")]).forgets(it)
    assert not Routing(["duty"], []).forgets(it), "without routes everybody is told"
    assert not Routing([], []).forgets(it)
    assert not Routing(["duty"], [crit], elsewhere=True).forgets(it), "Alertmanager is told"


def test_one_text_may_hold_several_matchers() -> None:
    both = route("duty", matchers=['severity="critical", model="delays"'])
    assert [str(matcher) for matcher in both.conditions] == ['severity="critical"', 'model="delays"']
    assert both.matches({"severity": "critical", "model": "delays"})
    assert not both.matches({"severity": "critical", "model": "fares"})


def test_inhibition_comes_before_mute_times_and_those_before_silences() -> None:
    muting = Routing(["pager"], [route("pager", mute_times=["always"])], [MuteTime(name="always")])
    silence = Silence("s1", (Matcher.parse("model=delays"),), 0.0, 100.0)
    it = incident()

    def why(routing: Routing, firing: list[dict[str, str]], silences: list[Silence]) -> SuppressionReason | None:
        quiet = Suppressions(routing, [RULE], silences, firing).of(it, "pager", 50.0)
        return None if quiet is None else quiet.why

    assert why(muting, [DOWN], [silence]) is SuppressionReason.INHIBITED
    assert why(muting, [], [silence]) is SuppressionReason.MUTE_TIME
    assert why(Routing(["pager"]), [], [silence]) is SuppressionReason.SILENCED
    assert why(Routing(["pager"]), [], []) is None


def test_an_incident_is_held_back_when_each_alert_is_by_something() -> None:
    it = incident(alert(feature="a"), alert(feature="b", name="other"))
    silence = Silence("s1", (Matcher.parse("rule=other"),), 0.0, 100.0)
    assert Suppressions(Routing(["pager"]), [RULE], [], [DOWN]).of(it, "pager", 50.0) is None
    quiet = Suppressions(Routing(["pager"]), [RULE], [silence], [DOWN]).of(it, "pager", 50.0)
    assert quiet is not None and quiet.why is SuppressionReason.SILENCED
