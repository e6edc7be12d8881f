"""The database: whether it is there, can be written, and is of this release; nothing in it is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.settings.root import Config
from monitor.store.engine import StoreError, explain, open_engine

LITTLE = 1 << 30
"""Bytes free below which the disk is a problem."""
BUSY_SECONDS = 3.0
"""How long another's write is waited for."""


def database(config: Config) -> Iterator[Finding]:
    url = make_url(config.database)
    if url.get_backend_name() != "sqlite":
        yield from _shared(config.database, url)
    else:
        # The config refuses one in memory.
        yield from _file(Path(url.database or ""))


def _file(file: Path) -> Iterator[Finding]:
    folder = file.parent
    if not folder.is_dir():
        yield problem("", f"{file}: the folder {folder} is not there", "make it, or set `database`")
        return
    yield _disk(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            "", f"{file}: the folder {folder} can't be written", "give this user the right, or set `database`"
        )
    elif not file.exists():
        yield missing("", f"{file}: not there yet", "`watchkeeper run` makes it")
    else:
        yield _opened(file)


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / (1 << 30):.1f} GiB of {usage.total / (1 << 30):.0f} are free where the database is"
    if usage.free >= LITTLE:
        return ok("disk", text)
    return problem("disk", text, "free some, or shorten `retention`: with a full disk nothing is acknowledged")


def _opened(file: Path) -> Finding:
    size = f"{file.stat().st_size / (1 << 20):.1f} MiB"
    try:
        # Not by the store's engine: that one would first switch to WAL, and wait longer than we have.
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=rw", BUSY_SECONDS, isolation_level=None, uri=True
        )
        try:
            _begin_writing(connection)
            revision = _revision(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        return _refused(file, error)
    return _of_release(f"{file}, {size}, can be written", revision)


def _begin_writing(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.Error where that can't be; nothing is written."""
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    # Who may only read is given the lock all the same, and refused here.
    connection.execute(f"PRAGMA user_version = {int(version)}")
    connection.execute("ROLLBACK")


def _revision(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("select version_num from alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return str(row[0]) if row else None


def _refused(file: Path, error: sqlite3.Error) -> Finding:
    text = str(error)
    if "locked" in text:
        todo = "find who holds it (fuser, lsof), such as a shell of sqlite3, and stop that"
        return problem("", f"{file} has been locked by another process for {BUSY_SECONDS:g} s", todo)
    if "readonly" in text:
        return problem("", f"{file} can be read only", "give this user the right to write it, or mount it so")
    return problem("", explain(DBAPIError("", None, error), f"sqlite:///{file}"))


def _of_release(text: str, revision: str | None) -> Finding:
    """Whether this release can use it as it is."""
    from alembic.script import ScriptDirectory

    from monitor.store import migrations

    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    head, known = scripts.get_current_head(), {script.revision for script in scripts.walk_revisions()}
    if revision == head:
        return ok("", f"{text}, revision {revision} (this release's)")
    if revision is None:
        return missing("", f"{text}, empty", "`watchkeeper run` makes its tables")
    if revision in known:
        todo = "`watchkeeper run`, or `watchkeeper db upgrade`, brings it there; no older release reads it then"
        return missing("", f"{text}, revision {revision}; this release's is {head}", todo)
    todo = "run that release, or give this one a database of its own"
    return problem("", f"{text}, revision {revision}, of a newer release than this", todo)


def _shared(given: str, url: URL) -> Iterator[Finding]:
    """A server's database."""
    text = f"{url.get_backend_name()} {url.database} on {url.host or 'this machine'}"
    try:
        engine = open_engine(given)
    except StoreError as error:
        yield problem("", str(error))
        return
    try:
        with engine.connect() as connection:
            known = engine.dialect.has_table(connection, "alembic_version")
            query = "select version_num from alembic_version"
            revision = connection.exec_driver_sql(query).scalar() if known else None
    except DBAPIError as error:
        yield problem("", f"{text}: {str(error.orig).splitlines()[0]}", "start it, or set `database` right")
        return
    finally:
        engine.dispose()
    yield _of_release(f"{text}, can be opened", revision)
