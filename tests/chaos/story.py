"""What goes wrong with the watched server: over and over a part of it gets ill, worse and well again."""

from __future__ import annotations

import random
import sqlite3
import threading
from pathlib import Path
from typing import Any

from monitor.clock import SystemClock
from tests.chaos.server import ILL, WELL, WORSE, Watched

PATIENCE = 120.0
"""Seconds after which a fault, or its end, that is in no incident counts as not noticed."""


class Book:
    """The daemon's database, read beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the query finds; nothing while the database is not there yet or just being recovered."""
        try:
            connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=2.0)
        except sqlite3.OperationalError:
            return []
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()

    def is_open(self, part: str) -> bool:
        return bool(self.rows("SELECT 1 FROM incidents WHERE key LIKE ? AND resolved_at IS NULL", f"%/{part}"))


class Part(threading.Thread):
    """One part's troubles until told to stop."""

    def __init__(self, name: str, seed: int, server: Watched, book: Book) -> None:
        super().__init__(name=name, daemon=True)
        self._rng, self._server, self._book = random.Random(f"{seed}/{name}"), server, book
        self._enough = threading.Event()
        self.episodes = 0
        self.unnoticed = 0

    def run(self) -> None:
        while not self._enough.is_set():
            self._enough.wait(self._rng.uniform(4.0, 16.0))  # no more of it than Slack takes
            self._episode()

    def stop(self) -> None:
        self._enough.set()

    def _episode(self) -> None:
        self.episodes += 1
        self._set(ILL)
        self._await(True)
        self._enough.wait(self._rng.uniform(0.0, 3.0))
        if self._rng.random() < 0.5:
            self._set(WORSE)
            self._enough.wait(self._rng.uniform(0.0, 3.0))
        self._set(WELL)
        self._await(False)

    def _set(self, status: int) -> None:
        self._server.status[self.name] = status

    def _await(self, is_open: bool) -> None:
        """Waits, also after the end, until the daemon has noticed."""
        clock, pause = SystemClock(), threading.Event()
        end = clock.monotonic() + PATIENCE
        while self._book.is_open(self.name) is not is_open:
            if clock.monotonic() > end:
                self.unnoticed += 1
                return
            pause.wait(0.2)
