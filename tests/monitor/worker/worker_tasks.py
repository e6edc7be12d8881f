"""Tasks that the worker's tests run in it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from monitor.store.engine import open_engine


def pid() -> int:
    return os.getpid()


def add(a: int, b: int) -> int:
    return a + b


def hang() -> None:
    threading.Event().wait()


def touch_and_hang(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    threading.Event().wait()


def beat(path: str) -> None:
    """Appends to the file without end: an orphan would go on doing so."""
    while True:
        with Path(path).open("a") as file:
            file.write(f"{os.getpid()}\n")
        threading.Event().wait(0.02)


def terminated_midway() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    return "finished"


def hoard(size: int) -> int:
    kept = bytearray(os.urandom(1 << 20)) * (size >> 20)
    threading.Event().wait()
    return len(kept)


def die(code: int) -> None:
    os._exit(code)


class Odd(Exception):
    pass


def read(url: str, sql: str) -> None:
    """Runs a statement, whose text may hold secrets, on a database."""
    with open_engine(url, create=False).connect() as connection:
        connection.exec_driver_sql(sql)


def fail(text: str = "the third wheel", problem: type[Exception] = Odd) -> None:
    raise problem(text)


def exhaust() -> None:
    raise MemoryError


def say(text: str) -> None:
    logging.getLogger("watchkeeper.worker.test").info(text)


def modules() -> list[str]:
    return sorted(sys.modules)


def main_module() -> Any:
    return getattr(sys.modules["__main__"], "__file__", None)


def optimize(pipe: Any) -> None:
    """Tells how this process was started."""
    pipe.send(sys.flags.optimize)
