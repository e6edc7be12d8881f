from __future__ import annotations

import contextlib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fastapi
import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator

from checks.base import Measurement, NotEnough
from checks.catalog import CATALOG
from monitor.collectors import Collector
from monitor.collectors.server.collector import LOOK_BACK, ServerCollector
from monitor.settings.server import ServerSettings
from tests.e2e.process import wait_for
from tests.monitor.collectors.server.test_parse import page

RATIOS = ["error_ratio", "latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds"]


class Page:
    """A server whose one page a test writes."""

    def __init__(self) -> None:
        self.text, self.status, self.headers = page(), 200, {"Content-Type": "text/plain; version=0.0.4"}
        self.delay = 0.0
        self.closed = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for line in outer.text.splitlines(keepends=True):
                    with contextlib.suppress(OSError):
                        self.wfile.write(line.encode())
                    if outer.delay and outer.closed.wait(outer.delay):
                        return

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served() -> Iterator[Page]:
    served = Page()
    yield served
    served.close()


def collector(url: str, timeout: float = 30.0) -> ServerCollector:
    return ServerCollector(ServerSettings(url=url, timeout=timeout), "delays")


def values(rows: list[Measurement]) -> dict[str, Any]:
    """Value, or the reason why there is none, by name."""
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row.reason if row.value is None else row.value for row in rows}


def test_the_first_scrape_knows_only_that_the_server_is_up(served: Page) -> None:
    first = values(collector(served.url).collect(0.0, 0.0))
    assert first == {"server_up": 1.0, **dict.fromkeys(["request_rate", *RATIOS], NotEnough.FIRST_SAMPLE)}


def test_rate_errors_and_latency_between_two_scrapes(served: Page) -> None:
    source = collector(served.url + "/")
    served.text = page(failed=0)
    source.collect(1000.0, 0.0)
    served.text = page(ok=90, failed=10, scrapes=20, fast=70, slow=50)
    rows = source.collect(1010.0, 10.0)
    found = values(rows)
    assert found["request_rate"] == 10.0
    assert found["error_ratio"] == 0.1
    # 120 requests, of which the 20 fastest are scrapes: 50 below 0.1 s, 50 in (0.1, 1.0].
    assert found["latency_p50_seconds"] == pytest.approx(0.1)
    assert found["latency_p95_seconds"] == pytest.approx(0.91)
    for row in rows:
        assert CATALOG[row.name].clock == "wall"
        if row.name in RATIOS:
            assert (row.n, row.window.start, row.window.end) == (100, 1000.0, 1010.0)


def test_no_requests_are_a_rate_of_zero_and_no_latency(served: Page) -> None:
    source = collector(served.url)
    source.collect(0.0, 0.0)
    served.text = page(scrapes=1, fast=1)
    assert values(source.collect(15.0, 15.0)) == {
        "server_up": 1.0,
        "request_rate": 0.0,
        **dict.fromkeys(RATIOS, NotEnough.NO_TRAFFIC),
    }


def test_errors_not_yet_seen_are_none(served: Page) -> None:
    source = collector(served.url)
    source.collect(0.0, 0.0)
    served.text = page(ok=200, fast=200)
    assert values(source.collect(15.0, 15.0))["error_ratio"] == 0.0


def test_a_restart_of_the_server_is_no_negative_rate(served: Page) -> None:
    source = collector(served.url)
    served.text = page(ok=5000, failed=50, fast=5050)
    source.collect(0.0, 0.0)
    served.text = page(ok=30, fast=30)
    found = values(source.collect(15.0, 15.0))
    assert (found["request_rate"], found["error_ratio"]) == (2.0, 0.0)


def test_under_load_a_spike_shows_at_once(served: Page) -> None:
    source = collector(served.url)
    for moment in range(20):
        served.text = page(ok=1000 * moment, fast=1000 * moment)
        source.collect(float(moment), float(moment))
    served.text = page(ok=19_200, fast=19_000, slow=200)
    rows = source.collect(20.0, 20.0)
    assert values(rows)["latency_p95_seconds"] == pytest.approx(0.955)
    assert {row.n for row in rows if row.name in RATIOS} == {200}


def test_a_quiet_servers_requests_are_judged_together_and_forgotten_in_time(served: Page) -> None:
    source = collector(served.url)
    served.text = page(failed=0)
    source.collect(0.0, 0.0)
    served.text = page(ok=3, failed=1, fast=4)
    source.collect(15.0, 15.0)
    served.text = page(ok=6, failed=1, fast=7)
    rows = {row.name: row for row in source.collect(30.0, 30.0)}
    assert rows["request_rate"].value == pytest.approx(0.2)
    assert (rows["error_ratio"].value, rows["error_ratio"].n) == (pytest.approx(1 / 7), 7)
    assert rows["error_ratio"].detail == {"seconds": 30.0}
    moment = 30.0
    while moment < 15.0 + LOOK_BACK:
        moment += 15.0
        found = values(source.collect(moment, moment))
    assert found["error_ratio"] == 0.0  # the first interval's failure is out of sight
    found = values(source.collect(moment + 15.0, moment + 15.0))
    assert found["error_ratio"] is NotEnough.NO_TRAFFIC


