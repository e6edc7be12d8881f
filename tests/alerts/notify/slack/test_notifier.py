"""The real slack_sdk client against the strict stand-in."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.delivery.outbox import DeliveryOutcome
from alerts.incidents.incident import Notice, Why
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.rules.rule import Severity
from tests.alerts.builders import rule
from tests.alerts.notify.slack.clients import FIRST, OVER, WORSE, bot, hook, patience, refused
from tests.alerts.world import World, world
from tests.fakes.slack import CHANNEL, HOOK, TOKEN, FakeSlack


def test_one_message_updated_in_place_with_the_resolution_in_its_thread(workspace: FakeSlack) -> None:
    slack = bot(workspace)
    address = slack.send(FIRST, None)
    assert slack.send(Notice(replace(FIRST.incident, version=2), Why.UPDATED), address) == address
    assert slack.send(OVER, address) == address
    [post] = workspace.posts()
    assert (post.ts, len(post.revisions)) == (address["ts"], 2)
    assert "RESOLVED" in post.text
    assert post.metadata is not None
    assert post.metadata["event_payload"]["version"] == 3
    assert [item.text.partition(":")[0] for item in workspace.replies(post.ts)] == [
        "\N{LARGE GREEN CIRCLE} Resolved after 1m"
    ]


def test_a_risen_severity_is_said_in_the_thread(workspace: FakeSlack) -> None:
    slack = bot(workspace)
    address = slack.send(FIRST, None)
    slack.send(WORSE, address)
    [said] = workspace.replies(address["ts"])
    assert "Now *critical*" in said.text


def calling(workspace: FakeSlack, hooked: bool = False) -> Slack:
    """With people to call."""
    whom = {Severity.WARNING: ["U0ANN"], Severity.CRITICAL: ["S0ONCALL", "here"]}
    if hooked:
        return Slack(SlackOptions(webhook_url=SecretStr(workspace.webhook_url), timeout=30.0, mentions=whom))
    return Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, workspace.api_url, 30.0, mentions=whom))


def test_people_are_called_by_severity_where_somebody_is_to_come(workspace: FakeSlack) -> None:
    slack = calling(workspace)
    address = slack.send(FIRST, None)
    [post] = workspace.posts()
    assert post.text.startswith("<@U0ANN> ")
    assert "<@U0ANN> " in str(post.blocks)
    slack.send(Notice(replace(FIRST.incident, version=2), Why.UPDATED), address)
    assert "<@U0ANN>" not in post.text + str(post.blocks), "a change calls nobody"
    slack.send(replace(WORSE, incident=replace(WORSE.incident, version=3)), address)
    slack.send(Notice(replace(WORSE.incident, version=4), Why.REPEATED), address)
    slack.send(OVER, address)
    said = [item.text for item in workspace.replies(address["ts"])]
    calls = ["<!subteam^S0ONCALL> <!here> " in text for text in said]
    assert (calls, "<@U0ANN>" in said[-1]) == ([True, True, False], False)


def test_a_webhook_calls_people_too(workspace: FakeSlack) -> None:
    slack = calling(workspace, hooked=True)
    slack.send(FIRST, None)
    slack.send(OVER, {})
    assert ["<@U0ANN>" in str(item) for item in workspace.hooked] == [True, False]


def test_a_webhooks_message_has_a_link_and_no_buttons(workspace: FakeSlack) -> None:
    slack = Slack(SlackOptions(webhook_url=SecretStr(workspace.webhook_url), timeout=30.0, page="https://w.example"))
    slack.hears = lambda: True
    slack.send(FIRST, None)
    (row,) = [block for block in workspace.hooked[0]["blocks"] if block["type"] == "actions"]
    assert [element.get("url") for element in row["elements"]] == ["https://w.example/incidents/incident-1"]


def test_a_message_links_grafana_with_the_time_so_far_and_then_with_the_whole(workspace: FakeSlack) -> None:
    where = SlackOptions(CHANNEL, SecretStr(TOKEN), None, workspace.api_url, 30.0, grafana="https://g.example/a")
    slack = Slack(where)
    address = slack.send(FIRST, None)
    [post] = workspace.posts()
    link = "<https://g.example/a/d/watchkeeper-model?var-model=delays&amp;from="
    assert link in str(post.blocks) and "&amp;to=now|Grafana>" in str(post.blocks)
    slack.send(OVER, address)
    assert "&amp;to=1700021600000|Grafana>" in str(post.blocks)
    bot(workspace).send(OVER, address)
    assert "Grafana" not in str(post.blocks), "without an address there is no link"


def seeing(workspace: FakeSlack) -> Slack:
    workspace.scopes = ["chat:write", "channels:history", "channels:read"]
    return bot(workspace)


def test_a_post_whose_answer_was_lost_is_found_by_its_metadata(workspace: FakeSlack) -> None:
    slack = seeing(workspace)
    workspace.fail("lost_reply", method="chat.postMessage")
    assert refused(slack).unsure
    found = slack.find(FIRST, None, 1.7e9)
    [post] = workspace.posts()
    assert found is not None and found.done
    assert found.address["ts"] == post.ts
    newer = slack.find(Notice(replace(FIRST.incident, version=2), Why.UPDATED), None, 1.7e9)
    assert newer is not None and not newer.done


def test_a_reply_whose_answer_was_lost_is_not_said_twice(workspace: FakeSlack) -> None:
    slack = seeing(workspace)
    address = slack.send(FIRST, None)
    workspace.fail("lost_reply", method="chat.postMessage")
    assert refused(slack, OVER, address).unsure
    found = slack.find(OVER, address, 1.7e9)
    assert found is not None and not found.done
    slack.send(OVER, found.address)
    assert len(workspace.replies(address["ts"])) == 1
    slack.send(Notice(replace(OVER.incident, version=4), Why.RESOLVED), address)
    assert len(workspace.replies(address["ts"])) == 2


def test_where_the_history_can_not_be_read_nothing_is_found(workspace: FakeSlack) -> None:
    slack = bot(workspace)
    slack.send(FIRST, None)
    assert slack.find(FIRST, None, 1.7e9) is None
    asked = len(workspace.calls)
    assert slack.find(FIRST, None, 1.7e9) is None
    assert len(workspace.calls) == asked, "it is not asked again"


def test_another_incidents_message_is_not_taken_for_ours(workspace: FakeSlack) -> None:
    slack = seeing(workspace)
    slack.send(Notice(replace(FIRST.incident, id="another"), Why.FIRST), None)
    assert slack.find(FIRST, None, 1.7e9) is None


def test_a_deleted_message_is_posted_anew(workspace: FakeSlack) -> None:
    slack = bot(workspace)
    address = slack.send(FIRST, None)
    workspace.delete(address["ts"])
    again = slack.send(WORSE, address)
    assert again["ts"] != address["ts"]
    assert [item.ts for item in workspace.posts()] == [again["ts"]]


def test_a_message_of_another_app_is_left_alone_and_posted_anew(workspace: FakeSlack) -> None:
    address = bot(workspace, token="xoxb-other-app").send(FIRST, None)
    again = bot(workspace).send(WORSE, address)
    assert again["ts"] != address["ts"]
    assert workspace.posts()[0].revisions == []


def test_another_channel_in_the_config_gets_its_own_message(workspace: FakeSlack) -> None:
    workspace.channels[1].member = True
    address = bot(workspace).send(FIRST, None)
    moved = bot(workspace, "#random").send(WORSE, address)
    assert [item.channel for item in workspace.posts()] == [address["channel"], moved["channel"]]


def test_blocks_that_slack_refuses_become_text(workspace: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(notice_incident: object, why: Why, page: str, **_: object) -> dict[str, object]:
        return {"text": "x", "blocks": [{"type": "nonsense"}]}

    slack = bot(workspace)
    monkeypatch.setattr("alerts.notify.slack.notifier.payload", refuses)
    address = slack.send(FIRST, None)
    slack.send(WORSE, address)
    [post] = workspace.posts()
    assert post.blocks == []
    assert "delays: feature-drift" in post.text
    assert [call for call in workspace.calls if call[1] == "invalid_blocks"] == [
        ("chat.postMessage", "invalid_blocks"),
        ("chat.update", "invalid_blocks"),
    ]
    hook(workspace).send(FIRST, None)
    assert "delays: feature-drift" in workspace.hooked[0]["text"]


@pytest.mark.parametrize("fault", ["500", "reset", "lost_reply", "hang"])
def test_what_may_pass_is_to_be_retried_and_the_sdk_itself_does_not(workspace: FakeSlack, fault: str) -> None:
    workspace.fail(fault)
    error = refused(bot(workspace, timeout=patience(fault)))
    assert (error.retry, error.after, error.of_message) == (True, None, False)
    assert len(workspace.calls) == 1


def test_a_rate_limit_says_how_long(workspace: FakeSlack) -> None:
    workspace.fail("429", retry_after=30)
    error = refused(bot(workspace))
    assert (error.retry, error.after) == (True, 30.0)


def test_nobody_listens() -> None:
    with FakeSlack() as gone:
        slack = bot(gone)
    assert refused(slack).retry


@pytest.mark.parametrize(
    ("channel", "token", "code"),
    [
        (CHANNEL, "xoxb-nonsense", "invalid_auth"),
        ("#nowhere", TOKEN, "channel_not_found"),
        ("#random", TOKEN, "not_in_channel"),
    ],
)
def test_what_someone_has_to_mend_is_not_retried_soon(
    workspace: FakeSlack, channel: str, token: str, code: str
) -> None:
    error = refused(bot(workspace, channel, token))
    assert (error.retry, error.of_message) == (False, False)
    assert code in str(error)
    assert token not in str(error)


def test_a_revoked_token_and_an_archived_channel(workspace: FakeSlack) -> None:
    workspace.revoked.add(TOKEN)
    assert "token_revoked" in str(refused(bot(workspace)))
    workspace.revoked.clear()
    workspace.channels[0].archived = True
    assert "is_archived" in str(refused(bot(workspace)))
    assert not refused(bot(workspace)).retry


# Incoming webhooks


def test_a_webhook_posts_beginnings_ends_and_what_got_worse(workspace: FakeSlack) -> None:
    slack = hook(workspace)
    for notice in (FIRST, WORSE, OVER):
        assert notice.why in slack.wants
        slack.send(notice, {})
    states = [item["text"].split()[1:3] for item in workspace.hooked]
    assert states == [["FIRING", "warning"], ["FIRING", "critical"], ["RESOLVED", "warning"]]


@pytest.mark.parametrize(
    ("status", "text", "retry"),
    [
        (404, "no_service", False),
        (410, "channel_is_archived", False),
        (403, "action_prohibited", False),
        (500, "rollup_error", True),
    ],
)
def test_a_webhook_that_is_gone(workspace: FakeSlack, status: int, text: str, retry: bool) -> None:
    workspace.hook_error = (status, text)
    error = refused(hook(workspace))
    assert (error.retry, text in str(error)) == (retry, True)


@pytest.mark.parametrize("fault", ["500", "reset", "hang", "429"])
def test_a_webhooks_faults_are_to_be_retried(workspace: FakeSlack, fault: str) -> None:
    workspace.fail(fault, retry_after=7)
    error = refused(hook(workspace, timeout=patience(fault)))
    assert (error.retry, error.after) == (True, 7.0 if fault == "429" else None)


def test_no_secret_in_errors_or_logs(workspace: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bad = workspace.webhook_url.replace(HOOK, "/services/T000/B000/other-secret")
    texts = [str(refused(hook(workspace, bad)))]
    texts.append(str(refused(hook(workspace, "http://127.0.0.1:1/services/T/B/se cret"))))
    texts.append(str(refused(hook(workspace, "nonsense://hooks/services/T/B/secret"))))
    for fault in ("500", "reset", "revoked", "hang"):
        workspace.fail(fault)
        texts.append(str(refused(bot(workspace, timeout=patience(fault)))))
    everything = "\n".join([*texts, caplog.text])
    for secret in (TOKEN, "secret", "se cret"):
        assert secret not in everything


def test_without_token_or_webhook_there_is_no_receiver() -> None:
    with pytest.raises(ValueError, match="bot token"):
        Slack(SlackOptions(channel=CHANNEL))


# Through the outbox


def _deliver(it: World, passes: int, seconds: float = 1.0) -> None:
    for _ in range(passes):
        it.deliver(seconds)


def test_an_incident_from_measurement_to_thread(workspace: FakeSlack, tmp_path: Path) -> None:
    rules = [
        rule(summary="{{ labels.feature }} is {{ value }}"),
        rule(name="severe", above=9, severity="critical", group="drift"),
    ]
    with world(tmp_path, rules, bot(workspace)) as it:
        for hour, value in enumerate([3.2, 4.9, 20.0, 20.0, 0.0], 1):
            it.window(value, hour)
            _deliver(it, 32)
        assert it.store.pending() == {}
    [post] = workspace.posts()
    assert len(post.revisions) == 3
    assert [text.partition("*")[0].split()[1] for text in (item.text for item in workspace.replies(post.ts))] == [
        "Now",
        "Resolved",
    ]


def test_slack_down_then_back_one_message_and_in_order(workspace: FakeSlack, tmp_path: Path) -> None:
    with world(tmp_path, [rule()], bot(workspace)) as it:
        workspace.fail("500", times=4)
        it.window(3.2, 1)
        _deliver(it, 4, 0.1)
        it.window(9.0, 2)
        _deliver(it, 60)
        it.window(0.0, 3)
        _deliver(it, 2)
    [post] = workspace.posts()
    assert [revision["text"].split()[1] for revision in post.revisions] == ["FIRING"]
    assert "RESOLVED" in post.text


def test_a_revoked_token_degrades_and_resumes_without_a_restart(workspace: FakeSlack, tmp_path: Path) -> None:
    with world(tmp_path, [rule()], bot(workspace)) as it:
        workspace.revoked.add(TOKEN)
        it.window(3.2, 1)
        _deliver(it, 280)
        assert workspace.calls == [("chat.postMessage", "token_revoked")]
        receiver, outcome, problem = it.outcomes[-1]
        assert (receiver, outcome) == ("slack", DeliveryOutcome.PARKED)
        assert problem is not None
        assert "token_revoked" in problem
        workspace.revoked.clear()
        _deliver(it, 30)
        assert it.outcomes[-1] == ("slack", DeliveryOutcome.SENT, None)
    assert len(workspace.posts()) == 1


def test_a_lost_reply_is_the_one_way_to_a_second_post_and_it_carries_the_same_key(
    workspace: FakeSlack, tmp_path: Path
) -> None:
    with world(tmp_path, [rule()], bot(workspace)) as it:
        workspace.fail("lost_reply")
        it.window(3.2, 1)
        _deliver(it, 5)
    posts = workspace.posts()
    assert len(posts) == 2
    assert len({(post.metadata or {})["event_payload"]["incident"] for post in posts}) == 1


def test_many_incidents_keep_to_one_post_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.alerts.builders import FakeClock

    clock = FakeClock()
    with FakeSlack(rate_limit=True, clock=clock.monotonic) as slack:
        rules = [rule(name=f"r{index}") for index in range(8)]
        with world(tmp_path, rules, bot(slack), clock=clock) as it:
            it.window(3.2, 1)
            _deliver(it, 8)
            it.window(0.0, 2)
            _deliver(it, 8)
        assert {outcome for _, outcome in slack.calls} == {"ok"}
        assert len(slack.posts()) == 8
        assert all(len(slack.replies(post.ts)) == 1 for post in slack.posts())
