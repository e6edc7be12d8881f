"""`watchkeeper db …`."""

from __future__ import annotations

import typer

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, load_config
from monitor.cli.failure import Failure

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command()
def upgrade(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Create or upgrade the tables; `run` does the same when it starts."""
    from monitor.store.engine import StoreError
    from monitor.store.migrations import upgrade as migrate

    try:
        before, after = migrate(load_config(config).database)
    except StoreError as error:
        raise Failure(str(error), 1) from None
    if before == after:
        print(f"the database is at revision {after} already")
    else:
        print(f"the database is at revision {after} now (before: {before or 'empty'})")
