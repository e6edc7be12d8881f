"""The real Socket Mode client of the SDK against the strict stand-in."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from alerts.incidents.incident import Notice, Why
from alerts.notify.slack import socket_mode
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.notify.slack.socket_mode import SocketMode, SocketOptions
from tests.alerts.builders import alert, incident
from tests.e2e.process import wait_for
from tests.fakes.slack import APP, APP_TOKEN, CHANNEL, TOKEN, FakeSlack

FIRST = Notice(incident(), Why.FIRST)


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack() as slack:
        yield slack


class Heard:
    """What the socket handed on."""

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.apps: list[str] = []
        self.states: list[str | None] = []
        self.hold: Callable[[], object] = lambda: None

    def take(self, payload: Any, app: str) -> None:
        self.apps.append(app)
        self.payloads.append(payload)
        self.hold()


@contextmanager
def connected(
    workspace: FakeSlack, heard: Heard, token: str = APP_TOKEN, shared: bool = False, timeout: float = 30.0
) -> Iterator[SocketMode]:
    options = SocketOptions(SecretStr(token), workspace.api_url, timeout, shared)
    socket = SocketMode(options, heard.take, heard.states.append, time.monotonic)
    socket.start()
    try:
        yield socket
    finally:
        socket.stop()


def message(workspace: FakeSlack, notice: Notice = FIRST) -> str:
    """An incident's message with buttons; its ts."""
    slack = Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, workspace.api_url, 30.0))
    slack.hears = lambda: True
    return slack.send(notice, None)["ts"]


def is_well(socket: SocketMode) -> Callable[[], bool]:
    return lambda: socket.problem is None


def test_a_press_is_acknowledged_in_time_and_handed_on(workspace: FakeSlack) -> None:
    heard, ts = Heard(), message(workspace)
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        press = workspace.press(ts, "ack")
        assert press.acknowledged
        wait_for(lambda: heard.payloads, "the press")
    assert heard.payloads[0]["actions"][0]["value"] == "incident-1"
    assert heard.apps == [APP]
    assert workspace.socket.faults == []
    wait_for(lambda: workspace.socket.open(APP) == 0, "the connection's end")


def test_a_slow_handler_does_not_keep_slack_waiting(workspace: FakeSlack) -> None:
    heard, ts, go = Heard(), message(workspace), threading.Event()
    heard.hold = go.wait
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        assert [workspace.press(ts, "details").acknowledged for _ in range(3)] == [True] * 3
        wait_for(lambda: heard.payloads, "the first")
        assert len(heard.payloads) == 1, "the others wait for it"
        go.set()
        wait_for(lambda: len(heard.payloads) == 3, "the others, in turn")


def test_a_press_on_the_largest_message_arrives_whole(workspace: FakeSlack) -> None:
    alerts = [alert(3.2, f"{place}" + "x" * 300, summary="é" * 3000, action="€" * 3000) for place in range(30)]
    heard, ts = Heard(), message(workspace, Notice(incident(*alerts), Why.FIRST))
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        press = workspace.press(ts, "silence_tomorrow")
        assert press.acknowledged
        assert len(json.dumps(press.payload)) > 16_000
        wait_for(lambda: heard.payloads == [press.payload], "all of it")


def test_a_connection_over_which_nothing_is_said_is_none(workspace: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "HELLO_SECONDS", 0.2)
    monkeypatch.setattr(socket_mode, "FIRST_WAIT", 0.05)
    workspace.socket.mute = True
    heard = Heard()
    with connected(workspace, heard) as socket:
        wait_for(lambda: socket.problem == "Slack's socket does not say hello", "it is not taken for one")
        monkeypatch.setattr(socket_mode, "HELLO_SECONDS", 30.0)
        workspace.socket.mute = False
        wait_for(is_well(socket), "a connection that speaks")
        wait_for(lambda: workspace.socket.open(APP) == 1, "the others are closed")


def test_other_envelopes_are_acknowledged_and_left_alone(workspace: FakeSlack) -> None:
    heard = Heard()
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        envelope = workspace.socket.send(APP, {"event": {"type": "message"}}, "events_api")
        assert envelope is not None and envelope.in_time
    assert heard.payloads == []


