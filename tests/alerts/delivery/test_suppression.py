"""What a silence holds back, on a real SQLite file, with injected time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from alerts.delivery.outbox import DeliveryOutcome
from alerts.delivery.routing import Route
from alerts.delivery.suppression import muted
from alerts.incidents.incident import KEPT, Incident
from alerts.incidents.matcher import Matcher
from alerts.incidents.silence import Silence
from monitor.store.tables import silences
from tests.alerts.builders import alert, incident, rule
from tests.alerts.world import Receiver, World, world

DRIFT = rule()


def _silence(it: World, matcher: str, seconds: float) -> str:
    now = it.clock.now
    matchers = [Matcher.parse(matcher)]
    return it.store.add_silence(matchers, now, now + seconds, by="ann", comment="", now=now).id


@pytest.mark.parametrize(
    ("text", "feature", "holds"),
    [
        ('feature=~"temp.*"', "temp\nout", True),  # case 15: any text is to be silenced
        ('feature="temp\\nout"', "temp\nout", True),  # case 17: \\n between quotes is a line break
        ('feature=~"temp.*"', "temperature", True),  # case 31, a control
        ('feature="temp\nout"', "temp\nout", True),
        ('feature=~"temp\\\\nout|x.*"', "temp\nout", True),
        ('feature="temp\\\\nout"', "temp\nout", False),
        ('model=delays, feature!~".*out"', "temp\nout", False),
        ('severity="critical", model="delays"', "temp", False),  # a warning is not muted by what is for criticals
    ],
)
def test_cases_15_17_and_31_a_silence_holds_back_what_its_text_says(text: str, feature: str, holds: bool) -> None:
    silence = Silence("s", Matcher.parse_all(text), 0.0, 10.0)
    assert (muted(incident(alert(feature=feature)), [silence], 5.0) is silence) is holds


def test_a_silence_that_an_earlier_release_accepted_is_read_back_holds_and_is_named(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        id, now = _silence(it, "feature=~dist.*", 600), it.clock.now
        # As the release before stored it.
        row = [
            {"name": "feature", "op": "=~", "value": "(?=dist)dist.*"},
            {"name": "rule", "op": "=", "value": "drift"},
        ]
        it.writer.call(lambda connection: connection.execute(update(silences).values(matchers=json.dumps(row))))
        it.window(3.2, 1)
        it.deliver()
        assert it.outcomes == [("pager", DeliveryOutcome.POSTPONED, None)]
        [stored] = it.store.list_silences(now)
        assert stored.id == id and "RE2 refuses the expression of feature=~" in stored.problem
        it.deliver(600)
        assert pager.told == ["first"]


def test_what_no_route_matches_is_returned_until_it_is_over(tmp_path: Path) -> None:
    pager, nobody = Receiver(), Route(receivers=["pager"], matchers=["severity=crit"])
    with world(tmp_path, [DRIFT], pager, routes=[nobody]) as it:
        assert _forgotten(it) == []
        it.window(3.2, 1)
        assert _forgotten(it) == ["delays/drift"]
        it.window(0.0, 2)
        assert _forgotten(it) == []
    assert pager.told == []


def test_who_was_told_of_it_before_the_routes_changed_still_hears_and_it_is_not_forgotten(tmp_path: Path) -> None:
    pager, nobody = Receiver(), Route(receivers=["pager"], matchers=["severity=crit"])
    with world(tmp_path, [DRIFT], pager) as it:
        it.window(3.2, 1)
        it.deliver()
    with world(tmp_path, [DRIFT], pager, routes=[nobody]) as it:
        assert _forgotten(it) == []


def _forgotten(it: World) -> list[str]:
    found = it.writer.call(lambda connection: it.incidents.remind(connection, it.clock.now))
    return [incident.key for incident in found]


def test_a_silence_holds_back_until_its_end(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        _silence(it, "feature=distance", 600)
        it.window(3.2, 1)
        it.deliver()
        it.deliver()
        assert it.outcomes == [("pager", DeliveryOutcome.POSTPONED, None)]
        it.deliver(590)
        assert pager.told == []
        it.deliver(10)
        assert pager.told == ["first"]


def test_resolved_under_a_silence_without_ever_being_told_is_dropped(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        _silence(it, "rule=drift", 600)
        it.window(3.2, 1)
        it.deliver()
        it.window(0.0, 2)
        it.deliver()
        assert it.store.notifications()[0]["outcome"] == "silenced"
        it.deliver(1000)
    assert pager.told == []


def test_what_was_told_before_a_silence_is_still_resolved(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        _silence(it, "model=delays", 600)
        it.window(9.0, 2)
        it.deliver()
        it.window(0.0, 3)
        it.deliver()
    assert pager.told == ["first", "resolved"]


def test_an_alert_that_no_silence_covers_is_told_at_once(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        _silence(it, "feature=distance", 600)
        it.window(3.2, 1)
        it.deliver()
        it.window({"distance": 3.2, "temp": 5.0}, 2)
        it.deliver()
    assert pager.told == ["first"]


def test_expiring_a_silence_makes_what_it_held_back_due(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        id = _silence(it, "severity=warning", 6000)
        it.window(3.2, 1)
        it.deliver()
        it.store.expire_silence(id, it.clock.now)
        it.deliver()
    assert pager.told == ["first"]


@pytest.mark.parametrize("resolved", [False, True])
def test_alerts_that_are_only_counted_are_not_muted(resolved: bool) -> None:
    silence = Silence("s", (Matcher.parse("feature=~f.*"),), 0.0, 10.0)

    def of(count: int) -> Incident:
        made = incident(*(alert(feature=f"f{i}") for i in range(count)))
        return replace(made, resolved_at=1.0, firing=0) if resolved else made

    assert muted(of(KEPT), [silence], 5.0) is silence
    assert muted(of(KEPT + 1), [silence], 5.0) is None
