"""What `alerts explain` shows, and the values that only a running daemon knows."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from checks.base import Measurement, Window
from checks.catalog import CATALOG
from monitor.cli.output import print_line
from monitor.config.urls import address
from monitor.settings.root import Config
from monitor.store.engine import open_engine
from monitor.store.results.measurements import latest

PATIENCE = 2.0
"""Seconds for the daemon to answer."""


def newest_values(config: Config) -> tuple[list[tuple[str, Measurement]], str]:
    """The newest value of each series: what is sampled from the daemon, the rest from the database; and in a sentence
    what is missing."""
    engine = open_engine(config.database)
    try:
        stored = latest(engine)
    finally:
        engine.dispose()
    try:
        status = _status(config)
    except (OSError, ValueError) as error:
        return stored, f"no daemon answers at {config.listen} ({error}), so the newest samples are not known"
    views = [("", status["host"]), *((model["model"], model["values"]) for model in status["models"])]
    sampled = [(model, _measurement(row)) for model, rows in views for row in rows if _is_sampled(row["name"])]
    return stored + sampled, ""


def print_explained(found: list[dict[str, Any]], missing: str) -> None:
    """Each alert with its facts, one a line."""
    for index, alert in enumerate(found):
        labels = " ".join(f"{name}={value}" for name, value in alert["labels"].items())
        known = f" on {alert['model'] or 'host'}" if alert["fingerprint"] else ""
        if index:
            print()
        print_line(f"{alert['rule']}{known} {labels}".rstrip())
        if known:
            print_line(f"  {'fingerprint':<13} {alert['fingerprint']}")
        for fact in alert["facts"]:
            print_line(f"  {fact['about']:<13} {fact['found']}")
    if missing:
        print(f"\n{missing}")


def _status(config: Config) -> dict[str, Any]:
    host, port = address(config)
    known = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    where = f"[{known}]" if ":" in known else known
    # Without a proxy: the daemon is this machine's, or this network's.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{where}:{port}/api/v1/status", timeout=PATIENCE) as reply:
        plain: dict[str, Any] = json.load(reply)
    return plain


def _is_sampled(name: str) -> bool:
    entry = CATALOG.get(name)
    return entry is not None and entry.clock == "wall"


def _measurement(row: dict[str, Any]) -> Measurement:
    window = Window(row["window"]["start"], row["window"]["end"])
    return Measurement(row["name"], row["value"], window, tuple(sorted(row["labels"].items())), row["n"])
