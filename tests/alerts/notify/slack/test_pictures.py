"""Pictures on their way into Slack: real client, strict stand-in, and a database that outlives the process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from alerts.delivery.pictures import TRIES, PictureDelivery
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.notify.slack.pictures import SlackPictures
from monitor.store.alerts.picture_deliveries import PictureDeliveries
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import World, world
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack, Message
from tests.monitor.pipeline.test_incident_pictures import column, fired, illustrate, picture_drawing


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.scopes = ["chat:write", "files:write"]
        yield fake


def options(slack: FakeSlack, timeout: float = 30.0) -> SlackOptions:
    return SlackOptions(CHANNEL, SecretStr(TOKEN), api_url=slack.api_url, timeout=timeout)


@contextmanager
def told(folder: Path, slack: FakeSlack) -> Iterator[World]:
    """An incident of drift whose message is there, and whose picture is drawn."""
    with world(folder, [rule()], Slack(options(slack)), clock=FakeClock()) as it:
        fired(it)
        illustrate(it, column())
        picture_drawing(it).run()
        it.deliver(60)
        yield it


def line(it: World, slack: FakeSlack, timeout: float = 30.0) -> PictureDelivery:
    return PictureDelivery(
        PictureDeliveries(it.engine, it.writer), SlackPictures(options(slack, timeout)), "slack", it.clock
    )


def shared(slack: FakeSlack) -> list[Message]:
    return [message for message in slack.messages if message.files]


def test_the_picture_comes_into_the_thread_once(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        assert line(it, slack).run()
        (message,), (post,) = shared(slack), slack.posts()
        assert message.thread_ts == post.ts
        assert "distance moved" in message.text
        file = slack.files.known[message.files[0]]
        assert "distance moved" in file.alt
        with Image.open(io.BytesIO(file.data or b"")) as image:
            assert image.format == "PNG"
        it.clock.forward(600)
        assert not line(it, slack).run(), "nor after a restart"
        assert len(shared(slack)) == 1


def test_nothing_is_owed_before_the_message_is_there(tmp_path: Path, slack: FakeSlack) -> None:
    with world(tmp_path, [rule()], Slack(options(slack))) as it:
        fired(it)
        illustrate(it, column())
        picture_drawing(it).run()
        assert not line(it, slack).run()
        assert slack.calls == []


def test_without_the_scope_messages_go_on_and_one_line_says_so(
    tmp_path: Path, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.scopes = ["chat:write"]
    with told(tmp_path, slack) as it:
        assert len(slack.posts()) == 1
        own = line(it, slack)
        for _ in range(5):
            assert not own.run()
            it.clock.forward(1000)
        lines = [record.message for record in caplog.records if record.name == "watchkeeper.pictures"]
        assert len(lines) == 1
        assert "files:write" in lines[0]
        slack.scopes.append("files:write")
        it.clock.forward(3600)
        assert own.run(), "it comes once the scope is there"


@pytest.mark.parametrize(
    ("fault", "method"),
    [
        *product(["500", "reset", "429"], ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]),
        ("hang", "upload"),
    ],
)
def test_a_failure_of_any_stage_is_made_good(tmp_path: Path, slack: FakeSlack, fault: str, method: str) -> None:
    with told(tmp_path, slack) as it:
        slack.fail(fault, method=method)
        assert not line(it, slack, 1.0 if fault == "hang" else 30.0).run()
        assert not line(it, slack).run(), "not at once"
        it.clock.forward(40)
        assert line(it, slack).run()
        assert len(shared(slack)) == 1


def test_a_share_whose_answer_was_lost_is_looked_for(tmp_path: Path, slack: FakeSlack) -> None:
    slack.scopes.append("channels:history")
    with told(tmp_path, slack) as it:
        it.clock.now = 1_700_000_100.0  # as the stand-in stamps its messages
        slack.fail("lost_reply", method="files.completeUploadExternal")
        assert not line(it, slack).run()
        it.clock.forward(40)
        assert line(it, slack).run()
        assert len(shared(slack)) == 1


def test_a_share_is_looked_for_again_where_looking_was_refused(tmp_path: Path, slack: FakeSlack) -> None:
    slack.scopes.append("channels:history")
    with told(tmp_path, slack) as it:
        it.clock.now = 1_700_000_100.0
        slack.fail("lost_reply", method="files.completeUploadExternal")
        slack.fail("429", method="conversations.replies")
        assert [line(it, slack).run() for _ in range(3) if it.clock.forward(60)] == [False, False, True]
        assert len(shared(slack)) == 1


def test_where_it_cant_be_looked_for_it_is_shown_twice_at_most(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        slack.fail("lost_reply", method="files.completeUploadExternal")
        assert not line(it, slack).run()
        it.clock.forward(40)
        assert line(it, slack).run()
        it.clock.forward(400)
        assert not line(it, slack).run()
        assert len(shared(slack)) == 2


def test_a_restart_goes_on_with_what_was_uploaded(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        slack.fail("500", method="files.completeUploadExternal")
        line(it, slack).run()
        it.clock.forward(40)
        assert line(it, slack).run()
        assert len(slack.files.known) == 1, "uploaded once"


def test_a_file_that_slack_lost_is_uploaded_again(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        slack.fail("500", method="files.completeUploadExternal")
        line(it, slack).run()
        next(iter(slack.files.known.values())).data = None
        for _ in range(3):
            it.clock.forward(60)
            line(it, slack).run()
        assert len(shared(slack)) == 1


def test_what_stays_broken_is_given_up_and_the_incident_goes_on(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        slack.fail("500", times=1000, method="upload")
        for _ in range(TRIES + 3):
            it.clock.forward(400)
            line(it, slack).run()
        assert slack.calls.count(("upload", "500")) == TRIES
        it.window(0.0, 3)
        it.deliver(60)
        assert "resolved" in slack.replies(slack.posts()[0].ts)[-1].text.lower()


def test_a_deleted_message_needs_no_picture(tmp_path: Path, slack: FakeSlack) -> None:
    with told(tmp_path, slack) as it:
        slack.delete(slack.posts()[0].ts)
        for _ in range(3):
            line(it, slack).run()
            it.clock.forward(400)
        assert slack.calls.count(("files.completeUploadExternal", "thread_not_found")) == 1
