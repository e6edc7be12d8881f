"""What each receiver makes of each reason, as the table in docs/receivers.md says, through stand-ins that refuse what
the real ones refuse."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.incidents.actions import acknowledge
from alerts.incidents.incident import Incident, Notice, Silencing, Why
from alerts.notify import Notifier
from alerts.notify.apprise import Apprise
from alerts.notify.console import Console
from alerts.notify.pagerduty import PagerDuty
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.notify.webhook import Webhook, WebhookSettings
from alerts.rules.rule import Severity
from monitor.clock import SystemClock
from monitor.net.transport import HttpTransport
from tests.alerts.builders import alert, incident
from tests.fakes.pagerduty import KEY, pagerduty
from tests.fakes.peer import Peer, says
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

PAGE = Path(__file__).parents[3] / "docs" / "receivers.md"
TRANSPORT = HttpTransport(SystemClock(), 30.0)
WHOM = {severity: ["U0ANN"] for severity in Severity}
Look = Callable[[], str]
"""What has come of the last notice, in the words of the table."""


def table() -> dict[tuple[str, str], str]:
    """Effects by receiver and reason."""
    lines = PAGE.read_text("utf-8").split("| reason |")[1].splitlines()
    names = [cell.strip() for cell in lines[0].strip(" |").split("|")]
    found = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        reason, *cells = [cell.strip(" `") for cell in line.strip().strip("|").split("|")]
        found |= {(name, reason): cell for name, cell in zip(names, cells, strict=True)}
    return found


def notice(why: Why) -> Notice:
    """The incident as it is when there is such a reason."""
    opened = replace(incident(alert()), version=2)
    other = alert(9.0, "temp", severity="critical")
    made: dict[Why, Callable[[], Incident]] = {
        Why.NEW_ALERTS: lambda: replace(
            opened, alerts=(*opened.alerts, alert(1.0, "temp")), firing=2, total=2, grave=1
        ),
        Why.SEVERITY_ROSE: lambda: replace(opened, alerts=(other, *opened.alerts), severity=Severity.CRITICAL),
        Why.ACKNOWLEDGED: lambda: acknowledge(opened, "ann", 1.0, 2e9),
        Why.SILENCED: lambda: replace(opened, silenced=Silencing("bob", 1.0, 2e9)),
        Why.RESOLVED: lambda: replace(opened, resolved_at=1.7e9, ended=opened.since + 60),
        Why.WATCHER_STOPPED: lambda: replace(opened, unwatched_since=1.7e9),
    }
    return Notice(made.get(why, lambda: opened)(), why)


@contextmanager
def console() -> Iterator[tuple[Notifier, Look]]:
    stream = io.StringIO()
    yield Console(stream), lambda: "a line" if stream.getvalue() else "nothing"


@contextmanager
def slack_bot() -> Iterator[tuple[Notifier, Look]]:
    with FakeSlack() as slack:

        def look() -> str:
            [post] = slack.posts()
            replies = slack.replies(post.ts)
            if not replies:
                return "changed in place" if post.revisions else called("a message", post.text)
            [said] = replies
            return called("a reply, shown in the channel" if said.broadcast else "a reply", said.text)

        yield Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, slack.api_url, 30.0, mentions=WHOM)), look


@contextmanager
def slack_hook() -> Iterator[tuple[Notifier, Look]]:
    with FakeSlack() as slack:
        hook = SecretStr(slack.webhook_url)
        yield (
            Slack(SlackOptions(webhook_url=hook, timeout=30.0, mentions=WHOM)),
            lambda: called("a post", slack.hooked[-1]["text"]) if slack.hooked else "nothing",
        )


def called(what: str, text: str) -> str:
    return f"{what} with mentions" if "<@U0ANN>" in text else what


@contextmanager
def webhook() -> Iterator[tuple[Notifier, Look]]:
    with Peer(says()) as peer:
        yield (
            Webhook("tool", WebhookSettings(url=SecretStr(peer.url)), TRANSPORT, lambda: 0.0),
            lambda: f"`why: {json.loads(peer.requests[-1].body)['why']}`" if peer.requests else "nothing",
        )


@contextmanager
def duty() -> Iterator[tuple[Notifier, Look]]:
    with pagerduty() as peer:
        yield (
            PagerDuty("duty", KEY, TRANSPORT, peer.url + "/v2/enqueue"),
            lambda: json.loads(peer.requests[-1].body)["event_action"] if peer.requests else "nothing",
        )


@contextmanager
def mail() -> Iterator[tuple[Notifier, Look]]:
    with Peer(says()) as peer:
        yield (
            Apprise("all", [f"json://127.0.0.1:{peer.port}/a"], timeout=30.0),
            lambda: "a message" if peer.requests else "nothing",
        )


RECEIVERS = {
    "console": console,
    "Slack": slack_bot,
    "Slack webhook": slack_hook,
    "webhook": webhook,
    "PagerDuty": duty,
    "apprise": mail,
}


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize("name", RECEIVERS)
def test_each_reason_has_the_effect_that_the_page_states(name: str, why: Why) -> None:
    with RECEIVERS[name]() as (receiver, look):
        address = None
        if name == "Slack" and why is not Why.FIRST:
            address = receiver.send(replace(notice(Why.UPDATED), why=Why.UPDATED), None)
        if why in receiver.wants:
            receiver.send(notice(why), address)
        assert look().strip("`") == table()[name, why.value]


def test_the_page_has_every_receiver_and_every_reason() -> None:
    assert table().keys() == {(name, why.value) for name in RECEIVERS for why in Why}
