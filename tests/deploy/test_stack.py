"""The stack of deploy/compose as processes: the flights go through the model server, Prometheus scrapes all, and what
goes wrong reaches Alertmanager from Watchkeeper, and from Prometheus once Watchkeeper is gone. Grafana is not run."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.stack import Stack
from tests.e2e.process import wait_for

HURRY = {
    "prometheus.yml": {
        "scrape_interval: 15s": "scrape_interval: 1s",
        "evaluation_interval: 15s": "evaluation_interval: 1s",
    },
    "watchkeeper.yaml": {"for: 5s": "for: 1s", "evaluate: 2s": "evaluate: 500ms", "interval: 5s": "interval: 1s"},
    "watch.rules.yml": {"for: 1m": "for: 1s"},
}
MORE = {"replay": ["--days", "4", "--speed", "100"]}


def answer(url: str, **query: str) -> Any:
    """What is there, or None while nobody answers."""
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}", timeout=30) as reply:
            body = reply.read()
            return json.loads(body) if "json" in reply.headers.get("Content-Type", "") else body or b"ok"
    except OSError:
        return None


def up(stack: Stack) -> dict[str, str]:
    """What Prometheus says of each job's scrape."""
    found = answer(stack.url("9090") + "/api/v1/query", query="up")
    return {one["metric"]["job"]: one["value"][1] for one in found["data"]["result"]}


def windows(stack: Stack) -> float:
    """Predictions in the newest window that Prometheus knows of."""
    found = answer(stack.url("9090") + "/api/v1/query", query='sum(watchkeeper_window_rows{model="delays"})')
    return sum(float(one["value"][1]) for one in found["data"]["result"])


def held(stack: Stack) -> set[str]:
    """The alerts that Alertmanager holds."""
    found = answer(stack.url("9093") + "/api/v2/alerts", active="true")
    return {alert["labels"]["alertname"] for alert in found}


@pytest.mark.release
@pytest.mark.timeout(300)
def test_the_services_work_together_and_both_watchers_are_heard(tmp_path: Path) -> None:
    with Stack(tmp_path, HURRY, MORE) as stack:
        stack.run("prepare")
        for service in ("model", "watchkeeper", "alertmanager", "prometheus"):
            stack.start(service)
        for port, path in (("8080", "/healthz"), ("9797", "/readyz"), ("9093", "/-/ready"), ("9090", "/-/ready")):
            wait_for(partial(answer, stack.url(port) + path), f"{port} is healthy")
        stack.run("replay")
        everything = {"watchkeeper": "1", "model": "1", "prometheus": "1", "alertmanager": "1"}
        wait_for(lambda: up(stack) == everything, "Prometheus scrapes every service")
        wait_for(lambda: windows(stack) > 500, "a day of flights was predicted, ingested, measured and scraped")
        assert "server-down" not in held(stack)
        stack.stop("model")
        wait_for(lambda: "server-down" in held(stack), "Watchkeeper tells Alertmanager of the model server")
        assert "watchkeeper-gone" not in held(stack)
        stack.stop("watchkeeper")
        wait_for(lambda: "watchkeeper-gone" in held(stack), "Prometheus tells Alertmanager of Watchkeeper")
