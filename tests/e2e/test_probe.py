"""The whole line for probes: one begins to fail and its rule fires, one hangs and holds up nobody, one shows an old
certificate; no secret of theirs is seen anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.process import Daemon, wait_for
from tests.fakes.authority import Authority
from tests.fakes.peer import Peer, says, says_json

SECRET = "Geheimnis-4711"
CONFIG = """
model: parcels
collect: {{host: false, container: false, gpu: false}}
evaluate: 500ms
default_rules: true
rules:
  - {{name: probe-failing, for: 1s}}
probes:
  - name: known-answer
    url: {peer}/predict?key={secret}
    kind: json
    headers: {{Authorization: "Bearer ${{PROBE_TOKEN}}"}}
    body: {{instances: [[1, 2]]}}
    answer: {{predictions: [1]}}
    interval: 500ms
  - {{name: hanging, url: "{hanging}", interval: 1h, timeout: 5m}}
  - {{name: expired, url: "{expired}", ca_file: "{authority}", interval: 500ms}}
"""


def firing(daemon: Daemon) -> set[tuple[str, str]]:
    return {
        (alert["rule"], alert["labels"].get("probe", ""))
        for alert in daemon.get("/api/v1/alerts?state=firing")["alerts"]
    }


@pytest.mark.timeout(120)
def test_a_probe_fails_and_its_rule_fires(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.context("127.0.0.1", datetime(2021, 5, 1, tzinfo=UTC))
    right = says_json({"predictions": [1.0]})
    with Peer(right) as peer, Peer(says()) as hanging, Peer(says(), context) as expired:
        hanging.answer = hanging.hang
        config = CONFIG.format(
            peer=peer.url, hanging=hanging.url, expired=expired.url, authority=authority.file, secret=SECRET
        )
        with Daemon(tmp_path, config, env={"PROBE_TOKEN": SECRET}) as daemon:

            def up(probe: str) -> str | None:
                start = f'watchkeeper_probe_up{{probe="{probe}",model="parcels"}} '
                lines = [line for line in daemon.get("/metrics").splitlines() if line.startswith(start)]
                return lines[0].removeprefix(start) if lines else None

            wait_for(lambda: up("known-answer") == "1.0", "the probe is answered")
            wait_for(lambda: ("certificate-expiring", "expired") in firing(daemon), "the certificate is told of")
            assert up("hanging") is None, "what is not known is not shown"
            assert ("probe-failing", "known-answer") not in firing(daemon)
            assert peer.requests[0].headers["Authorization"] == f"Bearer {SECRET}"

            peer.answer = says_json({"predictions": [0.4]})
            wait_for(lambda: up("known-answer") == "0.0", "it is seen to fail")
            wait_for(lambda: ("probe-failing", "known-answer") in firing(daemon), "its rule fires")
            page = daemon.get("/metrics")
            assert 'watchkeeper_probe_failures_total{model="parcels",probe="known-answer",reason="answer"} ' in page
            assert "# TYPE watchkeeper_probe_failures_total counter" in page

            peer.answer = right
            wait_for(lambda: ("probe-failing", "known-answer") not in firing(daemon), "it has recovered")
            log = daemon.log.read_text()
            assert f"probe known-answer of model parcels: {peer.url}/predict: $.predictions[0]: 0.4 instead of 1" in log
            assert "TLS: certificate has expired" in log
            for path in ("/metrics", "/", "/api/v1/alerts", "/api/v1/status", "/api/v1/measurements?model=parcels"):
                assert SECRET not in str(daemon.get(path))
            assert daemon.stop() == 0, "the one that hangs does not keep it"
            assert SECRET not in daemon.log.read_text()