@pytest.mark.parametrize("how", ["drop", "close", "refresh_requested", "warning"])
def test_a_connection_that_ends_is_made_anew(workspace: FakeSlack, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "FIRST_WAIT", 0.05)
    heard, ts = Heard(), message(workspace)
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        assert workspace.socket.connected.acquire(timeout=30)
        workspace.socket.end(APP, how)
        assert workspace.socket.connected.acquire(timeout=30), "a second connection"
        wait_for(lambda: socket.problem is None and workspace.socket.open(APP) == 1, "the old one is gone")
        assert workspace.press(ts, "ack").acknowledged
    opened = [outcome for method, outcome in workspace.calls if method == "apps.connections.open"]
    assert opened == ["ok", "ok"]


@pytest.mark.parametrize(
    ("token", "code"),
    [(APP_TOKEN, "token_revoked"), ("xapp-1-nonsense", "invalid_auth"), (TOKEN, "not_allowed_token_type")],
)
def test_a_token_that_is_refused_is_not_tried_again_soon(workspace: FakeSlack, token: str, code: str) -> None:
    if code == "token_revoked":
        workspace.revoked.add(token)
    heard = Heard()
    with connected(workspace, heard, token) as socket:
        wait_for(lambda: socket.parked, "somebody is needed")
        assert socket.problem is not None
        assert code in socket.problem
        assert token not in socket.problem
    assert workspace.calls == [("apps.connections.open", code)]


def test_a_mended_token_is_found_without_a_restart(workspace: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "PARKED_WAIT", 0.05)
    workspace.revoked.add(APP_TOKEN)
    heard = Heard()
    with connected(workspace, heard) as socket:
        wait_for(lambda: socket.parked, "somebody is needed")
        workspace.revoked.clear()
        wait_for(is_well(socket), "a connection")
    assert heard.states[-1] is None


@pytest.mark.parametrize("fault", ["500", "reset", "hang", "429"])
def test_what_may_pass_is_tried_again(workspace: FakeSlack, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "FIRST_WAIT", 0.05)
    workspace.fail(fault, times=2, method="apps.connections.open", retry_after=0)
    heard = Heard()
    with connected(workspace, heard, timeout=2.0 if fault == "hang" else 30.0) as socket:
        wait_for(is_well(socket), "a connection")
        assert not socket.parked
    assert heard.states[0] is not None
    assert [outcome for _, outcome in workspace.calls] == [fault, fault, "ok"]


def test_stopping_is_bounded_while_slack_hangs(workspace: FakeSlack) -> None:
    workspace.fail("hang", times=9, method="apps.connections.open")
    options = SocketOptions(SecretStr(APP_TOKEN), workspace.api_url, 20.0)
    socket = SocketMode(options, Heard().take, lambda _: None, time.monotonic)
    socket.start()
    wait_for(lambda: workspace.calls, "it asks")
    begun = time.monotonic()
    socket.stop(0.3)
    assert time.monotonic() - begun < 15.0, "the 20 s of the request are not waited for"


def test_who_is_not_alone_as_the_app_says_so_and_has_no_buttons(
    workspace: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(socket_mode, "LOOK_SECONDS", 0.02)
    workspace.socket.elsewhere = 1
    heard = Heard()
    with connected(workspace, heard) as socket:
        wait_for(lambda: socket.parked, "somebody is needed")
        assert socket.problem is not None
        assert "another process is connected as this Slack app" in socket.problem
        wait_for(lambda: workspace.socket.open(APP) == 0, "it takes no press away from the other")
    with connected(workspace, Heard(), shared=True) as socket:
        wait_for(is_well(socket), "on a shared database that is as it should be")
        assert not socket.parked


def test_no_secret_in_errors_or_logs(workspace: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    heard = Heard()
    with connected(workspace, heard) as socket:
        wait_for(is_well(socket), "a connection")
        workspace.press(message(workspace), "ack")
        workspace.revoked.add(APP_TOKEN)
        workspace.socket.drop(APP)
        wait_for(lambda: socket.parked, "somebody is needed")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets")]
    everything = "\n".join([*ours, *map(str, heard.states)])
    for secret in (APP_TOKEN, TOKEN, "ticket="):
        assert secret not in everything
