from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
from watchkeeper_client import Client

from monitor.clock import SystemClock
from tests.client.receiver import Answer, Receiver

CLOCK = SystemClock()


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_predictions_and_labels_arrive_as_logged(server: Receiver) -> None:
    with Client(server.url, "delays", token="secret\n") as client:
        client.log(
            "a",
            {"x": 1.5, "c": "UA"},
            1,
            time=100.0,
            probabilities={"0": 0.25, "1": 0.75},
            latency_seconds=0.02,
            version="3",
            tags={"region": "eu"},
        )
        client.log(7, {"x": None}, 0, time=101.0)
        client.label("a", 1, time=200.0)
        assert client.flush()
        assert client.sent == 3
    assert server.rows() == [
        {
            "id": "a",
            "time": 100.0,
            "features": {"x": 1.5, "c": "UA"},
            "prediction": 1,
            "probabilities": {"0": 0.25, "1": 0.75},
            "latency_seconds": 0.02,
            "version": "3",
            "tags": {"region": "eu"},
        },
        {"id": "7", "time": 101.0, "features": {"x": None}, "prediction": 0},
    ]
    assert server.rows("labels") == [{"id": "a", "label": 1, "time": 200.0}]
    assert {request.path for request in server.requests} == {
        "/v1/models/delays/predictions",
        "/v1/models/delays/labels",
    }
    assert all(request.headers["authorization"] == "Bearer secret" for request in server.requests)
    assert all(request.headers["content-type"] == "application/json" for request in server.requests)


def test_time_is_now_unless_given(server: Receiver) -> None:
    before = CLOCK.time()
    with Client(server.url, "m") as client:
        client.log("a", {}, 0)
        client.label("a", 0)
    for row in [*server.rows(), *server.rows("labels")]:
        assert before <= row["time"] <= CLOCK.time()


def test_rows_travel_in_batches_over_one_connection(server: Receiver) -> None:
    with Client(server.url, "m", batch_rows=10, flush_seconds=60) as client:
        for number in range(95):
            client.log(number, {"x": number}, number)
        wait_for(lambda: client.sent == 90)
        assert client.flush()
    assert [len(request.rows) for request in server.requests] == [10] * 9 + [5]
    assert [row["id"] for row in server.rows()] == [str(number) for number in range(95)]
    assert server.connections == 1
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 10


def test_a_lonely_row_leaves_after_flush_seconds(server: Receiver) -> None:
    client = Client(server.url, "m", flush_seconds=0.02)
    client.log("a", {}, 0)
    wait_for(lambda: client.sent == 1)
    client.label("a", 0)
    wait_for(lambda: client.sent == 2)
    client.close()


def test_later_changes_by_the_server_are_not_logged(server: Receiver) -> None:
    with Client(server.url, "m", flush_seconds=60) as client:
        features, probabilities = {"x": 1}, [0.5, 0.5]
        client.log("a", features, 0, probabilities=probabilities)
        features["x"] = 2
        probabilities.append(9.0)
    assert server.rows()[0]["features"] == {"x": 1}
    assert server.rows()[0]["probabilities"] == [0.5, 0.5]


@pytest.mark.parametrize("trouble", [Answer(lose=True), Answer(500), Answer(503), Answer(429), Answer(408)])
def test_a_batch_is_repeated_under_its_key_and_stored_once(server: Receiver, trouble: Answer) -> None:
    server.script = [trouble, trouble]
    with Client(server.url, "m") as client:
        for number in range(3):
            client.log(number, {}, number)
        assert client.flush(30)
        assert (client.sent, client.dropped) == (3, {})
    assert len(server.requests) == 3
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    assert len(server.rows()) == 3


def test_a_stalled_reply_is_given_up_and_the_batch_repeated(server: Receiver) -> None:
    stall = threading.Event()
    server.script = [Answer(stall=stall)]
    with Client(server.url, "m", timeout=0.5) as client:
        client.log("a", {}, 0)
        assert client.flush(30)
        stall.set()
        assert client.sent == 1
    assert len(server.rows()) == 1


