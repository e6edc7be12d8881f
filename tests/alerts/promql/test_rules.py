"""Exported rules: promtool takes them, and they fire and resolve when ours do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.promql.rules import ExportedSeries, export
from alerts.promql.terms import Inexpressible
from checks.catalog import CATALOG
from monitor.cli.rules import render
from monitor.config.rules_in_force import default_rules
from tests.alerts.promql.cases import ACCURACY, GONE, KINDS, ON_SLOW, Case, exposed, firing, ours
from tests.alerts.promql.exported import EVERY, Trial, is_read, passes, rule, tried

METRICS = {name: ExportedSeries(metric.labels, metric.clock == "wall") for name, metric in CATALOG.items()}


JOBS = ["", "j"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[dict[str, str], str]]:
    """What is refused of each kind of rule with each job, and what promtool says of the rest."""
    trials, refused = {}, {}
    for kind, case in KINDS.items():
        test = {"input_series": exposed(case), "promql_expr_test": firing(dict(enumerate(ours(case))))}
        for job in JOBS:
            text, refused[kind, job] = render([case.rule], EVERY, job)
            trials[kind, job] = Trial(text, [test])
    said = tried(tmp_path_factory.mktemp("kinds"), trials)
    return {key: (refused[key], said[key]) for key in trials}


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_fires_and_resolves_at_the_same_evaluations(
    kind: str, job: str, told: dict[tuple[str, str], tuple[dict[str, str], str]]
) -> None:
    expected = ours(KINDS[kind])
    assert sum(expected) and 0 in expected, "it fires and is calm at times"
    assert told[kind, job] == ({}, "SUCCESS")


def test_the_workbooks_windows_fire_and_resolve_within_a_slot_of_prometheus(tmp_path: Path) -> None:
    """The pair of 6 h and 30 min burns, in slots of 90 s: six evaluations."""
    samples = [0.0] * 600 + [0.01] * 1000 + [0.0] * 300
    case = Case(rule(metric="error_ratio", slo={"objective": 0.999}), samples, rate=[2.0] * len(samples))
    expected = ours(case)
    fires, resolves = expected.index(1), len(samples) - expected[::-1].index(1)
    assert 600 < fires < 1600 < resolves
    times = {fires - 6: 0, fires + 6: 1, resolves - 7: 1, resolves + 6: 0}
    passes(tmp_path, render([case.rule], EVERY)[0], {"input_series": exposed(case), "promql_expr_test": firing(times)})


def test_only_the_chosen_job_is_looked_at(tmp_path: Path) -> None:
    case = Case(rule(above=1, no_data="alert"), [2, GONE])
    text, _ = render([case.rule], EVERY, "another")
    none: list[dict[str, Any]] = [{"expr": "ALERTS", "eval_time": at, "exp_samples": []} for at in ("0s", "15s")]
    passes(tmp_path, text, {"input_series": exposed(case), "promql_expr_test": none})


def test_a_daemon_that_is_gone_is_no_missing_series(tmp_path: Path) -> None:
    text, _ = render([rule(above=1, no_data="alert")], EVERY)
    series = [
        {"series": f"watchkeeper_{name}{{instance='i',job='j'}}", "values": "0 stale stale"}
        for name in ("load1_ratio", "build_info")
    ]
    none: list[dict[str, Any]] = [{"expr": "ALERTS", "eval_time": at, "exp_samples": []} for at in ("0s", "15s", "30s")]
    passes(tmp_path, text, {"input_series": series, "promql_expr_test": none})


def test_promtool_takes_the_shipped_rules_and_each_other_is_refused_by_name(tmp_path: Path) -> None:
    rules = default_rules()
    text, refused = render(rules, EVERY)
    is_read(tmp_path, text)
    exported = [item["alert"] for item in yaml.safe_load(text)["groups"][0]["rules"]]
    assert sorted([*exported, *refused]) == sorted(item.name for item in rules)
    assert {"cpu-high", "server-down", "gpu-saturated", "gpu-idle"} <= set(exported)
    assert "min_rows" in refused["latency-high"]


def test_promtool_takes_every_kind_in_one_file(tmp_path: Path) -> None:
    rules = [case.rule.model_copy(update={"name": kind.replace(" ", "-")}) for kind, case in KINDS.items()]
    text, refused = render(rules, EVERY, 'a "job"\\')
    assert not refused
    is_read(tmp_path, text)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"above": "limit", "metric": "feature_drift"}, "calibrated limit"),
        ({"above": 0.2, "metric": "feature_drift"}, "first method"),
        ({"above": {"baseline": "1h", "times": 3}}, "3 × its median of the last 1h"),
        ({"above": {"season": "7d", "times": 2}}, "2 × its value 7d before"),
        ({"above": {"previous": True, "plus": 0.5}}, r"its value one window before \+ 0.5"),
        ({"above": 1, "for": "3 of 5 windows"}, "3 of 5 windows counts windows"),
        ({"outside": {"low": 0, "high": 1}, "clear": {"low": 0.1, "high": 0.9}}, "side on which"),
        ({"outside": "limit", "metric": "feature_drift"}, "calibrated limit"),
        ({"absent": True, "metric": "missing_ratio"}, "absent: true is judged once a window"),
        ({"above": 1, "share": 0.5, "min_rows": 20}, "min_rows: 20"),
        ({"above": 1, "no_data": "alert", "overrides": [{"match": {"scope": "host"}, "above": 2}]}, "overrides"),
        ({"above": 1, "overrides": [{"match": {"scope": "host"}, "for": "2 windows"}]}, "2 windows counts windows"),
        ({"slo": {"objective": 0.99}, "no_data": "alert"}, "no_data: alert with slo"),
        ({"above": 1, "slo": {"objective": 0.99}, "min_rows": 20}, "min_rows: 20"),
        ({"above": 1, "average": 7}, "average: 7"),
        ({"above": 1, "min_rows": 20}, "min_rows: 20"),
        ({"above": 1, "for": "3 windows"}, "counts windows"),
        ({"above": 1, "keep_firing_for": "3 windows"}, "counts windows"),
        ({"above": 1, "for": "1h", "metric": "missing_ratio"}, "event time"),
        ({"above": 1, "keep_firing_for": "1h", "metric": "missing_ratio"}, "event time"),
        ({"above": 1, "no_data": "alert", "metric": "missing_ratio"}, "no_data: alert is judged once a window"),
        ({"above": 1, "no_data": "alert", **ON_SLOW}, "known of its conditions"),
        ({"above": 1, "error": "alert"}, "error: alert"),
        ({"above": {"reference": 0.1}, "metric": "missing_ratio"}, "reference's value"),
        ({**ACCURACY, "above": {"reference": 0.1, "at_least": 1}}, "reference's value"),
    ],
)
def test_what_prometheus_cannot_express_is_refused_with_the_reason(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(Inexpressible, match=why):
        export(rule(**keys), METRICS)


def test_levels_that_are_no_number_are_written_as_prometheus_does(tmp_path: Path) -> None:
    rules = [rule(name=f"r{index}", above=float(level)) for index, level in enumerate(("inf", "-inf", "1e300", "1e-9"))]
    is_read(tmp_path, render(rules, EVERY)[0])
