"""The push to Alertmanager: a real one, a hung one, one that is away; our clock is injected."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from sqlalchemy import Connection

from alerts.delivery.outbox import DeliveryOutcome
from alerts.incidents.incident import ReportLink
from alerts.rules.rule import Rule
from alerts.state.fingerprint import fingerprint
from checks.base import Measurement, Window
from monitor.alerting.alertmanager.active_alerts import ActiveAlerts
from monitor.alerting.alertmanager.push import Member
from monitor.clock import SystemClock
from monitor.settings.alertmanager import AlertmanagerSettings
from monitor.store.alerts.active import standing
from monitor.store.alerts.states import open_incidents, save_incident
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import World, world
from tests.e2e.process import free_port, wait_for
from tests.fakes.serving import serving
from tests.servers.alertmanager import Alertmanager, hook

LOAD = rule(name="load", metric="load1_ratio", above=1.0, severity="critical", summary="load is {{ value }}")
SLOW = rule(name="slow", metric="latency_p95_seconds", above=1.0, summary="slow")
RULES = [LOAD, SLOW]


class Told:
    """What became of each push."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[DeliveryOutcome, str | None]] = []

    def __call__(self, receiver: str, outcome: DeliveryOutcome, problem: str | None) -> None:
        self.outcomes.append((outcome, problem))


def sample(it: World, name: str, value: float, model: str = "") -> None:
    now = it.clock.time()
    row = Measurement(name, value, Window(now, now))
    it.writer.call(lambda connection: it.alert_engine.step(connection, model, [row], now, metrics={name}, failed={}))


def member(it: World, url: str, told: Told, rules: list[Rule] = RULES, **keys: object) -> Member:
    settings = AlertmanagerSettings.model_validate({"members": [url], "timeout": "30s", **keys})
    source = ActiveAlerts(it.engine, rules, lambda now: [])
    return Member(url, settings, source, it.clock, told, random=lambda: 1.0)


@contextmanager
def hung() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


class Strict:
    """Answers as told, and remembers what came."""

    def __init__(self) -> None:
        self.status, self.bad, self.text = 200, "", ""
        self.most = 1000
        """Alerts of one request."""
        self.bodies: list[list[dict[str, dict[str, str]]]] = []
        self.headers: list[dict[str, str]] = []


@contextmanager
def strict() -> Iterator[tuple[str, Strict]]:
    kept = Strict()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.bodies.append(alerts)
            kept.headers.append(dict(self.headers))
            refused = kept.bad and any(alert["labels"]["alertname"] == kept.bad for alert in alerts)
            self.send_response(400 if refused else 413 if len(alerts) > kept.most else kept.status)
            self.end_headers()
            self.wfile.write(kept.text.encode())

    with serving(Handler) as url:
        yield url, kept


def test_ten_minutes_without_alertmanager_lose_nothing(tmp_path: Path) -> None:
    # Ours is ten minutes behind Alertmanager's, and has caught up when that is back.
    clock = FakeClock(SystemClock().time() - 600)
    with hook() as taken, world(tmp_path, RULES, clock=clock) as it:
        server = Alertmanager(tmp_path / "alertmanager", taken.url)
        told = Told()
        away = member(it, server.url, told, resend="60s")
        sample(it, "load1_ratio", 3.0)
        assert not away.tick(), "it is not there yet"
        for minute in range(10):
            clock.forward(60)
            if minute == 3:
                sample(it, "latency_p95_seconds", 4.0, "delays")
            if minute == 6:
                sample(it, "latency_p95_seconds", 0.1, "delays")
            assert not away.tick()
        assert {outcome for outcome, _ in told.outcomes} == {DeliveryOutcome.RETRIED}
        with server:
            clock.forward(31)
            clock.now = SystemClock().time()
            assert away.tick(), told.outcomes[-1]
            assert wait_for(lambda: server.alerts().get("load"), "what fires is there")["status"]["state"] == "active"
            assert "slow" not in server.alerts(), "what began and ended meanwhile does not fire"
            wait_for(lambda: ("load", "firing") in taken.told, "and is passed on")
            sample(it, "load1_ratio", 0.1)
            clock.forward(1)
            assert away.tick(), "a change is told at once"
            wait_for(lambda: ("load", "resolved") in taken.told, "and so is its end")


