from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checks.base import Measurement, NotEnough
from checks.catalog import CATALOG
from monitor.collectors import Collector
from monitor.collectors.probe.collector import TICK, ProbeCollector
from monitor.net.errors import FailureKind
from monitor.settings.model import ModelSettings
from monitor.settings.server import CollectSettings, ProbeSettings
from tests.e2e.process import free_port, wait_for
from tests.fakes import open_inference
from tests.fakes.authority import Authority
from tests.fakes.peer import Answer, Peer, raw, says, says_json

NOW = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
DAY = 86400.0


def collector(*probes: dict[str, Any], grace: float = 10.0, hosts: list[str] | None = None) -> ProbeCollector:
    """With a grace that waits for every outcome, unless told otherwise."""
    settings = [ProbeSettings.model_validate({"name": "health", **probe}) for probe in probes]
    model = ModelSettings(model="delays", probes=settings)
    return ProbeCollector(model, CollectSettings(allowed_probe_hosts=hosts or []), grace=grace)


def values(rows: list[Measurement], probe: str = "health") -> dict[str, Any]:
    """Value, or the reason why there is none, by name; failures apart."""
    found = {}
    for row in rows:
        assert set(dict(row.labels)) == set(CATALOG[row.name].labels)
        assert CATALOG[row.name].clock == "wall"
        if dict(row.labels)["probe"] == probe and row.name != "probe_failures_total":
            found[row.name.removeprefix("probe_")] = row.reason if row.value is None else row.value
    return found


def failures(rows: list[Measurement], probe: str = "health") -> dict[str, float]:
    """Counts that are not 0."""
    mine = [row for row in rows if row.name == "probe_failures_total" and dict(row.labels)["probe"] == probe]
    assert {dict(row.labels)["reason"] for row in mine} == set(FailureKind), "each is there from the start"
    return {dict(row.labels)["reason"]: row.value for row in mine if row.value}


def problem(rows: list[Measurement]) -> str:
    (row,) = [row for row in rows if row.name == "probe_up"]
    assert (row.value == 0.0) == ("error" in row.detail)
    return str(row.detail.get("error", ""))


def test_a_probe_that_is_answered_as_expected() -> None:
    with Peer(says("<h1>All is well</h1>")) as peer:
        source: Collector = collector({"url": f"{peer.url}/health?x=1", "matches": "(?i)all is .ell"})
        rows = source.collect(NOW, 0.0)
        found = values(rows)
        assert {row.name for row in rows} == source.metrics - {"probe_certificate_remaining_seconds"}
        assert (found["up"], found["status_code"], failures(rows), problem(rows)) == (1.0, 200.0, {}, "")
        assert 0 < found["latency_seconds"] < 5
        (seen,) = peer.requests
        assert (seen.method, seen.path, seen.body) == ("GET", "/health?x=1", b"")


@pytest.mark.parametrize(
    ("probe", "answer", "reason", "said", "status"),
    [
        ({}, says(status=500), "status", "answered 500 Internal Server Error instead of 200", 500.0),
        ({"status": [200, 204]}, says(status=404), "status", "answered 404 Not Found instead of 200 or 204", 404.0),
        (
            {},
            says(status=302, Location="http://10.0.0.1/"),
            "status",
            "answered 302 Found, a redirect, which is not followed, instead of 200",
            302.0,
        ),
        ({"matches": "ok"}, says("sick"), "body", "nothing in the answer matches 'ok'", 200.0),
        (
            {"matches": "ok"},
            says("x" * 100_000 + "ok"),
            "body",
            "nothing in the first 64 KiB of the answer matches 'ok'",
            200.0,
        ),
        ({}, says(b"x" * (1 << 20) + b"y"), "too_large", "the answer is larger than 1 MiB", 200.0),
        ({"kind": "json"}, says("<html>"), "body", "the answer is not JSON", 200.0),
        ({"kind": "json"}, says(b"\xff\xfe"), "body", "the answer is not JSON", 200.0),
        ({"kind": "json"}, says("[" * 100_000), "body", "the answer is not JSON", 200.0),
        ({"kind": "json"}, says("1" * 10_000), "body", "the answer is not JSON", 200.0),
        (
            {"kind": "json", "answer": {"predictions": [1]}, "tolerance": 0.1},
            says_json({"predictions": [0.4]}),
            "answer",
            "$.predictions[0]: 0.4 instead of 1",
            200.0,
        ),
    ],
)
def test_a_probe_that_fails(probe: dict[str, Any], answer: Answer, reason: str, said: str, status: float) -> None:
    with Peer(answer) as peer:
        rows = collector({"url": peer.url, **probe}).collect(NOW, 0.0)
        assert (failures(rows), problem(rows)) == ({reason: 1.0}, f"{peer.url}: {said}")
        assert (values(rows)["up"], values(rows)["status_code"]) == (0.0, status)
        assert len(peer.requests) == 1, "a redirect is not followed"
        assert (values(rows)["latency_seconds"] is NotEnough.ERROR) == (reason == "too_large")


