"""The same events give the same measurements and transitions, however fast they come and whatever restarts between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import HOUR, START, batches, write_reference

HOURS = 20
CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {every: 1h, allowed_lateness: 5m, min_rows: 50}
labels: {maturity: 6h}
segments: [colour, {tag: shop, top: 2}]   # a tag that the reference lacks: its values are learned from the stream
segment_measurements: 100
collect: {host: false}
evaluate: 200ms
rules:
  - {name: rows, metric: window_rows, below: 100, severity: info}
"""
MEASURED = """
    select name, labels, window_start, window_end, value, reason, n, low, high, reference, limit_low, limit_high,
           provisional, revision, detail
    from measurements order by name, labels, window_end"""
DECIDED = """
    select model, rule, fingerprint, labels, before, after, reason, at, value
    from transitions where model = 'parcels' and rule not like '%traffic%' order by id"""


def prepare(folder: Path) -> Daemon:
    folder.mkdir()
    write_reference(folder / "reference.csv")
    return Daemon(folder, CONFIG)


def judged(daemon: Daemon) -> float:
    rows = daemon.rows("select judged_window from progress")
    return rows[0][0] or 0.0 if rows else 0.0


def finish(daemon: Daemon) -> dict[str, list[tuple[Any, ...]]]:
    last = START + (HOURS - 1) * HOUR
    wait_for(lambda: judged(daemon) >= last, "every closed window is judged", seconds=60)
    return {"measurements": daemon.rows(MEASURED), "transitions": daemon.rows(DECIDED)}


def at_once(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    with prepare(folder) as daemon:
        for kind, rows in batches(HOURS):
            assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202
        return finish(daemon)


def step_by_step(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Each batch is sent once the windows that the one before closed are judged; the daemon dies twice on the way."""
    daemon = prepare(folder)
    with daemon:
        for index, (kind, rows) in enumerate(batches(HOURS)):
            assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202
            newest = max(row["time"] for row in rows) if kind == "predictions" else 0.0
            closed = (newest - 300) // HOUR * HOUR
            if closed > START and index % 3 == 0:
                wait_for(lambda closed=closed: judged(daemon) >= closed, "the window is judged")
            if index == 20:
                daemon.kill()
                daemon.start()
            if index == 45:
                daemon.stop()
                daemon.start()
        return finish(daemon)


def test_speed_and_restarts_change_nothing(tmp_path: Path) -> None:
    fast, slow = at_once(tmp_path / "fast"), step_by_step(tmp_path / "slow")
    assert fast["transitions"] == slow["transitions"]
    assert fast["measurements"] == slow["measurements"]
    fired = {(row[1], row[3]) for row in fast["transitions"] if row[5] == "firing"}
    assert any("distance" in labels for _, labels in fired), fired
    assert any("colour" in labels for _, labels in fired), fired
    revised = [row for row in fast["measurements"] if row[13] > 0]
    assert revised, "the late rows of hour 5 revise what they touch"
    assert any("colour=r" in row[1] for row in revised)
    shops = {row[1] for row in fast["measurements"] if "shop=" in row[1]}
    assert any("shop=(other)" in labels for labels in shops)
