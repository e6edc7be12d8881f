"""What exported rules say, filled in by Prometheus itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.promql.text import summary
from monitor.cli.rules import render
from tests.alerts.promql.exported import EVERY, is_read, passes, rule

PLAIN = 'load1_ratio is {{ printf "%.4g" $value }}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "CPU {{ value | percent }} on {{ labels.scope }}",
            "CPU {{ $value | humanizePercentage }} on {{ $labels.scope }}",
        ),
        ("over {{ level | percent }}", "over 50%"),
        ("{{ model }} ({{ rule }})", "{{ $labels.model }} (r)"),
        ("{{value}}", '{{ printf "%.4g" $value }}'),
        ("", PLAIN),
        ("worst {{ worst }}", PLAIN),
        ("since {{ since | time }}", PLAIN),
        ("{{ value | unheard }}", PLAIN),
        ("{{ model | bytes }}", PLAIN),
        ("{% if value %}high{% endif %}", PLAIN),
        ("{{- value -}}", PLAIN),
        ("{{ '{{' }} {{ value }}", PLAIN),
        ("{{{ value }}", PLAIN),
        ("{# nothing #}{{ value }}", PLAIN),
    ],
)
def test_summaries_become_prometheus_own_templates(text: str, expected: str, tmp_path: Path) -> None:
    the_rule = rule(above=0.5, summary=text)
    assert summary(the_rule) == expected
    is_read(tmp_path, render([the_rule], EVERY)[0])


@pytest.mark.parametrize(
    "text", ["kubectl get pods -o go-template='{{ .items }}'", "{{{{", "}} {{", "{{ $value }}", "%{"]
)
def test_braces_in_an_action_are_text(text: str, tmp_path: Path) -> None:
    told(tmp_path, {"above": 1, "summary": "s", "action": text, "runbook": text}, "2", "s", text)


def test_prometheus_fills_in_value_labels_and_level(tmp_path: Path) -> None:
    text = "{{ value }} on {{ labels.scope }}, over {{ level }} of {{ model }}"
    told(tmp_path, {"above": 1, "summary": text}, "2.345678", "2.346 on host, over 1 of m")


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        ("percent", "0.953", "95.3%"),
        ("duration", "0.25", "250ms"),
        ("bytes", "2048", "2kiB"),
        ("time", "0", "1970-01-01"),
    ],
)
def test_prometheus_writes_numbers_for_people(word: str, value: str, expected: str, tmp_path: Path) -> None:
    keys = {"above": -1, "summary": f"{{{{ value | {word} }}}}"}
    told(tmp_path, keys, value, f"{expected} 00:00:00 +0000 UTC" if word == "time" else expected)


def test_no_data_is_said_instead_of_a_value(tmp_path: Path) -> None:
    keys = {"above": 1, "summary": "{{ value | percent }} busy", "no_data": "alert"}
    told(tmp_path, keys, "2", "200% busy")
    told(tmp_path, keys, "2 stale", "load1_ratio: no data")


def told(folder: Path, keys: dict[str, Any], values: str, said: str, action: str = "") -> None:
    """Checks what Prometheus says in the end when the rule sees these values."""
    series = [
        {"series": 'watchkeeper_load1_ratio{instance="i",job="j",scope="host",model="m"}', "values": values},
        {"series": 'watchkeeper_build_info{instance="i",job="j"}', "values": "1 1"},
    ]
    alert = {
        "exp_labels": {"instance": "i", "job": "j", "scope": "host", "model": "m", "severity": "warning"},
        "exp_annotations": {"summary": said, **({"description": action, "runbook_url": action} if action else {})},
    }
    at = f"{15 * values.count(' ')}s"
    tests = [{"eval_time": at, "alertname": "r", "exp_alerts": [alert]}]
    passes(folder, render([rule(**keys)], EVERY)[0], {"input_series": series, "alert_rule_test": tests})
