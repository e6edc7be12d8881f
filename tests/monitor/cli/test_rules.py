from __future__ import annotations

from pathlib import Path

import yaml

from tests.alerts.promql.exported import is_read
from tests.monitor.cli.conftest import Command

CONFIG = """
model: delays
evaluate: 5s
default_rules: false
rules:
  - {name: busy, metric: load1_ratio, above: 2, no_data: ok}
  - {name: odd, metric: feature_drift, above: limit}
  - {name: resting, metric: load1_ratio, above: 3, enabled: false}
"""
REFUSED = (
    "not exported: odd: its level is the calibrated limit, which is made for each window's size and not exported\n"
)


def write(text: str = CONFIG) -> None:
    Path("watchkeeper.yaml").write_text(text)


def test_exports_what_can_be_said_and_names_the_rest(watchkeeper: Command) -> None:
    write()
    ran = watchkeeper("rules", "export")
    assert (ran.status, ran.err) == (0, REFUSED)
    (group,) = yaml.safe_load(ran.out)["groups"]
    assert (group["interval"], [rule["alert"] for rule in group["rules"]]) == ("5000ms", ["busy"])
    head = [line for line in ran.out.splitlines() if line.startswith("#")]
    assert head[1:] == [
        "# A series vanishes as well when measuring fails, for which Watchkeeper's rules have their own `error`.",
        "# Prometheus can't express these; Watchkeeper judges them:",
        "#   odd: its level is the calibrated limit, which is made for each window's size and not exported",
    ]


def test_strict_makes_a_refusal_a_failure_but_writes_the_others(watchkeeper: Command) -> None:
    write()
    ran = watchkeeper("rules", "export", "--strict", "--output", "r.yml")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == REFUSED + "1 rule written to r.yml\n1 of 2 rules can't be expressed\n"
    is_read(Path(), Path("r.yml").read_text())


def test_a_rule_by_name(watchkeeper: Command) -> None:
    write()
    ran = watchkeeper("rules", "export", "--rule", "busy", "--strict")
    assert (ran.status, ran.err) == (0, "")
    ran = watchkeeper("rules", "export", "--rule", "busy", "--rule", "odd")
    assert (ran.status, ran.err) == (1, REFUSED + "1 of 2 rules can't be expressed\n")
    ran = watchkeeper("rules", "export", "--rule", "odd")
    assert (ran.status, ran.out, ran.err) == (1, "", REFUSED + "Prometheus can express none of these rules\n")
    ran = watchkeeper("rules", "export", "--rule", "bussy")
    assert (ran.status, ran.err) == (2, "there is no rule 'bussy' in force; did you mean 'busy'?\n")
    ran = watchkeeper("rules", "export", "--rule", "resting")
    assert (ran.status, "there is no rule 'resting' in force" in ran.err) == (2, True)


def test_the_head_says_where_prometheus_and_watchkeeper_part(watchkeeper: Command) -> None:
    write(
        "model: delays\nserver: {url: 'http://127.0.0.1:8080'}\ndefault_rules: false\nrules:\n"
        "  - {name: kept, metric: load1_ratio, above: 2}\n"
        "  - {name: missed, metric: request_rate, below: 1, no_data: alert, error: alert}\n"
    )
    out = watchkeeper("rules", "export", "--job", "wk").out
    assert "Prometheus resolves these, and Watchkeeper keeps them:\n#   kept\n" in out
    assert "Prometheus forgets after a day that there were any:\n#   missed\n" in out
    assert "when measuring fails" not in out
    assert 'watchkeeper_load1_ratio{job="wk"} > 2' in out


def test_recording_rules_come_first_and_keep_the_job(watchkeeper: Command) -> None:
    write()
    ran = watchkeeper("rules", "export", "--recording", "--job", "wk")
    groups = {group["name"]: group for group in yaml.safe_load(ran.out)["groups"]}
    assert list(groups) == ["watchkeeper-requests", "watchkeeper-budget", "watchkeeper-hours", "watchkeeper"]
    assert groups["watchkeeper-requests"]["interval"] == "5000ms"
    assert groups["watchkeeper-requests"]["rules"][0] == {
        "record": "instance_model:watchkeeper_requests:rate",
        "expr": 'watchkeeper_request_rate{job="wk"}',
    }
    is_read(Path(), ran.out)


def test_a_prometheus_rule_for_the_operator(watchkeeper: Command) -> None:
    write()
    ran = watchkeeper("rules", "export", "--kubernetes", "--label", "release=kps", "--label", "team=ml")
    resource = yaml.safe_load(ran.out)
    assert (ran.status, resource["kind"]) == (0, "PrometheusRule")
    labels = {"app.kubernetes.io/name": "watchkeeper", "release": "kps", "team": "ml"}
    assert resource["metadata"] == {"name": "watchkeeper", "labels": labels}
    assert yaml.safe_load(watchkeeper("rules", "export").out) == resource["spec"]
    ran = watchkeeper("rules", "export", "--label", "release=kps")
    assert (ran.status, ran.err) == (2, "--label is for a PrometheusRule: add --kubernetes\n")
    ran = watchkeeper("rules", "export", "--kubernetes", "--label", "release")
    assert ran.err == "--label release is not KEY=VALUE, as in --label release=kube-prometheus-stack\n"
    assert ran.status == 2


def test_without_rules_or_a_place_to_write_to(watchkeeper: Command) -> None:
    write("model: delays\ndefault_rules: false\n")
    ran = watchkeeper("rules", "export")
    assert (ran.status, ran.err) == (1, "watchkeeper.yaml has no rules in force, so there is nothing to export\n")
    write()
    ran = watchkeeper("rules", "export", "-o", "no/r.yml")
    assert (ran.status, ran.err) == (1, REFUSED + "no/r.yml can't be written: No such file or directory\n")
