"""Who writes matchers is told how much they hit: routes that reach nobody, silences that never hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.incidents.matcher import Matcher
from monitor.alerting.reach import Reach
from monitor.config.check_matchers import matcher_warnings, reach, route_lines
from monitor.config.load import load
from monitor.config.rules_in_force import all_rules
from monitor.settings.root import Config

BASE = """
model: delays
console: true
rules:
  - {name: own, metric: feature_drift, above: 1, severity: info, group: mine}
"""
PRESENT: list[dict[str, Any]] = [
    {"rule": "feature-drift", "model": "delays", "labels": {"feature": "temp\nout", "method": "psi"}, "severity": None},
    {"rule": "own", "model": "delays", "labels": {"feature": "wind"}, "severity": None},
    {"rule": "gone", "model": "delays", "labels": {"feature": "wind"}, "severity": "critical"},
]


def read(folder: Path, more: str = "") -> Config:
    (folder / "w.yaml").write_text(BASE + more)
    return load(folder / "w.yaml", {})


@pytest.fixture
def found(tmp_path: Path) -> Reach:
    config = read(tmp_path)
    return reach(config, all_rules(config), PRESENT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("severity=crit", "severity=\"crit\" matches no severity; did you mean 'critical'?"),
        ("alertname=feature-drift", "no alert has a label 'alertname'; did you mean 'rule'?"),
        ("featur=temp", "no alert has a label 'featur'; did you mean 'feature'?"),
        ("rule=feature-drifts", "did you mean 'feature-drift"),
        ("model=fares", "matches no model"),
        ("rule=own,severity=critical", 'no rule has alerts that match rule="own" and severity="critical" at once'),
        ("severity!=info,severity!=warning,severity!=critical", "at once"),
        ("model=", ""),  # of the machine
        ("feature=never-seen", ""),  # may come with the data
        ("rule=gone", ""),  # an alert of it is there
        ("alertname!=x", ""),
        ("severity=critical", ""),
        ("group=mine", ""),
        ("rule=database-unwritable", ""),
    ],
)
def test_what_can_never_hold_is_said(found: Reach, text: str, says: str) -> None:
    problem = found.problem(Matcher.parse_all(text))
    assert says in problem
    assert bool(problem) is bool(says)


def test_each_matcher_says_what_it_hits(found: Reach) -> None:
    first, second, both = found.described(Matcher.parse_all('feature=~"temp.*", rule=feature-drift'))
    assert "1 of 3 present alerts, 1 of 2 known values of feature" in first
    assert f"1 of {len(found.rules)} rules, 1 of 3 present alerts" in second
    assert both.startswith("all together: 1 of ")
    assert found.hits(Matcher.parse_all("severity=info")) == 1, "an alert that nobody heard of has its rule's severity"
    assert "present" not in Reach(found.rules, None).described(Matcher.parse_all("rule=own"))[0]


ROUTES = "routes:\n  - {matchers: [severity=crit], receivers: [console]}\n"


def test_routes_that_reach_nobody_are_said(tmp_path: Path) -> None:
    config = read(tmp_path, ROUTES + "  - {matchers: ['alertname=own'], receivers: [console]}\n")
    known = reach(config, all_rules(config), None)
    first, second, left = matcher_warnings(config, known)
    assert "route 1 never matches" in first and "'critical'" in first
    assert "route 2 never matches" in second and "alertname" in second
    assert f"no route matches {len(known.rules)} of {len(known.rules)} rules, whose incidents reach nobody" in left
    assert "more; end the routes with one without matchers" in left
    assert route_lines(config, known)[0].startswith('route 1 → console: severity="crit": 0 of ')


def test_a_last_route_without_matchers_leaves_nobody_out(tmp_path: Path) -> None:
    config = read(tmp_path, "routes:\n  - {matchers: [severity=critical], receivers: []}\n  - {receivers: [console]}\n")
    known = reach(config, all_rules(config), None)
    assert matcher_warnings(config, known) == []
    assert [line.split(":")[0] for line in route_lines(config, known)] == [
        "route 1 → nobody, as it says",
        "route 2 → console",
    ]


def test_an_inhibition_that_never_holds_back_is_said_and_the_shipped_ones_are_not(tmp_path: Path) -> None:
    config = read(tmp_path, "inhibitions:\n  - {source: [rule=server-dwn], target: [rule=own]}\n")
    [warning] = matcher_warnings(config, reach(config, all_rules(config), None))
    assert "its source never matches" in warning and "did you mean 'server-down'?" in warning
    assert matcher_warnings(read(tmp_path, "default_rules: false\n"), reach(config, [], None)) == []
