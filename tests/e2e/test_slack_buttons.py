"""An incident's life in Slack, with a real daemon: pressed, silenced, the watcher stopped and started again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import START, write_reference
from tests.fakes.slack import APP, APP_TOKEN, TOKEN, FakeSlack, Message

CONFIG = """
model: parcels
reference: reference.csv
time: replay
slack:
  channel: "#ml-oncall"
  api_url: "{slack}"
  allow: [U0ANN]
  mentions: {{warning: [S0ONCALL]}}
  time_zone: Europe/Berlin
collect: {{host: false, container: false, gpu: false}}
console: false
evaluate: 500ms
default_rules: false
rules: [{{name: rows, metric: window_rows, below: 1000}}]
"""
ENV = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}


def shown(message: Message) -> str:
    return message.text + str(message.blocks)


@pytest.mark.timeout(120)
def test_an_incident_is_handled_from_slack_and_says_whether_anybody_watches(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.csv", rows=500)
    with FakeSlack() as slack, Daemon(tmp_path, CONFIG.format(slack=slack.api_url), ENV) as daemon:
        connected = 'watchkeeper_slack_connected{receiver="slack"} 1.0'
        wait_for(lambda: connected in daemon.get("/metrics"), "a connection for presses")
        for hour in (0, 2):
            row = {"id": str(hour), "time": START + hour * 3600, "features": {}, "prediction": 1}
            assert daemon.post("/v1/models/parcels/predictions", [row])[0] == 202
        message = wait_for(lambda: next(iter(slack.posts()), None), "the incident's message", 60)
        assert "<!subteam^S0ONCALL>" in message.text

        # The delivery is recorded right after it was sent.
        wait_for(lambda: daemon.rows("select 1 from deliveries"), "it is recorded")
        assert slack.press(message.ts, "ack", "U0EVE", "eve").acknowledged
        wait_for(lambda: slack.answers.given, "who may not is told so")
        assert "not among those" in slack.answers.given[-1].text
        assert "Acknowledged" not in shown(message)

        assert slack.press(message.ts, "ack").acknowledged
        wait_for(lambda: "ann (U0ANN)" in shown(message), "who is on it")
        assert slack.press(message.ts, "silence_tomorrow").acknowledged
        wait_for(lambda: "*Silenced*" in shown(message), "until when it is silenced")
        assert slack.press(message.ts, "details").acknowledged
        wait_for(lambda: any("limit below" in str(answer.blocks) for answer in slack.answers.given), "the details")
        (incident,) = daemon.get("/api/v1/alerts")["incidents"]
        story = daemon.get(f"/api/v1/incidents/{incident['id']}/timeline")["timeline"]
        assert [(event["what"], event["by"]) for event in story if event["what"] in ("acknowledged", "silenced")] == [
            ("acknowledged", "ann (U0ANN)"),
            ("silenced", "ann (U0ANN)"),
        ]
        assert 'slack_presses_total{button="ack",outcome="refused"} 1.0' in daemon.get("/metrics")

        assert daemon.stop() == 0
        assert "Watcher stopped" in shown(message)
        assert slack.socket.open(APP) == 0
        daemon.start()
        wait_for(lambda: "Watcher stopped" not in shown(message), "somebody watches again")
        wait_for(lambda: slack.socket.open(APP), "a connection for presses")

        slack.revoked.add(APP_TOKEN)
        slack.socket.close(APP)
        wait_for(lambda: "token_revoked" in str(daemon.get("/api/v1/status")["slack_buttons"]), "the state is told")
        assert 'watchkeeper_slack_connected{receiver="slack"} 0.0' in daemon.get("/metrics")
        assert 'watchkeeper_degraded{part="slack buttons"} 1.0' in daemon.get("/metrics")
        assert daemon.get("/readyz") is not None
        assert slack.socket.faults == []
        for text in (
            daemon.log.read_text(),
            daemon.get("/metrics"),
            daemon.get("/"),
            str(daemon.get("/api/v1/status")),
        ):
            assert TOKEN not in text
            assert APP_TOKEN not in text

        slack.fail("hang", times=100)
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=25) == 0, "stopping is bounded"
        daemon.process = None
        assert "Watcher stopped" not in shown(message)
