"""Which jobs the config asks for, and when they count as standing still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.config.load import load
from monitor.daemon.daemon import Daemon
from monitor.daemon.jobs import STALLED_SECONDS
from monitor.daemon.schedule import Schedule
from monitor.store.migrations import upgrade
from tests.alerts.builders import FakeClock

ALL = """
models:
  - model: delays
    reference: reference.csv
    server: {preset: fastapi, url: "http://127.0.0.1:8080", process: {port: 8080}}
    checks: {weekly: {type: evidently, preset: DataDriftPreset}}
  - model: fares
evaluate: 20s
collect: {interval: 7s}
slack: {channel: "#ml", token: xoxb-1}
heartbeat: {url: "http://127.0.0.1:9/ping", interval: 30s}
"""


@contextmanager
def built(folder: Path, config: str, clock: SystemClock | FakeClock) -> Iterator[Daemon]:
    (folder / "reference.csv").write_text("id,distance,prediction\n1,2.5,yes\n")
    (folder / "watchkeeper.yaml").write_text(config)
    settings = load(folder / "watchkeeper.yaml")
    upgrade(settings.database)
    daemon = Daemon(settings, clock)
    daemon.writer.start()
    try:
        yield daemon
    finally:
        daemon.writer.stop()
        daemon.engine.dispose()
        if daemon.lock is not None:
            daemon.lock.close()


def test_everything_that_runs_at_an_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[float, str]] = []
    monkeypatch.setattr(Schedule, "every", lambda _, seconds, name, job, jitter=0.0: found.append((seconds, name)))
    with built(tmp_path, ALL, SystemClock()) as daemon:
        daemon.jobs.schedule_all()
    assert found == [
        (20.0, "tick delays"),
        (20.0, "reports delays"),
        (20.0, "arrivals delays"),
        (20.0, "checks delays"),
        (20.0, "usable_rows delays"),
        (15.0, "server delays"),
        (7.0, "process delays"),
        (7.0, "gpu-process delays"),
        (20.0, "tick fares"),
        (20.0, "arrivals fares"),
        (20.0, "checks fares"),
        (20.0, "usable_rows fares"),
        (7.0, "machine"),
        (7.0, "gpu"),
        (20.0, "reminders"),
        (2.0, "pictures slack"),
        (30.0, "heartbeat"),
        (60.0, "trim"),
        (3600.0, "retention"),
    ]


def test_the_daemon_knows_when_it_stands_still(tmp_path: Path) -> None:
    clock = FakeClock()
    with built(tmp_path, "model: delays\nlisten: 127.0.0.1:0\nevaluate: 1s\n", clock) as daemon:
        assert daemon.jobs.stalled() is None
        clock.forward(STALLED_SECONDS + 1)
        assert daemon.jobs.stalled() == "nothing has been judged for a while"
        daemon.jobs.remind()
        assert daemon.jobs.stalled() == "delivery to console hangs"
