from __future__ import annotations

from monitor.cli.doctor.finding import ok
from monitor.cli.doctor.redact import redacted, secrets
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
    found = redacted(ok("", text, text), hidden)
    assert found.found == found.todo == "**** **** **** **** **** abc", "what is that short stands in any word"