def test_a_restarted_alertmanager_is_told_what_fires_and_a_restarted_daemon_goes_on(tmp_path: Path) -> None:
    clock = FakeClock(SystemClock().time() - 300)
    with hook() as taken, world(tmp_path, RULES, clock=clock) as it, Alertmanager(tmp_path / "am", taken.url) as server:
        told = Told()
        line = member(it, server.url, told, resend="60s")
        sample(it, "load1_ratio", 3.0)
        assert line.tick()
        server.stop()
        clock.forward(61)
        assert not line.tick()
        server.start()
        assert server.alerts() == {}, "Alertmanager keeps no alerts"
        clock.forward(31)
        assert line.tick()
        assert "load" in server.alerts()
        again = member(it, server.url, told)
        assert again.tick(), "a new process tells all anew"
        assert server.alerts()["load"]["status"]["state"] == "active"
        sample(it, "load1_ratio", 0.1)
        clock.now = SystemClock().time()
        assert member(it, server.url, told).tick(), "the end, by one that never told of the beginning"
        wait_for(lambda: ("load", "resolved") in taken.told, "the end arrives")


def test_a_hung_member_blocks_no_other(tmp_path: Path) -> None:
    with world(tmp_path, RULES, clock=FakeClock(SystemClock().time())) as it, hung() as deaf:
        with Alertmanager(tmp_path / "am") as server:
            sample(it, "load1_ratio", 3.0)
            mute, well = Told(), Told()
            lines = [member(it, deaf, mute, timeout="500ms"), member(it, server.url, well)]
            threads = [threading.Thread(target=line.tick) for line in lines]
            for thread in threads:
                thread.start()
            threads[1].join(30)
            assert "load" in server.alerts()
            threads[0].join(30)
            assert not threads[0].is_alive(), "it is given up after its time-out"
        assert [outcome for outcome, _ in mute.outcomes] == [DeliveryOutcome.RETRIED]
        assert [outcome for outcome, _ in well.outcomes] == [DeliveryOutcome.SENT]


def test_alertmanagers_fingerprint_is_ours_with_the_severity(tmp_path: Path) -> None:
    clock = FakeClock(SystemClock().time())
    with world(tmp_path, RULES, clock=clock) as it, Alertmanager(tmp_path / "am") as server:
        sample(it, "latency_p95_seconds", 4.0, "delays")
        assert member(it, server.url, Told()).tick()
        alert = server.alerts()["slow"]
        assert alert["fingerprint"] == fingerprint(tuple(alert["labels"].items()))


def test_one_refused_alert_is_found_named_and_not_sent_again(tmp_path: Path) -> None:
    rules = [rule(name=f"load-{index}", metric="load1_ratio", above=1.0) for index in range(9)]
    with world(tmp_path, rules) as it, strict() as (url, kept):
        kept.bad = "load-4"
        told = Told()
        line = member(it, url, told, rules)
        sample(it, "load1_ratio", 3.0)
        line.tick()
        alone = [body for body in kept.bodies if len(body) == 1]
        assert [body[0]["labels"]["alertname"] for body in alone if body[0]["labels"]["alertname"] == "load-4"]
        assert [outcome for outcome, _ in told.outcomes] == [DeliveryOutcome.FAILED, DeliveryOutcome.SENT]
        assert "load-4" in str(told.outcomes[0][1]) and told.outcomes[0] == (DeliveryOutcome.FAILED, line.problem)
        kept.bodies.clear()
        it.clock.forward(61)
        line.tick()
        assert [len(body) for body in kept.bodies] == [8]
        assert told.outcomes[2:] == [(DeliveryOutcome.SENT, line.problem)], "it stays degraded"
        it.clock.forward(3600)
        kept.bad = ""
        assert line.tick() and len(kept.bodies[-1]) == 9 and line.problem is None, "tried again after an hour"


