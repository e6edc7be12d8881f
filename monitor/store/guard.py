"""Whether the database may be written at all: not once its file is gone, replaced or damaged, although SQLite would."""

from __future__ import annotations

import logging
import sqlite3

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

from monitor.store.lock import HeldFile

log = logging.getLogger("watchkeeper.store")

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Unusable(OperationalError):
    """The database takes nothing, for what has become of its file; as if the database itself had said so."""

    def __init__(self, sentence: str) -> None:
        super().__init__("", None, Exception(sentence))


class Guard:
    """A check that refuses every transaction while the file is lost, and from the first sign of damage on. Works
    for any thread."""

    def __init__(self, held: HeldFile | None) -> None:
        """`held` is None for a database that has no file here."""
        self._held = held
        self._damage: str | None = None

    def check(self, *, written: bool) -> None:
        """Check that what is `written`, or else is to be written now, will last. Raises Unusable if not."""
        problem = self._damage or (self._held.lost(written=written) if self._held is not None else None)
        if problem is not None:
            raise Unusable(problem)

    def watch(self, engine: Engine) -> None:
        """Watch every error of this engine's connections, of what reads as of what writes, for damage."""
        event.listen(engine, "handle_error", self._seen)

    def damaged(self, found: str) -> None:
        """Record that the file is damaged, by these words of SQLite's; it is not written again before a restart."""
        if self._damage is None:
            log.error("the database is damaged (%s): nothing more is written to it", found)
            self._damage = found

    def _seen(self, context: ExceptionContext) -> None:
        if is_damage(context.original_exception):
            self.damaged(str(context.original_exception))


def is_damage(error: BaseException | None) -> bool:
    """Return whether SQLite says by this error that the file is damaged, or not a database."""
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, sqlite3.Error) and (code & 0xFF) in DAMAGE
