"""The shipped rules on drift of a window and over longer spans: what drifts in both is one incident and one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.base import Measurement, Window, labels
from monitor.config.rules_in_force import default_rules
from monitor.settings.root import Config
from tests.alerts.builders import HOUR, START
from tests.alerts.world import Receiver, World, world

RULES = [rule for rule in default_rules() if rule.incident_group == "drift"]
INHIBITIONS = Config.model_fields["inhibitions"].default


def drift(hour: int, value: float, feature: str = "distance", over: str = "") -> Measurement:
    end = START + hour * HOUR
    window = Window(end - (168 * HOUR if over else HOUR), end)
    of = labels(feature=feature, method="psi", over=over)
    return Measurement("feature_drift", value, window, of, 1000, limit_high=0.2)


def run(it: World, hour: int, *rows: Measurement) -> None:
    it.judged(list(rows), START + hour * HOUR)
    it.deliver()


def test_a_feature_that_drifts_in_the_window_and_over_a_week_is_told_once(tmp_path: Path) -> None:
    phone = Receiver()
    with world(tmp_path, RULES, phone, inhibitions=INHIBITIONS) as it:
        for hour in range(6):
            run(it, hour, drift(hour, 0.9), drift(hour, 0.05 * hour, over="7d"))
        [incident] = it.store.incidents()
        assert (incident["group"], incident["firing"]) == ("drift", 1)
        for hour in range(6, 12):
            run(it, hour, drift(hour, 0.9), drift(hour, 0.05 * hour, over="7d"))
        [incident] = it.store.incidents()
        assert incident["firing"] == 2
        # It ends in the window; the week remembers it, in the same message, until it is over there, too.
        for hour in range(12, 20):
            run(it, hour, drift(hour, 0.1), drift(hour, 0.4, over="7d"))
        for hour in range(20, 24):
            run(it, hour, drift(hour, 0.1), drift(hour, 0.1, over="7d"))
        assert [why for why in phone.told if why not in ("updated", "new_alerts")] == ["first", "resolved"]


@pytest.mark.parametrize(("feature", "held"), [("distance", True), ("carrier", False)])
def test_over_a_week_the_same_feature_has_nothing_to_add(tmp_path: Path, feature: str, held: bool) -> None:
    source = {"rule": "feature-drift", "model": "delays", "feature": "distance", "method": "psi"}
    target = {"rule": "feature-drift-over", "model": "delays", "feature": feature, "method": "psi", "over": "7d"}
    assert any(item.holds_back(target, [source]) for item in INHIBITIONS) is held
    assert not any(item.holds_back(source, [target]) for item in INHIBITIONS)


def test_a_small_shift_that_only_the_week_shows_is_told(tmp_path: Path) -> None:
    phone = Receiver()
    with world(tmp_path, RULES, phone, inhibitions=INHIBITIONS) as it:
        for hour in range(4):
            run(it, hour, drift(hour, 0.15), drift(hour, 0.3, over="7d"))
        assert phone.told[0] == "first"
        assert "over the last 7d" in phone.sent[0][0].incident.alerts[0].summary
