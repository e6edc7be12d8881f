from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from monitor.collectors.probe.certificate import expiry
from monitor.net.client import Client, Request
from monitor.net.dns import Resolver, suspect
from monitor.net.errors import ExchangeError, FailureKind
from tests.e2e.process import free_port, wait_for
from tests.fakes.authority import Authority
from tests.fakes.peer import Answer, Peer, raw, says

LATER = datetime(2039, 1, 1, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\n"


def ask(url: str, timeout: float = 30.0, max_bytes: int = 1 << 20, client: Client | None = None, **more: Any) -> bytes:
    with (client or Client(time.monotonic)).ask(Request(url, **more), timeout) as answer:
        return answer.read(max_bytes)


def failed(url: str, timeout: float = 30.0, max_bytes: int = 1 << 20, **more: Any) -> tuple[FailureKind, str]:
    with pytest.raises(ExchangeError) as caught:
        ask(url, timeout, max_bytes, **more)
    return caught.value.failure, str(caught.value)


def test_what_is_sent_and_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Peer(says("héllo")) as peer:
        url = f"{peer.url}/a%20b?c=d"
        request = Request(url, "POST", {"X-Key": "k"}, b"[1]")
        with Client(time.monotonic).ask(request, 5) as answer:
            assert (answer.status, answer.said, answer.certificate) == (200, "200 OK", None)
            assert answer.read(100).decode() == "héllo"
        (seen,) = peer.requests
    assert (seen.method, seen.path, seen.body) == ("POST", "/a%20b?c=d", b"[1]")
    assert seen.headers["Host"] == f"127.0.0.1:{peer.port}"
    assert (seen.headers["X-Key"], seen.headers["Accept-Encoding"]) == ("k", "identity")
    assert "k" not in repr(request).replace("Request", "")
    assert "c=d" not in repr(request)


@pytest.mark.parametrize(
    "answer",
    [
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        raw(HEAD + b"Content-Length: 5\r\n\r\nabcde"),
        raw(HEAD + b"\r\nabcde"),
        raw(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\nabcde"),
    ],
)
def test_a_body_by_whatever_framing(answer: Answer) -> None:
    with Peer(answer) as peer:
        assert ask(peer.url) == b"abcde"


def test_a_server_that_keeps_the_connection_open_is_not_waited_for() -> None:
    with Peer(says()) as peer:

        def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            says("abcde")(handler, body)
            peer.released.wait(60)

        peer.answer = answer
        assert ask(peer.url) == b"abcde"


@pytest.mark.parametrize(
    ("answer", "failure", "said"),
    [
        (raw(b""), FailureKind.CONNECT, "remote end closed connection without response"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), FailureKind.NOT_HTTP, "no proper HTTP answer (BadStatusLine)"),
        (raw(HEAD + b"A" * 70_000), FailureKind.NOT_HTTP, "no proper HTTP answer (LineTooLong)"),
        (raw(HEAD + b"A: b\r\n" * 200), FailureKind.NOT_HTTP, "no proper HTTP answer (HTTPException)"),
        (raw(HEAD + b"Content-Length: 9\r\n\r\nabc"), FailureKind.NOT_HTTP, "the answer ended before it was whole"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc"), FailureKind.NOT_HTTP, "no proper HTTP answer"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"), FailureKind.NOT_HTTP, "no proper HTTP answer"),
        (raw(HEAD + b"\r\n" + b"x" * (2 << 20)), FailureKind.TOO_LARGE, "the answer is larger than 1 MiB"),
        (says("x", Content_Encoding="gzip"), FailureKind.BODY, "answered in an encoding that was not asked for"),
    ],
)
def test_what_is_no_answer(answer: Answer, failure: FailureKind, said: str) -> None:
    with Peer(answer) as peer:
        found = failed(peer.url)
    assert found[0] is failure
    assert found[1].startswith(said)


def test_the_time_limit_is_over_all_of_it() -> None:
    began = time.monotonic()
    with Peer(says()) as peer:
        for answer, said in (
            (peer.hang, "no answer within 0.3 s"),
            (peer.drip(HEAD + b"X-Slow: yes\r\n" * 50), "no answer within 0.3 s"),
            (peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "no answer within 0.3 s"),
        ):
            peer.answer = answer
            assert failed(peer.url, 0.3) == (FailureKind.TIMEOUT, said)
        peer.answer = peer.drip(b"x" * 1000, at_once=HEAD + b"\r\n")
        assert failed(peer.url, 2.0) == (FailureKind.TIMEOUT, "the answer was not read whole within 2 s")
    assert time.monotonic() - began < 12, "any of them alone takes 10 s or more"


def test_a_server_that_reads_nothing_is_given_up() -> None:
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert failed(url, 0.3, method="POST", body=b"x" * (32 << 20)) == (
            FailureKind.TIMEOUT,
            "no answer within 0.3 s",
        )


