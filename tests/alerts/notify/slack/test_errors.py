"""What each of Slack's answers means, by the real client against the strict stand-in."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from alerts.notify.slack.notifier import Slack, SlackOptions
from tests.alerts.notify.slack.clients import FIRST, bot, hook, refused
from tests.fakes.peer import Peer, says
from tests.fakes.slack import CHANNEL, HOOK, TOKEN, FakeSlack


@pytest.mark.parametrize("code", ["update_failed", "is_inactive", "invalid_blocks", "a_code_of_tomorrow"])
def test_a_code_that_is_about_nothing_else_is_about_the_message(workspace: FakeSlack, code: str) -> None:
    workspace.refuses = code
    error = refused(bot(workspace))
    assert (error.retry, error.of_message) == (False, True) and code in str(error)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
def test_a_code_of_the_way_there_gives_no_message_up(workspace: FakeSlack, code: str) -> None:
    workspace.refuses = code
    error = refused(bot(workspace))
    assert (error.retry, error.of_message) == (True, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_no_redirect_is_followed_and_no_token_goes_along(workspace: FakeSlack, status: int) -> None:
    with Peer(says("<html>sign in</html>")) as login, Peer(says("", status, Location=login.url)) as proxy:
        for slack in (
            Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, proxy.url + "/api/")),
            Slack(SlackOptions(webhook_url=SecretStr(proxy.url + HOOK))),
        ):
            error = refused(slack)
            assert (error.retry, error.of_message) == (False, False) and "leads elsewhere" in str(error)
    assert login.requests == []
    assert len(proxy.requests) == 2


@pytest.mark.parametrize(
    ("text", "retry", "of_message"),
    [
        ('{"ok":false,"error":"channel_not_found"}', False, False),
        ("no_service", False, False),
        ('{"ok":false}', True, False),
        ('{"ok":false,"error":"internal_error"}', True, False),
        ("<html>sign in</html>", True, False),
    ],
)
def test_a_webhook_takes_a_message_by_what_it_says(
    workspace: FakeSlack, text: str, retry: bool, of_message: bool
) -> None:
    workspace.hook_error = (200, text)
    error = refused(hook(workspace))
    assert (error.retry, error.of_message) == (retry, of_message)


@pytest.mark.parametrize("text", ["ok", "", '{"ok":true}', '{"success":true}'])
def test_a_workflow_answers_with_nothing_or_with_json(workspace: FakeSlack, text: str) -> None:
    workspace.hook_error = (200, text)
    assert hook(workspace).send(FIRST, None) == {}
