"""The real Alertmanager, and members that hang, refuse or spoil what passes: nothing is lost, blocked or shown."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from alerts.delivery.outbox import DeliveryOutcome
from monitor.clock import SystemClock
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import world
from tests.e2e.process import Daemon, wait_for
from tests.fakes.serving import serving
from tests.monitor.alerting.alertmanager.test_push import Told, hung, member, sample
from tests.servers.alertmanager import Alertmanager, hook

TOKEN = "hush-hush-hush"
CONFIG = """
model: parcels
alertmanager: {{members: ["{alertmanager}", "{deaf}"], resend: 10s, timeout: 30s, token_file: token}}
slack: {{channel: "#ml-oncall", token: xoxb-never-used}}
collect: {{interval: 1s}}
evaluate: 1s
default_rules: false
rules:
  - {{name: memory-used, metric: memory_used_bytes, match: {{scope: host}}, above: 1, summary: "used"}}
"""


def test_an_alert_that_the_real_one_refuses_costs_no_other(tmp_path: Path) -> None:
    rules = [rule(name=f"load-{index}", metric="load1_ratio", above=1.0) for index in range(9)]
    clock, told = FakeClock(SystemClock().time()), Told()
    with (
        Alertmanager(tmp_path / "alertmanager") as server,
        world(tmp_path, rules, clock=clock) as it,
        spoiled(server.url, "load-4") as (url, requests),
    ):
        line = member(it, url, told, rules, timeout="30s")
        sample(it, "load1_ratio", 3.0)
        assert line.tick()
        assert set(server.alerts()) == {rule.name for rule in rules} - {"load-4"}
        (failed, problem), (sent, _) = told.outcomes
        assert (failed, sent) == (DeliveryOutcome.FAILED, DeliveryOutcome.SENT)
        assert "refuses 1 alert, such as load-4" in str(problem)
        assert len(requests) <= 9
        requests.clear()
        clock.forward(61)
        assert line.tick()
        assert requests == [8], "one request, without it"


def test_a_daemon_that_is_killed_and_starts_again_makes_no_gap(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with hook() as taken, Alertmanager(tmp_path / "alertmanager", taken.url) as alertmanager, hung() as deaf:
        config = CONFIG.format(alertmanager=alertmanager.url, deaf=deaf)
        with Daemon(tmp_path, config) as daemon:
            before = wait_for(lambda: alertmanager.alerts().get("memory-used"), "Alertmanager is told")
            wait_for(lambda: taken.told, "and passes it on")
            daemon.kill()
            assert alertmanager.alerts()["memory-used"]["status"]["state"] == "active"
            daemon.start()

            def again() -> bool:
                alert = alertmanager.alerts()["memory-used"]
                assert alert["startsAt"] == before["startsAt"], "no gap"
                return bool(alert["updatedAt"] > before["updatedAt"])

            wait_for(again, "it is told again")
            mine, other = (urlsplit(url).netloc for url in (alertmanager.url, deaf))
            last = "watchkeeper_alertmanager_last_success_timestamp_seconds"
            wait_for(lambda: f'{last}{{member="{mine}"}} 1' in daemon.get("/metrics"), "a success is shown")
            metrics = daemon.get("/metrics")
            assert f'watchkeeper_notifications_total{{outcome="sent",receiver="alertmanager:{mine}"}}' in metrics
            assert f'{last}{{member="{other}"}} 0.0' in metrics
            shown = [
                metrics,
                daemon.get("/"),
                json.dumps(daemon.get("/api/v1/status")),
                json.dumps(daemon.get("/readyz")),
            ]
            began = time.monotonic()
            assert daemon.stop() == 0
            assert time.monotonic() - began < 25, "the deaf one, with its 30 s, does not hold it up"
        log = daemon.log.read_text()
        assert f"alerts go to console, alertmanager:{mine}, alertmanager:{other}" in log
        assert "slack is left to Alertmanager" in log
        assert not [text for text in (*shown, log) if TOKEN in text or "never-used" in text]
        assert taken.told == [("memory-used", "firing")], "once, and no end"


def test_a_member_that_does_not_answer_is_named_as_degraded_and_only_that(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with Alertmanager(tmp_path / "alertmanager") as alertmanager, hung() as deaf:
        config = CONFIG.format(alertmanager=alertmanager.url, deaf=deaf).replace("timeout: 30s", "timeout: 500ms")
        with Daemon(tmp_path, config) as daemon:
            name = f"receiver alertmanager:{urlsplit(deaf).netloc}"
            only = {name: "no answer within 0.5 s"}
            wait_for(lambda: daemon.get("/readyz").get("degraded") == only, "it is said, and of no other")


@contextmanager
def spoiled(target: str, name: str) -> Iterator[tuple[str, list[int]]]:
    """Passes everything on to `target`, a bad label added to the alert of this name; and the sizes of the requests."""
    requests: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(len(alerts))
            for alert in alerts:
                if alert["labels"]["alertname"] == name:
                    alert["labels"]["no-name"] = "x"
            body = json.dumps(alerts).encode()
            request = urllib.request.Request(target + self.path, body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    self.answer(reply.status, reply.read())
            except urllib.error.HTTPError as error:
                self.answer(error.code, error.read())

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        yield url, requests
