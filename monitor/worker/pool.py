"""The daemon's side of its worker process: starts it when there is work, watches its time and memory, kills it when
it is over either, and ends it when it has been idle."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any, Literal, TypeVar

import psutil
from pebble import ProcessPool

from monitor.clock import Clock
from monitor.settings.root import WorkerSettings
from monitor.worker.process import TaskOutcome, WorkerContext, perform, prepare
from monitor.worker.turns import Turns, Urgency

log = logging.getLogger("watchkeeper.worker")

T = TypeVar("T")
Kind = Literal["crashed", "timeout", "memory", "raised"]

TASKS_A_PROCESS = 500
"""Tasks after which the process is replaced, so that what libraries leak stays bounded."""
LOOK_SECONDS = 0.1
"""How often time and memory of a running task are looked at."""
GRACE_SECONDS = 5.0
"""How long `stop` lets a running task go on before it kills it."""


class WorkerError(Exception):
    """A task that did not return. `again`: it asks to be tried again, for another process got ahead of it."""

    def __init__(self, kind: Kind, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.kind, self.text, self.again = kind, text, again


class Worker:
    """Runs one task at a time in a process of its own. May be called from any thread.

    A function crosses by its name: it must be importable without loading numerics, and give back plain data.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Clock,
        *,
        tasks: int = TASKS_A_PROCESS,
        on_damage: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_damage` gets SQLite's words when a task finds the database damaged."""
        self._settings, self._clock, self._tasks, self._on_damage = settings, clock, tasks, on_damage
        self._turns = Turns(clock)
        self._context = WorkerContext()
        self._pool: ProcessPool | None = None
        self._retirement: threading.Timer | None = None
        self._stopping = threading.Event()

    def run(
        self,
        function: Callable[..., T],
        *args: Any,
        timeout: float | None = None,
        urgency: Urgency = Urgency.CLOSING,
    ) -> T:
        """Calls `function(*args)` in the worker and waits for it; calls of other threads wait their turn, by their
        urgency. The time limit is the settings' unless given, and counts from the start of the task. Raises
        WorkerError."""
        with self._turn(urgency):
            if self._stopping.is_set():
                raise WorkerError("crashed", "the worker has been stopped")
            self._cancel_retirement()
            try:
                outcome = self._watch(self._schedule(function, args), timeout or self._settings.timeout, function)
            except WorkerError as error:
                # A killed process may have held the pool's lock; a new pool knows nothing of it.
                self._kill()
                log.warning("%s.%s: %s: %s", function.__module__, function.__qualname__, error.kind, error)
                raise
            self._plan_retirement()
        if outcome.damage:
            self._on_damage(outcome.damage)
        if outcome.failure:
            raise WorkerError(outcome.failure, outcome.text, again=outcome.again)
        result: T = outcome.result
        return result

    def stop(self) -> None:
        """Ends the process; a running task has five seconds to finish before it is killed."""
        self._stopping.set()
        finished = self._turns.take(Urgency.STOP, timeout=GRACE_SECONDS)
        if not finished:
            # The task's own thread sees `_stopping` and kills; it holds the turn until that is done.
            self._turns.take(Urgency.STOP)
        try:
            self._cancel_retirement()
            self._kill()
        finally:
            self._turns.give_back()

    @contextlib.contextmanager
    def _turn(self, urgency: Urgency) -> Iterator[None]:
        self._turns.take(urgency)
        try:
            yield
        finally:
            self._turns.give_back()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called: what fails from now on fails for that."""
        return self._stopping.is_set()

    def pids(self) -> list[int]:
        """The worker's process and its children; empty while there is none."""
        return [process.pid for process in self._tree()]

    def _schedule(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Future[TaskOutcome]:
        if self._pool is not None and not self._pool.active:
            # The idle process was ended by somebody else, such as the kernel short of memory.
            self._kill()
        if self._pool is None:
            level = logging.getLogger("watchkeeper").getEffectiveLevel()
            self._pool = ProcessPool(
                max_workers=1, max_tasks=self._tasks, initializer=prepare, initargs=[level], context=self._context
            )
        try:
            future: Future[TaskOutcome] = self._pool.schedule(perform, args=[function, args])
        except RuntimeError as error:
            raise WorkerError("crashed", f"the worker process could not be started: {error}") from error
        return future

    def _watch(self, future: Future[TaskOutcome], timeout: float, function: Callable[..., Any]) -> TaskOutcome:
        started = self._clock.monotonic()
        stopped: float | None = None
        while not wait([future], LOOK_SECONDS).done:
            now = self._clock.monotonic()
            if now - started > timeout:
                raise WorkerError("timeout", f"{_name(function)} ran longer than {timeout:g} s and was killed")
            used = self._memory()
            if used > self._settings.memory_bytes:
                raise WorkerError(
                    "memory",
                    f"{_name(function)} used {used >> 20} MiB, over the limit of "
                    f"{self._settings.memory_bytes >> 20} MiB (worker.memory_bytes), and was killed",
                )
            if self._stopping.is_set():
                stopped = now if stopped is None else stopped
                if now - stopped > GRACE_SECONDS:
                    raise WorkerError("crashed", f"{_name(function)} was killed because the daemon stops")
        if (error := future.exception()) is not None:
            code = getattr(error, "exitcode", None)
            how = f" with exit status {code}" if code is not None else ""
            raise WorkerError("crashed", f"{_name(function)}: the worker process ended{how} ({error})")
        return future.result()

    def _tree(self) -> list[psutil.Process]:
        pid = self._context.pid
        if pid is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            # A pid whose process has ended may be another's by now.
            if process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                return [process, *process.children(recursive=True)]
        return []

    def _memory(self) -> int:
        """Resident bytes of the worker's process and its children."""
        used = 0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                used += process.memory_info().rss
        return used

    def _kill(self) -> None:
        """Ends the process at once, with its children, and the pool with it."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.stop()  # type: ignore[no-untyped-call]
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        pool.join()

    def _plan_retirement(self) -> None:
        self._retirement = threading.Timer(self._settings.idle, self._retire)
        self._retirement.daemon = True
        self._retirement.start()

    def _cancel_retirement(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    def _retire(self) -> None:
        timer = threading.current_thread()
        with self._turn(Urgency.BACKGROUND):
            if self._retirement is timer:
                self._retirement = None
                self._kill()
                log.debug("the worker was idle for %g s and has ended", self._settings.idle)


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
