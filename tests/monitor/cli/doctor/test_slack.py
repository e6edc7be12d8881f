from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from monitor.cli.doctor.clock_offset import Offsets
from monitor.cli.doctor.slack import OPTIONAL, slack
from monitor.cli.doctor.slack_buttons import slack_buttons
from tests.fakes.slack import APP, APP_TOKEN, TOKEN, FakeSlack
from tests.fakes.slack import NEEDED as NEEDED_BY_METHOD
from tests.monitor.cli.doctor.conftest import Configure, only, shown


def settings(workspace: FakeSlack, more: str = "") -> str:
    return f'model: a\nslack: {{channel: "#ml-oncall", api_url: "{workspace.api_url}"{more}}}\n'


@pytest.mark.parametrize(
    ("scopes", "status", "said", "todo"),
    [
        (["chat:write", *OPTIONAL], "ok", "as watchkeeper, team fake; scopes chat:write, ", ""),
        (
            ["chat:write", "chat:write.public"],
            "missing",
            "without the optional files:write",
            "give the app files:write",
        ),
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


def test_buttons_are_heard_with_an_apps_own_token(configure: Configure, workspace: FakeSlack) -> None:
    assert shown(slack_buttons(configure(settings(workspace))))[0].startswith("missing: messages have a link")
    config = configure(settings(workspace, f", app_token: {APP_TOKEN}"))
    assert shown(slack_buttons(config)) == [
        "ok: presses are heard over Socket Mode; everybody who sees a message may act"
    ]
    assert workspace.calls == [("apps.connections.open", "ok")]
    assert workspace.socket.open(APP) == 0, "nothing is connected"
    workspace.revoked.add(APP_TOKEN)
    (found,) = slack_buttons(config)
    assert (found.status.value, "token_revoked" in found.found, APP_TOKEN in found.found) == ("problem", True, False)


def test_groups_that_may_press_have_to_be_readable(configure: Configure, workspace: FakeSlack) -> None:
    config = configure(settings(workspace, f", app_token: {APP_TOKEN}, allow: [U0BOB, S0ONCALL]"))
    first, second = slack_buttons(config)
    assert "1 user and 1 user group may act" in first.found
    assert (second.status.value, "S0ONCALL can't be read: missing_scope" in second.found) == ("problem", True)
    workspace.scopes.append("usergroups:read")
    assert len(list(slack_buttons(config))) == 1


def test_without_slack_or_with_a_webhook_there_are_no_buttons(configure: Configure) -> None:
    assert list(slack_buttons(configure("model: a\n"))) == []
    hook = configure("model: a\nslack: {webhook_url: 'https://hooks.slack.com/services/hunter2'}\n")
    assert only(slack_buttons(hook)).status.value == "off"


def test_the_app_of_the_docs_has_all_that_is_needed(
    configure: Configure, workspace: FakeSlack, offsets: Offsets
) -> None:
    text = (Path(__file__).parents[4] / "docs/receivers.md").read_text("utf-8")
    lines = text[text.index("        display_information") : text.index("   | scope |")]
    manifest = yaml.safe_load(textwrap.dedent(lines))
    assert manifest["settings"] == {"interactivity": {"is_enabled": True}, "socket_mode_enabled": True}
    workspace.scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert set(NEEDED_BY_METHOD.values()) <= {*workspace.scopes, "files:write"}
    config = configure(settings(workspace, f", app_token: {APP_TOKEN}, allow: [S0ONCALL]"))
    assert only(slack(config, offsets)).status.value == "missing", "only the optional scope"
    assert only(slack_buttons(config)).status.value == "ok"
