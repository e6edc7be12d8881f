"""Scenario 17: silences and acknowledgements in the middle of an incident."""

from __future__ import annotations

from pathlib import Path

from alerts.incidents.matcher import Matcher
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, World, world

DRIFT = rule()
SEVERE = rule(name="severe", above=9.0, severity="critical", group="drift")


def silence(it: World, seconds: float) -> None:
    now = it.clock.now
    it.store.add_silence([Matcher.parse("model=delays")], now, now + seconds, by="ann", comment="", now=now)


def test_survives_a_silence_that_ends_in_the_middle_of_an_incident(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT, SEVERE], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        silence(it, 600)
        it.window(20.0, 2)
        it.deliver(590)
        assert pager.told == ["first"]
        it.deliver(20)
        assert pager.told == ["first", "severity_rose"], "it lasts longer than the silence"
        silence(it, 600)
        it.window(0.0, 3)
        it.deliver()
    assert pager.told == ["first", "severity_rose", "resolved"], "who was told hears of the end"


def test_survives_getting_worse_after_an_acknowledgement(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT, SEVERE], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        it.store.acknowledge(it.incident()["id"], "ann", it.clock.now, 7200.0)
        it.deliver()
        it.window(4.1, 2)
        it.deliver(60)
        assert pager.told == ["first", "acknowledged", "updated"]
        it.window(20.0, 3)
        it.deliver()
        assert pager.told[3:] == ["severity_rose"]
        assert it.incident()["acknowledged"] is None, "what was acknowledged was less"
