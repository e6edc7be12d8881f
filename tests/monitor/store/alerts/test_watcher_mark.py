"""Incidents that nobody watches: the mark of a stopped daemon, and that it never stands where somebody does."""

from __future__ import annotations

from pathlib import Path

from alerts.delivery.mute_times import MuteTime
from alerts.delivery.routing import Route
from alerts.incidents.incident import Why
from alerts.incidents.matcher import Matcher
from monitor.store.alerts import watcher_mark
from monitor.store.alerts.outbox import NEWS_SECONDS
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, World, world


def stop(it: World) -> int:
    return it.writer.call(lambda connection: watcher_mark.stop(connection, it.clock.now, it.incidents.notified))


def start(it: World) -> int:
    return it.writer.call(lambda connection: watcher_mark.start(connection, it.clock.now, it.incidents.notified))


def test_a_stopped_watcher_is_told_at_once_and_taken_back_by_the_next_start(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        assert stop(it) == 1
        it.deliver(0.1)
        assert stop(it) == 0, "once is enough"
    with world(tmp_path, [rule()], pager) as it:
        assert start(it) == 1
        it.deliver(0.1)
        assert start(it) == 0
        it.deliver(60.0)
        story = [event["what"] for event in it.store.timeline(it.incident()["id"])]
    assert pager.told == ["first", "watcher_stopped", "watched_again"]
    assert [notice.incident.unwatched_since is None for notice, _ in pager.sent] == [True, False, True]
    assert [what for what in story if what != "told"] == ["opened", "watcher_stopped", "watched_again"]


def test_what_could_not_be_told_before_the_end_is_not_told_after_the_start(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        stop(it)
    with world(tmp_path, [rule()], pager) as it:
        start(it)
        it.deliver(60.0)
        assert it.store.pending() == {}
    assert all(notice.incident.unwatched_since is None for notice, _ in pager.sent)
    assert "watcher_stopped" not in pager.told


def test_a_process_that_dies_leaves_no_mark(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
    with world(tmp_path, [rule()], pager) as it:
        assert start(it) == 0
        it.deliver(60.0)
    assert pager.told == ["first"]


def test_the_mark_waits_for_no_silence_and_no_mute_time(tmp_path: Path) -> None:
    night = MuteTime(name="nights")  # every day, all day
    routes = [Route(receivers=["pager"], mute_times=["nights"])]
    pager = Receiver()
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        matchers = [Matcher.parse("rule=drift")]
        it.store.add_silence(matchers, it.clock.now, it.clock.now + 9e4, by="ann", comment="", now=it.clock.now)
        stop(it)
        it.deliver()
    with world(tmp_path, [rule()], pager, routes=routes, mute_times=[night]) as it:
        start(it)
        it.deliver()
        it.window(9.0, 2)
        for _ in range(60):
            it.deliver()
    assert pager.told == ["first", "watcher_stopped", "watched_again"], "and nothing else passes"


def test_who_does_not_want_the_mark_still_hears_the_rest(tmp_path: Path) -> None:
    pager = Receiver()
    pager.wants = frozenset({Why.FIRST, Why.NEW_ALERTS, Why.RESOLVED})
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        it.window({"distance": 3.2, "temp": 4.0}, 2)
        stop(it)
        it.deliver(NEWS_SECONDS)
        start(it)
        it.deliver()
        it.window({"distance": 0.0, "temp": 0.0}, 3)
        it.deliver()
    assert pager.told == ["first", "new_alerts", "resolved"]


def test_an_incident_that_is_over_at_the_start_ends_without_the_mark(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [rule()], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        stop(it)
        it.deliver()
    with world(tmp_path, [], pager) as it:  # its rule is gone
        it.reconcile()
        start(it)
        it.deliver()
    assert pager.told == ["first", "watcher_stopped", "resolved"]
    assert pager.sent[-1][0].incident.resolved
