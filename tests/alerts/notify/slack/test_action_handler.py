"""Presses on buttons: what they do to an incident, who may, and what people read of it. Only the socket is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from alerts.incidents.actions import silencing_matchers
from alerts.incidents.incident import Notice, Why
from alerts.incidents.matcher import LENGTH
from alerts.notify.slack.action_handler import ActionHandler, ActionOptions, ActionOutcome, ActionReply
from alerts.notify.slack.buttons import Button, links, press_of, silent_until
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.notify.slack.permissions import Permissions
from monitor.store.alerts.history import history
from monitor.store.alerts.slack_actions import SlackActionStore
from tests.alerts.builders import alert, incident, rule
from tests.alerts.world import World, world
from tests.fakes.slack import APP, CHANNEL, TOKEN, FakeSlack, Message

RULES = [rule(), rule(name="severe", above=9, severity="critical", group="drift")]


class Scene:
    """A firing incident, its message in Slack, and the desk behind its buttons."""

    def __init__(self, it: World, workspace: FakeSlack, allow: tuple[str, ...] = ()) -> None:
        self.it, self.workspace = it, workspace
        store = SlackActionStore(it.engine, it.writer, iter(f"silence-{index}" for index in range(99)).__next__)
        people = Permissions(allow, SecretStr(TOKEN), it.clock.monotonic, workspace.api_url, 30.0)
        self.desk = ActionHandler(store, people.may, ActionOptions(3600.0, "Europe/Berlin", "https://watch.example"))
        it.window(3.2, 1)
        self.deliver()

    def deliver(self, passes: int = 40) -> None:
        for _ in range(passes):
            self.it.deliver()

    @property
    def message(self) -> Message:
        (post,) = self.workspace.posts()
        return post

    @property
    def shown(self) -> str:
        return str(self.message.blocks)

    @property
    def thread(self) -> list[str]:
        return [item.text for item in self.workspace.replies(self.message.ts)]

    @property
    def story(self) -> list[tuple[str, str]]:
        events = self.it.store.timeline(self.it.incident()["id"])
        return [(event["what"], event["by"]) for event in events if event["what"] != "told"]

    def press(self, button: str, user: str = "U0ANN", name: str = "ann", **forged: object) -> ActionReply:
        made = self.workspace.press(self.message.ts, button, user, name, **forged)  # type: ignore[arg-type]
        found = press_of(made.payload)
        assert found is not None
        return self.desk.take(found, APP, self.it.clock.now)


@pytest.fixture
def workspace() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def hearing(workspace: FakeSlack) -> Slack:
    slack = Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, workspace.api_url, 30.0, "https://watch.example"))
    slack.hears = lambda: True
    return slack


@pytest.fixture
def scene(workspace: FakeSlack, tmp_path: Path) -> Iterator[Scene]:
    with world(tmp_path, RULES, hearing(workspace)) as it:
        yield Scene(it, workspace)


def test_who_presses_acknowledge_is_named_in_message_thread_and_timeline(scene: Scene) -> None:
    answer = scene.press("ack")
    scene.deliver()
    assert (answer.outcome, answer.text.startswith("You are on it, until <!date^")) == (ActionOutcome.DONE, True)
    assert "*Acknowledged*\\nann (U0ANN)" in scene.shown
    assert ["ann (U0ANN) is on it" in text for text in scene.thread] == [True]
    assert scene.story == [("opened", ""), ("acknowledged", "ann (U0ANN)")]
    assert "Acknowledge'" not in scene.shown, "nobody is asked again"


def test_survives_a_double_click(scene: Scene) -> None:
    assert scene.press("ack").outcome is ActionOutcome.DONE
    assert scene.press("ack").outcome is ActionOutcome.REPEATED
    assert scene.press("silence_1h").outcome is ActionOutcome.DONE
    scene.it.clock.forward(2.0)
    assert scene.press("silence_1h").outcome is ActionOutcome.REPEATED
    scene.deliver()
    assert len(scene.it.store.list_silences(scene.it.clock.now)) == 1
    assert scene.story == [("opened", ""), ("acknowledged", "ann (U0ANN)"), ("silenced", "ann (U0ANN)")]
    assert len(scene.thread) <= 2


def test_somebody_else_may_take_it_over(scene: Scene) -> None:
    old = scene.message.blocks
    scene.press("ack")
    scene.deliver()
    scene.message.blocks = old  # as it is on the screen of who has not seen the update yet
    assert scene.press("ack", "U0BOB", "bob").outcome is ActionOutcome.DONE
    scene.deliver()
    assert "bob (U0BOB)" in scene.shown
    assert [text.split()[1] for text in scene.thread] == ["ann", "bob"]
    assert scene.story[-1] == ("acknowledged", "bob (U0BOB)")


def test_ack_then_worse_is_told_again_and_can_be_acknowledged_again(scene: Scene) -> None:
    scene.press("ack")
    scene.deliver()
    scene.it.window(20.0, 2)
    scene.deliver()
    assert "Acknowledge'" in scene.shown
    assert "*Acknowledged*" not in scene.shown
    assert [text.split()[1] for text in scene.thread] == ["ann", "Now"]
    assert scene.press("ack").outcome is ActionOutcome.DONE


def test_a_silenced_incident_says_so_once_and_is_quiet_until_its_end(scene: Scene) -> None:
    assert scene.press("silence_1h").outcome is ActionOutcome.DONE
    scene.deliver()
    assert ["has silenced this until" in text for text in scene.thread] == [True]
    assert "*Silenced*" in scene.shown
    revisions = len(scene.message.revisions)
    scene.it.window(6.0, 2)
    scene.deliver(60)
    assert len(scene.message.revisions) == revisions, "what changes meanwhile is told nobody"
    scene.it.remind(3600.0)
    scene.deliver()
    assert "*Silenced*" not in scene.shown
    assert "distance 6 &gt; 0.1" in scene.shown
    assert scene.story[-2:] == [("silenced", "ann (U0ANN)"), ("silence_ended", "ann (U0ANN)")]


def test_an_alerts_history_says_once_who_silenced_it(scene: Scene) -> None:
    scene.press("silence_1h")
    (fired,) = scene.it.store.alerts()
    events = history(scene.it.engine, fired["fingerprint"])["events"]
    silenced = [event for event in events if event["what"] == "silenced"]
    assert [(event["by"], event["text"]) for event in silenced] == [
        ("ann (U0ANN)", "pressed in Slack on delays: drift")
    ]


def test_a_longer_silence_takes_the_place_of_a_shorter_one_and_not_the_other_way(scene: Scene) -> None:
    for button, outcome in (
        ("silence_1h", ActionOutcome.DONE),
        ("silence_4h", ActionOutcome.DONE),
        ("silence_1h", ActionOutcome.REPEATED),
    ):
        assert scene.press(button).outcome is outcome
        scene.deliver()
    silenced = scene.it.incident()["silenced"]
    assert silenced["until"] - silenced["at"] == 4 * 3600.0


def test_a_silence_that_is_ended_by_hand_is_no_longer_shown(scene: Scene) -> None:
    scene.press("silence_4h")
    scene.deliver()
    scene.it.store.expire_silence("silence-0", scene.it.clock.now)
    scene.it.remind(15.0)
    scene.deliver()
    assert "*Silenced*" not in scene.shown
    assert scene.press("silence_1h").outcome is ActionOutcome.DONE, "it can be silenced anew"


def test_an_incident_that_ends_while_it_is_silenced_says_so(scene: Scene) -> None:
    scene.press("silence_4h")
    scene.deliver()
    scene.it.window(0.0, 2)
    scene.deliver()
    assert "Resolved" in scene.shown
    assert "actions" not in scene.shown, "nothing is left to press"
    assert "Resolved after" in scene.thread[-1]


def test_details_are_shown_to_who_asks_alone(scene: Scene) -> None:
    answer = scene.press("details", "U0NOBODY", "nobody")
    assert answer.outcome is ActionOutcome.SHOWN
    shown = str(answer.blocks)
    for part in ("now 3.2, at worst 3.2, limit above 0.1", "<https://watch.example|Watchkeeper>", "distance"):
        assert part in shown
    scene.deliver()
    assert (scene.thread, scene.story) == ([], [("opened", "")])


@pytest.mark.parametrize(
    "forged",
    [
        {"api_app_id": "A0OTHER"},
        {"container": {"type": "message", "message_ts": "1.2", "channel_id": "C0ONCALL"}},
        {"container": {"type": "message", "message_ts": None, "channel_id": "C0OTHER"}},
        {"actions": [{"action_id": "watchkeeper:ack", "value": "another-incident"}]},
    ],
)
def test_what_was_not_pressed_on_our_message_does_nothing(scene: Scene, forged: dict) -> None:
    if "container" in forged and forged["container"]["message_ts"] is None:
        forged["container"]["message_ts"] = scene.message.ts
    answer = scene.press("ack", **forged)
    assert (answer.outcome, "nothing was done" in answer.text) == (ActionOutcome.FOREIGN, True)
    assert scene.story == [("opened", "")]


def test_a_press_before_the_message_is_recorded_can_be_made_again(workspace: FakeSlack, tmp_path: Path) -> None:
    slack = hearing(workspace)
    with world(tmp_path, RULES, slack) as it:
        it.window(3.2, 1)
        (owed,) = it.store.owed("slack", it.clock.now, 9)
        slack.send(Notice(owed.incident, Why.FIRST), None)  # and nothing is recorded yet
        press = press_of(workspace.press(workspace.posts()[0].ts, "ack").payload)
        assert press is not None
        desk = ActionHandler(SlackActionStore(it.engine, it.writer), lambda _: True, ActionOptions())
        answer = desk.take(press, APP, it.clock.now)
        assert (answer.outcome, "Try again" in answer.text) == (ActionOutcome.UNKNOWN, True)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "view_submission"},
        {"type": "block_actions", "actions": "x"},
        {"type": "block_actions", "actions": [{"action_id": "other:ack", "value": "i"}]},
        {"type": "block_actions", "actions": [{"action_id": "watchkeeper:drop_tables", "value": "i"}]},
        {"type": "block_actions", "actions": [{"action_id": "watchkeeper:ack", "value": "i"}], "user": "ann"},
    ],
)
def test_what_is_no_press_is_none(payload: dict) -> None:
    assert press_of(payload) is None


def test_survives_a_forged_user(workspace: FakeSlack, tmp_path: Path) -> None:
    workspace.scopes.append("usergroups:read")
    with world(tmp_path, RULES, hearing(workspace)) as it:
        scene = Scene(it, workspace, ("U0BOB", "S0ONCALL"))
        assert scene.press("ack", "U0EVE", "eve").outcome is ActionOutcome.REFUSED
        assert scene.press("silence_4h", "U0EVE", "ann").outcome is ActionOutcome.REFUSED, "a name is not who it is"
        assert scene.press("details", "U0EVE", "eve").outcome is ActionOutcome.SHOWN, "who sees the message may look"
        assert scene.story == [("opened", "")]
        assert scene.press("ack", "U0ANN").outcome is ActionOutcome.DONE, "through the group"
        assert scene.press("ack", "U0BOB", "bob").outcome is ActionOutcome.DONE
        asked = [call for call in workspace.calls if call[0] == "usergroups.users.list"]
        assert len(asked) == 1, "its members are remembered for a while"
        it.clock.forward(61.0)
        workspace.groups["S0ONCALL"] = []
        assert scene.press("silence_1h", "U0ANN").outcome is ActionOutcome.REFUSED, "and not for long"


def test_who_may_is_not_guessed_when_the_group_can_not_be_read(workspace: FakeSlack, tmp_path: Path) -> None:
    with world(tmp_path, RULES, hearing(workspace)) as it:
        scene = Scene(it, workspace, ("U0BOB", "S0ONCALL"))
        assert scene.press("ack", "U0ANN").outcome is ActionOutcome.UNKNOWN
        assert scene.story == [("opened", "")]
        assert scene.press("ack", "U0BOB", "bob").outcome is ActionOutcome.DONE


def test_a_name_is_shown_as_it_is_and_calls_nobody(scene: Scene) -> None:
    scene.press("ack", "U0EVE", "<!channel> *eve*")
    scene.deliver()
    assert "<!channel>" not in scene.shown + str(scene.thread)


def test_what_is_over_can_not_be_acknowledged(scene: Scene) -> None:
    blocks = scene.message.blocks
    scene.it.window(0.0, 2)
    scene.deliver()
    scene.message.blocks = blocks
    assert [scene.press(button).outcome for button in ("ack", "silence_1h")] == [ActionOutcome.OVER] * 2


@pytest.mark.parametrize(
    ("pressed", "until"),
    [
        ("2026-11-25T10:00", "2026-11-26T09:00"),
        ("2026-11-25T23:59", "2026-11-26T09:00"),
        ("2026-11-26T03:00", "2026-11-26T09:00"),
        ("2026-11-26T05:00", "2026-11-27T09:00"),
        ("2026-10-24T22:00", "2026-10-25T09:00"),  # the night in which summer time ends
        ("2026-12-31T12:00", "2027-01-01T09:00"),
    ],
)
def test_until_tomorrow_is_nine_in_the_morning_where_the_receivers_live(pressed: str, until: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    now = datetime.fromisoformat(pressed).replace(tzinfo=zone).timestamp()
    end = silent_until(Button.TOMORROW, now, "Europe/Berlin")
    assert datetime.fromtimestamp(end, zone).strftime("%Y-%m-%dT%H:%M") == until
    assert datetime.fromtimestamp(silent_until(Button.TOMORROW, now, "UTC"), UTC).hour == 9


def test_a_silence_is_of_the_rules_and_the_model_of_the_incident() -> None:
    (one,) = silencing_matchers(incident())
    assert [str(matcher) for matcher in one] == ['model="delays"', 'rule="drift"']
    names = [f"rule-{place}." + "x" * 60 for place in range(17)]
    many = incident(*[alert(3.2, name, name=name) for name in names])
    sets = silencing_matchers(many)
    assert len(sets) > 1
    assert all(len(matcher.value) <= LENGTH for pair in sets for matcher in pair)
    for name in names:
        assert sum(all(m.matches({"model": "delays", "rule": name}) for m in pair) for pair in sets) == 1
        assert not any(all(m.matches({"model": "delays", "rule": name[:-1]}) for m in pair) for pair in sets)


def test_without_anybody_to_hear_there_is_a_link(workspace: FakeSlack, tmp_path: Path) -> None:
    slack = hearing(workspace)
    slack.hears = lambda: False
    with world(tmp_path, RULES, slack) as it:
        scene = Scene(it, workspace)
        (row,) = [block for block in scene.message.blocks if block["type"] == "actions"]
        (button,) = row["elements"]
        where = f"https://watch.example/incidents/{it.incident()['id']}"
        assert (button["url"], "value" in button) == (where, False)
        with pytest.raises(ValueError, match="no button"):
            scene.press("ack")
        slack.hears = lambda: True
        it.window(20.0, 2)
        scene.deliver()
        assert scene.press("ack").outcome is ActionOutcome.DONE
    assert links(incident(), "") is None


def test_why_silenced_is_seen_before_what_is_new() -> None:
    assert Why.SILENCED.rank > Why.NEW_ALERTS.rank > Why.WATCHER_STOPPED.rank > Why.UPDATED.rank
