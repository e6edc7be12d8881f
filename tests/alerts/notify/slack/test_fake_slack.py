"""The stand-in refuses what Slack refuses; asked directly, without the SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.process import wait_for
from tests.fakes import slack_socket
from tests.fakes.slack import APP, APP_TOKEN, CHANNEL, TOKEN, FakeSlack

OPENER = build_opener(ProxyHandler({}))
JSON = "application/json; charset=utf-8"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def _ask(url: str, body: Any, kind: str | None = JSON, token: str | None = TOKEN) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": kind or ""} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with OPENER.open(Request(url, data, headers), timeout=30) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def _error(slack: FakeSlack, method: str, body: Any, **keys: Any) -> str:
    _, text = _ask(slack.api_url + method, body, **keys)
    return str(json.loads(text).get("error", "ok"))


def _section(text: str, **keys: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **keys}


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


BUTTON = {"type": "button", "text": _plain("ok")}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([_section("x")], "ok"),
        ([_section("x" * 3000)], "ok"),
        ([_section("x" * 3001)], "invalid_blocks"),
        ([_section("")], "invalid_blocks"),
        ([{"type": "nonsense"}], "invalid_blocks"),
        ([{"type": "divider"}] * 50, "ok"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}], "ok"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 10}], "ok"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}], "invalid_blocks"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([_section("x", block_id="a"), _section("y", block_id="a")], "invalid_blocks"),
        ([{"type": "actions", "elements": [BUTTON] * 25}], "ok"),
        ([{"type": "actions", "elements": [BUTTON] * 26}], "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2000}]}], "ok"),
        ([{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2001}]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "url": "https://x.org/" + "x" * 3000}]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "action_id": "x" * 256}]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "style": "green"}]}], "invalid_blocks"),
        (
            [{"type": "actions", "elements": [{**BUTTON, "text": {"type": "plain_text", "text": "x" * 76}}]}],
            "invalid_blocks",
        ),
        ([{"type": "actions", "elements": [{**BUTTON, "text": {"type": "mrkdwn", "text": "x"}}]}], "invalid_blocks"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "invalid_blocks"),
        ([_section("x" * 2900)] * 5, "msg_blocks_too_long"),
        ("[]", "invalid_blocks_format"),
    ],
)
def test_the_limits_of_block_kit(slack: FakeSlack, blocks: Any, expected: str) -> None:
    assert _error(slack, "chat.postMessage", {"channel": CHANNEL, "text": "x", "blocks": blocks}) == expected


@pytest.mark.parametrize(
    ("method", "body", "keys", "expected"),
    [
        ("chat.postMessage", {"channel": CHANNEL}, {}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x" * 40_001}, {}, "msg_too_long"),
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, {}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#random", "text": "x"}, {}, "not_in_channel"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x", "thread_ts": "1.2"}, {}, "thread_not_found"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x", "metadata": {"a": 1}}, {}, "invalid_metadata_format"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x"}, {"token": None}, "not_authed"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x"}, {"token": "xoxb-no"}, "invalid_auth"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x"}, {"kind": "text/plain"}, "invalid_post_type"),
        ("chat.postMessage", b"{", {}, "invalid_json"),
        ("chat.postMessage", [], {}, "json_not_object"),
        ("chat.update", {"channel": "C0ONCALL", "ts": "1.2", "text": "x"}, {}, "message_not_found"),
        ("chat.update", {"channel": CHANNEL, "ts": "1.2", "text": "x"}, {}, "channel_not_found"),
        ("chat.nonsense", {}, {}, "unknown_method"),
    ],
)  # fmt: skip
def test_what_slack_refuses(slack: FakeSlack, method: str, body: Any, keys: dict, expected: str) -> None:
    assert _error(slack, method, body, **keys) == expected
    assert slack.calls[-1] == (method, expected)


def test_only_its_author_can_change_a_message(slack: FakeSlack) -> None:
    _, text = _ask(slack.api_url + "chat.postMessage", {"channel": CHANNEL, "text": "x"}, token="xoxb-other-app")
    ts = json.loads(text)["ts"]
    assert _error(slack, "chat.update", {"channel": "C0ONCALL", "ts": ts, "text": "y"}) == "cant_update_message"


def test_one_post_a_second_and_channel() -> None:
    with FakeSlack(rate_limit=True, clock=lambda: 5.0) as slack:
        body = {"channel": CHANNEL, "text": "x"}
        assert _ask(slack.api_url + "chat.postMessage", body)[0] == 200
        status, text = _ask(slack.api_url + "chat.postMessage", body)
        assert (status, json.loads(text)["error"]) == (429, "ratelimited")


def test_fifty_updates_a_minute() -> None:
    now = [0.0]
    with FakeSlack(rate_limit=True, clock=lambda: now[0]) as slack:
        _, text = _ask(slack.api_url + "chat.postMessage", {"channel": CHANNEL, "text": "x"})
        update = {"channel": "C0ONCALL", "ts": json.loads(text)["ts"], "text": "y"}
        assert {_error(slack, "chat.update", update) for _ in range(50)} == {"ok"}
        assert _error(slack, "chat.update", update) == "ratelimited"
        now[0] = 61.0
        assert _error(slack, "chat.update", update) == "ok"


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ({"text": "x"}, "", (200, "ok")),
        (b"nonsense", "", (400, "invalid_payload")),
        ({}, "", (400, "no_text")),
        ({"text": "x", "blocks": [{"type": "no"}]}, "", (400, "invalid_blocks")),
        ({"text": "x"}, "x", (404, "no_service")),
    ],
)
def test_webhooks(slack: FakeSlack, body: Any, path: str, expected: tuple[int, str]) -> None:
    assert _ask(slack.webhook_url + path, body) == expected


def test_as_a_process_with_its_state_and_faults_over_http() -> None:
    command = [sys.executable, "-m", "tests.fakes.slack", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            api = process.stdout.readline().split()[2]
            base = api.removesuffix("/api/")
            assert _ask(base + "/_faults", {"kind": "500"})[0] == 200
            assert _ask(api + "chat.postMessage", {"channel": CHANNEL, "text": "x"})[0] == 500
            assert _ask(api + "chat.postMessage", {"channel": CHANNEL, "text": "x"})[0] == 200
            with OPENER.open(base + "/_state", timeout=30) as reply:
                state = json.load(reply)
            assert [message["text"] for message in state["messages"]] == ["x"]
            assert state["calls"] == [["chat.postMessage", "500"], ["chat.postMessage", "ok"]]
        finally:
            process.terminate()


def test_it_refuses_what_the_scopes_do_not_allow(slack: FakeSlack) -> None:
    post = {"channel": "#random", "text": "x"}
    assert _error(slack, "chat.postMessage", post) == "not_in_channel"
    slack.scopes = ["chat:write", "chat:write.public"]
    assert _error(slack, "chat.postMessage", post) == "ok"
    slack.channels[1].private = True
    assert _error(slack, "chat.postMessage", post) == "channel_not_found"
    slack.scopes = ["channels:read"]
    assert _error(slack, "chat.postMessage", post) == "missing_scope"
    assert _error(slack, "auth.test", {}) == "ok"


# Socket Mode


def _opened(slack: FakeSlack, token: str = APP_TOKEN) -> dict[str, Any]:
    return dict(json.loads(_ask(slack.api_url + "apps.connections.open", {}, token=token)[1]))


def _connected(slack: FakeSlack) -> ClientConnection:
    return connect(_opened(slack)["url"], proxy=None)


def test_only_an_apps_own_token_opens_connections_and_nothing_else(slack: FakeSlack) -> None:
    assert _opened(slack)["ok"]
    assert _opened(slack, TOKEN)["error"] == "not_allowed_token_type"
    assert _opened(slack, "xapp-no")["error"] == "invalid_auth"
    assert _error(slack, "chat.postMessage", {"channel": CHANNEL, "text": "x"}, token=APP_TOKEN) == (
        "not_allowed_token_type"
    )
    slack.revoked.add(APP_TOKEN)
    assert _opened(slack)["error"] == "token_revoked"


def test_a_ticket_is_good_once_and_for_its_app(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    url = _opened(slack)["url"]
    with connect(url, proxy=None) as first:
        assert json.loads(first.recv(timeout=30))["type"] == "hello"
        for wrong in (url, _opened(slack)["url"].replace(APP, "A0OTHER"), url.partition("?")[0]):
            with pytest.raises(InvalidStatus), connect(wrong, proxy=None):
                pass
    monkeypatch.setattr(slack_socket, "TICKET_SECONDS", -1.0)
    with pytest.raises(InvalidStatus), _connected(slack):
        pass


def test_each_hello_says_how_many_are_connected_and_the_eleventh_is_sent_away(slack: FakeSlack) -> None:
    with ExitStack() as stack:
        hellos = [json.loads(stack.enter_context(_connected(slack)).recv(timeout=30)) for _ in range(10)]
        assert [hello["num_connections"] for hello in hellos] == list(range(1, 11))
        assert hellos[0]["connection_info"] == {"app_id": APP}
        eleventh = stack.enter_context(_connected(slack))
        assert json.loads(eleventh.recv(timeout=30))["reason"] == "too_many_websockets"


def test_an_envelope_goes_to_one_connection_and_is_to_be_acknowledged_in_time(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slack.socket.send(APP, {}) is None, "nobody is there"
    monkeypatch.setattr(slack_socket, "ACKNOWLEDGE_SECONDS", 0.1)
    monkeypatch.setattr(slack_socket, "LONGER_SECONDS", 0.1)
    with _connected(slack) as one, _connected(slack) as other:
        for connection in (one, other):
            connection.recv(timeout=30)
        late = slack.socket.send(APP, {"number": 1})
        assert late is not None and not late.in_time
        slack.socket.send(APP, {"number": 2})
        envelopes = [json.loads(connection.recv(timeout=30)) for connection in (one, other)]
        assert {envelope["payload"]["number"] for envelope in envelopes} == {1, 2}
        acknowledgement = {"envelope_id": envelopes[0]["envelope_id"]}
        for message in (acknowledgement, acknowledgement, {"envelope_id": "x"}, "nonsense", {"type": "ack"}):
            one.send(message if isinstance(message, str) else json.dumps(message))
        one.send(json.dumps({"envelope_id": envelopes[1]["envelope_id"], "payload": {"text": "x"}}))
        slack.socket.disconnect(APP)
        assert json.loads(one.recv(timeout=30))["reason"] == "refresh_requested"
        wait_for(lambda: len(slack.socket.faults) >= 5, "all of it is heard")
    assert [fault.partition(":")[0] for fault in slack.socket.faults] == [
        "acknowledged twice",
        "no such envelope",
        "no acknowledgement",
        "no acknowledgement",
        "an answer to an envelope that takes none",
    ]


def test_a_press_can_be_answered_five_times_within_half_an_hour() -> None:
    now = [0.0]
    with FakeSlack(clock=lambda: now[0]) as slack:
        base = slack.api_url.removesuffix("/api/")
        answer = {"text": "x", "response_type": "ephemeral", "replace_original": False}
        path = slack.answers.address("U0ANN")
        assert [_ask(base + path, answer)[0] for _ in range(6)] == [200] * 5 + [404]
        assert [given.user for given in slack.answers.given] == ["U0ANN"] * 5
        path = slack.answers.address("U0ANN")
        for wrong in ({**answer, "replace_original": True}, {"response_type": "ephemeral"}, {**answer, "blocks": "x"}):
            assert _ask(base + path, wrong)[0] == 400
        now[0] = 1801.0
        assert _ask(base + path, answer)[0] == 404
        assert _ask(base + "/actions/T000/x/y", answer)[0] == 404