@pytest.mark.parametrize(
    ("answer", "timeout", "status"),
    [
        (lambda peer: peer.hang, "500ms", NotEnough.ERROR),
        (lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\n" * 9), "500ms", NotEnough.ERROR),
        (lambda peer: peer.drip(b"x" * 500, at_once=b"HTTP/1.1 200 OK\r\n\r\n"), "2s", 200.0),
    ],
)
def test_a_server_that_hangs_or_drips_is_given_up_in_time(
    answer: Callable[[Peer], Answer], timeout: str, status: Any
) -> None:
    with Peer(says()) as peer:
        peer.answer = answer(peer)
        rows = collector({"url": peer.url, "timeout": timeout}).collect(NOW, 0.0)
    assert values(rows) == {"up": 0.0, "latency_seconds": NotEnough.ERROR, "status_code": status}
    assert failures(rows) == {"timeout": 1.0}


def test_nobody_there_no_name_and_no_http() -> None:
    with Peer(raw(b"SSH-2.0-OpenSSH\r\n")) as odd:
        rows = collector(
            {"name": "gone", "url": f"http://127.0.0.1:{free_port()}"},
            {"name": "nameless", "url": "http://model.invalid"},
            {"name": "odd", "url": odd.url},
            hosts=["model.invalid"],
        ).collect(NOW, 0.0)
    assert failures(rows, "gone") == {"connect": 1.0}
    assert failures(rows, "odd") == {"not_http": 1.0}
    assert failures(rows, "nameless") == {"dns": 1.0}
    nothing = {"up": 0.0, "latency_seconds": NotEnough.ERROR, "status_code": NotEnough.ERROR}
    assert values(rows, "gone") == values(rows, "nameless") == values(rows, "odd") == nothing


def test_a_name_that_leads_to_a_clouds_metadata_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(host: str, *rest: Any, **more: Any) -> list[Any]:
        assert host == "model.internal", "what is refused is not connected to"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    rows = collector({"url": "http://model.internal/latest"}, hosts=["model.internal"]).collect(NOW, 0.0)
    assert failures(rows) == {"address": 1.0}
    assert problem(rows) == (
        "http://model.internal/latest: model.internal leads to 169.254.169.254, where no model is served; "
        "if it is meant, list that address itself in collect.allowed_probe_hosts"
    )


def test_json_is_posted_and_its_answer_compared() -> None:
    with Peer(says_json({"predictions": [1.0004, 0], "version": "7"})) as peer:
        body = {"instances": [[1, 2.5, "x", None]]}
        source = collector(
            {"url": peer.url, "kind": "json", "body": body, "answer": {"predictions": [1, 0]}, "tolerance": 1e-3}
        )
        assert values(source.collect(NOW, 0.0))["up"] == 1.0
        (seen,) = peer.requests
    assert (seen.method, seen.body) == ("POST", b'{"instances": [[1, 2.5, "x", null]]}')
    assert (seen.headers["Content-Type"], seen.headers["Accept"]) == ("application/json", "application/json")


def test_an_open_inference_server() -> None:
    tensor = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[1, 2], [3, 4]]}
    right = {"outputs": [{"name": "twice_x", "shape": [2, 2], "data": [[2, 4], [6, 8]]}]}
    wrong = {"outputs": [{"name": "twice_x", "data": [2, 4, 6, 9]}]}
    short = {"name": "x", "shape": [9], "datatype": "FP32", "data": [1]}
    with Peer(open_inference.serve) as peer:
        probe = {"kind": "open_inference", "body": {"inputs": [tensor]}}
        version = f"{peer.url}/v2/models/delays/versions/1"
        rows = collector(
            {"name": "base", "url": peer.url, **probe, "answer": right},
            {"name": "version", "url": version, **probe, "answer": right},
            {"name": "full", "url": f"{version}/infer", **probe},
            {"name": "wrong", "url": peer.url, **probe, "answer": wrong},
            {"name": "refused", "url": peer.url, **probe, "body": {"inputs": [short]}},
            {"name": "other", "url": f"{peer.url}/v2/models/other", **probe},
        ).collect(NOW, 0.0)
    assert {name: values(rows, name)["up"] for name in ("base", "version", "full", "wrong", "refused", "other")} == {
        **dict.fromkeys(("base", "version", "full"), 1.0),
        **dict.fromkeys(("wrong", "refused", "other"), 0.0),
    }
    assert (failures(rows, "wrong"), failures(rows, "refused")) == ({"answer": 1.0}, {"status": 1.0})
    assert values(rows, "other")["status_code"] == 404.0


