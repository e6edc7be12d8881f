"""Who has the worker next."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from monitor.worker.turns import PATIENCE, Turns, Urgency
from tests.alerts.builders import FakeClock


class Queue:
    """Threads that wait for a turn which a test has, in the order in which they are asked."""

    def __init__(self) -> None:
        self.clock, self.order = FakeClock(), list[str]()
        self.turns = Turns(self.clock)
        assert self.turns.take(Urgency.UPKEEP)
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, urgency: Urgency) -> None:
        def work() -> None:
            assert self.turns.take(urgency, timeout=30.0)
            self.order.append(name)
            self.turns.give_back()

        before = self.turns.waiting()
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()
        until(lambda: self.turns.waiting() > before)

    def finish(self) -> list[str]:
        self.turns.give_back()
        for thread in self._threads:
            thread.join(30.0)
        return self.order


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1_000_000):
        if condition():
            return
    raise AssertionError("did not come true")


def test_the_more_urgent_go_first_and_among_these_who_came_first() -> None:
    queue = Queue()
    queue.ask("report", Urgency.BACKGROUND)
    queue.ask("retention", Urgency.UPKEEP)
    queue.ask("picture", Urgency.PAGE)
    queue.ask("window of a", Urgency.CLOSING)
    queue.ask("window of b", Urgency.CLOSING)
    queue.ask("stop", Urgency.STOP)
    assert queue.finish() == ["stop", "window of a", "window of b", "picture", "retention", "report"]


def test_a_task_in_pieces_lets_a_closing_in_between_them() -> None:
    queue = Queue()
    queue.ask("window", Urgency.CLOSING)
    queue.turns.give_back()
    assert queue.turns.take(Urgency.UPKEEP, timeout=30.0)
    assert queue.order == ["window"]
    assert queue.finish() == ["window"]


def test_who_has_waited_for_long_is_not_passed_over_for_ever() -> None:
    queue = Queue()
    queue.ask("retention", Urgency.UPKEEP)
    queue.clock.forward(PATIENCE)
    queue.ask("window", Urgency.CLOSING)
    queue.ask("stop", Urgency.STOP)
    assert queue.finish() == ["stop", "retention", "window"]


def test_who_gives_up_waiting_keeps_nobody_from_the_turn() -> None:
    queue = Queue()
    queue.ask("window", Urgency.CLOSING)
    assert not queue.turns.take(Urgency.STOP, timeout=0.0)
    assert queue.finish() == ["window"]


@pytest.mark.parametrize("urgency", Urgency)
def test_a_free_turn_is_had_at_once(urgency: Urgency) -> None:
    turns = Turns(FakeClock())
    assert turns.take(urgency, timeout=0.0)
    assert not turns.take(Urgency.STOP, timeout=0.0)
    turns.give_back()
    assert turns.take(urgency, timeout=0.0)
