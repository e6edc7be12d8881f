"""The stand-in refuses what Slack refuses; asked directly, without the SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

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
        with OPENER.open(Request(url, data, headers), timeout=5) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def _error(slack: FakeSlack, method: str, body: Any, **keys: Any) -> str:
    _, text = _ask(slack.api_url + method, body, **keys)
    return str(json.loads(text).get("error", "ok"))


def _section(text: str, **keys: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **keys}


BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "ok"}}


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
            with OPENER.open(base + "/_state", timeout=5) as reply:
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