def test_a_connection_closed_while_idle_is_no_failure(server: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    server.script = [Answer(close=True)]
    with Client(server.url, "m") as client, caplog.at_level(logging.WARNING):
        for number in range(2):
            client.log(number, {}, 0)
            assert client.flush()
    assert client.sent == 2
    assert not caplog.records


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(server: Receiver, as_date: bool) -> None:
    begun = time.monotonic()
    header = formatdate(CLOCK.time() + 2, usegmt=True) if as_date else "1"
    server.script = [Answer(429, headers={"Retry-After": header})]
    with Client(server.url, "m") as client:
        client.log("a", {}, 0)
        assert client.flush(30)
        assert time.monotonic() - begun >= 0.9
        assert client.sent == 1


@pytest.mark.parametrize("header", ["nan", "inf", "1e999", "soon"])
def test_a_retry_after_that_says_no_time_costs_no_row(server: Receiver, header: str) -> None:
    server.script = [Answer(429, headers={"Retry-After": header})]
    with Client(server.url, "m") as client:
        client.log("a", {}, 0)
        assert client.flush(30)
        assert client.sent == 1


def test_rejected_rows_are_counted_by_reason(server: Receiver) -> None:
    errors = [{"index": 0, "reason": "missing_id"}, {"index": 2, "reason": "bad_time"}]
    server.script = [Answer(body={"accepted": 1, "rejected": 3, "errors": errors})]
    with Client(server.url, "m") as client:
        for number in range(4):
            client.log(number, {}, 0)
    assert client.sent == 1
    assert client.rejected == {"missing_id": 1, "bad_time": 1, "unnamed": 1}


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "malformed"), (401, "unauthorized"), (404, "unknown_model"), (415, "refused")]
)
def test_what_will_never_succeed_is_dropped_at_once(server: Receiver, status: int, reason: str) -> None:
    server.script = [Answer(status)]
    with Client(server.url, "m") as client:
        client.log("a", {}, 0)
        assert client.flush()
        assert client.dropped == {reason: 1}
        client.log("b", {}, 0)
    assert len(server.requests) == 2
    assert client.sent == 1


def test_a_batch_too_large_is_halved_until_it_fits(server: Receiver) -> None:
    server.script = [Answer(413), Answer(413), Answer(413)]
    with Client(server.url, "m", flush_seconds=60) as client:
        for number in range(8):
            client.log(number, {}, 0)
    assert [len(request.rows) for request in server.requests] == [8, 4, 2, 1, 1, 2, 4]
    assert client.dropped == {}
    assert client.sent == 8


def test_a_single_row_too_large_is_dropped(server: Receiver) -> None:
    server.script = [Answer(413), Answer(413)]
    with Client(server.url, "m", flush_seconds=60) as client:
        client.log("large", {}, 0)
        client.log("small", {}, 0)
    assert client.dropped == {"too_large": 1}
    assert client.sent == 1


def test_a_full_queue_drops_the_newest_and_never_blocks(server: Receiver) -> None:
    stall = threading.Event()
    server.script = [Answer(stall=stall)]
    with Client(server.url, "m", batch_rows=5, max_queue=20) as client:
        for number in range(5):
            client.log(number, {}, 0)
        wait_for(lambda: len(server.requests) == 1)
        begun = time.monotonic()
        for number in range(5, 1000):
            client.log(number, {}, 0)
        assert time.monotonic() - begun < 20.0, "the stalled request is not waited for"
        assert client.dropped == {"queue_full": 980}
        stall.set()
        assert client.flush(30)
    assert [row["id"] for row in server.rows()] == [str(number) for number in range(20)]


def test_nobody_listening_loses_rows_after_retry_seconds_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="watchkeeper.client"):
        client = Client("http://127.0.0.1:9", "m", batch_rows=1, retry_seconds=0.15)
        for number in range(4):
            client.log(number, {}, 0)
        assert client.flush(30)
        assert client.dropped == {"unreachable": 4}
        assert client.close()
    assert len(caplog.records) == 1
    assert "http://127.0.0.1:9: can't be reached" in caplog.text


