"""A fault in one small part of the predictions, through the real daemon: all rows together hardly show it, the part's
own alert names it."""

from __future__ import annotations

import csv
import random
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.process import COMMAND, Daemon, wait_for

START = 1_767_225_600.0  # 2026-01-01T00:00Z
HOUR = 3600.0
HOURS, ROWS, FAULT = 22, 1200, 12
CONFIG = """
model: fares
reference: reference.csv
schema: {ignore: [country]}     # no feature: it comes as a tag
time: replay
windows: {every: 1h, allowed_lateness: 5m}
labels: {maturity: 4h}
segments: [{tag: country, top: 3}, {feature: class, checks: [performance]}]
collect: {host: false}
evaluate: 200ms
"""
FR = {"metric": "accuracy", "segment": "country=FR"}


def _row(rng: random.Random) -> dict[str, Any]:
    country = rng.choices(["DE", "AT", "FR", "CH", "IT"], [60, 25, 7, 5, 3])[0]
    distance = rng.gauss(1000.0, 250.0)
    late = rng.random() < (0.8 if distance > 1000 else 0.2)
    return {"country": country, "distance": distance, "class": rng.choice(["first", "second"]), "late": int(late)}


def _write_reference(path: Path, rows: int = 40_000) -> None:
    rng = random.Random(1)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "country", "distance", "class", "target", "prediction"])
        for index in range(rows):
            row = _row(rng)
            time = START - 40 * HOUR + index * 40 * HOUR / rows
            predicted = int(row["distance"] > 1000)
            out.writerow([time, row["country"], row["distance"], row["class"], row["late"], predicted])


def _send(daemon: Daemon) -> None:
    """An hour's predictions and then its labels, hour after hour. From FAULT on what is predicted in France is wrong
    way round."""
    rng = random.Random(2)
    for hour in range(HOURS):
        predictions, labels = [], []
        for index in range(ROWS):
            row = _row(rng)
            id_, time = f"{hour}-{index}", START + hour * HOUR + index * HOUR / ROWS
            predicted = int(row["distance"] > 1000)
            if hour >= FAULT and row["country"] == "FR":
                predicted = 1 - predicted
            features = {"distance": row["distance"], "class": row["class"]}
            tags = {"country": row["country"]}
            predictions.append({"id": id_, "time": time, "features": features, "prediction": predicted, "tags": tags})
            labels.append({"id": id_, "label": row["late"], "time": time + HOUR})
        assert daemon.post("/v1/models/fares/predictions", predictions)[0] == 202
        assert daemon.post("/v1/models/fares/labels", labels)[0] == 202


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("segments")
    _write_reference(folder / "reference.csv")
    with Daemon(folder, CONFIG) as daemon:
        _send(daemon)
        end = START + (HOURS - 1) * HOUR
        judged = "select 1 from progress where judged_window >= ?"
        wait_for(lambda: daemon.rows(judged, end), "every closed window is judged", seconds=90)
        yield daemon


def _accuracy(daemon: Daemon, segment: str, last: int) -> list[dict[str, Any]]:
    """Accuracy of the last windows with mature labels, oldest first."""
    query = f"model=fares&name=performance&label=metric=accuracy&label=segment={quote(segment)}&limit={last}"
    rows: list[dict[str, Any]] = daemon.get(f"/api/v1/measurements?{query}")["measurements"]
    return rows[::-1]


def test_the_alert_names_the_part_and_the_whole_has_none(done: Daemon) -> None:
    fired = done.rows("select rule, labels from transitions where after = 'firing' and model = 'fares'")
    assert fired == [("segment-accuracy-low", '{"metric":"accuracy","segment":"country=FR"}')]


def test_the_whole_s_accuracy_hardly_moves_and_the_part_s_falls(done: Daemon) -> None:
    whole, part = _accuracy(done, "", HOURS), _accuracy(done, "country=FR", HOURS)
    assert all(row["value"] > row["reference"] - 0.08 for row in whole)
    after = [row["value"] for row in part if row["window_start"] >= START + FAULT * HOUR]
    assert len(after) >= HOURS - FAULT - 2
    assert all(value < 0.5 for value in after)
    assert all(row["value"] > 0.6 for row in part if row["window_end"] <= START + FAULT * HOUR)
    others = _accuracy(done, "country=(other)", HOURS)
    assert all(row["value"] > 0.6 for row in others)


def test_the_message_says_where(done: Daemon) -> None:
    (incident,) = [row for row in done.get("/api/v1/alerts")["incidents"] if row["group"] == "performance"]
    assert (incident["firing"], incident["total"]) == (1, 1)
    (alert,) = incident["alerts"]
    assert alert["labels"] == FR
    assert alert["summary"].startswith("country=FR: Accuracy of fares is ")
    wait_for(lambda: "country=FR: Accuracy of fares is " in done.log.read_text(), "the console says it, too")


def test_its_own_rows_of_the_reference_are_what_it_is_held_against(done: Daemon) -> None:
    newest = {row["window_end"]: row for row in _accuracy(done, "country=FR", 1)}
    (row,) = newest.values()
    assert row["reference"] is not None
    assert row["limit_low"] < row["reference"]
    (small,) = _accuracy(done, "country=(other)", 1)
    assert small["reference"] != row["reference"]


def test_the_page_and_the_metrics_show_it(done: Daemon) -> None:
    page = done.get("/models/fares")
    table = page[page.index("<h2>Segments</h2>") :]
    assert table.index("country=FR") < min(table.index(name) for name in ("country=DE", "class=first"))
    metrics = done.get("/metrics")
    assert 'watchkeeper_performance{metric="accuracy",segment="country=FR",model="fares"}' in metrics
    assert 'watchkeeper_window_rows{segment="country=FR",model="fares"}' in metrics
    assert 'watchkeeper_segment_measurements_cut{model="fares"} 0.0' in metrics
    assert 'drifted_features{segment="class=first"' not in metrics, "that dimension asks for performance alone"


def test_the_log_and_check_config_state_the_cost(done: Daemon) -> None:
    told = "this adds 7 profiles to each chunk and "
    assert f"fares: segments: {told}" in done.log.read_text()
    shown = subprocess.run([str(COMMAND), "check-config"], cwd=done.folder, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    assert "country (tag), 4 segments at most: volume, performance, drift, missing" in shown.stdout
    assert "class (feature), 3 segments at most: performance" in shown.stdout
    assert told in shown.stdout
