"""Requests that are sent with a section's headers and token, over TLS of an authority of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pydantic import SecretStr

from checks.base import NotEnough
from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.server.collector import ServerCollector
from monitor.net.client import Client, Request
from monitor.settings.server import RequestSettings, ServerSettings
from tests.fakes.authority import Authority
from tests.fakes.peer import Answer, Peer, says
from tests.monitor.collectors.server.test_parse import page


def guarded(tokens: list[str], text: str = "", status: int = 401) -> Answer:
    """A page for whoever has the first of the tokens."""

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        right = handler.headers["Authorization"] == f"Bearer {tokens[0]}"
        says(text if right else "", 200 if right else status, Content_Type="text/plain")(handler, body)

    return answer


def settings(file: Path, **more: object) -> dict[str, object]:
    return {"token": SecretStr(file.read_text().strip()), "token_file": file, **more}


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_was_replaced_costs_no_sample(tmp_path: Path, status: int) -> None:
    file, tokens = tmp_path / "token", ["first-token"]
    file.write_text("first-token\n")
    with Peer(guarded(tokens, page(ok=5), status)) as peer:
        source = ServerCollector(ServerSettings.model_validate(settings(file, url=peer.url)), "delays")
        assert source.collect(0.0, 0.0)[0].value == 1.0
        tokens[0] = "second-token"
        refused = source.collect(15.0, 15.0)[0]
        assert (refused.value, str(status) in refused.detail["error"]) == (0.0, True)
        file.write_text("second-token\n")
        assert source.collect(30.0, 30.0)[1].reason is None
        assert [request.headers["Authorization"][7:12] for request in peer.requests] == ["first"] * 2 + ["secon"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_replaced_while_it_is_sent_costs_no_sample_either(tmp_path: Path, status: int) -> None:
    file = tmp_path / "token"
    file.write_text("first-token\n")

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        file.write_text("second-token\n")
        guarded(["second-token"], page(ok=5), status)(handler, body)

    with Peer(answer) as peer:
        source = ServerCollector(ServerSettings.model_validate(settings(file, url=peer.url)), "delays")
        assert source.collect(0.0, 0.0)[0].value == 1.0
    assert [request.headers["Authorization"][7:12] for request in peer.requests] == ["first", "secon"]


def test_a_server_behind_tls_of_its_own_with_token_and_headers(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "own")
    file = tmp_path / "token"
    file.write_text("the-token")
    context = authority.context("127.0.0.1", datetime(2039, 1, 1, tzinfo=UTC))
    with Peer(guarded(["the-token"], page()), context) as peer:
        more = {"url": peer.url, "ca_file": tmp_path / "own.pem", "headers": {"X-Team": "ml", "x-empty": " "}}
        given = ServerSettings.model_validate(settings(file, **more))
        assert ServerCollector(given, "delays").collect(0.0, 0.0)[0].value == 1.0
        assert peer.requests[0].headers["X-Team"] == "ml"
        assert "x-empty" not in peer.requests[0].headers
        without = given.model_copy(update={"ca_file": None})
        assert "TLS" in ServerCollector(without, "delays").collect(0.0, 0.0)[0].detail["error"]


def test_a_server_that_repeats_a_secret_does_not_get_it_shown(caplog: pytest.LogCaptureFixture) -> None:
    given = {"token": "the-token", "headers": {"X-Key": "hunter22"}, "metrics_path": "/m?key=hunter33"}
    for header in ({"Location": "http://h/?t=the-token&k=hunter22"}, {"Content-Type": "x/the-token-hunter22"}):
        with Peer(says("", 302 if "Location" in header else 200, **header)) as peer:
            source = ServerCollector(ServerSettings.model_validate({**given, "url": peer.url}), "delays")
            rows = source.collect(0.0, 0.0)
        assert (rows[0].value, rows[1].reason) == (0.0, NotEnough.ERROR)
        said = repr(rows) + caplog.text
        assert "****" in said
        assert not [secret for secret in ("the-token", "hunter22", "hunter33") if secret in said]


def test_given_headers_stand_for_our_own_whatever_their_case() -> None:
    with Peer(says("")) as peer:
        client = AuthorizedClient(Client(lambda: 0.0), RequestSettings(headers={"ACCEPT": SecretStr("x/y")}))
        with client.ask(Request(peer.url, headers={"Accept": "*/*"}), 30.0) as answer:
            assert answer.status == 200
    assert [value for name, value in peer.requests[0].headers.items() if name.lower() == "accept"] == ["x/y"]
