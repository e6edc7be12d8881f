"""`watchkeeper run`: becomes the daemon, while a process of its own looks whether all is right.

The two work side by side: what the daemon imports takes as long as reading the config, the reference and the database.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, load_config
from monitor.cli.failure import Failure
from monitor.lazy_import import PLAIN_SETTINGS

if TYPE_CHECKING:
    from monitor.settings.root import Config

# -P: a folder named monitor in the working directory is not ours. Columns of code only put carets in tracebacks.
_INTERPRETER = [sys.executable, "-P", "-X", "no_debug_ranges"]
_COMPILE = """
import alerts, compileall, monitor.daemon.daemon
for package in (monitor, alerts):
    compileall.compile_dir(package.__path__[0], quiet=2, optimize=2)
"""
"""What the daemon imports, and what of our own it will only import when it needs it."""
ENVIRONMENT = {
    # glibc gives each thread an arena of its own, up to eight a core, and each keeps what it once held.
    "MALLOC_ARENA_MAX": "2",
    # glibc raises this, its first value, with every large block that is freed, up to 32 MB, and keeps what lies below:
    # a report or a large request would leave its size behind.
    "MALLOC_MMAP_THRESHOLD_": "131072",
}
"""What the daemon runs with, unless its user has set it."""


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Watch: stays in the foreground, logs to stderr, stops on SIGTERM or Ctrl-C."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    if checking := os.fork():
        os.close(writing)
        _become_daemon(config, reading, checking)
    os.close(reading)
    with _without_collecting():
        _hand_over(_checked(config), writing)


def _checked(config: Path) -> Config:
    """Return the config in the file, once all that it names is right and the database is this release's."""
    from monitor.cli import preflight
    from monitor.store.engine import StoreError
    from monitor.store.migrations import upgrade

    settings = load_config(config, notify=True)
    if problems := list(preflight.problems(settings)):
        raise Failure("\n".join(problems), 2)
    try:
        upgrade(settings.database)
    except StoreError as error:
        raise Failure(str(error), 2) from None
    return settings


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage meanwhile: among all that is imported, which stays, that takes 0.1 s of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _hand_over(settings: Config, writing: int) -> None:
    """Give the config to the daemon, which may have been stopped meanwhile."""
    from monitor.config import handover

    with suppress(BrokenPipeError), open(writing, "w", encoding="utf-8") as pipe:
        pipe.write(handover.pack(settings))


def _become_daemon(config: Path, reading: int, checking: int) -> None:
    """Replace this process by the daemon, which reads its config from the process `checking` once that has checked it.

    So typer, Alembic and pyarrow do not stay in memory beside the daemon.
    """
    os.set_inheritable(reading, True)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.execv(sys.executable, daemon_command(config, ["-X", f"{PLAIN_SETTINGS}={reading},{checking}"]))


def daemon_command(config: Path, options: Sequence[str] = ()) -> list[str]:
    """Return the command of the daemon itself, which takes for granted what `run` has looked at."""
    return [*_INTERPRETER, *_without_docstrings(), *options, "-m", "monitor.daemon", "--config", str(config)]


def _without_docstrings() -> list[str]:
    """-OO, which leaves out docstrings, 4.6 MB of a sidecar's memory, where the bytecode for it is kept: compiling at
    every start would take seconds. An image whose files are read-only has it after `python -OO -m compileall`."""
    source = str(importlib.util.find_spec("sqlalchemy").origin)  # type: ignore[union-attr]
    kept = Path(importlib.util.cache_from_source(source, optimization=2))
    if not kept.exists():
        if sys.dont_write_bytecode or not os.access(Path(source).parent, os.W_OK):
            return []
        # By a process of its own: what compiling takes, some 8 MB, would stay with the daemon.
        subprocess.run([*_INTERPRETER, "-OO", "-c", _COMPILE], check=False)
    return ["-OO"]
