"""Brings a database to this release's tables. Imports Alembic, so the daemon's process never loads this module."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from monitor.store.engine import StoreError, explain, open_engine, writing


def upgrade(url: str) -> tuple[str | None, str]:
    """Creates or upgrades the tables; returns the revision before and after.

    Raises StoreError when the database can't be opened, is damaged, or is newer than this release.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head() or ""
    engine = open_engine(url)
    try:
        with writing(engine).begin() as connection:
            before = MigrationContext.configure(connection).get_current_revision()
            known = {script.revision for script in scripts.walk_revisions()}
            if before is not None and before not in known:
                raise StoreError(
                    f"database is at revision {before}, which this release does not know; run the newer release again"
                )
            if before != head:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    except DBAPIError as error:
        raise StoreError(explain(error, url)) from error
    finally:
        engine.dispose()
    return before, head
