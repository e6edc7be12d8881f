"""Bounds how long a driver that hangs matters: each job runs on a thread that can be left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """The job did not end in time, or could not begin for one that has not ended yet."""


class Timeouts:
    """Runs jobs one at a time. The thread of one that hangs is a daemon's: it does not hold up the end either."""

    def __init__(self) -> None:
        self._busy = threading.Lock()

    def run(self, job: Callable[[], T], seconds: float) -> T:
        """What the job returns or raises. Raises NoAnswer after `seconds` of waiting for its turn, or of its
        running; then it goes on, and its result is lost."""
        if not self._busy.acquire(timeout=seconds):
            raise NoAnswer
        done: Future[T] = Future()
        threading.Thread(target=self._work, args=[job, done], name="gpu", daemon=True).start()
        try:
            return done.result(seconds)
        except TimeoutError:
            raise NoAnswer from None

    def _work(self, job: Callable[[], Any], done: Future[Any]) -> None:
        try:
            found = job()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the job
            self._busy.release()
            done.set_exception(error)
        else:
            self._busy.release()
            done.set_result(found)
