"""One thread writes. Jobs that wait together share one transaction, hence one sync, and are answered after it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from monitor.store.engine import writing

T = TypeVar("T")
Work = Callable[[Connection], Any]


class Check(Protocol):
    """A function that raises while nothing may be written, or what was just `written` would not last."""

    def __call__(self, *, written: bool) -> None: ...


class QueueFull(Exception):
    """The writer is over its bound; try again after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the write queue is full; retry after {retry_after:g} s")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Job:
    work: Work
    size: int
    future: Future[Any]


class Writer:
    """Runs jobs on one connection, many to a transaction.

    A job that raises takes back its own writes (a savepoint) and fails alone; a failed commit fails every job in it.
    """

    def __init__(
        self,
        engine: Engine,
        max_bytes: int = 64 << 20,
        group: int = 256,
        on_lost: Callable[[Exception], None] = lambda _: None,
        check: Check = lambda *, written: None,
    ) -> None:
        """`on_lost` is told of each transaction that the database did not take. `check` is asked before each one, and
        once more before what was committed is acknowledged."""
        self._on_lost, self._check = on_lost, check
        self._engine = writing(engine)
        self._max_bytes = max_bytes
        self._group = group
        self._jobs: deque[_Job] = deque()
        self._bytes = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finishes what was submitted, then ends the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout)

    def submit(self, work: Callable[[Connection], T], size: int = 0) -> Future[T]:
        """Queues `work`; the future is done once its transaction is on disk. Raises QueueFull over the bound, which
        counts the `size` bytes of work waiting; a job without a size is always taken."""
        future: Future[T] = Future()
        with self._wake:
            if self._stopping:
                raise RuntimeError("the writer has stopped")
            if size and self._bytes + size > self._max_bytes:
                raise QueueFull(retry_after=1.0)
            self._jobs.append(_Job(work, size, future))
            self._bytes += size
            self._wake.notify()
        return future

    def call(self, work: Callable[[Connection], T]) -> T:
        """Submits and waits; for threads other than the event loop's."""
        return self.submit(work).result()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._stopping:
                    self._wake.wait()
                if not self._jobs:
                    return
                jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), self._group))]
            try:
                # From here on a future can't be cancelled any more, so that setting its result can't fail.
                self._commit([job for job in jobs if job.future.set_running_or_notify_cancel()])
            finally:
                with self._wake:
                    self._bytes -= sum(job.size for job in jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        done: list[tuple[_Job, Any]] = []
        failed: list[tuple[_Job, BaseException]] = []
        try:
            self._check(written=False)
            with self._engine.begin() as connection:
                for job in jobs:
                    try:
                        done.append((job, _savepointed(connection, job.work)))
                    except _TransactionLost as lost:
                        raise lost.reason from lost
                    except Exception as error:  # noqa: BLE001 - handed to whoever waits for the job
                        failed.append((job, error))
            self._check(written=True)
        except Exception as error:  # noqa: BLE001 - the whole transaction is gone: every waiter is told
            self._on_lost(error)
            for job in jobs:
                job.future.set_exception(error)
            return
        for job, reason in failed:
            job.future.set_exception(reason)
        for job, result in done:
            job.future.set_result(result)


class _TransactionLost(Exception):
    """The database took back the whole transaction, not only the job's part of it."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _savepointed(connection: Connection, work: Work) -> Any:
    """Does one job so that it can be taken back alone."""
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
        savepoint.commit()
    except Exception as error:
        if not _in_transaction(connection):
            # SQLite ends the transaction itself on a full disk or an I/O error. Going on would commit later jobs one by
            # one, and acknowledge earlier ones that are gone.
            raise _TransactionLost(error) from error
        savepoint.rollback()
        raise
    return result


def _in_transaction(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "in_transaction", True))
