"""A real Prometheus scrapes a daemon beside a real FastAPI server. A fault reaches the real Alertmanager, and also
Prometheus through the exported rules; and its end reaches both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.process import COMMAND, Daemon, wait_for
from tests.e2e.serving import ask
from tests.e2e.stream import START, batches, write_reference
from tests.e2e.test_slack import server as server  # a fixture
from tests.servers.alertmanager import Alertmanager, hook
from tests.servers.prometheus import Prometheus, promtool

CONFIG = """
model: parcels
reference: reference.csv
time: replay
server: {{preset: fastapi, url: "{server}", interval: 1s}}
windows: {{every: 1h, allowed_lateness: 5m, min_rows: 50}}
labels: {{maturity: 3h}}
alertmanager: {{members: ["{alertmanager}"], resend: 2s, labels: {{team: ml}}}}
slack: {{channel: "#ml-oncall"}}
collect: {{interval: 1s}}
evaluate: 1s
default_rules: false
rules:
  - {{name: latency-high, metric: latency_p95_seconds, above: 0.15, clear: 0.1, severity: critical, no_data: ok,
     summary: "{{{{ model }}}} takes {{{{ value | duration }}}}"}}
  - {{name: distance, metric: feature_drift, match: {{feature: distance, method: psi}}, above: limit}}
"""

APPLY = [
    "feature_drift",
    "drifted_features",
    "prediction_drift",
    "performance",
    "performance_reference",
    "performance_low",
    "performance_high",
    "feature_drift_limit",
    "prediction_drift_limit",
    "missing_ratio",
    "request_rate",
    "error_ratio",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "latency_p99_seconds",
    "cpu_utilization_ratio",
    "memory_used_bytes",
    "alert_state",
    "check_duration_seconds_bucket",
    "check_duration_seconds_count",
    "check_duration_seconds_sum",
    "check_last_success_timestamp_seconds",
    "check_failures_total",
    "notifications_total",
    "outbox_pending",
    "events_ingested_total",
    "events_rejected_total",
    "window_rows",
    "window_end_timestamp_seconds",
    "label_coverage_ratio",
    "build_info",
]
DO_NOT = {
    "performance_estimated": "no check estimates performance yet",
    "gpu_utilization_ratio": "there is no GPU here",
    "gpu_memory_used_bytes": "there is no GPU here",
    "gpu_temperature_celsius": "there is no GPU here",
}


def feed(daemon: Daemon) -> None:
    """A day of the model's predictions and labels, and one row that is no prediction."""
    for kind, rows in batches(hours=16, fault=range(8, 16)):
        assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202
    broken = [{"id": "x", "time": "never", "features": {}, "prediction": 1}]
    assert daemon.post("/v1/models/parcels/predictions", broken)[1]["rejected"] == 1


@pytest.mark.timeout(240)
def test_prometheus_and_alertmanager_see_what_the_daemon_sees(tmp_path: Path, server: str) -> None:
    write_reference(tmp_path / "reference.csv", rows=3000)
    with hook() as taken, Alertmanager(tmp_path / "alertmanager", taken.url) as alertmanager:
        config = CONFIG.format(server=server, alertmanager=alertmanager.url)
        with Daemon(tmp_path, config) as daemon:
            exported = subprocess.run(
                [COMMAND, "rules", "export"], cwd=tmp_path, capture_output=True, text=True, check=True
            )
            assert "not exported: distance: its level is the calibrated limit" in exported.stderr
            with Prometheus(tmp_path / "prometheus", f"127.0.0.1:{daemon.port}", exported.stdout) as prometheus:
                feed(daemon)
                wanted = {f"watchkeeper_{name}" for name in APPLY}
                wait_for(lambda: wanted <= prometheus.names(), "every metric is there", 90)
                assert not {f"watchkeeper_{name}" for name in DO_NOT} & prometheus.names()
                wait_for(lambda: prometheus.scopes("memory_used_bytes") >= {"host", "process"}, "of both")
                for name in prometheus.names():
                    assert name.startswith(("watchkeeper_", "scrape_", "up", "ALERTS", "python_", "process_")), name

                checked = promtool("check", "metrics", given=daemon.get("/metrics"))
                assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
                checked = promtool("check", "rules", str(tmp_path / "prometheus" / "rules.yml"))
                assert (checked.returncode, checked.stderr) == (0, "")

                assert "latency-high" not in {*alertmanager.alerts(), *prometheus.firing()}
                ask(f"{server}/fault?delay=0.25", b"")
                alert = wait_for(lambda: alertmanager.alerts().get("latency-high"), "Alertmanager is told", 60)
                assert alert["labels"] | {"severity": "critical", "model": "parcels", "team": "ml"} == alert["labels"]
                assert alert["annotations"]["summary"].startswith("parcels takes ")
                wait_for(lambda: "latency-high" in prometheus.firing(), "the exported rule fires on the same cause", 60)
                assert "distance" in {name for name, _ in taken.told}, "drift in event time is told in wall time"

                ask(f"{server}/fault", b"")
                wait_for(lambda: ("latency-high", "resolved") in taken.told, "its end is passed on", 120)
                wait_for(lambda: "latency-high" not in prometheus.firing(), "and seen by Prometheus", 60)
            assert 'receiver="slack' not in daemon.get("/metrics"), "Slack is Alertmanager's to tell"
            assert float(daemon.rows("select max(window_end) from measurements")[0][0]) > START
