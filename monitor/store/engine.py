"""Opens the database: SQLite in WAL mode with a sync on every commit, or PostgreSQL."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from alerts.redact import shown_url, url_secrets, without

BUSY_SECONDS = 10.0
WRITES = "watchkeeper_writes"


class StoreError(Exception):
    """The database can't be used; the message says why and what to do."""


def open_engine(url: str, *, create: bool = True) -> Engine:
    """An engine for `url`. Raises StoreError when the URL names no database this installation can open.

    A SQLite file that is not there is made unless `create` is False: in place of one that a running daemon has lost, an
    empty one would look like another database.
    """
    try:
        sqlite = url.startswith("sqlite")
        # The driver keeps 128 prepared statements a connection unless told otherwise, up to 1 MB in all.
        kept = {"cached_statements": 24} if sqlite else {}
        engine = create_engine(url, pool_pre_ping=not sqlite, connect_args=kept)
    except ValueError:  # of a port that is no number, whose text may be a part of the password
        raise StoreError(f"database {shown_url(url)!r} is no URL of a database; escape odd characters in it") from None
    except Exception as error:  # noqa: BLE001 - raised again, without the password that its text may hold
        said = without(str(error), url_secrets(url))
        raise StoreError(f"database {shown_url(url)!r} can't be opened: {said}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if not create:
            event.listen(engine, "do_connect", _only_existing)
    return engine


@lru_cache(maxsize=4)
def kept_engine(url: str) -> Engine:
    """Return the engine that this process keeps for `url`, so that repeated work compiles each statement once. It
    opens what is there, and makes nothing.

    Dispose of it as of any other: that closes its connections and keeps the compiled statements.
    """
    return open_engine(url, create=False)


def writing(engine: Engine) -> Engine:
    """The same engine, for transactions that write: SQLite takes its lock at once instead of upgrading a read,
    which would fail without waiting."""
    return engine.execution_options(**{WRITES: True})


def explain(error: DBAPIError, url: str) -> str:
    """One sentence for people: what is wrong with the database and what to do."""
    text = without(str(error.orig), url_secrets(url))
    where = shown_url(url)
    if "locked" in text:
        return f"database {where} is locked by another process for more than {BUSY_SECONDS:.0f} s; stop that process"
    if "malformed" in text or "not a database" in text:
        return (
            f"database {where} is damaged or not a database ({text}); move it away to start anew, or restore a backup"
        )
    if "unable to open" in text:
        return f"database {where} can't be opened ({text}); its folder must exist and be writable"
    return f"database {where}: {text}"


def is_refusal(error: DBAPIError) -> bool:
    """Return whether the database itself is to blame, such as one that is locked, full, gone or damaged, and not what
    it was asked."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(error, OperationalError):
        return code != sqlite3.SQLITE_ERROR
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    # The driver's own transaction handling begins deferred and late; ours begins in _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    # Has effect only before anything is created; later it would wait for whoever writes, and reading must not.
    if cursor.execute("PRAGMA page_count").fetchone() == (0,):
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    # Some distributions overwrite all that is deleted, which halves compaction; FAST does so only where it is free.
    cursor.execute("PRAGMA secure_delete = FAST")
    # Each connection has a cache of its own: of 4 MB each, the daemon held 3 MB more.
    cursor.execute("PRAGMA cache_size = -1024")
    cursor.close()


def _only_existing(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    """Has SQLite open its file, never make it."""
    if arguments[0] != ":memory:" and not options.get("uri"):
        arguments[0] = f"file:{quote(arguments[0])}?mode=rw"
        options["uri"] = True


def _begin_sqlite(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES) else "BEGIN")
