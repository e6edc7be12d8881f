"""The daemon: whether one answers on `listen`, whether it is this database's, and what it says is not well."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.clock import Clock
from monitor.config.urls import address
from monitor.net.client import Client, Request
from monitor.net.errors import ExchangeError, FailureKind
from monitor.settings.root import Config

TIMEOUT = 4.0
_MOST = 1 << 20


def daemon(config: Config, clock: Clock) -> Iterator[Finding]:
    holder = held_by(config.database)
    host, port = address(config)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/readyz"
    try:
        with Client(clock.monotonic).ask(Request(url), TIMEOUT) as answer:
            status, plain = answer.status, _plain(answer.read(_MOST))
    except ExchangeError as error:
        yield _silent(config, error, holder)
        return
    if "status" not in plain:
        yield problem(
            "", f"what answers on {config.listen} is no Watchkeeper", "stop it, or set another port in listen"
        )
        return
    if holder == "":
        found = f"one answers on {config.listen}, but none holds this config's database"
        yield problem("", found, "it runs on another config: set another port in listen, or stop it")
    whose = f" (pid {holder})" if holder else ""
    if status != 200:
        yield problem("", f"runs on {config.listen}{whose}, takes no data: {plain.get('reason') or status}")
    else:
        yield ok("", f"runs on {config.listen}{whose}, takes data")
    degraded = plain.get("degraded")
    for part, text in degraded.items() if isinstance(degraded, dict) else ():
        yield problem("", f"it says of {part}: {text}")
    warnings = plain.get("warnings")
    for model, counts in warnings.items() if isinstance(warnings, dict) else ():
        said = ", ".join(f"{kind} {count}" for kind, count in counts.items())
        yield problem("", f"rows of {model} can't be used as sent: {said}", "its page shows an example of each")


def held_by(database: str) -> str | None:
    """The pid, in words, of the daemon that has the database; empty when none has, None when that is not told."""
    url = make_url(database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    try:
        with Path(f"{url.database}.lock").open(encoding="ascii", errors="replace") as file:
            try:
                # A shared lock, given back at once: a daemon holds it alone.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(20).strip() or "unknown"
    except OSError:
        return None
    return ""


def _silent(config: Config, error: ExchangeError, holder: str | None) -> Finding:
    if holder:
        return problem(
            "",
            f"process {holder} holds the database, and nothing of it is heard on {config.listen}: {error}",
            "it is just starting, or runs with another listen; if neither, look at its log",
        )
    if error.failure is not FailureKind.CONNECT:
        return problem("", f"what is on {config.listen} does not answer as a Watchkeeper: {error}", "look what it is")
    from monitor.cli.preflight import port_problem

    if wrong := port_problem(config):
        return problem("", wrong)
    return missing("", f"none runs on {config.listen}", "start it with `watchkeeper run`")


def _plain(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
