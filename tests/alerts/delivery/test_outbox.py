"""Delivery on a real SQLite file, with injected time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.delivery.outbox import LONGEST_WAIT, MESSAGE_TRIES, PARKED_WAIT, DeliveryOutcome
from alerts.incidents.incident import Notice, Why
from alerts.notify import Address, FoundMessage, NotifyError
from monitor.store.alerts.outbox import QUIET_SECONDS
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import Killed, Receiver, World, world

DRIFT = rule()
SOON = NotifyError("it is down", retry=True)
REVOKED = NotifyError("the token is revoked", retry=False)


def _row(it: World, receiver: str = "pager") -> dict[str, Any]:
    return next(row for row in it.store.notifications() if row["receiver"] == receiver)


def test_first_update_and_resolution_reach_one_message(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        for hour, value in enumerate([3.2, 4.9, 0.0], 1):
            it.window(value, hour)
            assert it.deliver(QUIET_SECONDS) == 1
        assert it.deliver() == 0
    assert pager.told == ["first", "updated", "resolved"]
    assert [address for _, address in pager.sent] == [None, {"ts": "1"}, {"ts": "1"}]


def test_a_value_that_gets_worse_by_the_second_changes_the_message_now_and_then(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        for hour in range(60):
            it.window(3.2 + hour, hour)
            it.deliver(1.0)
    assert pager.told == ["first", "updated"]


def test_fired_and_resolved_during_an_outage_is_one_summary(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        pager.refusals = [SOON, SOON]
        it.window(3.2, 1)
        it.deliver()
        it.window(0.0, 2)
        it.deliver(60)
        it.deliver(60)
        assert it.store.pending() == {}
    assert [(notice.why, notice.incident.resolved) for notice, _ in pager.sent] == [(Why.RESOLVED, True)]


def test_what_changed_while_waiting_is_told_once_as_it_is_now(tmp_path: Path) -> None:
    pager, severe = Receiver(), rule(name="severe", above=9.0, severity="critical", group="drift")
    with world(tmp_path, [DRIFT, severe], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        pager.refusals = [SOON]
        it.window(4.9, 2)
        it.deliver(QUIET_SECONDS)
        it.window(20.0, 3)
        it.deliver(60)
    assert pager.told == ["first", "severity_rose"]
    assert pager.sent[-1][0].incident.severity == "critical"


def test_a_change_that_happens_while_a_message_is_on_its_way_is_not_lost(tmp_path: Path) -> None:
    severe = rule(name="severe", above=9.0, severity="critical", group="drift")

    class Slow(Receiver):
        during: Any = None

        def send(self, notice: Any, address: Any) -> Any:
            if self.during:
                self.during()
                self.during = None
            return super().send(notice, address)

    pager = Slow()
    with world(tmp_path, [DRIFT, severe], pager) as it:
        it.window(3.2, 1)
        pager.during = lambda: it.window(20.0, 2)
        it.deliver()
        it.deliver()
        assert it.store.pending() == {}
    assert pager.told == ["first", "severity_rose"]


def test_backoff_doubles_is_bounded_and_has_jitter(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        pager.refusals = [SOON] * 9
        it.window(3.2, 1)
        waits = []
        while pager.refusals:
            left = len(pager.refusals)
            it.deliver(0.25)
            if len(pager.refusals) < left:
                waits.append(_row(it)["due_at"] - it.clock.now)
        # The injected random number is 0.5, so each wait is three quarters of the full one.
        assert waits == pytest.approx([0.75, 1.5, 3, 6, 12, 22.5, 22.5, 22.5, 22.5])
        assert max(waits) <= LONGEST_WAIT
        assert _row(it)["attempts"] == 9
        it.deliver(LONGEST_WAIT)
    assert pager.told == ["first"]


def test_retry_after_is_honoured_and_other_receivers_flow(tmp_path: Path) -> None:
    limited, other = Receiver("limited"), Receiver("other")
    with world(tmp_path, [DRIFT], limited, other) as it:
        limited.refusals = [NotifyError("slow down", retry=True, after=900.0)]
        it.window(3.2, 1)
        it.deliver()
        it.window({"distance": 0.0, "temp": 5.0}, 2)
        for _ in range(29):
            it.deliver(30.0)
        assert (limited.told, other.told) == ([], ["first", "new_alerts"])
        it.deliver(31.0)
        it.window({"distance": 0.0, "temp": 0.0}, 3)
        it.deliver()
    assert limited.told == ["first", "resolved"]
    assert other.told == ["first", "new_alerts", "resolved"]


def test_new_alerts_one_after_another_are_few_posts_and_a_rise_waits_for_nothing(tmp_path: Path) -> None:
    pager = Receiver()
    pager.wants = frozenset(Why) - {Why.UPDATED}
    with world(tmp_path, [DRIFT, rule(name="severe", above=9.0, severity="critical", group="drift")], pager) as it:
        features: dict[str, float | None] = {}
        for number in range(60):
            features[f"f{number}"] = 3.2
            it.window(dict(features), number + 1)
            it.deliver(30.0)
        assert pager.told == ["first", "new_alerts", "new_alerts"], "half an hour, sixty features"
        it.window({**features, "f0": 20.0}, 61)
        it.deliver()
        it.window({**features, "f0": 20.0, "less": 3.2}, 62)
        it.deliver(3600.0)
    assert pager.told[3:] == ["severity_rose"], "what is less severe than the incident is no news"


def test_a_permanent_refusal_parks_the_receiver_says_so_and_is_retried_slowly(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        pager.refusals = [REVOKED] * 3
        it.window(3.2, 1)
        tries = 0
        for _ in range(int(2 * PARKED_WAIT) + 2):
            before = len(pager.refusals)
            it.deliver()
            tries += before - len(pager.refusals)
        assert tries == 3
        assert it.outcomes == [("pager", DeliveryOutcome.PARKED, "the token is revoked")] * 3
        it.deliver(PARKED_WAIT)
        assert it.outcomes[-1] == ("pager", DeliveryOutcome.SENT, None)
    assert pager.told == ["first"]


def test_one_refused_message_does_not_hold_up_the_others_and_is_given_up(tmp_path: Path) -> None:
    pager = Receiver()
    refused = NotifyError("invalid_blocks", retry=False, of_message=True)
    with world(tmp_path, [DRIFT, rule(name="other")], pager) as it:
        pager.refusals = [refused]
        it.window(3.2, 1)
        it.deliver()
        assert pager.told == ["first"]
        pager.refusals = [refused] * (MESSAGE_TRIES - 1)
        for _ in range(MESSAGE_TRIES):
            it.deliver(60)
        assert it.outcomes[-1] == ("pager", DeliveryOutcome.FAILED, "invalid_blocks")
        assert it.store.pending() == {}


def test_a_receivers_pace_is_kept(tmp_path: Path) -> None:
    pager = Receiver()
    pager.pace = 1.0
    with world(tmp_path, [rule(name=f"r{index}") for index in range(5)], pager) as it:
        it.window(3.2, 1)
        assert [it.deliver(0.5) for _ in range(10)] == [1, 0] * 5


def test_after_an_outage_of_five_minutes_all_is_told_within_a_minute(tmp_path: Path) -> None:
    pager = Receiver()
    pager.pace = 1.0
    with world(tmp_path, [rule(name=f"r{index}") for index in range(20)], pager) as it:
        it.window(3.2, 1)
        pager.refusals = [SOON] * 1000
        for _ in range(300):
            it.deliver()
        assert 1000 - len(pager.refusals) < 25
        pager.refusals = []
        for _ in range(60):
            it.deliver()
        assert len(pager.told) == 20


def test_a_notifier_with_a_bug_stops_nobody(tmp_path: Path) -> None:
    broken, other = Receiver("broken"), Receiver("other")
    broken.refusals = [KeyError("bug")]
    with world(tmp_path, [DRIFT], broken, other) as it:
        it.window(3.2, 1)
        it.deliver()
        assert other.told == ["first"]
        it.deliver()
        assert broken.told == ["first"]


def test_kinds_that_a_receiver_does_not_want_are_skipped(tmp_path: Path) -> None:
    pager = Receiver()
    pager.wants = frozenset({Why.FIRST, Why.RESOLVED})
    with world(tmp_path, [DRIFT], pager) as it:
        for hour, value in enumerate([3.2, 4.9, 0.0], 1):
            it.window(value, hour)
            it.deliver(QUIET_SECONDS)
        assert [row["outcome"] for row in reversed(it.store.notifications())] == ["sent", "skipped", "sent"]
    assert pager.told == ["first", "resolved"]


# Crashes and clocks


@pytest.mark.parametrize("point", ["before_send", "after_send", "before_record", "after_record"])
@pytest.mark.parametrize("values", [[3.2], [3.2, 0.0]])
def test_killed_anywhere_loses_nothing_and_sends_twice_only_after_send(
    tmp_path: Path, point: str, values: list
) -> None:
    clock, pager = FakeClock(), Receiver()
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        for hour, value in enumerate(values, 1):
            it.window(value, hour)
        if point == "before_send":
            pager.refusals = [Killed()]
        pager.kill_after_send = point == "after_send"
        record = it.store.record

        def dying(*args: Any, **keys: Any) -> None:
            if point == "after_record":
                record(*args, **keys)
            raise Killed

        if point.endswith("_record"):
            it.store.record = dying  # type: ignore[method-assign]
        with pytest.raises(Killed):
            it.deliver()
    pager.kill_after_send = False
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.reconcile()
        for _ in range(3):
            it.deliver()
        assert it.store.pending() == {}
    expected = "first" if len(values) == 1 else "resolved"
    twice = point in ("after_send", "before_record")
    assert pager.told == [expected] * (2 if twice else 1)
    assert len({(notice.incident.id, notice.incident.version) for notice, _ in pager.sent}) == 1


class Looking(Receiver):
    """One that can be asked what has arrived; `looks` are its answers, the last one again and again."""

    def __init__(self, *looks: FoundMessage | NotifyError) -> None:
        super().__init__()
        self.looks = list(looks)

    def find(self, notice: Notice, address: Address | None, since: float) -> FoundMessage | None:
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, NotifyError):
            raise found
        return found


def test_what_may_have_arrived_is_looked_for_again_where_looking_was_refused(tmp_path: Path) -> None:
    clock, busy = FakeClock(), NotifyError("too many questions", retry=True, after=5.0)
    pager = Looking(busy, busy, FoundMessage({"ts": "1"}, done=True))
    pager.kill_after_send = True
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        with pytest.raises(Killed):
            it.deliver()
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        for _ in range(3):
            it.deliver(60)
        assert it.store.pending() == {}
    assert len(pager.sent) == 1


def test_a_message_that_was_found_is_found_again_where_its_change_was_refused(tmp_path: Path) -> None:
    clock, found = FakeClock(), FoundMessage({"ts": "1"}, done=False)
    pager = Looking(found)
    pager.kill_after_send = True
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        with pytest.raises(Killed):
            it.deliver()
    pager.kill_after_send, pager.refusals = False, [SOON]
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(4.9, 2)
        for _ in range(3):
            it.deliver(60)
        assert it.store.pending() == {}
    assert [address for _, address in pager.sent] == [None, {"ts": "1"}]


def test_what_can_not_be_recorded_is_not_sent_again_and_again(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        record, failures = it.store.record, [OSError("disk full")] * 5

        def failing(*args: Any, **keys: Any) -> None:
            if failures:
                raise failures.pop()
            record(*args, **keys)

        it.store.record = failing  # type: ignore[method-assign]
        it.window(3.2, 1)
        for _ in range(8):
            it.deliver(2)
        assert it.store.pending() == {}
        assert it.outcomes[0][1] is DeliveryOutcome.UNRECORDED
        assert it.outcomes[-1] == ("pager", DeliveryOutcome.SENT, None)
    assert pager.told == ["first"]


def test_a_pass_never_raises_when_the_store_fails(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver()) as it:

        def failing(*_: Any) -> Any:
            raise OSError("locked")

        it.store.owed = failing  # type: ignore[method-assign]
        assert it.deliver() == 0
        assert it.outcomes[-1][1] is DeliveryOutcome.UNRECORDED


def test_a_clock_that_goes_back_an_hour_holds_nothing_up(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        it.window(3.2, 1)
        it.clock.now -= 3600
        it.deliver()
        pager.refusals = [SOON]
        it.window(9.0, 2)
        it.deliver()
        it.clock.now -= 3600
        it.deliver()
        it.deliver()
    assert pager.told == ["first", "updated"]


def test_retries_go_on_after_a_restart(tmp_path: Path) -> None:
    clock, pager = FakeClock(), Receiver()
    pager.refusals = [SOON]
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        it.deliver()
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.deliver(60)
    assert pager.told == ["first"]


def test_a_line_has_run_dry_when_nothing_is_due_or_nothing_can_be_told_in_time(tmp_path: Path) -> None:
    pager = Receiver()
    pager.pace = 1.0
    with world(tmp_path, [DRIFT], pager) as it:
        assert it.delivery.drained("pager", it.clock.now, 5.0)
        it.window(3.2, 1, model="a")
        it.window(3.2, 1, model="b")
        assert not it.delivery.drained("pager", it.clock.now, 5.0)
        it.deliver()
        assert not it.delivery.drained("pager", it.clock.now, 5.0), "its pace lets the other follow"
        assert it.delivery.drained("pager", it.clock.now, 0.5), "but not as soon as that"
        pager.refusals = [NotifyError("wait", retry=True, after=60.0)]
        it.deliver()
        assert it.delivery.drained("pager", it.clock.now, 5.0), "it asked to be left alone"
