"""Evidently's report on drifting hours: linked from the incident, opened in a real browser; and what its end leaves."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import batches, write_reference
from tests.grafana.expressions import expressions
from tests.servers.browser import chromium, opened
from tests.servers.prometheus import Prometheus

CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {every: 1h, allowed_lateness: 5m, min_rows: 50}
labels: {maturity: 3h}
collect: {host: false, container: false, gpu: false}
evaluate: 500ms
default_rules: false
"""
RULES = """
rules:
  - {name: distance, metric: feature_drift, match: {feature: distance, method: psi}, above: limit}
  - {name: evidently, metric: evidently_value, match: {metric: ValueDrift, column: distance}, below: limit}
"""
FAILING = """
rules:
  - {name: check-failing, metric: check_failing, above: 0}
"""


def feed(daemon: Daemon, fault: range = range(8, 12)) -> None:
    for kind, rows in batches(hours=16, fault=fault):
        assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202


def read_in_a_browser(url: str, words: Sequence[str]) -> None:
    """The report in its frame, once its scripts have run."""
    with chromium() as browser, opened(browser) as page:
        page.goto(url)
        for word in words:
            expect(page.frame_locator("iframe").locator("body")).to_contain_text(word, timeout=60_000)


@pytest.mark.timeout(400)
def test_the_incident_links_a_report_that_a_browser_opens(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.csv", rows=3000)
    checks = """
checks:
  hours: {type: evidently, preset: DataDriftPreset, window: 4h, every: 4h, sample: 300}
"""
    with (
        Daemon(tmp_path, CONFIG + checks + RULES) as daemon,
        Prometheus(tmp_path / "prometheus", f"127.0.0.1:{daemon.port}") as prometheus,
    ):
        feed(daemon)
        linked = 'select body from incidents where body like \'%"check":"hours"%\''
        wait_for(lambda: daemon.rows(linked) or None, "the incident knows the report", 180)
        done = "select window_end, error from check_runs where check_name = 'hours' order by id"
        wait_for(lambda: len(daemon.rows(done)) or None, "a run is recorded")
        assert {error for _, error in daemon.rows(done)} == {""}

        page = daemon.get("/reports")
        path = page.partition('<a href="/reports/')[2].partition('"')[0]
        assert path, "the page lists it too"
        with urllib.request.urlopen(f"{daemon.url}/reports/{path}") as reply:
            assert reply.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
            assert b"</html>" in reply.read()
        read_in_a_browser(f"{daemon.url}/reports/{path}", ["Dataset Drift", "distance", "colour"])

        metrics = daemon.get("/metrics")
        assert (
            'watchkeeper_evidently_value{check="hours",column="distance",metric="ValueDrift",model="parcels"}'
            in metrics
        )
        (panel,) = [asked for asked in expressions() if asked.name == "model / Evidently's numbers / A"]
        wait_for(lambda: prometheus.ask(panel.expr), "the dashboard's panel has data")
        alerts = daemon.rows("select rule, after from transitions where rule = 'evidently'")
        assert ("evidently", "firing") in alerts, "a p-value is judged by Evidently's own threshold"
        assert daemon.get("/api/v1/reports")["reports"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("limits", "why"), [("timeout: 1s", "timeout"), ("timeout: 60s", "memory")], ids=["time", "memory"]
)
def test_a_report_that_is_killed_harms_nothing_else(tmp_path: Path, limits: str, why: str) -> None:
    write_reference(tmp_path / "reference.csv", rows=3000)
    checks = f"""
checks:
  hours: {{type: evidently, preset: DataDriftPreset, window: 4h, every: 4h, {limits}}}
"""
    # The other checks' process needs some 150 MiB, Evidently's over 300.
    worker = "worker: {memory_bytes: 251658240}\n" if why == "memory" else ""
    with Daemon(tmp_path, CONFIG + worker + checks + FAILING) as daemon:
        feed(daemon)
        failed = 'watchkeeper_check_failures_total{check="hours"} 0.0'
        wait_for(
            lambda: "check_failures_total" in (seen := daemon.get("/metrics")) and failed not in seen, "counted", 180
        )
        error = daemon.rows("select error from check_runs where check_name = 'hours'")[0][0]
        assert error.startswith(f"{why}:"), error
        assert "hours" in daemon.get("/checks"), "the page shows it"
        firing = 'watchkeeper_alert_state{rule="check-failing",model="parcels"} 2.0'
        wait_for(lambda: firing in daemon.get("/metrics"), "it is alerted on")
        assert daemon.get("/readyz")
        judged = "select count(*) from check_runs where check_name = 'drift' and outcome = 'ok'"
        wait_for(lambda: daemon.rows(judged)[0][0] >= 14, "every window is judged by the other checks")
        later = [{"id": "later", "time": 1767312000.0, "features": {"distance": 1.0, "colour": "r"}, "prediction": 1}]
        assert daemon.post("/v1/models/parcels/predictions", later)[0] == 202
