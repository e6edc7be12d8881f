"""The database, and the daemon that may be using it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from monitor.clock import Clock
from monitor.collectors.exchange import Client, Request
from monitor.collectors.failure import ExchangeError
from monitor.doctor.finding import Finding, missing, ok, problem
from monitor.settings import Config
from monitor.store.engine import open_engine

LITTLE = 1 << 30
"""Bytes free below which the disk is a problem."""
_TIMEOUT = 3.0
_MOST = 1 << 20


def database(config: Config) -> Iterator[Finding]:
    """Whether it is there, how large, and of which revision; nothing is written to it."""
    url = make_url(config.database)
    shown = url.render_as_string(hide_password=True)
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    if file is not None:
        folder = file.parent
        if not folder.is_dir():
            yield problem("database", f"{shown}: the folder {folder} is not there", "make it, or set database")
            return
        free = shutil.disk_usage(folder).free
        if free < LITTLE:
            todo = "free some; a full disk stops predictions from being stored"
            yield problem("disk", f"{free >> 20} MiB are free where the database is", todo)
        else:
            yield ok("disk", f"{free >> 30} GiB are free where the database is")
        if not file.exists():
            yield missing("database", f"{shown}: not there yet", "`watchkeeper run` makes it")
            return
    engine = open_engine(config.database)
    try:
        with engine.connect() as connection:
            revision = connection.exec_driver_sql("select version_num from alembic_version").scalar()
    finally:
        engine.dispose()
    size = f", {file.stat().st_size >> 20} MiB" if file is not None else ""
    yield ok("database", f"{shown}{size}, revision {revision}")


def daemon(config: Config, clock: Clock) -> Iterator[Finding]:
    """Whether one answers on `listen`, and what it says is not well."""
    try:
        with Client(clock.monotonic).ask(Request(f"http://{config.listen}/readyz"), _TIMEOUT) as answer:
            status, body = answer.status, answer.read(_MOST)
    except ExchangeError as error:
        yield missing("daemon", f"none answers on {config.listen} ({error})", "start it with `watchkeeper run`")
        return
    try:
        plain = json.loads(body)
        parts = plain.get("degraded") or {}
    except (ValueError, AttributeError):
        yield problem("daemon", f"what answers on {config.listen} is no Watchkeeper", "set another port in listen")
        return
    if status != 200:
        yield problem("daemon", f"on {config.listen}, not ready: {plain.get('reason') or status}")
    elif parts:
        said = "; ".join(f"{name}: {text}" for name, text in parts.items()) if isinstance(parts, dict) else str(parts)
        yield problem("daemon", f"runs on {config.listen}, degraded: {said}")
    else:
        yield ok("daemon", f"runs on {config.listen}")
