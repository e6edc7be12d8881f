"""One daemon a SQLite file: two would judge the same windows and each tell half of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

from sqlalchemy import make_url

from monitor.store.engine import StoreError


def hold(url: str) -> TextIO | None:
    """Takes the database at `url` for this process until it ends, however it ends; the caller keeps what is returned.

    None for a database that is shared by design. Raises StoreError when another daemon holds it.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    path = Path(f"{parsed.database}.lock")
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StoreError(
            f"database {parsed.database} is in use by another Watchkeeper (pid {holder}); stop it, or give this one a "
            "database of its own"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
