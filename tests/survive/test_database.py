"""Scenarios 9 and 12: a database that another process holds, a second daemon, runs that overlap."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from alerts.delivery.outbox import DeliveryOutcome
from monitor.store.engine import BUSY_SECONDS
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import Receiver, World, world

DRIFT = rule()
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("released", flush=True)
"""


@contextmanager
def locked(folder: Path) -> Iterator[Callable[[], None]]:
    """Another process holds the write lock until the function is called, or the end."""
    command = [sys.executable, "-c", HOLDER, str(folder / "alerts.sqlite")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "held\n"
        released = threading.Event()

        def release() -> None:
            if not released.is_set():
                released.set()
                print(file=process.stdin, flush=True)
                assert process.stdout.readline() == "released\n"

        try:
            yield release
        finally:
            release()


def impatient(it: World) -> None:
    """From now on the writer gives up a locked database after 50 ms instead of BUSY_SECONDS."""
    it.writer.call(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 50").scalar_one())


def test_survives_a_database_locked_by_another_process(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        with locked(tmp_path) as release:
            judged = threading.Thread(target=it.window, args=(3.2, 1))
            judged.start()
            for _ in range(3):
                assert it.store.alerts() == [], "what only reads does not wait"
                it.engine.dispose()  # so that the next one reads on a new connection
            assert judged.is_alive(), "what writes waits, whatever it read before"
            release()
            judged.join(BUSY_SECONDS)
        assert it.deliver() == 1
        assert pager.told == ["first"]


def test_survives_a_database_locked_for_too_long(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        impatient(it)
        with locked(tmp_path), pytest.raises(OperationalError, match="locked"):
            it.window(3.2, 1)
        it.window(3.2, 1)
        assert it.deliver() == 1, "the next evaluation makes up for it"
        pager_sends, pager.send = pager.send, lambda *given: (lock(), pager_sends(*given))[1]  # type: ignore[method-assign]
        held = locked(tmp_path)

        def lock() -> None:
            held.__enter__()

        it.window(0.0, 2)
        it.deliver()
        assert pager.told == ["first", "resolved"], "sent, and then it can't be recorded"
        assert it.outcomes[-1][1] is DeliveryOutcome.UNRECORDED
        for _ in range(5):
            it.deliver(2)
        held.__exit__(None, None, None)
        pager.send = pager_sends  # type: ignore[method-assign]
        it.deliver(2)
        it.deliver(2)
        assert it.store.pending() == {}
    assert pager.told == ["first", "resolved"], "and not again"


def test_survives_runs_that_overlap(tmp_path: Path) -> None:
    """Two processes' parts on one database, as two daemons on a shared one would be; both judge and deliver at once."""
    pager, clock, at_once = Receiver(), FakeClock(), threading.Barrier(2)
    with (
        world(tmp_path, [DRIFT], pager, clock=clock, owner="one") as one,
        world(tmp_path, [DRIFT], pager, clock=clock, owner="other") as other,
    ):
        clock.forward(60)

        def run(it: World) -> None:
            for hour, value in enumerate([3.2, 9.0, 0.0, 3.2], 1):
                at_once.wait(30)
                it.window(value, hour)
                at_once.wait(30)
                it.delivery.deliver_due(clock.now + hour * 60)

        threads = [threading.Thread(target=run, args=(it,)) for it in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [row["after"] for row in one.store.transitions()] == ["firing", "inactive", "firing"]
        assert len(one.store.incidents()) == 2
    assert pager.told == ["first", "updated", "resolved", "first"]
