"""One daemon a SQLite file: two would judge the same windows and each tell half of it. And that file alone: what is
written to one that was deleted or replaced meanwhile is gone with its last user."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import TextIO

from sqlalchemy import make_url

from monitor.store.engine import StoreError

BESIDE = ("-wal", "-shm")
"""Ends of the names of what SQLite keeps beside the file: its newest transactions, and who reads and writes."""
LOCKED_BYTE = 1 << 62
"""Which byte of the file is locked: none that the file has, and none of those that SQLite locks."""
HEADER_BYTES = 32
MAGIC = b"SQLite format 3\0"


class HeldFile:
    """A SQLite file that this process has taken for itself. It stays open until the process ends: closing any
    descriptor of it would give up the locks that SQLite holds in this process."""

    def __init__(self, database: str, lock: TextIO, descriptor: int) -> None:
        self._database, self._lock, self._descriptor = database, lock, descriptor
        # SQLite resolves links when it opens the file, and keeps these beside what it found.
        self._beside = {f"{os.path.realpath(database)}{end}": (0, 0) for end in BESIDE}
        self._size = 0

    def lost(self, *, written: bool) -> str | None:
        """Return what has become of the file, so that nothing written to it would last; None while it is as it was.

        `written` says that a connection has just committed and is still open, so that all that belongs to the file is
        there. Costs a few microseconds.
        """
        try:
            found = Path(self._database).stat()
        except OSError:
            return (
                "its file was deleted or moved away while Watchkeeper was running; put it back, or restart Watchkeeper "
                "to begin with an empty one"
            )
        opened = os.fstat(self._descriptor)
        if not os.path.samestat(opened, found):
            return (
                "another file was put in its place while Watchkeeper was running; restart Watchkeeper to use that one, "
                "or put the old one back"
            )
        return self._cut_short(opened.st_size) or self._left_alone(written)

    def close(self) -> None:
        """Release the file, after the last connection to it was closed."""
        os.close(self._descriptor)
        self._lock.close()

    def _cut_short(self, size: int) -> str | None:
        """Return a sentence if the file got shorter than its own header says, or has none any more."""
        if size < self._size:
            header = os.pread(self._descriptor, HEADER_BYTES, 0)
            page = int.from_bytes(header[16:18]) or 1
            pages = int.from_bytes(header[28:32])
            if not header.startswith(MAGIC) or size < pages * (65536 if page == 1 else page):
                return "its file was cut short while Watchkeeper was running; restore a backup and restart Watchkeeper"
        self._size = size
        return None

    def _left_alone(self, written: bool) -> str | None:
        """Return a sentence if a file beside it is another than after the first commit."""
        for path, known in self._beside.items():
            try:
                found = Path(path).stat()
            except OSError:
                now = (0, 0)
            else:
                now = (found.st_dev, found.st_ino)
            if known == (0, 0):
                # Whoever closes the database last deletes both: before the first commit they may change yet.
                self._beside[path] = now if written else known
            elif now != known:
                return (
                    f"{path} was deleted or replaced while Watchkeeper was running; restart Watchkeeper, which saves "
                    "what was in it"
                )
        return None


def hold(url: str) -> HeldFile | None:
    """Takes the database at `url` for this process until it ends, however it ends; the caller keeps what is returned.

    The file itself is locked, whatever the path by which it is reached. None for a database that is shared by design.
    Raises StoreError when another daemon holds it, or it can't be opened.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    lock = lock_file(parsed.database).open("a+", encoding="ascii")
    descriptor = -1
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        descriptor = os.open(parsed.database, os.O_RDWR | os.O_CREAT, 0o644)
        _lock_byte(descriptor)
    except BlockingIOError:
        # Reached by another name, such as a hard link, the file has another lock file, which is nobody's.
        lock.seek(0)
        holder = f" (pid {lock.read().strip() or 'unknown'})" if descriptor < 0 else ""
        _close(lock, descriptor)
        raise StoreError(
            f"database {parsed.database} is in use by another Watchkeeper{holder}; stop it, or give this one a "
            "database of its own"
        ) from None
    except OSError as error:
        _close(lock, descriptor)
        raise StoreError(f"database {parsed.database} can't be opened: {error.strerror}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return HeldFile(parsed.database, lock, descriptor)


def lock_file(database: str) -> Path:
    """Return the file that says which process has this SQLite file: beside it, wherever links to it may lie."""
    return Path(f"{os.path.realpath(database)}.lock")


def _lock_byte(descriptor: int) -> None:
    """Locks one byte of the file for this descriptor alone. Raises BlockingIOError where another one has it.

    Not by flock, which a network's file system turns into a lock on all bytes: those of SQLite too.
    """
    region = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, LOCKED_BYTE, 1, 0)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, region)


def _close(lock: TextIO, descriptor: int) -> None:
    lock.close()
    if descriptor >= 0:
        os.close(descriptor)
