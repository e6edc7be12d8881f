from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from monitor.demo.data import DemoError
from monitor.demo.watch import Watch
from tests.fakes.serving import serving


class Page(BaseHTTPRequestHandler):
    """The paths that the demo reads, as Watchkeeper answers them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        item = {
            "id": 2, "model": "delays", "rule": "r", "fingerprint": "f", "labels": {"feature": "x"},
            "before": "pending", "after": "firing", "reason": "held", "at": 2.0, "recorded_at": 3.0,
            "value": 1.0, "level": 0.5, "window_end": 2.0, "n": 4, "text": "",
        }  # fmt: skip
        older = {**item, "id": 1, "before": "inactive", "after": "pending", "at": 1.0}
        answers = {
            "/readyz": json.dumps({"status": "ready"}),
            "/metrics": 'watchkeeper_outbox_pending 2.0\nwatchkeeper_window_rows{model="delays"} 5.0\n',
            "/api/v1/status": json.dumps(
                {"models": [{"model": "delays", "judged_until": 86400.0, "references": {"in_force": [{"rows": 77}]}}]}
            ),
            "/api/v1/alerts?limit=10000": json.dumps({"alerts": [], "incidents": [], "transitions": [item, older]}),
        }
        body = answers.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "log").touch()
    with serving(Page) as url:
        watching = Watch(url, tmp_path / "log")
        yield watching
        watching.close()


def test_it_reads_what_watchkeeper_says(watch: Watch) -> None:
    assert watch.ready()
    assert watch.reference_rows("delays") == 77
    assert watch.judged_until("delays") == 86400.0
    assert watch.owes() is True
    assert [(change.at, change.after) for change in watch.transitions()] == [(1.0, "pending"), (2.0, "firing")]


def test_messages_are_read_once_with_their_reasons_and_only_whole(watch: Watch, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "2026-01-01 INFO watchkeeper: console: told of delays/drift, version 1 (first)\n"
        "FIRING    warning   delays  drift  distance 3.2 > 0.1 since 2013-05-01T00:00Z  (first)\n"
        "RESOLVED  warning   del"
    )
    first = watch.new_messages()
    assert [(message.reason, message.resolved) for message in first] == [("first", False)]
    with log.open("a") as more:
        more.write("ays  drift  distance 3.2 > 0.1 since 2013-05-01T00:00Z until 2013-05-12T00:00Z  (resolved)\n")
    assert [(message.reason, message.resolved) for message in watch.new_messages()] == [("resolved", True)]
    assert watch.new_messages() == []
    assert len(watch.messages) == 2


def test_a_watchkeeper_that_does_not_answer_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    watch = Watch("http://127.0.0.1:9", tmp_path / "log")
    assert not watch.ready()
    with pytest.raises(DemoError, match="Watchkeeper did not answer /api/v1/alerts"):
        watch.transitions()
