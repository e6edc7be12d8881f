"""Tests of rules that are not the shipped ones."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from alerts.rules.rule import Rule
from monitor.rule_tests.form import RuleTestError
from monitor.rule_tests.run import RuleTestOutcome, run

LOAD = {"name": "load", "metric": "load1_ratio", "above": 1}


def outcome(tmp_path: Path, text: str, *rules: dict[str, Any]) -> RuleTestOutcome:
    path = tmp_path / "t.yaml"
    path.write_text(dedent(text))
    return run([path], [Rule.model_validate(rule) for rule in rules or (LOAD,)])


def one(tmp_path: Path, values: str, rule: dict[str, Any], *times: str) -> list[str]:
    """At which of the times the rule fires over one series, a value a minute."""
    found = []
    for time in times:
        text = f"""
        tests:
          - input_series: [{{series: load1_ratio, values: {values}}}]
            alert_rule_test: [{{eval_time: {time}, alertname: load, exp_alerts: [exp_labels: {{severity: warning}}]}}]
        """
        found += [] if outcome(tmp_path, text, {**LOAD, **rule}).failed else [time]
    return found


def test_what_was_expected_and_what_came(tmp_path: Path) -> None:
    text = """
    tests:
      - name: some load
        input_series:
          - {series: load1_ratio, values: 0 2 2}
        alert_rule_test:
          - {eval_time: 0m, alertname: load, exp_alerts: [exp_labels: {severity: warning}]}
          - eval_time: 1m
            alertname: load
            exp_alerts:
              - exp_labels: {severity: info}
                exp_annotations: {summary: The "load" is high}
          - {eval_time: 2m, alertname: load}
    """
    tested = outcome(tmp_path, text, {**LOAD, "for": "1m", "summary": "It is {{ value }}"})
    path = tmp_path / "t.yaml"
    assert tested.cases == 3
    assert "\n".join(map(str, tested.failed)) == dedent(f"""\
        {path}:7: some load: alertname: load, time: 0s
            exp: [
                Labels:{{severity="warning"}}
            ]
            got: []
        {path}:8: some load: alertname: load, time: 1m
            exp: [
                Labels:{{severity="info"}}
                Annotations:{{summary="The \\"load\\" is high"}}
            ]
            got: []
            pending since 1m: {{severity="warning"}}
        {path}:13: some load: alertname: load, time: 2m
            exp: []
            got: [
                Labels:{{severity="warning"}}
            ]""")


def test_annotations_are_held_to_where_they_are_given(tmp_path: Path) -> None:
    text = """
    tests:
      - input_series: [{series: load1_ratio, values: "2"}]
        alert_rule_test:
          - eval_time: 0
            alertname: load
            exp_alerts: [{exp_labels: {severity: warning}, exp_annotations: {summary: It is %s}}]
    """
    rule = {**LOAD, "summary": "It is {{ value }}", "annotations": {"team": "a"}}
    assert not outcome(tmp_path, text % "2", rule).failed
    [failed] = outcome(tmp_path, text % "3", rule).failed
    assert 'Annotations:{summary="It is 2"}' in str(failed)


def test_policies_on_no_data_and_on_errors(tmp_path: Path) -> None:
    assert one(tmp_path, "2 _x2 error", {}, "0m", "2m", "3m") == ["0m", "2m", "3m"], "kept"
    assert one(tmp_path, "2 _x2 error", {"no_data": "ok"}, "0m", "1m", "3m") == ["0m"]
    assert one(tmp_path, "2 errorx2 _", {"error": "ok"}, "0m", "1m", "3m") == ["0m"]
    assert one(tmp_path, "0 _ error 0", {"no_data": "alert"}, "0m", "1m", "2m", "3m") == ["1m", "2m"]
    assert one(tmp_path, "0 error NaN 0", {"error": "alert"}, "0m", "1m", "2m", "3m") == ["1m", "2m"]


def test_absent_needs_no_value_at_all(tmp_path: Path) -> None:
    rule = {"name": "load", "metric": "load1_ratio", "absent": True, "for": "2m", "above": None}
    assert one(tmp_path, "_x9", rule, "1m", "2m") == ["2m"]


def test_the_time_between_values_is_a_windows_length(tmp_path: Path) -> None:
    text = """
    evaluation_interval: 1d
    tests:
      - input_series: [{series: 'window_rows{model="d"}', values: 9 1x5}]
        alert_rule_test:
          - {eval_time: 2d, alertname: few}
          - {eval_time: 3d, alertname: few, exp_alerts: [exp_labels: {model: d, severity: warning}]}
      - interval: 1h
        input_series: [{series: 'window_rows{model="d"}', values: 9 1x5}]
        alert_rule_test:
          - {eval_time: 2h, alertname: few}
          - {eval_time: 3h59m, alertname: few, exp_alerts: [exp_labels: {model: d, severity: warning}]}
    """
    assert not outcome(tmp_path, text, {"name": "few", "metric": "window_rows", "below": 5, "for": "3 windows"}).failed


def test_every_mistake_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = """
    tests:
      - input_series:
          - {series: load1_rati, values: 1}
          - {series: 'load1_ratio{cpu="0"}', values: 1}
          - {series: load1_ratio, values: 1}
          - {series: load1_ratio, values: 2}
          - {series: probe_certificate_left_seconds, values: 2}
        alert_rule_test:
          - {eval_time: 1m, alertname: laod}
          - {eval_time: 4000h, alertname: load}
    """
    with pytest.raises(RuleTestError) as caught:
        outcome(tmp_path, text)
    said = str(caught.value).replace(str(tmp_path), "").splitlines()
    assert said == [
        "/t.yaml:4: unknown metric 'load1_rati'; did you mean 'load1_ratio'?",
        "/t.yaml:5: load1_ratio has no label 'cpu'; its labels are model, scope",
        "/t.yaml:7: load1_ratio stands twice in this test",
        "/t.yaml:8: metric 'probe_certificate_left_seconds' is now called 'probe_certificate_remaining_seconds'",
        "/t.yaml:10: there is no rule 'laod' in force; did you mean 'load'?",
        "/t.yaml:11: lies more than 20000 evaluations after the first",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: []", ":1: tests: list should have at least 1 item"),
        ("rule_files: [a.yaml]\ntests: []", ":1: unknown key 'rule_files'; known here: evaluation_interval, tests"),
        ("tests: [{input_series: [{series: load1_ratio, value: 1}], alert_rule_test: []}]", "did you mean 'values'?"),
        ("tests:\n- input_series: [{series: load1_ratio, values: 1x}]", ":2: tests[0].input_series[0]: '1x' is no"),
        ("tests:\n- input_series: [{series: load1_ratio, values: 1}]", ":2: tests[0].alert_rule_test is missing"),
        ("tests: {", "not valid YAML"),
        ("", "t.yaml: the file"),
    ],
)
def test_a_file_in_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RuleTestError) as caught:
        outcome(tmp_path, text)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleTestError, match=r"no\.yaml: can't be read: No such file"):
        run([tmp_path / "no.yaml"], [])
