"""`watchkeeper run`: looks whether all is right, upgrades the database, and becomes the daemon."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, load_config
from monitor.cli.failure import Failure


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Watch: stays in the foreground, logs to stderr, stops on SIGTERM or Ctrl-C."""
    from monitor import preflight
    from monitor.store.engine import StoreError
    from monitor.store.migrations import upgrade

    settings = load_config(config, notify=True)
    if problems := list(preflight.problems(settings)):
        raise Failure("\n".join(problems), 2)
    try:
        upgrade(settings.database)
    except StoreError as error:
        raise Failure(str(error), 2) from None
    _become_daemon(config)


def _become_daemon(config: Path) -> None:
    """Replaces this process, so that typer, Alembic and pyarrow do not stay in memory beside the daemon."""
    sys.stdout.flush()
    sys.stderr.flush()
    # glibc gives each thread an arena of its own, up to eight a core, and each keeps what it once held.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # -P: a folder named monitor in the working directory is not ours.
    arguments = [sys.executable, "-P", "-m", "monitor.daemon", "--config", str(config)]
    os.execv(sys.executable, arguments)
