"""What must be right before the daemon starts. Imported by the command line only: it reads references with pyarrow."""

from __future__ import annotations

import errno
import socket
import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from monitor.clock import SystemClock
from monitor.config import address
from monitor.settings import Config, ModelSettings
from monitor.store.engine import StoreError, explain, open_engine, writing

if TYPE_CHECKING:
    from checks.schema import Schema

CHECK_SECONDS = 2.0
"""How long the database's integrity is looked at before the rest is taken on trust."""
LOOKED_INTO = 256 << 20
"""Bytes up to which a reference is read before the daemon starts."""
_STEPS = 50_000


def problems(config: Config) -> Iterator[str]:
    """What keeps the daemon from starting, one sentence each."""
    for model in config.models:
        if wrong := reference_problem(model):
            yield wrong
    if wrong := database_problem(config.database, SystemClock().monotonic):
        yield wrong
    if wrong := port_problem(config):
        yield wrong


class ReferenceProblem(Exception):
    """The reference can't be used; one sentence."""


def reference_problem(model: ModelSettings) -> str | None:
    """Why the model's reference can't be used, if it can't. A large one's columns are left to the worker to judge."""
    try:
        if model.reference and model.reference.is_file() and model.reference.stat().st_size > LOOKED_INTO:
            return None
        schema_of(model)
    except ReferenceProblem as error:
        return str(error)
    return None


def schema_of(model: ModelSettings) -> Schema | None:
    """What the model's reference is understood to mean; None without a reference. Raises ReferenceProblem."""
    if model.reference is None:
        return None
    from checks.schema import SchemaError, infer
    from monitor.work.closing import ModelOptions
    from monitor.work.references import overrides, read_table

    try:
        table = read_table(str(model.reference))
        if not table.num_rows:
            raise SchemaError(
                f"the reference {model.reference} holds no rows; name a file with a sample of normal data"
            )
        return infer(table, overrides(ModelOptions.of(model)))
    except SchemaError as error:
        raise ReferenceProblem(f"model {model.model}: {error}") from None


def database_problem(url: str, monotonic: Callable[[], float]) -> str | None:
    """Why the database can't be opened, written or trusted, if so. A SQLite file that is not there yet is created."""
    try:
        engine = open_engine(url)
    except StoreError as error:
        return str(error)
    try:
        with writing(engine).begin():
            pass
        return _damage(engine, monotonic() + CHECK_SECONDS, monotonic) if engine.dialect.name == "sqlite" else None
    except DBAPIError as error:
        return explain(error, url)
    finally:
        engine.dispose()


def _damage(engine: Engine, deadline: float, monotonic: Callable[[], float]) -> str | None:
    """SQLite's own check, given up at `deadline`: a large database's takes minutes."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(lambda: int(monotonic() > deadline), _STEPS)
        try:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except DBAPIError as error:
            if "interrupted" in str(error.orig):
                return None
            raise
        finally:
            driver.set_progress_handler(None, 0)
    if found == "ok":
        return None
    reason = str(found).splitlines()[-1]
    return f"database {engine.url.database} is damaged ({reason}); move it away to start anew, or restore a backup"


def port_problem(config: Config) -> str | None:
    """Why `listen` can't be listened on, if so."""
    host, port = address(config)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except socket.gaierror as error:
        return f"listen: {host!r} is no address of this machine ({error.strerror})"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"listen: {config.listen} is in use by another process; stop it, or set another port in listen"
        if error.errno == errno.EACCES:
            return f"listen: {config.listen} needs more rights than this process has; choose a port above 1023"
        return f"listen: {config.listen} can't be listened on: {error.strerror}"
    return None
