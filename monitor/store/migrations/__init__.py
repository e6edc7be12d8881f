"""Brings a database to this release's tables. Imports Alembic where there is something to do: 0.15 s of a start."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from monitor.store.engine import StoreError, explain, open_engine, writing

HEAD = "0005"
"""The newest revision in versions/ (a test watches it)."""


def upgrade(url: str) -> tuple[str | None, str]:
    """Creates or upgrades the tables; returns the revision before and after.

    Raises StoreError when the database can't be opened, is damaged, or is newer than this release.
    """
    engine = open_engine(url)
    try:
        return HEAD if _is_current(engine) else _migrate(engine), HEAD
    except DBAPIError as error:
        raise StoreError(explain(error, url)) from error
    finally:
        engine.dispose()


def _is_current(engine: Engine) -> bool:
    """Return whether nothing is to be done. False also where that can't be read: migrating tells what is wrong."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("select version_num from alembic_version")).scalars().all() == [HEAD]
    except DBAPIError:
        return False


def _migrate(engine: Engine) -> str | None:
    """Create or upgrade the tables; return the revision before."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with writing(engine).begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if before is not None and before not in known:
            raise StoreError(
                f"database is at revision {before}, which this release does not know; run the newer release again"
            )
        if before != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before