def test_the_first_failure_of_all_counts_where_the_page_says_when_its_series_began(served: Page) -> None:
    source = collector(served.url)
    source.collect(1000.0, 0.0)
    created = 'http_requests_created{handler="/predict",method="POST",status="5xx"} 1007.5\n'
    served.text = page(ok=3, failed=1, fast=4) + created
    assert values(source.collect(1015.0, 15.0))["error_ratio"] == 0.25


def test_a_path_with_a_line_separator_in_it_costs_nothing(served: Page) -> None:
    """One visitor's GET of an odd path stands in a label until the server restarts."""
    source = collector(served.url)
    odd = 'http_requests_total{handler="/a\u2028b\x85c\x0cd",method="GET",status="4xx"} 1.0\n'
    for ok in (0, 30):
        served.text = odd + page(ok=ok, fast=ok)
        found = values(source.collect(float(ok), float(ok)))
    assert (found["server_up"], found["request_rate"], found["error_ratio"]) == (1.0, 1.0, 0.0)


def test_a_histogram_without_its_last_bucket_is_named_not_called_no_traffic(
    served: Page, caplog: pytest.LogCaptureFixture
) -> None:
    source = collector(served.url)
    for count in (0, 100, 200):
        served.text = "".join(
            line for line in page(ok=count, failed=0, fast=count).splitlines(keepends=True) if "+Inf" not in line
        )
        rows = {row.name: row for row in source.collect(float(count), float(count))}
    assert (rows["request_rate"].value, rows["error_ratio"].value) == (1.0, 0.0)
    assert rows["latency_p95_seconds"].reason is NotEnough.ERROR
    assert "histogram http_request_duration_highr_seconds without" in rows["latency_p95_seconds"].detail["error"]
    assert caplog.text.count("highr") == 1


def test_a_counter_below_zero_is_refused_by_name_and_once(served: Page, caplog: pytest.LogCaptureFixture) -> None:
    source = collector(served.url)
    for count in (0, -5, -9):
        served.text = page(ok=count, failed=0)
        rows = source.collect(100.0 - count, 100.0 - count)
    assert values(rows) == {"server_up": 1.0, **dict.fromkeys(["request_rate", *RATIOS], NotEnough.ERROR)}
    assert "a count below 0: http_requests_total{" in rows[1].detail["error"]
    assert caplog.text.count("below 0") == 1


def test_an_openmetrics_page_is_whole_only_with_its_end(served: Page) -> None:
    source = collector(served.url)
    served.headers = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
    exemplar = ' # {trace_id="a b"} 0.05 1700000000.5'
    for ok in (0, 30):
        lines = page(ok=ok, failed=0, fast=ok).replace("http_requests_total counter", "http_requests counter")
        served.text = (
            "".join(f"{line}{exemplar if '_bucket' in line else ''}\n" for line in lines.splitlines()) + "# EOF\n"
        )
        found = values(source.collect(float(ok), float(ok)))
    assert (found["request_rate"], found["latency_p50_seconds"]) == (1.0, 0.05)
    served.text = served.text.removesuffix("# EOF\n")
    assert "ended before its '# EOF'" in source.collect(60.0, 60.0)[0].detail["error"]


def test_a_server_that_is_gone_is_down_and_nothing_else(served: Page, caplog: pytest.LogCaptureFixture) -> None:
    source = collector(served.url)
    source.collect(0.0, 0.0)
    served.close()
    for moment in (1.0, 2.0):
        rows = source.collect(moment, moment)
        assert values(rows) == {"server_up": 0.0, **dict.fromkeys(["request_rate", *RATIOS], NotEnough.ERROR)}
        assert rows[0].detail["error"].endswith("/metrics: connection refused")
    assert caplog.text.count("connection refused") == 1


def test_after_an_outage_the_rate_is_over_the_time_since_the_last_scrape(served: Page) -> None:
    source = collector(served.url)
    source.collect(0.0, 0.0)
    served.status = 503
    assert values(source.collect(10.0, 10.0))["server_up"] == 0.0
    served.status, served.text = 200, page(ok=40, fast=40)
    assert values(source.collect(20.0, 20.0))["request_rate"] == 2.0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": 503}, "answered 503 Service Unavailable"),
        ({"status": 404}, "answered 404 Not Found"),
        ({"status": 302, "headers": {"Location": "http://10.0.0.1/"}}, "redirected to 'http://10.0.0.1/'"),
        ({"headers": {"Content-Type": "text/html"}}, "answered 'text/html', which is no page of metrics"),
        ({"headers": {"Content-Encoding": "gzip"}}, "in an encoding that was not asked for"),
        ({"text": "http_requests_total{ 5\n"}, "not in Prometheus' text format"),
        ({"text": "x" * (33 << 20)}, "larger than 32 MiB"),
        ({"text": "a 1\n" * 100, "delay": 0.1}, "not read whole within 2 s"),
    ],
)
def test_a_page_that_can_not_be_read(served: Page, change: dict[str, Any], expected: str) -> None:
    for name, value in change.items():
        setattr(served, name, value)
    row = collector(served.url, timeout=2.0 if "delay" in change else 30.0).collect(0.0, 0.0)[0]
    assert row.value == 0.0
    assert expected in row.detail["error"]


