from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from monitor.store.engine import StoreError, open_engine, writing
from monitor.store.migrations import upgrade
from monitor.store.tables import metadata


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    before, after = upgrade(url)
    assert before is None
    with open_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("pragma auto_vacuum").scalar_one() == 2, "incremental, from the start"
    assert upgrade(url) == (after, after), "a second run changes nothing"


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newer.db"
    upgrade(url)
    with writing(open_engine(url)).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        upgrade(url)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="not a database"):
        upgrade(f"sqlite:///{path}")


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder must exist"):
        upgrade(f"sqlite:///{tmp_path}/nowhere/w.db")
