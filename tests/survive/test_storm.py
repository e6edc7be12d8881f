"""Scenario 13: ten thousand alerts at once."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.notify.slack import Slack, SlackOptions
from checks.base import Measurement, Window
from monitor.clock import SystemClock
from tests.alerts.builders import HOUR, START, FakeClock, rule
from tests.alerts.world import World, world
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

MANY = 10_000
RULES = [rule(), rule(name="busy", metric="cpu_utilization_ratio", above=0.9)]
MODELS = 5


def judged(it: World, value: float, hour: int, model: str = "delays", many: int = MANY) -> None:
    it.window({f"feature-{index}": value + index / many for index in range(many)}, hour, model)


def sampled(it: World) -> float:
    """One sample of another check; returns the seconds until it was judged."""
    clock, now = SystemClock(), it.clock.now
    began = clock.monotonic()
    row = Measurement("cpu_utilization_ratio", 0.5, Window(now, now), (("scope", "host"),))
    it.judged([row], now, model="", metrics=["cpu_utilization_ratio"])
    return clock.monotonic() - began


def bot(slack: FakeSlack) -> Slack:
    return Slack(SlackOptions(CHANNEL, SecretStr(TOKEN), None, slack.api_url, 1.0))


def test_survives_ten_thousand_alerts_at_once(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    with world(tmp_path, RULES, bot(slack), clock=clock) as it:
        for hour, value in enumerate([3.2, 4.9, 0.0], 1):
            judged(it, value - 1.0 * (value == 0.0), hour)
            for _ in range(40):
                it.deliver()
            if hour == 1:
                [post] = slack.posts()
                assert f"+{MANY - 10:,} more" in str(post.blocks)
        assert it.store.pending() == {}
        assert len(it.store.transitions(limit=3 * MANY)) == 2 * MANY, "each is in the history"
    assert slack.posts() == [post], "one message"
    assert [item.text.split()[1] for item in slack.replies(post.ts)] == ["Resolved"]
    assert {outcome for _, outcome in slack.calls} == {"ok"}


def test_survives_a_storm_over_several_models(slack: FakeSlack, clock: FakeClock, tmp_path: Path) -> None:
    with world(tmp_path, RULES, bot(slack), clock=clock) as it:
        for number in range(MODELS):
            judged(it, 3.2, 1, f"model-{number}", MANY // MODELS)
        for _ in range(MODELS + 1):
            it.deliver()
        assert it.store.pending() == {}
    assert len(slack.posts()) == MODELS, "a message a model and group"
    assert all(f"+{MANY // MODELS - 10:,} more" in str(post.blocks) for post in slack.posts())


def test_survives_a_storm_in_bounded_memory(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it:
        judged(it, 3.2, 1)
        tracemalloc.start()
        try:
            judged(it, 4.9, 2)
            first = tracemalloc.get_traced_memory()[0]
            judged(it, 5.9, 3)
            left, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        size = len(it.store.incidents()[0]["alerts"])
    assert size == 50, "an incident keeps the worst, and the number of the others"
    assert most < 150e6 and left - first < 1e6, (first, left, most)


@pytest.mark.timeout(60)
def test_survives_a_storm_with_other_checks_on_schedule(tmp_path: Path) -> None:
    with world(tmp_path, RULES) as it:
        storm = threading.Thread(target=judged, args=(it, 3.2, 1))
        storm.start()
        waits = [sampled(it)]
        while storm.is_alive():
            waits.append(sampled(it))
        storm.join()
        assert len(it.store.alerts(limit=2 * MANY)) == MANY
        assert it.store.transitions(limit=1)[0]["at"] // HOUR * HOUR == START + HOUR
    assert max(waits) < 5.0, "a third of the shortest interval between evaluations"
