"""Presses from the socket to the answer, with the real client and database; what goes wrong on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.notify.slack.notifier import Slack, SlackOptions
from monitor.alerting.slack_actions import SlackActions
from monitor.settings.slack import SlackSettings
from monitor.store.alerts.slack_actions import SlackActionStore
from tests.alerts.builders import rule
from tests.alerts.world import World, world
from tests.e2e.process import wait_for
from tests.fakes.slack import APP_TOKEN, CHANNEL, TOKEN, FakeSlack


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack() as slack:
        yield slack


@contextmanager
def heard(
    it: World, workspace: FakeSlack, slack_actions: list[tuple[str, str]], allow: tuple[str, ...] = ()
) -> Iterator[SlackActions]:
    token = SecretStr(TOKEN)
    settings = SlackSettings(channel=CHANNEL, token=token, api_url=workspace.api_url, timeout=30.0, allow=list(allow))
    made = SlackActions(
        settings,
        SecretStr(APP_TOKEN),
        SlackActionStore(it.engine, it.writer),
        it.clock,
        lambda *_: None,
        lambda button, outcome: slack_actions.append((button, outcome)),
        acknowledged_for=3600.0,
        page="https://watch.example",
        shared=False,
    )
    made.socket.start()
    try:
        wait_for(lambda: made.state == "connected", "a connection")
        yield made
    finally:
        made.socket.stop()


def incident(it: World, workspace: FakeSlack) -> str:
    """A told incident; the ts of its message."""
    it.window(3.2, 1)
    it.deliver()
    return workspace.posts()[0].ts


def receiver(workspace: FakeSlack) -> Slack:
    slack = Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, workspace.api_url, 30.0))
    slack.hears = lambda: True
    return slack


def test_each_press_is_answered_to_its_user_alone(workspace: FakeSlack, tmp_path: Path) -> None:
    slack_actions: list[tuple[str, str]] = []
    with world(tmp_path, [rule()], receiver(workspace)) as it, heard(it, workspace, slack_actions) as made:
        ts = incident(it, workspace)
        for button, user in (("ack", "U0ANN"), ("ack", "U0ANN"), ("details", "U0BOB")):
            assert workspace.press(ts, button, user).acknowledged
        wait_for(lambda: len(workspace.answers.given) == 3, "the answers")
        assert made.heard()
    assert slack_actions == [("ack", "done"), ("ack", "repeated"), ("details", "shown")]
    assert [(answer.user, answer.ephemeral) for answer in workspace.answers.given] == [
        ("U0ANN", True),
        ("U0ANN", True),
        ("U0BOB", True),
    ]
    assert workspace.answers.given[2].blocks


@pytest.mark.parametrize("fault", ["500", "reset", "429"])
def test_an_answer_that_does_not_arrive_costs_nothing_else(
    workspace: FakeSlack, tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack_actions: list[tuple[str, str]] = []
    with world(tmp_path, [rule()], receiver(workspace)) as it, heard(it, workspace, slack_actions):
        ts = incident(it, workspace)
        workspace.fail(fault, method="response_url")
        workspace.press(ts, "ack")
        workspace.press(ts, "details")
        wait_for(lambda: workspace.answers.given, "the second answer")
        assert it.incident()["acknowledged"]["by"] == "ann (U0ANN)", "it was done all the same"
    assert slack_actions == [("ack", "done"), ("details", "shown")]
    assert "did not reach its user" in caplog.text


def test_a_press_that_breaks_something_is_logged_and_the_next_is_taken(
    workspace: FakeSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slack_actions: list[tuple[str, str]] = []
    caplog.set_level(logging.ERROR)
    with world(tmp_path, [rule()], receiver(workspace)) as it, heard(it, workspace, slack_actions):
        ts = incident(it, workspace)
        with it.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE incidents RENAME TO elsewhere")
        assert workspace.press(ts, "ack").acknowledged
        wait_for(lambda: "a press failed" in caplog.text, "it is logged")
        with it.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO incidents")
        workspace.press(ts, "ack")
        wait_for(lambda: slack_actions == [("ack", "done")], "the next one")


def test_a_group_that_can_not_be_read_is_told_until_it_can(workspace: FakeSlack, tmp_path: Path) -> None:
    slack_actions: list[tuple[str, str]] = []
    with world(tmp_path, [rule()], receiver(workspace)) as it:
        ts = incident(it, workspace)
        with heard(it, workspace, slack_actions, ("S0ONCALL",)) as made:
            workspace.press(ts, "ack")
            wait_for(lambda: len(slack_actions) == 1, "the press")
            assert made.problem is not None
            assert "S0ONCALL can't be read (missing_scope)" in made.problem
            workspace.scopes.append("usergroups:read")
            workspace.press(ts, "ack")
            wait_for(lambda: len(slack_actions) == 2, "another")
            assert made.problem is None
    assert slack_actions == [("ack", "unknown"), ("ack", "done")]
