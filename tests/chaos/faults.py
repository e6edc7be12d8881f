"""What is done to the daemon's surroundings: each fault does its harm, waits and undoes it."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.slack import BusySlack
from tests.servers.alertmanager import Alertmanager


class Faults(threading.Thread):
    """Does one after the other until it is told to stop."""

    def __init__(self, rng: random.Random, slack: BusySlack, database: Path, alertmanager: Alertmanager | None) -> None:
        super().__init__(name="faults", daemon=True)
        self._rng, self._slack, self._database, self._alertmanager = rng, slack, database, alertmanager
        self._enough = threading.Event()
        self.done: Counter[str] = Counter()
        self.problem: BaseException | None = None
        self._kinds: dict[str, Callable[[], None]] = {
            "Slack answers 429": lambda: slack.fail("429", rng.randint(1, 3), retry_after=rng.randint(1, 4)),
            "Slack answers 500": lambda: slack.fail("500", rng.randint(1, 3)),
            "Slack hangs": lambda: slack.fail("hang"),
            "Slack resets": lambda: slack.fail("reset", rng.randint(1, 3)),
            "Slack's answer is lost": lambda: slack.fail("lost_reply", rng.randint(1, 2)),
            "Slack is away": self._slack_away,
            "the message is deleted": self._delete,
            "SQLite is locked": self._lock_database,
        }
        if alertmanager is not None:
            self._kinds["Alertmanager is away"] = self._alertmanager_away

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                kind = self._rng.choice(list(self._kinds))
                self._kinds[kind]()
                self.done[kind] += 1
                self._wait(0.2, 2.0)
        except BaseException as error:  # noqa: BLE001 - the run ends with it
            self.problem = error

    def stop(self) -> None:
        """Ends the faults; everything is well again after it."""
        self._enough.set()
        self.join(60)
        self._slack.faults.clear()
        if self.problem is not None:
            raise self.problem

    def _wait(self, least: float, most: float) -> None:
        self._enough.wait(self._rng.uniform(least, most))

    def _slack_away(self) -> None:
        self._slack.away()
        self._wait(1.0, 8.0)
        self._slack.back()

    def _delete(self) -> None:
        """Somebody deletes the newest message, if what it tells is not over."""
        posts = self._slack.posts()
        if posts and "RESOLVED" not in posts[-1].text:
            self._slack.delete(posts[-1].ts)

    def _lock_database(self) -> None:
        """Another process's lock, sometimes for longer than the daemon waits."""
        if not self._database.exists():
            return
        connection = sqlite3.connect(self._database, timeout=20.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._wait(0.5, 14.0)
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass  # the daemon is just starting on it
        finally:
            connection.close()

    def _alertmanager_away(self) -> None:
        assert self._alertmanager is not None
        self._alertmanager.stop()
        self._wait(1.0, 8.0)
        self._alertmanager.start()