@pytest.mark.parametrize(
    ("name", "days", "self_signed", "up", "reason"),
    [
        ("127.0.0.1", 10, False, 1.0, {}),
        ("127.0.0.1", -3000, False, 0.0, {"tls": 1.0}),
        ("127.0.0.1", 10, True, 0.0, {"tls": 1.0}),
        ("other.example", 10, False, 0.0, {"tls": 1.0}),
    ],
)
def test_the_days_left_of_a_certificate_are_told_whether_it_is_good_or_not(
    name: str, days: int, self_signed: bool, up: float, reason: dict[str, float], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    until = datetime.fromtimestamp(NOW + days * DAY, UTC)
    with Peer(says("ok"), authority.context(name, until, self_signed=self_signed)) as peer:
        rows = collector({"url": peer.url, "ca_file": authority.file}).collect(NOW, 0.0)
    found = values(rows)
    assert (found["up"], failures(rows), found["certificate_remaining_seconds"]) == (up, reason, days * DAY)
    assert ("TLS: " in problem(rows)) == (not up)


def test_a_certificate_that_was_not_seen_has_no_days_left() -> None:
    rows = collector({"url": f"https://127.0.0.1:{free_port()}"}).collect(NOW, 0.0)
    assert values(rows)["certificate_remaining_seconds"] is NotEnough.ERROR
    assert failures(rows) == {"connect": 1.0}


def test_each_probe_keeps_its_own_interval() -> None:
    with Peer(says()) as peer:
        source = collector(
            {"name": "often", "url": f"{peer.url}/often", "interval": 10},
            {"name": "seldom", "url": f"{peer.url}/seldom", "interval": 30},
        )
        assert source.tick == TICK
        for step in range(13):
            # Samples come a little early or late.
            moment = step * TICK + (0.02 if step % 2 else -0.02)
            assert len({row.labels for row in source.collect(NOW + moment, moment) if row.name == "probe_up"}) == 2
        assert sum(seen.path == "/often" for seen in peer.requests) == 7
        assert sum(seen.path == "/seldom" for seen in peer.requests) == 3
    assert collector({"url": peer.url, "interval": "500ms"}).tick == 0.5


def test_a_probe_that_hangs_holds_up_nobody_and_is_not_asked_twice() -> None:
    with Peer(says()) as well, Peer(says()) as sick:
        sick.answer = sick.hang
        source = collector(
            {"name": "sick", "url": sick.url, "timeout": 20, "interval": 1},
            {"name": "well", "url": well.url, "interval": 1},
            grace=0.05,
        )
        first = source.collect(NOW, 0.0)
        assert values(first, "sick") == dict.fromkeys(("up", "latency_seconds", "status_code"), NotEnough.FIRST_SAMPLE)
        for moment in range(1, 4):
            wait_for(lambda: values(source.collect(NOW, 0.0), "well")["up"] == 1.0, "the other's outcome is there")
            rows = source.collect(NOW + moment, float(moment))
        wait_for(lambda: len(well.requests) == 4, "the other one was asked each time")
        wait_for(lambda: sick.requests, "the sick one was asked")
        assert len(sick.requests) == 1
        assert values(rows, "sick")["up"] is NotEnough.FIRST_SAMPLE


def test_an_outcome_that_is_too_old_is_not_shown() -> None:
    with Peer(says()) as peer:
        source = collector({"url": peer.url, "timeout": 20, "interval": 10}, grace=0.05)
        wait_for(lambda: values(source.collect(NOW, 0.0))["up"] == 1.0, "the first outcome")
        peer.answer = peer.hang
        assert values(source.collect(NOW + 10, 10.0))["up"] == 1.0
        assert values(source.collect(NOW + 50, 50.0))["up"] == 1.0
        rows = source.collect(NOW + 51, 51.0)
        assert set(values(rows).values()) == {NotEnough.ERROR}
        assert failures(rows) == {}, "the counter stays"


def test_a_problem_is_logged_when_it_begins_changes_or_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Peer(says()) as peer:
        source = collector({"url": peer.url, "kind": "json", "answer": [1], "interval": 1})
        answers = [
            says_json([1]),
            says_json([2]),
            says_json([3]),  # the same problem: only the number is another one
            says(status=500),
            says(status=500),
            says(status=503),
            says_json([1]),
            says_json([1]),
        ]
        for moment, answer in enumerate(answers):
            peer.answer = answer
            rows = source.collect(NOW + moment, float(moment))
    assert failures(rows) == {"answer": 2.0, "status": 3.0}
    mine = [record for record in caplog.records if record.name == "watchkeeper.collectors.probe"]
    assert [record.levelname for record in mine] == ["WARNING"] * 3 + ["INFO"]
    assert [record.getMessage() for record in mine] == [
        f"probe health of model delays: {peer.url}: $[0]: 2 instead of 1",
        f"probe health of model delays: {peer.url}: answered 500 Internal Server Error instead of 200",
        f"probe health of model delays: {peer.url}: answered 503 Service Unavailable instead of 200",
        "probe health of model delays: its request is answered as expected again",
    ]


def test_headers_are_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    token = "t0ken-Geheim"
    headers = {"authorization": f"Bearer {token}", "Accept": "text/x-own", "X-Unset": ""}
    with Peer(says_json({"you_sent": f"Bearer {token}"})) as peer:
        url = f"{peer.url}/predict?key=query-secret"
        source = collector({"url": url, "kind": "json", "headers": headers, "answer": {"you_sent": "nothing"}})
        rows = source.collect(NOW, 0.0)
        (seen,) = peer.requests
    assert (seen.headers["authorization"], seen.headers["Accept"]) == (f"Bearer {token}", "text/x-own")
    assert "X-Unset" not in seen.headers
    assert problem(rows) == f'{peer.url}/predict: $.you_sent: "****" instead of "nothing"'
    for text in (caplog.text, str(rows), repr(ProbeSettings(name="a", url="http://h", headers=headers))):
        assert token not in text
        assert "query-secret" not in text


def test_a_fault_of_our_own_is_a_failure_without_the_errors_words(caplog: pytest.LogCaptureFixture) -> None:
    # The config refuses such a header; here it makes http.client say the value.
    with Peer(says()) as peer:
        rows = collector({"url": peer.url, "headers": {"X-Key": "a\nsecret"}}).collect(NOW, 0.0)
    assert failures(rows) == {"internal": 1.0}
    assert "ValueError at client.py:" in problem(rows)
    assert "secret" not in caplog.text + str(rows)
