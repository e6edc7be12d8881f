"""What must be right before the daemon starts. Imported by the command line only: it reads references with pyarrow."""

from __future__ import annotations

import errno
import math
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from alerts.duration import seconds, span
from monitor.clock import SystemClock
from monitor.config.urls import address
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config
from monitor.store.engine import StoreError, explain, open_engine, writing
from monitor.store.tables import progress, windows

if TYPE_CHECKING:
    from checks.data.roles import FoundRole
    from checks.data.schema import Schema

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
    else:
        yield from windows_problems(config)
    if wrong := port_problem(config):
        yield wrong
    if wrong := cgroup_problem(config):
        yield wrong


class ReferenceProblem(Exception):
    """The reference can't be used; one sentence."""


def reference_problem(model: ModelSettings) -> str | None:
    """Why the model's reference can't be used, if it can't. A large one's columns are left to the worker to judge."""
    try:
        file = model.reference_file
        if file and file.is_file() and file.stat().st_size > LOOKED_INTO:
            return None
        schema_of(model)
    except ReferenceProblem as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """A model's reference as it is understood, and what one should know of it."""

    schema: Schema
    rows: int
    roles: tuple[FoundRole, ...]
    leftovers: tuple[str, ...]
    """Features that look as if they had a role, a sentence each."""
    notes: tuple[str, ...] = ()
    """What had to be found out about the file, a sentence each."""


def schema_of(model: ModelSettings) -> Schema | None:
    """What the file of the model's reference is understood to mean; None without one. Raises ReferenceProblem."""
    facts = reference_facts(model)
    return facts.schema if facts else None


def reference_facts(model: ModelSettings) -> ReferenceFacts | None:
    """Look into the file of the model's reference; None without one. Raises ReferenceProblem."""
    file = model.reference_file
    if file is None:
        return None
    from checks.data.roles import found_roles, leftovers
    from checks.data.schema import SchemaError
    from checks.data.schema_inference import infer
    from checks.source.columns import LazyTable
    from monitor.worker.messages import ModelOptions
    from monitor.worker.stored.references import file_rows, reading_notes
    from monitor.worker.stored.segments import check as check_segments

    try:
        options = ModelOptions.of(model)
        with file_rows(str(file), options.csv) as rows:
            table, notes = LazyTable(rows), reading_notes(rows)
            schema = infer(table, options.schema)
        check_segments(options, schema)
        found = tuple(found_roles(schema, options.schema)), tuple(leftovers(schema, options.schema))
        return ReferenceFacts(schema, table.num_rows, *found, notes)
    except SchemaError as error:
        raise ReferenceProblem(f"model {model.model}: {error}") from None


def segments_of(model: ModelSettings, schema: Schema | None) -> list[str]:
    """What the model's segments come to, a sentence each; none where it names none."""
    if not model.segments:
        return []
    if model.reference_file is None or schema is None:
        return ["nothing, as long as there is no reference: by its rows it is known what is normal for a segment"]
    from monitor.worker.messages import ModelOptions
    from monitor.worker.stored.references import read_table
    from monitor.worker.stored.segments import cost, counted, planned

    options = ModelOptions.of(model)
    values = counted(options, schema, read_table(str(model.reference_file), options.csv))
    return cost(planned(options, schema, values), options, schema)


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


def windows_problems(config: Config) -> Iterator[str]:
    """Models whose database holds windows of another length than the config's: chunks, labels and measurements are
    found by their window's start, so two lengths would mix."""
    engine = open_engine(config.database)
    try:
        stored = _lengths(engine)
    finally:
        engine.dispose()
    for model in config.models:
        every, before = model.windows.every, stored.get(model.model)
        if before is not None and not math.isclose(before, every, abs_tol=1e-3):
            yield (
                f"model {model.model}: windows.every is {_written(every)}, but the database holds this model's windows "
                f"of {_written(before)}, and the two can't be mixed; set it back to {_written(before)}, or use a new "
                "database or a new model name"
            )


def _lengths(engine: Engine) -> dict[str, float]:
    """Seconds of a window, by model, as far as the database tells."""
    newest = (
        select(windows.c.end - windows.c.start)
        .where(windows.c.model == progress.c.model)
        .order_by(windows.c.end.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(progress.c.model, func.coalesce(progress.c.every, newest))
    try:
        with engine.connect() as connection:
            return {model: every for model, every in connection.execute(query) if every is not None}
    except DBAPIError:
        # The tables are still to be made, or of another release: upgrading them, which comes next, tells.
        return {}


def _written(length: float) -> str:
    """The length as a config states it, exactly."""
    return span(length) if seconds(span(length)) == length else f"{length:.15g}s"


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


def cgroup_problem(config: Config) -> str | None:
    """Why containers can't be read where the config says, if so. The usual place may well be missing."""
    collect = config.collect
    if not collect.container or "cgroup" not in collect.model_fields_set or collect.cgroup.is_dir():
        return None
    return (
        f"collect.cgroup: there is no folder {collect.cgroup}; mount the machine's /sys/fs/cgroup there, or leave the "
        "key out to read this container's own"
    )
