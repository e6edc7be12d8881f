"""Scenario 13: ten thousand alerts at once."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.notify.slack.notifier import Slack, SlackOptions
from checks.base import Measurement, Window
from monitor.clock import SystemClock
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import World, world
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

MANY = 10_000
RULES = [rule(), rule(name="busy", metric="cpu_utilization_ratio", above=0.9)]
MODELS = 5
INTERVAL = 15.0
"""Seconds between evaluations, unless configured."""
MEGABYTES = 150


def judge(it: World, value: float, hour: int, model: str = "delays", many: int = MANY) -> None:
    it.window({f"feature-{index}": value + index / many if value else 0.0 for index in range(many)}, hour, model)


def bot(slack: FakeSlack) -> Slack:
    return Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, slack.api_url, 30.0))


def sampled(it: World) -> float:
    """One sample of another check; returns the seconds until it was judged."""
    clock, now = SystemClock(), it.clock.now
    began = clock.monotonic()
    row = Measurement("cpu_utilization_ratio", 0.5, Window(now, now), (("scope", "host"),))
    it.judged([row], now, model="", metrics=["cpu_utilization_ratio"])
    return clock.monotonic() - began


@contextmanager
def another_check(it: World) -> Iterator[list[float]]:
    """Judges it again and again meanwhile; gives how long it waited each time."""
    waits: list[float] = []
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.01):
            waits.append(sampled(it))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(240)
def test_survives_ten_thousand_alerts_at_once(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with world(tmp_path, RULES, bot(slack), clock=clock) as it:
        for hour, value in enumerate([3.2, 4.9, 0.0], 1):
            with another_check(it) as waits:
                judge(it, value, hour)
            assert max(waits) < INTERVAL, "other checks keep to their schedule"
            for _ in range(40):
                it.deliver()
            assert len(slack.posts()) == 1, "one message"
            assert f"+{MANY - 10:,} more" in str(slack.posts()[0].blocks)
        assert it.store.pending() == {}
        assert len(it.store.transitions(rule="drift", limit=3 * MANY)) == 2 * MANY, "each is in the history"
        assert len(it.incident()["alerts"]) == 50, "an incident keeps the worst, and the number of the others"
    [post] = slack.posts()
    assert [item.text.split()[1] for item in slack.replies(post.ts)] == ["Resolved"]
    assert {outcome for _, outcome in slack.calls} == {"ok"}
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB"


def test_survives_a_storm_over_several_models(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    with world(tmp_path, RULES, bot(slack), clock=clock) as it:
        for number in range(MODELS):
            judge(it, 3.2, 1, f"model-{number}", MANY // MODELS)
        for _ in range(MODELS + 1):
            it.deliver()
        assert it.store.pending() == {}
    assert len(slack.posts()) == MODELS, "a message a model and group"
    assert all(f"+{MANY // MODELS - 10:,} more" in str(post.blocks) for post in slack.posts())
