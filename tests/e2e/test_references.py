"""A model without a file: a daemon learns what is normal, is told to accept what is new, and meets a new version."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import COMMAND, Daemon, wait_for
from tests.e2e.stream import HOUR, START

CONFIG = """
model: parcels
reference: {first: 10h, per_version: true}
time: replay
windows: {every: 1h, allowed_lateness: 5m, min_rows: 50}
collect: {host: false}
evaluate: 200ms
"""
MEASURED = """
    select name, labels, window_end, value, reason, n, limit_high, reference, revision, detail
    from measurements where model = 'parcels' order by name, labels, window_end"""
TOLD = "select rule, after, reason, at from transitions where model = 'parcels' order by id"
JUDGED = "select start, reference_id, version from windows order by start"


def hour(number: int, version: str, shift: float = 0.0, rows: int = 150) -> list[dict[str, Any]]:
    rng = random.Random(f"{number} {version} {shift}")
    return [
        {
            "id": f"{version}-{number}-{row}",
            "time": START + (number + row / rows) * HOUR,
            "features": {"distance": rng.gauss(1000.0 * (1 + shift), 250.0), "colour": rng.choice("rgb")},
            "prediction": rng.randint(0, 1),
            "probabilities": rng.random(),
            "version": version,
        }
        for row in range(rows)
    ]


def run(daemon: Daemon, *arguments: str) -> str:
    done = subprocess.run(
        [str(COMMAND), "reference", *arguments], cwd=daemon.folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def judged(daemon: Daemon) -> float:
    rows = daemon.rows("select judged_window from progress")
    return float(rows[0][0] or 0.0) if rows else 0.0


def send(daemon: Daemon, numbers: range, version: str, shift: float = 0.0, *, steps: bool) -> None:
    """The hours, and waits for the last of them to be judged; with `steps` for each, dying twice on the way."""
    for number in numbers:
        assert daemon.post("/v1/models/parcels/predictions", hour(number, version, shift))[0] == 202
        if number and (steps or number == numbers[-1]):
            wait_for(lambda end=START + number * HOUR: judged(daemon) >= end, f"hour {number} is judged", seconds=60)
        if steps and number in (7, 27):
            daemon.kill()
            daemon.start()


def life(folder: Path, *, steps: bool) -> Daemon:
    daemon = Daemon(folder, CONFIG)
    with daemon:
        send(daemon, range(6), "3", steps=steps)
        page = daemon.get("/models/parcels?refresh=off")
        assert re.search(r"version 3:\s+no reference yet, learning\s+until", page), page
        (learning,) = daemon.get("/api/v1/status")["models"][0]["references"]["learning"]
        assert (learning["version"], learning["until"]) == ("3", START + 10 * HOUR)
        assert 'reference_learned_ratio{model="parcels",version="3"}' in daemon.get("/metrics")
        send(daemon, range(6, 14), "3", steps=steps)
        # What is new is said to be normal.
        send(daemon, range(14, 18), "3", 0.6, steps=steps)
        said = run(daemon, "accept", "--since", "2h", "--by", "ann", "--comment", "longer routes")
        assert "(accepted); it holds for windows that end after" in said
        send(daemon, range(18, 21), "3", 0.6, steps=steps)
        # A rollout to a model of other data.
        send(daemon, range(21, 24), "4", -0.5, steps=steps)
        wait_for(lambda: "watchkeeper_feature_drift{" not in daemon.get("/metrics"), "no drift is left of version 3")
        send(daemon, range(24, 35), "4", -0.5, steps=steps)
        if not steps:
            told(daemon)
    return daemon


def told(daemon: Daemon) -> None:
    """What people are told of it."""
    listed = json.loads(run(daemon, "list", "--json"))
    assert [(row["id"], row["kind"], row["version"], row["in_force"]) for row in listed] == [
        (3, "learned", "4", True),
        (2, "accepted", "3", True),
        (1, "learned", "3", False),
    ]
    history = json.loads(run(daemon, "history", "--json"))
    assert [(row["action"], row["by"], row["comment"]) for row in history] == [
        ("learned", "watchkeeper", ""),
        ("accepted", "ann", "longer routes"),
        ("learned", "watchkeeper", ""),
        ("configured", "config", ""),
    ]
    wait_for(
        lambda: 'version="4",kind="learned",reference="3"} 1.0' in daemon.get("/metrics"),
        "metrics name the reference",
    )
    assert 'reference_info{model="parcels",version="3",kind="accepted",reference="2"} 1.0' in daemon.get("/metrics")
    assert re.search(r"reference 2 of version 3 \(accepted\)", daemon.get("/models/parcels?refresh=off"))


def drifted(daemon: Daemon) -> list[float | None]:
    """Whether PSI of distance passed its limit, by window; None without a reference."""
    rows = daemon.rows(
        "select w.start, m.value > m.limit_high from windows w left join measurements m on m.window_end = w.end and "
        "m.name = 'feature_drift' and m.labels = ? order by w.start",
        json.dumps({"feature": "distance", "method": "psi"}, separators=(",", ":")),
    )
    return [value for _, value in rows]


@pytest.mark.timeout(400)
def test_learns_accepts_and_meets_a_new_version(tmp_path: Path) -> None:
    fast, slow = life(tmp_path / "fast", steps=False), life(tmp_path / "slow", steps=True)
    assert fast.rows(MEASURED) == slow.rows(MEASURED)
    assert fast.rows(JUDGED) == slow.rows(JUDGED)
    none, normal, over = [None], [0], [1]
    # Hour 17 has not closed yet when hours 15 and 16 are accepted, and is judged by them.
    assert drifted(fast) == 10 * none + 4 * normal + 3 * over + 4 * normal + 10 * none + 3 * normal
    by = [(reference, version) for _, reference, version in fast.rows(JUDGED)]
    assert by == 10 * [(None, "3")] + 7 * [(1, "3")] + 4 * [(2, "3")] + 10 * [(None, "4")] + 3 * [(3, "4")]
    assert fast.rows(TOLD) == slow.rows(TOLD)
    told = [(rule, after, reason, (at - START) / HOUR) for rule, after, reason, at in fast.rows(TOLD)]
    assert told == [
        ("feature-drift", "pending", "breached", 15),
        ("feature-drift", "firing", "held", 16),
        # What is accepted is judged anew: no rule goes on with values from before.
        ("feature-drift", "inactive", "reference_changed", 18),
        # The rollout is told of, the first to learn are not.
        ("version-without-reference", "firing", "breached", 22),
        ("version-without-reference", "inactive", "cleared", 32),
    ]
    log = fast.log.read_text()
    assert len(re.findall(r"version 4 of the model appears", log)) == 1