def test_nobody_there() -> None:
    assert failed(f"http://127.0.0.1:{free_port()}") == (FailureKind.CONNECT, "connection refused")


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Resolver, "addresses", lambda self, host, timeout: ["127.0.0.2", "127.0.0.1"])
    with Peer(says("ok")) as peer:
        assert ask(f"http://model.example:{peer.port}") == b"ok"
        assert peer.requests[0].headers["Host"] == f"model.example:{peer.port}"


def test_a_name_that_can_not_be_resolved() -> None:
    for host in ("model.invalid", "a..b", "x" * 80):
        failure, said = failed(f"http://{host}/")
        assert failure is FailureKind.DNS
        assert said.startswith(f"the name {host} can't be resolved: ")


def test_a_name_server_that_hangs_costs_the_time_limit_and_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, real = threading.Event(), socket.getaddrinfo
    asked: list[str] = []

    def hanging(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host == "model.example":
            asked.append(host)
            answered.wait(60)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with Peer(says("ok")) as peer:
        client, url = Client(time.monotonic), f"http://model.example:{peer.port}"
        for _ in range(3):
            assert failed(url, 0.1, client=client) == (FailureKind.TIMEOUT, "no answer within 0.1 s")
        wait_for(lambda: asked, "it is asked")
        assert asked == ["model.example"]
        answered.set()
        assert ask(url, client=client) == b"ok"


def test_an_address_that_is_refused_is_not_asked() -> None:
    with Peer(says("secret")) as peer:
        client = Client(time.monotonic, lambda address: "which is not ours" if address == "127.0.0.1" else "")
        failure = FailureKind.ADDRESS, "localhost leads to 127.0.0.1, which is not ours"
        assert failed(f"http://localhost:{peer.port}", client=client) == failure
        assert peer.requests == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("fd00:ec2::254", True),
        ("100.100.100.200", True),
        ("0.0.0.0", True),
        ("::", True),
        ("224.0.0.1", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("10.1.2.3", False),
        ("93.184.216.34", False),
        ("2606:2800::1", False),
    ],
)
def test_addresses_that_no_name_should_lead_to(address: str, expected: bool) -> None:
    assert suspect(address) is expected


def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Peer(says("ok"), authority.context("127.0.0.1", LATER)) as peer:
        with Client(time.monotonic).ask(Request(peer.url, ca_file=authority.file), 5) as answer:
            assert answer.read(10) == b"ok"
            assert answer.certificate is not None
            assert expiry(answer.certificate) == LATER.timestamp()
        assert peer.requests[0].headers["Host"] == f"127.0.0.1:{peer.port}"


@pytest.mark.parametrize(
    ("name", "until", "self_signed", "said"),
    [
        ("127.0.0.1", datetime(2021, 5, 1, tzinfo=UTC), False, "TLS: certificate has expired"),
        ("127.0.0.1", LATER, True, "TLS: self-signed certificate"),
        ("other.example", LATER, False, "TLS: ip address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused_and_told(
    name: str, until: datetime, self_signed: bool, said: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with Peer(says("ok"), authority.context(name, until, self_signed=self_signed)) as peer:
        with pytest.raises(ExchangeError) as caught:
            ask(peer.url, ca_file=authority.file, headers={"Authorization": "Bearer s"})
        assert (caught.value.failure, str(caught.value)) == (FailureKind.TLS, said)
        assert caught.value.certificate is not None
        assert expiry(caught.value.certificate) == until.timestamp()
        assert peer.requests == []


def test_an_authority_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with Peer(says("ok"), Authority(tmp_path).context("127.0.0.1", LATER)) as peer:
        assert failed(peer.url) == (FailureKind.TLS, "TLS: unable to get local issuer certificate")
        other = Authority(tmp_path, "Another")
        assert failed(peer.url, ca_file=other.file)[0] is FailureKind.TLS


def test_an_authority_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    client, file = Client(time.monotonic), tmp_path / "ca.pem"
    with Peer(says("ok"), authority.context("127.0.0.1", LATER)) as peer:
        file.write_bytes(Authority(tmp_path, "Another").file.read_bytes())
        assert failed(peer.url, client=client, ca_file=file)[0] is FailureKind.TLS
        file.write_bytes(authority.file.read_bytes())
        assert ask(peer.url, client=client, ca_file=file) == b"ok"
        file.write_text("nothing")
        assert failed(peer.url, client=client, ca_file=file)[0] is FailureKind.TLS
        file.unlink()
        failure, said = failed(peer.url, client=client, ca_file=file)
        assert (failure, said) == (FailureKind.TLS, f"ca_file {file} can't be used: no such file or directory")


def test_tls_where_there_is_none_and_none_where_there_is(tmp_path: Path) -> None:
    with Peer(says("ok")) as plain:
        failure, said = failed(plain.url.replace("http:", "https:"))
        assert failure is FailureKind.TLS
        assert said.startswith("TLS: ")
    with Peer(says("ok"), Authority(tmp_path).context("127.0.0.1", LATER)) as secure:
        assert failed(secure.url.replace("https:", "http:"))[0] in (FailureKind.NOT_HTTP, FailureKind.CONNECT)


def test_a_handshake_that_hangs() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert failed(url, 0.3) == (FailureKind.TIMEOUT, "no answer within 0.3 s")
