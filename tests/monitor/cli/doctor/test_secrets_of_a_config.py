from __future__ import annotations

from alerts.redact import secrets, without
from tests.monitor.cli.doctor.conftest import Configure


def test_every_secret_of_a_config_is_known_and_blotted(configure: Configure) -> None:
    config = configure("""
model: a
database: postgresql://me:hunter%402@db/w
probes: [{name: p, url: "http://127.0.0.1/", headers: {Authorization: "Bearer hunter-three"}}]
slack: {channel: "#c", webhook_url: "https://hooks.slack.com/services/hunter4"}
tokens: {admin: hunter5-hunter5-x, ingest: hunter6-hunter6-x}
alertmanager: {members: ["http://am:9093"], token: abc}
""")
    hidden = secrets(config)
    text = "hunter@2 hunter-three https://hooks.slack.com/services/hunter4 hunter5-hunter5-x hunter6-hunter6-x abc"
    assert without(text, hidden) == "**** **** **** **** **** abc", "what is that short stands in any word"
