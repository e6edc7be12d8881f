"""What stands in deploy/ for Prometheus: fresh, read by promtool, and tested by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.cli import main
from tests.servers.prometheus import promtool

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
PROMETHEUS, KUBERNETES = DEPLOY / "prometheus", DEPLOY / "kubernetes"


def loaded(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize(
    ("file", "more"),
    [(PROMETHEUS / "watchkeeper.rules.yml", []), (KUBERNETES / "prometheus-rule.yaml", ["--kubernetes"])],
)
def test_the_rules_are_those_that_are_shipped(
    file: Path, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = str(PROMETHEUS / "watchkeeper.yaml"), str(tmp_path / "out")
    command = ["watchkeeper", "rules", "export", "--config", config, "--recording", *more, "--output", out]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert Path(out).read_text(encoding="utf-8") == file.read_text(encoding="utf-8"), "run `make dashboards`"


def test_the_operator_s_rules_are_those_of_the_rule_file() -> None:
    resource = loaded(KUBERNETES / "prometheus-rule.yaml")
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["spec"] == loaded(PROMETHEUS / "watchkeeper.rules.yml")


def test_promtool_tests_them() -> None:
    told = promtool("test", "rules", str(PROMETHEUS / "watchkeeper.test.yml"))
    assert (told.returncode, "SUCCESS" in told.stdout) == (0, True), told.stdout + told.stderr


def test_a_wrong_expectation_would_be_told(tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS, tmp_path, dirs_exist_ok=True)
    test = tmp_path / "watchkeeper.test.yml"
    test.write_text(test.read_text(encoding="utf-8").replace("value: 0.052", "value: 0.053"), encoding="utf-8")
    assert promtool("test", "rules", str(test)).returncode != 0


def test_promtool_takes_the_configuration_and_the_rules() -> None:
    for kind, file in (("config", "prometheus.yml"), ("rules", "watchkeeper.rules.yml")):
        told = promtool("check", kind, str(PROMETHEUS / file))
        assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr


def test_the_pod_monitor_scrapes_what_prometheus_does() -> None:
    monitor, (scrape,) = (
        loaded(KUBERNETES / "pod-monitor.yaml"),
        loaded(PROMETHEUS / "prometheus.yml")["scrape_configs"],
    )
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (monitor["kind"], endpoint["path"]) == ("PodMonitor", "/metrics")
    job = {item["targetLabel"]: item.get("replacement") for item in endpoint["relabelings"]}["job"]
    assert job == scrape["job_name"], "the dashboards' variable `job` offers one name for both"