def test_a_place_that_refuses_everything_leaves_no_alert_out(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        kept.status, kept.text = 400, "The plain HTTP request was sent to HTTPS port; Bearer hush-hush"
        told = Told()
        line = member(it, url, told, token="hush-hush")
        sample(it, "load1_ratio", 3.0)
        assert not line.tick()
        ((outcome, problem),) = told.outcomes
        assert outcome is DeliveryOutcome.PARKED and "refuses whatever is sent: 400 Bad Request: The plain" in str(
            problem
        )
        assert "hush" not in str(problem), "an echo of the request is not shown"
        kept.status = 200
        it.clock.forward(121)
        assert line.tick() and len(kept.bodies[-1]) == 1


def test_a_request_that_is_too_large_is_sent_in_pieces(tmp_path: Path) -> None:
    rules = [rule(name=f"load-{index}", metric="load1_ratio", above=1.0) for index in range(9)]
    with world(tmp_path, rules) as it, strict() as (url, kept):
        kept.most, told = 3, Told()
        line = member(it, url, told, rules)
        sample(it, "load1_ratio", 3.0)
        assert line.tick() and told.outcomes == [(DeliveryOutcome.SENT, None)]
        taken = [alert["labels"]["alertname"] for body in kept.bodies if len(body) <= 3 for alert in body]
        assert sorted(taken) == [f"load-{index}" for index in range(9)]


def test_more_than_a_batch_is_sent_in_batches(tmp_path: Path) -> None:
    rules = [rule(name=f"load-{index}", metric="load1_ratio", above=1.0) for index in range(300)]
    with world(tmp_path, rules) as it, strict() as (url, kept):
        sample(it, "load1_ratio", 3.0)
        assert member(it, url, Told(), rules).tick()
        assert [len(body) for body in kept.bodies] == [256, 44]


def test_what_ended_in_a_long_absence_is_told_after_it(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        line = member(it, url, Told())
        sample(it, "load1_ratio", 3.0)
        assert line.tick()
        kept.status = 503
        for minute in range(120):
            it.clock.forward(60)
            if minute == 5:
                sample(it, "load1_ratio", 0.1)
            assert not line.tick()
        kept.status = 200
        for minute in range(20):
            it.clock.forward(60)
            kept.bodies.clear()
            assert line.tick()
            assert [len(body) for body in kept.bodies] == [1 if minute <= 14 else 0], minute


def test_nothing_to_tell_is_an_empty_push_that_shows_whether_anyone_is_there(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        told = Told()
        line = member(it, url, told)
        assert line.tick()
        kept.status = 500
        it.clock.forward(61)
        assert not line.tick()
        assert [outcome for outcome, _ in told.outcomes] == [DeliveryOutcome.RETRIED]
    with Alertmanager(tmp_path / "am") as server, world(tmp_path, RULES) as it:
        assert member(it, server.url, Told()).tick(), "a real one takes it"


def test_a_report_of_the_incident_is_linked(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        sample(it, "load1_ratio", 3.0)

        def link(connection: Connection) -> None:
            (incident,) = open_incidents(connection)
            save_incident(connection, replace(incident, reports=(ReportLink("r1", "weekly", 0.0, 1.0),)))

        it.writer.call(link)
        settings = AlertmanagerSettings(members=[url])
        source = ActiveAlerts(it.engine, RULES, lambda now: [])
        Member(url, settings, source, it.clock, Told(), url="https://watch.example/").tick()
        assert kept.bodies[0][0]["annotations"]["report_url"] == "https://watch.example/reports/r1"


def test_a_refused_token_parks_and_is_shown_nowhere(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        kept.status = 401
        told = Told()
        line = member(it, url, told, token="hush-hush")
        sample(it, "load1_ratio", 3.0)
        assert not line.tick()
        assert kept.headers[0]["Authorization"] == "Bearer hush-hush"
        assert told.outcomes[0][0] is DeliveryOutcome.PARKED
        assert "hush" not in str(told.outcomes)
        it.clock.forward(100)
        line.tick()
        assert len(kept.bodies) == 1, "no hot loop"
        kept.status = 200
        it.clock.forward(21)
        assert line.tick(), "in time for what fires not to be taken for resolved"


def test_nothing_is_sent_twice_without_need(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it, strict() as (url, kept):
        line = member(it, url, Told(), resend="60s")
        sample(it, "load1_ratio", 3.0)
        line.tick()
        it.clock.forward(59)
        assert not line.tick()
        it.clock.forward(2)
        assert line.tick()
        assert len(kept.bodies) == 2


def test_an_alert_that_fires_again_is_not_told_as_ended_too(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it:
        for value in (3.0, 0.1, 3.0):
            it.clock.forward(15)
            sample(it, "load1_ratio", value)
        with it.engine.connect() as connection:
            (one,) = standing(connection, 0.0)
        assert (one.ended_at, one.started_at) == (None, it.clock.time())


def test_a_member_that_is_not_there_is_retried_with_backoff(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it:
        told = Told()
        line = member(it, f"http://127.0.0.1:{free_port()}", told)
        sample(it, "load1_ratio", 3.0)
        for _ in range(100):
            line.tick()
            it.clock.forward(1)
        assert 6 <= len(told.outcomes) <= 9
