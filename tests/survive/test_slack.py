"""Scenarios 2 to 8: Slack limits, fails, hangs, is away, revokes, refuses or forgets. The real slack_sdk client and
outbox, the strict stand-in, injected time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from alerts.delivery.outbox import FIRST_WAIT, LONGEST_WAIT, PARKED_WAIT, DeliveryOutcome
from alerts.delivery.routing import Route
from alerts.notify.slack.notifier import Slack, SlackOptions
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import Receiver, World, world
from tests.e2e.process import free_port
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack
from tests.survive.conftest import SEES

DRIFT = rule()
SEVERE = rule(name="severe", above=9.0, severity="critical", group="drift")


def bot(url: str, timeout: float = 30.0) -> Slack:
    return Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, url, timeout))


def tries(it: World, slack: FakeSlack, seconds: int, every: float = 0.25) -> list[float]:
    """Delivers for so long; returns when (monotonic) Slack was asked anything."""
    asked = []
    for _ in range(int(seconds / every)):
        before = len(slack.calls)
        it.deliver(every)
        asked += [it.clock.monotonic()] * (len(slack.calls) > before)
    return asked


def states(slack: FakeSlack) -> list[list[str]]:
    """What each message said, one after the other: FIRING, RESOLVED."""
    return [
        [text.split()[1] for text in (*(item["text"] for item in post.revisions), post.text)] for post in slack.posts()
    ]


def test_survives_a_rate_limit(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    other = Receiver("other")
    with world(tmp_path, [DRIFT], bot(slack.api_url), other, clock=clock) as it:
        slack.fail("429", retry_after=30)
        it.window(3.2, 1)
        assert tries(it, slack, 29) == [0.25], "Slack said to wait for 30 s"
        assert other.told == ["first"], "others flow"
        tries(it, slack, 3)
        # The message is changed, its reply is limited.
        slack.fail("429", method="chat.postMessage", retry_after=30)
        it.window(0.0, 2)
        tries(it, slack, 40)
        assert it.store.pending() == {}
    assert states(slack) == [["FIRING", "RESOLVED", "RESOLVED"]], "changed once more on the way to its reply"
    assert len(slack.replies(slack.posts()[0].ts)) == 1
    assert [outcome for method, outcome in slack.calls if outcome != "ok"] == ["429", "429"]
    assert other.told == ["first", "resolved"]


@pytest.mark.parametrize(
    ("kind", "times"), [("500", 7), ("reset", 7), ("hang", 1), ("lost_reply", 1)], ids=lambda given: str(given)
)
def test_survives_errors_time_outs_and_resets(
    slack: FakeSlack, clock: FakeClock, tmp_path: Path, kind: str, times: int
) -> None:
    patience = 2.0 if kind == "hang" else 30.0
    with world(tmp_path, [DRIFT, SEVERE], bot(slack.api_url, patience), clock=clock) as it:
        for hour, value in enumerate([3.2, 20.0, 0.0], 1):
            slack.fail(kind, times)
            it.window(value, hour)
            asked = tries(it, slack, 150)
            waits = [later - earlier for earlier, later in pairwise(asked)][: times - 1]
            # With the injected 0.5 each wait is three quarters of the full one; looked at four times a second.
            full = [min(LONGEST_WAIT, FIRST_WAIT * 2**index) * 0.75 for index in range(times - 1)]
            assert waits == pytest.approx(full, abs=0.26)
            assert it.store.pending() == {}
    assert len(slack.posts()) == 1, "what may have arrived was looked for"
    [post] = slack.posts()
    assert [item.text.split()[1] for item in slack.replies(post.ts)] == ["Now", "Resolved"]


def test_survives_slack_being_down_for_five_minutes(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    port = free_port()
    rules = [rule(name=f"r{index}") for index in range(20)]
    with world(tmp_path, rules, bot(f"http://127.0.0.1:{port}/api/"), clock=clock) as it:
        it.window(3.2, 1)
        for _ in range(300):
            it.deliver()
        assert it.store.pending() == {"slack": 20}
        refused = [outcome for _, outcome, _ in it.outcomes]
        assert set(refused) == {DeliveryOutcome.RETRIED} and len(refused) < 25
        with FakeSlack(port, rate_limit=True, clock=clock.monotonic, wall=clock.time) as back:
            back.scopes = SEES
            for _ in range(120):
                it.deliver(0.5)
            assert it.store.pending() == {}, "within a minute"
            assert states(back) == [["FIRING"]] * 20
            # The stand-in refuses a second message within the second.
            assert {outcome for _, outcome in back.calls} == {"ok"}


def test_survives_firing_and_resolving_meanwhile(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], bot(slack.api_url), clock=clock) as it:
        slack.fail("500", times=1000)
        it.window(3.2, 1)
        tries(it, slack, 60)
        it.window(0.0, 2)
        tries(it, slack, 60)
        slack.faults.clear()
        tries(it, slack, 60)
        assert it.store.pending() == {}
    assert states(slack) == [["RESOLVED"]], "one summary, not nothing, and no alarm about what is over"


def test_survives_a_revoked_token(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    other = Receiver("other")
    keys: dict[str, Any] = {"clock": clock, "fallbacks": {"slack": "other"}}
    keys["routes"] = [Route(receivers=["slack"])]
    with world(tmp_path, [DRIFT], bot(slack.api_url), other, **keys) as it:
        slack.revoked.add(TOKEN)
        it.window(3.2, 1)
        asked = tries(it, slack, 620, 1.0)
        assert len(asked) == 3 and asked[1] - asked[0] >= PARKED_WAIT, "no hot loop"
        assert other.told == ["first"], "who stands in is told, once"
        told = [outcome for outcome in it.outcomes if outcome[0] == "slack"]
        assert {outcome for _, outcome, _ in told} == {DeliveryOutcome.PARKED}
        assert "token_revoked" in str(told[-1][2]) and TOKEN not in str(told)
    # Back after a restart or without one.
    slack.revoked.clear()
    with world(tmp_path, [DRIFT], bot(slack.api_url), other, **keys) as it:
        tries(it, slack, 310, 1.0)
        assert it.outcomes[-1] == ("slack", DeliveryOutcome.SENT, None)
        assert it.store.pending() == {}
    assert states(slack) == [["FIRING"]]


@pytest.mark.parametrize("code", ["update_failed", "fatal_error"])
def test_survives_a_message_that_slack_always_refuses(
    slack: FakeSlack, clock: FakeClock, tmp_path: Path, code: str
) -> None:
    """Whatever the reason: it never stands before others, and is given up only where it is the message's own."""
    with world(tmp_path, [DRIFT], bot(slack.api_url), clock=clock) as it:
        it.window(3.2, 1)
        tries(it, slack, 3)
        slack.poison = (slack.posts()[0].ts, code)
        it.window(0.0, 2)
        tries(it, slack, 3)
        it.window(3.2, 2, model="fares")
        tries(it, slack, 20)
        assert states(slack) == [["FIRING"], ["FIRING"]]
        tries(it, slack, 120, 1.0)
        given_up = ("slack", DeliveryOutcome.FAILED) in [outcome[:2] for outcome in it.outcomes]
        assert given_up is (code == "update_failed")
        assert it.store.pending() == ({} if given_up else {"slack": 1})


