"""A SQLite database with all tables, made once a process and copied from then on: creating them costs a hundred times
as much."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.store.engine import open_engine
from monitor.store.tables import metadata


def tables_in(file: Path) -> str:
    """Return the URL of a SQLite file that has all tables; what is in it already stays."""
    if not file.exists():
        file.write_bytes(_empty())
    elif file.stat().st_size < len(_empty()):
        _create(file)
    return f"sqlite:///{file}"


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        _create(file := Path(folder) / "empty.db")
        return file.read_bytes()


def _create(file: Path) -> None:
    engine = open_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
