"""What a config may say of a rule: metrics that something measures, levels, objectives, texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.catalog import CATALOG
from monitor.collectors.arrivals import ArrivalAges
from monitor.collectors.check_states import CheckStates
from monitor.collectors.container.collector import METRICS as CONTAINER
from monitor.collectors.gpu.collector import GpuCollector
from monitor.collectors.gpu.process_memory import GpuProcessCollector
from monitor.collectors.host import HostCollector
from monitor.collectors.probe.collector import ProbeCollector
from monitor.collectors.process.collector import ProcessCollector
from monitor.collectors.server.collector import ServerCollector
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.config.measured_metrics import pace, produced, source
from monitor.settings.root import Config

SERVER = "server: {url: 'http://127.0.0.1:8080'}\n"


def problems(folder: Path, rule: str, more: str = "") -> list[str]:
    """What is wrong with the one rule of a file, each with its line."""
    path = folder / "watchkeeper.yaml"
    path.write_text(f"model: delays\n{more}rules:\n  - {rule}\n")
    try:
        load(path, {})
    except ConfigError as error:
        return [line.removeprefix(f"{path}:") for line in str(error).splitlines()]
    return []


@pytest.mark.parametrize(
    ("metric", "more", "needs"),
    [
        ("latency_p95_seconds", "", "it needs server"),
        ("server_restarts_recent", "server: {url: 'http://a', process: false}\n", "it needs server, with its process"),
        ("probe_up", "", "it needs probes; the nearest that is measured is"),
        ("gpu_up", "collect: {gpu: false}\n", "it needs collect.gpu"),
        ("load1_ratio", "collect: {host: false}\n", "it needs collect.host"),
        ("oom_kills_recent", "collect: {container: false}\n", "it needs collect.container; the nearest"),
        ("feature_drift", "checks: {drift: null}\n", "it needs checks.drift; the nearest that is measured is"),
        ("missing_ratio", "checks: {quality: false}\n", "it needs checks.quality"),
        ("performance", "checks: {performance: false}\n", "it needs checks.performance"),
        ("evidently_value", "", "it needs a check of `type: evidently`"),
    ],
)
def test_a_metric_that_nothing_measures_is_an_error(tmp_path: Path, metric: str, more: str, needs: str) -> None:
    (problem,) = problems(tmp_path, f"{{name: r, metric: {metric}, above: 1}}", more)
    line = 3 + more.count("\n")
    assert problem.startswith(f"{line}: rule 'r': nothing in this config measures {metric}: ")
    assert needs in problem
    assert problems(tmp_path, f"{{name: r, metric: {metric}, above: 1, enabled: false}}", more) == []


def test_the_nearest_metric_that_is_measured_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "{name: r, metric: feature_drift, above: 1}", "checks: {drift: null}\n")
    (condition,) = problems(
        tmp_path, "{name: r, metric: load1_ratio, above: 1, while: [{metric: error_ratio, above: 1}]}"
    )
    assert "'" in problem.split("the nearest that is measured is ")[1]
    assert "while: nothing in this config measures error_ratio: it needs server" in condition


def test_every_collectors_metrics_have_their_source() -> None:
    """With a part of the config gone, exactly what only that part measures is."""
    whole = Config.model_validate(
        {
            "models": [
                {
                    "model": "m",
                    "server": {"url": "http://a"},
                    "probes": [{"name": "p", "url": "http://a"}],
                    "checks": {"report": {"type": "evidently", "preset": "DataDriftPreset"}},
                }
            ]
        }
    )
    assert produced(whole) == list(CATALOG)
    bare = Config.model_validate(
        {"models": [{"model": "m"}], "collect": {"gpu": False, "host": False, "container": False}}
    )
    gone = set(CATALOG) - set(produced(bare))
    parts = [ServerCollector, ProcessCollector, ProbeCollector, GpuCollector, GpuProcessCollector, HostCollector]
    assert gone == {"evidently_value"}.union(CONTAINER, *(part.metrics for part in parts))
    assert not (ArrivalAges.metrics | CheckStates.metrics) & gone


def test_how_often_a_metric_is_sampled_is_known_where_it_is_the_same_everywhere() -> None:
    servers = [
        {"model": name, "server": {"url": "http://a", "interval": every}} for name, every in (("a", 15), ("b", 5))
    ]
    config = Config.model_validate({"models": servers, "collect": {"interval": 30}, "evaluate": 10})
    assert [pace(config, name) for name in ("error_ratio", "load1_ratio", "check_failing", "probe_up")] == [
        None,
        30.0,
        10.0,
        None,
    ]
    found = source(config, "error_ratio")
    assert found is not None and found.paces == {15.0, 5.0}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "{name: r, metric: latency_p95_seconds, slo: {objective: 0.99}}",
            "latency_p95_seconds is no ratio of bad to all; say with above, below or outside",
        ),
        ("{name: r, metric: missing_ratio, slo: {objective: 0.99}}", "slo goes with what is sampled"),
        ("{name: r, metric: error_ratio, slo: {objective: 0.5}}", "slo: with objective 0.5 more than everything (3)"),
        ("{name: r, metric: error_ratio, slo: {objectiv: 0.5}}", "unknown key 'objectiv' in rule 'r': slo"),
        ("{name: r, metric: load1_ratio, outside: {low: 2, high: 1}}", "low (2) must be below high (1)"),
        (
            "{name: r, metric: load1_ratio, outside: {low: 1, high: 2}, clear: {low: 0.5, high: 1.5}}",
            "clear (0.5) lies beyond low (1), so the alert could never hold",
        ),
        (
            "{name: r, metric: feature_drift, above: 1, overrides: [{match: {featur: a}, above: 2}]}",
            "feature_drift has no label 'featur'",
        ),
        (
            "{name: r, metric: feature_drift, match: {feature: b}, above: 1, overrides: [{match: {feature: a}}]}",
            "feature 'a' is never met: the rule matches 'b' only",
        ),
        (
            "{name: r, metric: feature_drift, above: 1, overrides: [{match: {feature: a}, clear: 3}]}",
            "clear (3) lies beyond above (1)",
        ),
        (
            "{name: r, metric: feature_drift, above: 1, overrides: [{match: {feature: a}, abov: 3}]}",
            "unknown key 'abov' in rule 'r': overrides[0]; did you mean 'above'?",
        ),
        ("{name: r, metric: load1_ratio, above: 1, action: '{{ valeu }}'}", "action names 'valeu', which is not known"),
        ("{name: r, metric: load1_ratio, above: 1, runbook: '{{ value '}", "runbook is no valid template"),
        (
            "{name: r, metric: load1_ratio, above: 1, annotations: {a: '{{ value | nosuch }}'}}",
            "annotations.a is no valid template: there is no filter 'nosuch'",
        ),
        (
            "{name: r, metric: load1_ratio, above: 1, summary: '{{ 1 / 0 }}'}",
            "summary is no valid template: arithmetic can't be used",
        ),
        ("{name: r, metric: load1_ratio, above: 1, summary: '{{ value.a.b }}'}", "summary is no valid template"),
        (
            "{name: r, metric: load1_ratio, above: 1, action: \"{{ ''.__class__.__mro__ }}\"}",
            "action is no valid template",
        ),
    ],
)
def test_each_mistake_is_told_with_its_line(tmp_path: Path, rule: str, said: str) -> None:
    (problem,) = problems(tmp_path, rule, SERVER)
    assert problem.startswith("4: ")
    assert said in problem


def test_a_shipped_rule_becomes_another_kind(tmp_path: Path) -> None:
    assert problems(tmp_path, "{name: cpu-high, outside: {low: 0.1, high: 0.9}}") == []
    assert problems(tmp_path, "{name: errors-high, slo: {objective: 0.99}}", SERVER) == []