HUGE = "long <!channel> & " * 6000
"""More than 100 KB."""


@pytest.mark.parametrize("part", ["summary", "action", "runbook", "annotations"])
def test_survives_a_hundred_kilobytes_of_annotation(
    slack: FakeSlack, clock: FakeClock, tmp_path: Path, part: str
) -> None:
    given: Any = {"description": HUGE} if part == "annotations" else HUGE
    with world(tmp_path, [rule(**{part: given})], bot(slack.api_url), clock=clock) as it:
        for hour, value in enumerate([3.2, 0.0], 1):
            it.window(value, hour)
            tries(it, slack, 5, 1.0)
        assert it.store.pending() == {}
    assert states(slack) == [["FIRING", "RESOLVED"]]
    assert {outcome for _, outcome in slack.calls} == {"ok"}, "cut here, not refused there"
    assert "<!channel>" not in str(slack.posts())


def test_survives_a_deleted_message(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT, SEVERE], bot(slack.api_url), clock=clock) as it:
        it.window(3.2, 1)
        tries(it, slack, 3)
        slack.delete(slack.posts()[0].ts)
        it.window(20.0, 2)
        tries(it, slack, 5)
        [post] = slack.posts()
        it.window(0.0, 3)
        tries(it, slack, 5)
        assert it.store.pending() == {}
    assert slack.posts() == [post], "the new message's place is remembered"
    assert states(slack) == [["FIRING", "RESOLVED"]]
    assert len(slack.replies(post.ts)) == 1
