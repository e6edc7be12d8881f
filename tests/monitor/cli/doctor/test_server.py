from __future__ import annotations

import itertools
from http.server import BaseHTTPRequestHandler

import pytest

from monitor.cli.doctor.clock_offset import TimedClient
from monitor.cli.doctor.server import server
from monitor.settings.server import ServerSettings
from tests.e2e.process import free_port
from tests.fakes.peer import Peer, says
from tests.monitor.cli.doctor.conftest import only

COUNTED = """# TYPE http_requests_total counter
http_requests_total{handler="/predict",method="POST",status="2xx"} 7
http_requests_total{handler="/metrics",method="GET",status="2xx"} 3
"""
LATENCY = """# TYPE http_request_duration_highr_seconds histogram
http_request_duration_highr_seconds_bucket{le="1.0"} 9
http_request_duration_highr_seconds_bucket{le="+Inf"} 10
http_request_duration_highr_seconds_count 10
http_request_duration_highr_seconds_sum 1
"""
VLLM = """# TYPE python_info gauge
python_info 1
# TYPE vllm:request_success_total counter
vllm:request_success_total 3
"""


def test_a_server_that_is_well(client: TimedClient) -> None:
    with Peer(says(COUNTED + LATENCY, Content_Type="text/plain")) as peer:
        found = only(server(ServerSettings(url=peer.url), client))
    assert found.status.value == "ok"
    assert found.found == (
        f"{peer.url}/metrics (preset fastapi): 7 requests so far, 3 more on excluded routes; "
        "latency in http_request_duration_highr_seconds"
    )


@pytest.mark.parametrize(
    ("text", "kind", "status", "said", "todo"),
    [
        (COUNTED, "text/plain", 200, "no histogram http_request_duration_highr_seconds", "latency"),
        (
            VLLM,
            "text/plain",
            200,
            "has no http_requests_total, which preset fastapi reads; it has vllm:request",
            "pres",
        ),
        ("", "text/plain", 200, "it has nothing of its own", "exporter"),
        ("http_requests_total{", "text/plain", 200, "not in Prometheus' text format", "page of metrics"),
        ("<html>", "text/html", 200, "'text/html', which is no page of metrics", "server.metrics_path"),
        ("", "text/plain", 404, "answered 404 Not Found", "server.metrics_path"),
        ("", "text/plain", 401, "answered 401 Unauthorized", "without a token"),
    ],
)
def test_a_page_that_is_not_it(client: TimedClient, text: str, kind: str, status: int, said: str, todo: str) -> None:
    with Peer(says(text, status, Content_Type=kind)) as peer:
        found = only(server(ServerSettings(url=peer.url), client))
    assert found.status.value == "problem"
    assert said in found.found and todo in found.todo, found


def test_a_server_that_is_not_there_hangs_or_is_not_named(client: TimedClient) -> None:
    found = only(server(ServerSettings(url=f"http://127.0.0.1:{free_port()}"), client))
    assert (found.status.value, "connection refused" in found.found) == ("problem", True)
    assert only(server(None, client)).status.value == "missing"
    with Peer(says()) as peer:
        peer.answer = peer.hang
        found = only(server(ServerSettings(url=peer.url, timeout=0.1), client))
    assert (found.status.value, "no answer within 0.1 s" in found.found) == ("problem", True)


def test_what_a_url_may_hide_is_not_shown(client: TimedClient) -> None:
    with Peer(says("", 404)) as peer:
        found = only(server(ServerSettings(url=peer.url, metrics_path="/m?key=hunter2"), client))
    assert "hunter2" not in found.found + found.todo


def test_workers_that_count_by_themselves_are_named(client: TimedClient) -> None:
    texts = [COUNTED.replace(" 7", f" {n}") + f"process_start_time_seconds {n}\n" for n in (9, 2)]
    pages = itertools.cycle(texts)

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        says(next(pages) + LATENCY, Content_Type="text/plain")(handler, body)

    with Peer(answer) as peer:
        found = list(server(ServerSettings(url=peer.url), client))
    assert [item.status.value for item in found] == ["ok", "problem"]
    assert "another worker's counters" in found[1].found and "PROMETHEUS_MULTIPROC_DIR" in found[1].todo


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COUNTED + LATENCY.replace('le="+Inf"', 'le="5.0"'), "without its bucket le="),
        (COUNTED.replace(" 7", " -7") + LATENCY, "a count below 0: http_requests_total{handler='/predict'"),
        (COUNTED + LATENCY.replace('le="1.0"', 'le="one"'), "without any bucket but"),
        (COUNTED + LATENCY + LATENCY.replace('le="1.0"', 'le="one"'), "le='one', which is no number"),
    ],
)
def test_what_a_page_counts_wrong_is_named(client: TimedClient, text: str, said: str) -> None:
    with Peer(says(text, Content_Type="text/plain")) as peer:
        found = only(server(ServerSettings(url=peer.url), client))
    assert (found.status.value, said in found.found) == ("problem", True), found
