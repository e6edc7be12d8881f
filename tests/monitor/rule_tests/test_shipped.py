"""The shipped rules, by their own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.rules.rule import Rule
from monitor.config.rules_in_force import default_rules
from monitor.config.yaml_document import parse
from monitor.rule_tests.run import RuleTestOutcome, run
from monitor.settings.shipped_files import shared_file

PATH = shared_file("rules_test.yaml")


@pytest.fixture(scope="module")
def tested() -> RuleTestOutcome:
    return run([PATH], default_rules())


def test_they_do_what_their_tests_say(tested: RuleTestOutcome) -> None:
    assert "\n".join(map(str, tested.failed)) == ""
    assert tested.cases > 100


def test_each_one_is_seen_firing_and_not() -> None:
    cases = [case for test in parse(PATH.read_text(), {}).value["tests"] for case in test["alert_rule_test"]]
    names = {rule.name for rule in default_rules()}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


def _changed(rule: Rule, **keys: Any) -> Rule:
    plain = rule.model_dump(by_alias=True, exclude_unset=True)
    return Rule.model_validate({**plain, **keys})


@pytest.mark.release
@pytest.mark.parametrize("keys", [{"for": "1000 windows"}, {"for": "0s", "min_rows": 0}])
def test_a_change_of_any_rule_is_noticed(keys: dict[str, Any]) -> None:
    """Every rule that holds for a longer or shorter time fails a case of its own."""
    rules = [_changed(rule, **keys) for rule in default_rules()]
    same = {rule.name for rule in default_rules() if keys["for"] == "0s" and not str(rule.for_)}
    assert {rule.name for rule in rules} - {case.case.alertname for case in run([PATH], rules).failed} == same


def test_where_it_is_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text(PATH.read_text().replace("values: 0.5 0.96x11 0.9x3 0.84", "values: 0.5x20"))
    first, second = run([copy], default_rules()).failed
    lines = copy.read_text().splitlines()
    assert first.line is not None and "eval_time: 11m" in lines[first.line - 1]
    assert second.line is not None and "eval_time: 16m" in lines[second.line - 1]
