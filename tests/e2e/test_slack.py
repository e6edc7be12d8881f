"""The whole line for a real server: it gets slow and breaks, one Slack message tells, changes in place, and ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import Daemon, wait_for
from tests.e2e.serving import ask, model_server
from tests.e2e.stream import START, write_reference
from tests.fakes.slack import TOKEN, FakeSlack, Message

CONFIG = """
model: parcels
reference: reference.csv
time: replay
server: {{preset: fastapi, url: "{server}", interval: 500ms}}
slack: {{channel: "#ml-oncall", api_url: "{slack}"}}
collect: {{host: false}}
evaluate: 500ms
default_rules: false
rules:
  - {{name: latency-high, metric: latency_p95_seconds, above: 0.2, clear: 0.15, min_rows: 3, group: server,
     severity: critical, summary: "{{{{ model }}}} answers slowly"}}
  - {{name: errors-high, metric: error_ratio, above: 0.2, min_rows: 3, group: server, summary: "requests fail"}}
"""


@pytest.fixture
def server() -> Iterator[str]:
    with model_server() as url:
        yield url


def shown(message: Message) -> str:
    return message.text + str(message.blocks)


@pytest.mark.timeout(180)
def test_one_message_fires_changes_in_place_and_resolves(tmp_path: Path, server: str) -> None:
    write_reference(tmp_path / "reference.csv", rows=2000)
    with FakeSlack() as slack:
        config = CONFIG.format(server=server, slack=slack.api_url)
        with Daemon(tmp_path, config, env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:
            wait_for(lambda: "watchkeeper_request_rate" in daemon.get("/metrics"), "the server's rate is measured")
            assert slack.posts() == [], "nothing is wrong yet"

            ask(f"{server}/fault?delay=0.4", b"")
            message = wait_for(lambda: next(iter(slack.posts()), None), "the slow server is told", 60)
            assert "answers slowly" in shown(message)
            assert daemon.get("/api/v1/alerts")["alerts"], "the API shows it too"
            assert 'watchkeeper_alert_state{rule="latency-high",model="parcels"} 2.0' in daemon.get("/metrics")

            ask(f"{server}/fault?delay=0.4&broken=true", b"")
            wait_for(lambda: "error_ratio" in shown(message), "the errors join the same message", 60)
            assert message.revisions, "by an update in place"

            ask(f"{server}/fault", b"")
            replies = wait_for(lambda: slack.replies(message.ts), "the resolution stands in the thread", 120)
            assert "resolved" in (replies[-1].text + str(replies[-1].blocks)).lower()
            wait_for(lambda: "resolved" in shown(message).lower(), "and in the message itself")
            assert [post.ts for post in slack.posts()] == [message.ts], "one message for the whole incident"
            assert TOKEN not in daemon.log.read_text()
            assert TOKEN not in daemon.get("/metrics") + daemon.get("/")


@pytest.mark.timeout(180)
def test_what_was_owed_is_sent_after_a_kill(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.csv", rows=2000)
    rule = "rules: [{name: rows, metric: window_rows, below: 1000}]"
    with FakeSlack() as slack:
        slack.fail("500", times=10_000)
        config = CONFIG.format(server="http://127.0.0.1:9", slack=slack.api_url)
        config = config[: config.index("rules:\n")] + rule
        daemon = Daemon(tmp_path, config, env={"SLACK_BOT_TOKEN": TOKEN})
        with daemon:
            for hour in (0, 2):
                row = {"id": str(hour), "time": START + hour * 3600, "features": {}, "prediction": 1}
                assert daemon.post("/v1/models/parcels/predictions", [row])[0] == 202
            owed = "select count(*) from outbox where outcome is null and attempts > 0"
            wait_for(lambda: daemon.rows(owed)[0][0] or None, "a notification is owed and was refused", 60)
            assert slack.posts() == []
            daemon.kill()
            slack.faults.clear()
            daemon.start()
            wait_for(slack.posts, "it is sent after the restart", 60)
            wait_for(lambda: daemon.rows(owed)[0][0] == 0 or None, "and recorded")
            assert len(slack.posts()) == 1