def test_a_server_that_never_answers_is_down_after_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        row = collector(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2).collect(0.0, 0.0)[0]
    assert row.detail["error"].endswith("no answer within 0.2 s")


def test_what_answers_but_does_not_speak_http_is_down() -> None:
    with socket.socket() as odd:
        odd.bind(("127.0.0.1", 0))
        odd.listen()

        def answer() -> None:
            peer, _ = odd.accept()
            peer.sendall(b"SSH-2.0-OpenSSH\r\n")
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
        row = collector(f"http://127.0.0.1:{odd.getsockname()[1]}").collect(0.0, 0.0)[0]
    assert "no proper HTTP answer" in row.detail["error"]


def test_a_server_is_read_by_a_preset_of_ones_own(served: Page, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "requests: [{counter: n, handler: path}]\nerrors: [{counter: n, handler: path, where: {code: 5..}}]\n"
        "latency: {histogram: took_ms, seconds: 0.001, handler: path}\n"
    )
    source = ServerCollector(ServerSettings(url=served.url, preset=str(own)), "delays")
    for ok, failed in ((0, 0), (3, 1)):
        served.text = (
            f'# TYPE n counter\nn_total{{path="/a",code="200"}} {ok}\nn_total{{path="/a",code="503"}} {failed}\n'
            f'n_total{{path="/healthz",code="200"}} 9\n# TYPE took_ms histogram\ntook_ms_bucket{{path="/a",le="50"}} '
            f'{ok + failed}\ntook_ms_bucket{{path="/a",le="+Inf"}} {ok + failed}\n'
        )
        rows = source.collect(float(ok), float(ok))
    found = values(rows)
    assert (found["request_rate"], found["error_ratio"]) == (pytest.approx(4 / 3), 0.25)
    assert 0 < float(found["latency_p99_seconds"]) <= 0.05


def test_a_page_without_the_presets_metrics_is_an_error_not_silence(served: Page) -> None:
    served.text = "# TYPE up gauge\nup 1\n"
    source = collector(served.url)
    source.collect(0.0, 0.0)
    rows = source.collect(1.0, 1.0)
    assert values(rows) == {"server_up": 1.0, **dict.fromkeys(["request_rate", *RATIOS], NotEnough.ERROR)}
    assert rows[1].detail["error"].endswith("has no http_requests_total; is preset 'fastapi' right?")


def test_a_page_without_the_histogram_still_gives_rate_and_errors(served: Page) -> None:
    source = collector(served.url)
    served.text = 'http_requests_total{handler="/p",status="2xx"} 0\n'
    source.collect(0.0, 0.0)
    served.text = 'http_requests_total{handler="/p",status="2xx"} 5\n'
    found = values(source.collect(1.0, 1.0))
    assert (found["request_rate"], found["error_ratio"]) == (5.0, 0.0)
    assert found["latency_p95_seconds"] is NotEnough.ERROR


@pytest.fixture
def fastapi_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real FastAPI application with the instrumentator, served by uvicorn. Time passes in it as requests say."""
    app, now = fastapi.FastAPI(), [0.0]
    monkeypatch.setattr("prometheus_fastapi_instrumentator.middleware.default_timer", lambda: now[0])

    @app.post("/predict")
    def predict(seconds: float = 0.0, status: int = 200) -> fastapi.Response:
        now[0] += seconds
        return fastapi.Response(status_code=status)

    Instrumentator(registry=CollectorRegistry()).instrument(app).expose(app)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "it is served")
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    listener.close()


def ask(url: str, times: int, **query: object) -> None:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    for _ in range(times):
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(f"{url}/predict?{text}", method="POST"), timeout=30).close()


def test_a_real_fastapi_server(fastapi_url: str) -> None:
    source: Collector = collector(fastapi_url)
    assert values(source.collect(0.0, 0.0))["server_up"] == 1.0
    assert values(source.collect(10.0, 10.0))["latency_p95_seconds"] is NotEnough.NO_TRAFFIC
    ask(fastapi_url, 36)
    ask(fastapi_url, 4, status=503)
    rows = source.collect(20.0, 20.0)
    calm = values(rows)
    assert {row.name for row in rows} == source.metrics
    assert (calm["request_rate"], calm["error_ratio"]) == (4.0, 0.1)
    assert calm["latency_p95_seconds"] < 0.1
    ask(fastapi_url, 8, seconds=0.3)
    slow = values(source.collect(30.0, 30.0))
    assert slow["latency_p95_seconds"] == pytest.approx(0.4, abs=0.15)  # the buckets there are 0.25 and 0.5
    assert slow["latency_p50_seconds"] < 0.1