def test_flush_gives_up_after_its_timeout(server: Receiver) -> None:
    stall = threading.Event()
    server.script = [Answer(stall=stall)]
    with Client(server.url, "m") as client:
        client.log("a", {}, 0)
        assert client.flush(0.05) is False
        stall.set()
        assert client.flush(30) is True


def test_close_sends_what_waits_and_later_rows_are_dropped(server: Receiver) -> None:
    client = Client(server.url, "m", batch_rows=2, flush_seconds=60)
    for number in range(5):
        client.log(number, {}, 0)
    assert client.close() is True
    client.log("late", {}, 0)
    assert len(server.rows()) == 5
    assert client.dropped == {"closed": 1}
    assert client.close() is True


def test_close_is_bounded_and_counts_what_it_leaves() -> None:
    client = Client("http://127.0.0.1:9", "m", batch_rows=10)
    for number in range(25):
        client.log(number, {}, 0)
    begun = time.monotonic()
    assert client.close(0.3) is False
    assert time.monotonic() - begun < 30.0, "rows are tried for five minutes"
    assert client.dropped == {"closed": 25}


@pytest.mark.parametrize("features", [None, 5, "text", [1, 2]])
def test_nonsense_never_raises_into_the_server(server: Receiver, features: object) -> None:
    with Client(server.url, "m") as client:
        client.log("a", features, 0)  # type: ignore[arg-type]
        client.log("b", {"x": object()}, 0)
        client.log("c", {"x": 1}, 0)
    assert client.dropped == {"invalid": 1, "unserialisable": 1}
    assert [row["id"] for row in server.rows()] == ["c"]


@pytest.mark.parametrize("url", ["", "127.0.0.1:9797", "ftp://host", "http://"])
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url, "m")


def test_a_token_no_header_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError) as caught:
        Client("http://127.0.0.1:9", "m", token="geheim\r\nX: ü")
    assert "geheim" not in str(caught.value)


def test_many_threads_lose_nothing(server: Receiver) -> None:
    with Client(server.url, "m", batch_rows=50) as client:

        def serve(worker: int) -> None:
            for number in range(200):
                client.log(f"{worker}-{number}", {"x": number}, 0)

        threads = [threading.Thread(target=serve, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush(30)
        assert client.sent == 1600
    assert len({row["id"] for row in server.rows()}) == 1600


def test_a_forked_child_logs_on_its_own_and_not_its_parents_rows(server: Receiver) -> None:
    # In a process of its own: forking the test runner would copy its threads' locks.
    program = f"""
import os
from watchkeeper_client import Client
client = Client({server.url!r}, "m", flush_seconds=60)
client.log("before", {{}}, 0)
child = os.fork()
client.log("child" if child == 0 else "parent", {{}}, 0)
assert client.flush(30)
assert client.sent == (1 if child == 0 else 2), client.sent
if child == 0:
    os._exit(0)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert sorted(row["id"] for row in server.rows()) == ["before", "child", "parent"]
    assert server.connections == 2


def test_the_end_of_the_process_sends_what_waits(server: Receiver) -> None:
    program = f"""
from watchkeeper_client import Client
client = Client({server.url!r}, "m", flush_seconds=60)
client.log("last", {{}}, 0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert [row["id"] for row in server.rows()] == ["last"]


def test_the_end_of_the_process_waits_only_so_long() -> None:
    program = """
from watchkeeper_client import Client
client = Client("http://127.0.0.1:9", "m", flush_seconds=60)
client.log("lost", {}, 0)
"""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert time.monotonic() - begun < 30, "rows are tried for five minutes"


def test_logging_costs_the_server_microseconds(server: Receiver) -> None:
    features = {f"f{number}": number / 7 for number in range(20)}
    with Client(server.url, "m", max_queue=50_000) as client:
        begun = time.thread_time()
        for number in range(5_000):
            client.log(number, features, 1, probabilities={"0": 0.1, "1": 0.9})
        cost = (time.thread_time() - begun) / 5_000
        assert client.flush(30)
    # This thread's own time, however busy the machine is: the call takes 2-3 µs, a request some hundreds.
    assert cost < 100e-6
