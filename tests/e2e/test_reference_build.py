"""References out of a running daemon's database: one built on demand beside it, and one that rolls."""

from __future__ import annotations

import os
import pty
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import COMMAND, Daemon, wait_for
from tests.e2e.stream import HOUR, START

CONFIG = """
models:
  - model: parcels
    time: replay
    windows: {every: 1h, allowed_lateness: 0s, min_rows: 50}
    segments: [{feature: colour, checks: [volume, feature_drift]}]
  - model: letters
    reference: {window: previous, of: 2h}
    time: replay
    windows: {every: 1h, allowed_lateness: 0s, min_rows: 50}
collect: {host: false}
evaluate: 200ms
"""
JUDGED = "select start, reference_id from windows where model = ? order by start"
DRIFT = """
    select w.start, m.value > max(m.limit_high, 0.1) from windows w left join measurements m on m.model = w.model
    and m.window_end = w.end and m.name = 'feature_drift' and m.labels = ? where w.model = ? order by w.start"""
DISTANCE = '{"feature":"distance","method":"psi"}'
RED = '{"feature":"distance","method":"psi","segment":"colour=r"}'


def hour(number: int, shift: float = 0.0, rows: int = 300) -> list[dict[str, Any]]:
    rng = random.Random(number)
    return [
        {
            "id": f"{number}-{row}",
            "time": START + (number + row / rows) * HOUR,
            "features": {"distance": rng.gauss(1000.0 * (1 + shift), 250.0), "colour": rng.choices("rg", [3, 1])[0]},
            "prediction": rng.randint(0, 1),
            "probabilities": rng.random(),
        }
        for row in range(rows)
    ]


def send(daemon: Daemon, model: str, numbers: range, shift: float = 0.0) -> None:
    """The hours, and waits until all but the last, which has not closed, are judged."""
    for number in numbers:
        assert daemon.post(f"/v1/models/{model}/predictions", hour(number, shift))[0] == 202
    until = START + numbers[-1] * HOUR
    found = "select 1 from progress where model = ? and judged_window >= ?"
    wait_for(lambda: daemon.rows(found, model, until), f"{model} is judged up to hour {numbers[-1]}", seconds=60)


def on_terminal(folder: Path, *arguments: str) -> tuple[str, str]:
    """What a command writes to stdout, and what it shows on the terminal that its stderr is."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(COMMAND), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        text=True,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 65536):
                shown += some
        except OSError:  # the terminal's other end is closed
            pass
        finally:
            os.close(ours)
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait(timeout=60) == 0, shown.decode()
    return said, shown.decode()


def drifted(daemon: Daemon, model: str, labels: str = DISTANCE) -> list[int | None]:
    return [value for _, value in daemon.rows(DRIFT, labels, model)]


@pytest.mark.timeout(200)
def test_built_beside_a_running_daemon_and_rolling(tmp_path: Path) -> None:
    with Daemon(tmp_path, CONFIG) as daemon:
        send(daemon, "parcels", range(13))
        send(daemon, "letters", range(6))
        said, shown = on_terminal(
            tmp_path, "reference", "build", "--model", "parcels", "--from", "events:10h", "--by", "ann"
        )
        assert "parcels: reference 2 from 3,000 rows, events 2026-01-01T02:00:00Z/2026-01-01T12:00:00Z (built)" in said
        assert "reference of parcels" in shown and "━" in shown, "a progress bar"
        send(daemon, "parcels", range(13, 15))
        send(daemon, "parcels", range(15, 17), 0.6)
        send(daemon, "letters", range(6, 11), 0.6)
        none, normal, over = [None], [0], [1]
        for labels in (DISTANCE, RED):
            assert drifted(daemon, "parcels", labels) == 12 * none + 3 * normal + over
        # It compares with the two hours before, and so forgets a step after as long.
        assert drifted(daemon, "letters") == 2 * none + 4 * normal + 2 * over + 2 * normal
        assert [number for _, number in daemon.rows(JUDGED, "letters")] == [None, None] + 8 * [1]
        models = {one["model"]: one["references"] for one in daemon.get("/api/v1/status")["models"]}
        (built,), (rolled,) = models["parcels"]["in_force"], models["letters"]["in_force"]
        assert (built["id"], built["action"], built["by"], models["letters"]["rolling"]) == (2, "built", "ann", True)
        assert rolled["kind"] == "learned"
        metrics = daemon.get("/metrics")
        assert 'reference_info{model="parcels",version="",kind="events",reference="2"} 1.0' in metrics, metrics
