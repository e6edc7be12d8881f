"""The worker's own side: set up as a process that ends with its daemon, and performing one task after another.

Light: what a task needs is imported by the task.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, parent_process, util
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Literal

from monitor.log_lines import log_to_stderr

log = logging.getLogger("watchkeeper.worker")

ORPHANED = 3
"""Exit status of a worker whose daemon has gone."""


class TryAgain(Exception):
    """Raised by a task that another process got ahead of: the same call may succeed later, however often it fails."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What a task came to. An exception crosses as text: unpickling one would import its library into the daemon."""

    result: Any = None
    failure: Literal["", "memory", "raised"] = ""
    """Empty when the task returned; else whether memory ran out or it raised another exception."""
    text: str = ""
    """The exception's message, or its class where it has none."""
    again: bool = False
    """Whether the task raised TryAgain."""


class WorkerProcess(SpawnProcess):
    """A spawned process that does not import the daemon's `__main__` again, which would load all of the daemon."""

    _one = threading.Lock()
    """Two threads that hide `__main__` at once would leave it hidden."""

    def start(self) -> None:
        # A process starts with its parent's mask: Ctrl-C on the terminal reaches the whole group, and is the daemon's.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            with self._one, _hidden_main(), _with_docstrings():
                super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class WorkerContext(SpawnContext):
    """Starts such processes, and knows the newest one."""

    newest: WorkerProcess | None = None

    def Process(self, *args: Any, **kwargs: Any) -> WorkerProcess:  # type: ignore[override]
        self.newest = WorkerProcess(*args, **kwargs)
        return self.newest

    @property
    def pid(self) -> int | None:
        """The newest process's; it may have ended."""
        return None if self.newest is None else self.newest.pid


def prepare(level: int) -> None:
    """Sets a fresh worker up: its log lines go to stderr from `level` on, and it ends when its daemon does."""
    log_to_stderr(level)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def perform(function: Callable[..., Any], args: tuple[Any, ...]) -> TaskOutcome:
    """Runs one task. SIGTERM, which a service manager sends to the whole group, waits until the task is done."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        return TaskOutcome(function(*args))
    except Exception as error:  # The task's boundary: logged here, counted by the daemon.
        log.exception("%s.%s failed", function.__module__, function.__qualname__)
        failure: Literal["memory", "raised"] = "memory" if isinstance(error, MemoryError) else "raised"
        return TaskOutcome(None, failure, str(error) or type(error).__name__, isinstance(error, TryAgain))
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Meanwhile `multiprocessing` finds a `__main__` that came from no file, so it has none for the child to import."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _with_docstrings() -> Iterator[None]:
    """Meanwhile a child is started without the daemon's -OO: numeric libraries build on their docstrings, and would
    have to be compiled anew."""
    given = util._args_from_interpreter_flags  # type: ignore[attr-defined]
    util._args_from_interpreter_flags = lambda: [  # type: ignore[attr-defined]
        flag for flag in given() if not flag.startswith("-O")
    ]
    try:
        yield
    finally:
        util._args_from_interpreter_flags = given  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    """Waits for the parent's end, which its end of a pipe tells at once, even of SIGKILL, and ends the process. A
    transaction that is open is rolled back by the database.

    PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the process ends.
    """
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(ORPHANED)
