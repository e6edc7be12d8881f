from __future__ import annotations

import pytest

from monitor.doctor.offset import Offsets
from monitor.doctor.slack import slack
from tests.fakes.slack import TOKEN, FakeSlack

from .conftest import Configure, only, shown


def settings(workspace: FakeSlack, more: str = "") -> str:
    return f'model: a\nslack: {{channel: "#ml-oncall", api_url: "{workspace.api_url}"{more}}}\n'


@pytest.mark.parametrize(
    ("scopes", "status", "said", "todo"),
    [
        (["chat:write", "chat:write.public"], "ok", "as watchkeeper, team fake; scopes chat:write, ", ""),
        (["chat:write"], "missing", "without the optional chat:write.public", "invite the app to #ml-oncall"),
        (["channels:read"], "problem", "the scope chat:write is missing", "install it again"),
        ([], "ok", "its scopes are not told", "alerts test"),
    ],
)
def test_scopes_are_held_against_those_needed(
    configure: Configure, workspace: FakeSlack, offsets: Offsets, scopes: list[str], status: str, said: str, todo: str
) -> None:
    workspace.scopes = scopes
    found = only(slack(configure(settings(workspace)), offsets))
    assert found.status.value == status
    assert said in found.found and todo in found.todo, found
    assert workspace.calls == [("auth.test", "ok")], "nobody is told"
    assert list(offsets.all().values()) == [0.0], "and its clock is held against ours"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("revoked", "refuses the token: token_revoked"),
        ("429", "answers ratelimited"),
        ("500", "answers status 500"),
        ("reset", "can't be reached"),
    ],
)
def test_what_it_answers_else(
    configure: Configure, workspace: FakeSlack, offsets: Offsets, fault: str, said: str
) -> None:
    workspace.fail(fault)
    found = only(slack(configure(settings(workspace)), offsets))
    assert (found.status.value, said in found.found) == ("problem", True), found
    assert TOKEN not in found.found + found.todo


def test_one_that_is_not_there(configure: Configure, offsets: Offsets) -> None:
    config = configure('model: a\nslack: {channel: "#c", api_url: "http://127.0.0.1:9/api/"}\n')
    found = only(slack(config, offsets))
    assert (found.status.value, found.found) == ("problem", "127.0.0.1:9 can't be reached: connection refused")


def test_what_needs_no_question(configure: Configure, workspace: FakeSlack, offsets: Offsets) -> None:
    told = "alertmanager: {members: ['http://am:9093']}\n"
    assert only(slack(configure("model: a\n"), offsets)).status.value == "off"
    assert only(slack(configure(settings(workspace) + told), offsets)).status.value == "off"
    hook = configure("model: a\nslack: {webhook_url: 'https://hooks.slack.com/services/hunter2'}\n")
    assert shown(slack(hook, offsets))[0].startswith("ok: an incoming webhook")
    nameless = configure("model: a\nslack: {token: xoxb-a}\n")
    assert shown(slack(nameless, offsets))[0].startswith("problem: name the channel")
    assert workspace.calls == []
