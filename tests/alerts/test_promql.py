"""Exported rules: promtool takes them, and they fire and resolve when ours do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.condition import Company
from alerts.evaluate import States, evaluate
from alerts.promql import Inexpressible, Series, export, summary
from alerts.rule import Rule
from alerts.state import Status
from checks.base import Measurement, NotEnough, Window
from checks.catalog import CATALOG
from monitor.cli.rules import render
from monitor.config import default_rules
from tests.servers.prometheus import promtool

EVERY = 15.0
METRICS = {name: Series(metric.labels, metric.clock == "wall") for name, metric in CATALOG.items()}
GONE = None


def rule(**keys: Any) -> Rule:
    return Rule.model_validate({"name": "r", "metric": "load1_ratio", "no_data": "ok", **keys})


KINDS: dict[str, tuple[Rule, list[float | None]]] = {
    "above": (rule(above=1), [0, 2, 2, 1, 0, 2]),
    "below": (rule(below=1), [2, 0, 1, 0.5]),
    "for": (rule(above=1, **{"for": "30s"}), [2, 2, 2, 2, 0, 2, 2, 0, 2, 2, 2]),
    "clear": (rule(above=1, clear=0.5), [0.7, 2, 0.7, 0.6, 0.4, 0.7, 2, 0.7]),
    "clear while pending": (rule(above=1, clear=0.5, **{"for": "30s"}), [2, 0.7, 2, 2, 2, 0.7, 0.7, 0.5, 0.7]),
    "keep firing": (rule(above=1, keep_firing_for="30s"), [2, 0, 0, 0, 0, 2, 0, 2, 0]),
    "clear and keep": (rule(above=1, clear=0.5, keep_firing_for="30s"), [2, 0.7, 0, 0.7, 0, 0, 0, 0]),
    "vanished": (rule(above=1), [2, GONE, GONE, 2, 0]),
    "bounded": (rule(above={"value": 1, "at_least": 3}), [2, 4, 3, 2]),
    "labels": (rule(metric="disk_utilization_ratio", match={"path": "/"}, above=0.9), [0.95, 0.1]),
}


def ours(the_rule: Rule, samples: list[float | None], labels: tuple[tuple[str, str], ...]) -> list[int]:
    """How many alerts fire after each evaluation."""
    states: States = {}
    fired = []
    for index, value in enumerate(samples):
        now = index * EVERY
        reason = NotEnough.NO_ROWS if value is None else None
        row = Measurement(the_rule.metric, value, Window(now, now), labels, reason=reason)
        states, _ = evaluate(the_rule, states, [row], None, now, EVERY, Company())
        fired.append(sum(state.status is Status.FIRING for state in states.values()))
    return fired


@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_fires_and_resolves_at_the_same_evaluations(kind: str, tmp_path: Path) -> None:
    the_rule, samples = KINDS[kind]
    labels = tuple(sorted({**dict.fromkeys(CATALOG[the_rule.metric].labels, "host"), **the_rule.match}.items()))
    pairs = ",".join(f'{name}="{value}"' for name, value in (("instance", "i"), ("job", "j"), *labels))
    text, refused = render([the_rule], EVERY)
    assert not refused
    (tmp_path / "rules.yml").write_text(text)
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {
                        "series": f"watchkeeper_{the_rule.metric}{{{pairs}}}",
                        "values": " ".join("stale" if value is None else str(value) for value in samples),
                    }
                ],
                "promql_expr_test": [
                    {
                        "expr": 'sum(ALERTS{alertstate="firing"}) or vector(0)',
                        "eval_time": f"{index * 15}s",
                        "exp_samples": [{"labels": "{}", "value": count}],
                    }
                    for index, count in enumerate(ours(the_rule, samples, labels))
                ],
            }
        ],
    }
    assert sum(ours(the_rule, samples, labels)), "it fires at all"
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    told = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert told.returncode == 0, told.stdout + told.stderr + text


def test_promtool_takes_the_shipped_rules_and_each_other_is_refused_by_name(tmp_path: Path) -> None:
    rules = default_rules()
    text, refused = render(rules, EVERY)
    (tmp_path / "rules.yml").write_text(text)
    told = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert (told.returncode, told.stderr) == (0, "")
    exported = [item["alert"] for item in yaml.safe_load(text)["groups"][0]["rules"]]
    assert sorted([*exported, *refused]) == sorted(item.name for item in rules)
    assert {"cpu-high", "server-down"} <= set(exported)
    assert "min_rows" in refused["latency-high"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"above": "limit", "metric": "feature_drift"}, "calibrated limit"),
        ({"above": {"baseline": "1h", "times": 3}}, "baseline"),
        ({"above": 1, "average": 7}, "average: 7"),
        ({"above": 1, "min_rows": 20}, "min_rows: 20"),
        ({"above": 1, "for": "3 windows"}, "counts windows"),
        ({"above": 1, "for": "1h", "metric": "missing_ratio"}, "event time"),
        ({"above": 1, "no_data": "alert"}, "no_data: alert"),
        ({"above": 1, "error": "alert"}, "error: alert"),
        ({"above": {"reference": 0.1}, "metric": "missing_ratio"}, "reference's value"),
    ],
)
def test_what_prometheus_cannot_express_is_refused_with_the_reason(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(Inexpressible, match=why):
        export(rule(**keys), METRICS)


def test_conditions_and_references_are_series_beside_the_rules_own(tmp_path: Path) -> None:
    rules = [
        rule(name="a", above=1, **{"while": [{"rule": "slow"}, {"metric": "request_rate", "above": 1}]}),
        rule(name="b", metric="performance", match={"metric": "accuracy"}, below={"reference": -0.05}),
    ]
    text, refused = render(rules, EVERY)
    assert not refused
    (tmp_path / "rules.yml").write_text(text)
    assert promtool("check", "rules", str(tmp_path / "rules.yml")).returncode == 0
    assert 'max by (instance, job) (watchkeeper_alert_state{rule="slow"}) >= 1' in text
    assert 'watchkeeper_performance_reference{metric="accuracy"} + -0.05' in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "CPU {{ value | percent }} on {{ labels.scope }}",
            "CPU {{ $value | humanizePercentage }} on {{ $labels.scope }}",
        ),
        ("over {{ level | percent }}", "over 50%"),
        ("{{ model }} ({{ rule }})", "{{ $labels.model }} (r)"),
        ("worst {{ worst }}", "load1_ratio is {{ $value }}"),
        ("{% if value %}high{% endif %}", "load1_ratio is {{ $value }}"),
    ],
)
def test_summaries_become_prometheus_own_templates(text: str, expected: str) -> None:
    assert summary(rule(above=0.5, summary=text)) == expected


def test_braces_in_an_action_are_text(tmp_path: Path) -> None:
    text, _ = render([rule(above=1, action="kubectl get pods -o go-template='{{ .items }}'")], EVERY)
    (tmp_path / "rules.yml").write_text(text)
    assert promtool("check", "rules", str(tmp_path / "rules.yml")).returncode == 0
