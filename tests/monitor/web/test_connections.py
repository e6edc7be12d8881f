"""Bounds that hold before a request is authenticated, over real sockets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from monitor.web.connections import ConnectionBounds
from monitor.web.errors import RefusalReason
from monitor.web.server import Server
from tests.monitor.web.rig import NOW, Rig
from tests.monitor.web.rig import rig as make

HOST = b"Host: 127.0.0.1\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
PREDICTIONS = b"POST /v1/models/delays/predictions HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
Connect = Callable[[bytes], socket.socket]
Serving = tuple[Connect, list[RefusalReason], str]


@contextmanager
def serving(rig: Rig, bounds: ConnectionBounds) -> Iterator[Serving]:
    """A server with these bounds: connects and sends, and says what it refused."""
    counted: list[RefusalReason] = []
    server = Server("127.0.0.1:0", rig.app, bounds, counted.append)
    thread = threading.Thread(target=server.run)
    thread.start()
    made: list[socket.socket] = []

    def connect(first: bytes) -> socket.socket:
        made.append(socket.create_connection(server.address, timeout=30))
        made[-1].sendall(first)
        return made[-1]

    try:
        yield connect, counted, "http://{}:{}".format(*server.address)
    finally:
        for one in made:
            one.close()
        server.stop()
        thread.join(30)


def answer(connection: socket.socket) -> str:
    """All that comes until the other end closes."""
    found = b""
    try:
        while part := connection.recv(1 << 16):
            found += part
    except ConnectionError:
        pass
    return found.decode()


def first(connection: socket.socket) -> str:
    return connection.recv(1 << 16).decode().partition("\r\n")[0]


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * (90 << 10),
        b"GET / HTTP/1.1\r\nX: " + b"a" * (80 << 10) + b"\r\n\r\n",
        b"GET /?" + b"a" * (70 << 10) + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 5000,
        PREDICTIONS + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n0\r\n" + b"a: b\r\n" * 20_000,
        PREDICTIONS + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * (100 << 10),
    ],
    ids=["unfinished", "whole", "address", "headers", "endless", "trailers", "extension"],
)
def test_a_head_that_is_too_large_is_refused_and_its_connection_closed(rig: Rig, head: bytes) -> None:
    with serving(rig, ConnectionBounds(linger_seconds=0.1)) as (connect, counted, url):
        said = answer(connect(head))
        assert counted == [RefusalReason.HEAD_TOO_LARGE]
        if not head.startswith(b"POST"):
            assert said.startswith("HTTP/1.1 431 Request Header Fields Too Large")
            assert "the request's line and headers are over 65536 bytes or 100 headers" in said
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_head_just_within_the_limit_is_served(rig: Rig) -> None:
    with serving(rig, ConnectionBounds()) as (_, counted, url):
        headers = {f"X-{i}": "a" * 700 for i in range(80)}
        assert httpx.get(f"{url}/healthz", headers=headers).status_code == 200
        assert counted == []


@pytest.mark.parametrize(
    ("sent", "says"),
    [(b"GET / HT", "408 Request Timeout"), (b"", ""), (b"\r\n\r\n", "408 Request Timeout")],
    ids=["slow", "silent", "blank"],
)
def test_a_head_has_a_deadline(rig: Rig, sent: bytes, says: str) -> None:
    with serving(rig, ConnectionBounds(head_seconds=0.2, linger_seconds=0.1)) as (connect, counted, _):
        assert says in answer(connect(sent))
        assert counted == [RefusalReason.TOO_SLOW]


def test_the_next_head_of_a_connection_has_the_same_deadline(rig: Rig) -> None:
    with serving(rig, ConnectionBounds(head_seconds=0.2, linger_seconds=0.1)) as (connect, _, _url):
        kept = connect(ALIVE)
        assert "200 OK" in first(kept)
        kept.sendall(b"GET /")
        assert "408 Request Timeout" in answer(kept)


def test_the_rest_of_a_request_that_is_answered_has_a_deadline(tmp_path: Path) -> None:
    rig = make(tmp_path, {"tokens": {"ingest": "an-ingest-token-1"}})
    with serving(rig, ConnectionBounds(linger_seconds=0.2)) as (connect, _, url):
        said = answer(connect(PREDICTIONS + b"Content-Length: 1000000\r\n\r\n["))
        assert said.startswith("HTTP/1.1 401")
        whole = connect(PREDICTIONS + b"Content-Length: 3\r\n\r\n[")
        assert "401" in first(whole)
        whole.sendall(b"1]" + ALIVE)
        assert "200 OK" in first(whole), "the request came to its end, and the next one is served"
        assert httpx.get(f"{url}/healthz").status_code == 200
    rig.close()


def test_of_unfinished_requests_the_oldest_makes_room(rig: Rig) -> None:
    with serving(rig, ConnectionBounds(connections=16)) as (connect, counted, url):
        held = [connect(b"GET / HT") for _ in range(5)]
        assert answer(held[0]) == ""
        assert counted == [RefusalReason.TOO_MANY_CONNECTIONS]
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_of_many_connections_an_idle_one_makes_room_and_none_that_has_shown_a_token(tmp_path: Path) -> None:
    token = "an-ingest-token-1"
    rig = make(tmp_path, {"tokens": {"ingest": token}})
    with serving(rig, ConnectionBounds(connections=16)) as (connect, _, url):
        row = {"id": "a", "time": NOW, "prediction": 1}
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as honest:
            assert honest.post("/v1/models/delays/predictions", json=[row]).status_code == 202
            (kept,) = honest._transport._pool.connections  # type: ignore[attr-defined]
            for _ in range(40):
                assert "200 OK" in first(connect(ALIVE))
            assert honest.post("/v1/models/delays/predictions", json=[row]).status_code == 202
            assert honest._transport._pool.connections == [kept]  # type: ignore[attr-defined]
    rig.close()


def test_where_none_can_make_room_a_connection_is_refused(tmp_path: Path) -> None:
    token = "an-ingest-token-1"
    rig = make(tmp_path, {"tokens": {"ingest": token}})
    known = PREDICTIONS + f"Authorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n[]".encode()
    with serving(rig, ConnectionBounds(connections=16, linger_seconds=0.1)) as (connect, _, _url):
        assert all("202" in first(connect(known)) for _ in range(16))
        refused = answer(connect(ALIVE))
        assert refused.startswith("HTTP/1.1 503")
        assert "too many connections" in refused
    rig.close()


def test_requests_that_wait_for_one_another_are_bounded(rig: Rig) -> None:
    with serving(rig, ConnectionBounds()) as (connect, counted, _):
        answer(connect(ALIVE * 500))
        assert counted == [RefusalReason.MALFORMED]
        assert answer(connect(ALIVE * 4 + b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")).count("200 OK") == 5


def test_bodies_that_trickle_in_hold_up_nobody(rig: Rig) -> None:
    with serving(rig, ConnectionBounds()) as (connect, _, url):
        for _ in range(8):
            connect(PREDICTIONS + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n")
            connect(PREDICTIONS + b"Content-Length: 16000000\r\n\r\n[")
        row = {"id": "a", "time": NOW, "prediction": 1}
        assert httpx.post(f"{url}/v1/models/delays/predictions", json=[row]).status_code == 202


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"G\xffT / HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_is_one_sentence(rig: Rig, sent: bytes) -> None:
    with serving(rig, ConnectionBounds(linger_seconds=0.1)) as (connect, counted, _):
        said = answer(connect(sent))
        assert said.startswith("HTTP/1.1 400")
        assert "this is no HTTP request" in said
        assert counted == [RefusalReason.MALFORMED]
