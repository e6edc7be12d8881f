"""The demo's drifting week through a real daemon: the incident links Evidently's report on it, a browser opens it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from monitor.demo.data import FEATURES, between, prepare
from monitor.demo.replay import Departures, steps
from monitor.demo.story import DAY, REPLAY, story
from tests.e2e.process import Daemon, wait_for
from tests.servers.browser import chromium, opened

KILOMETRES = story(REPLAY[0])[0]
BEGIN = KILOMETRES.begins - 8 * DAY
CONFIG = """
model: delays
reference: reference.parquet
time: replay
windows: {every: 1d, allowed_lateness: 1h}
collect: {host: false, container: false, gpu: false}
evaluate: 500ms
checks:
  weekly: {type: evidently, preset: DataDriftPreset, window: 7d, sample: 1000}
"""


def predicted(hour: float) -> int:
    """The evening is late: the model is not what is looked at here."""
    return int(hour >= 17)


def write_reference(flights: pa.Table, path: Path) -> None:
    rows = between(flights, BEGIN - 30 * DAY, BEGIN)
    rows = (
        rows.filter(pc.is_valid(rows["late"]))
        .select(["time", *FEATURES, "late"])
        .rename_columns(["time", *FEATURES, "target"])
    )
    late = pa.array([predicted(hour) for hour in rows["hour"].to_pylist()], pa.int8())
    pq.write_table(rows.append_column("prediction", late), path)


def feed(daemon: Daemon, flights: pa.Table) -> None:
    """Seventeen days of departures, a day a batch, with distances in kilometres from the ninth on."""
    batch: list[dict[str, Any]] = []
    day = BEGIN // DAY
    for step in steps(between(flights, BEGIN, BEGIN + 17 * DAY), (KILOMETRES,)):
        if not isinstance(step, Departures):
            continue
        if step.hour // DAY != day:
            assert daemon.post("/v1/models/delays/predictions", batch)[0] == 202
            batch, day = [], step.hour // DAY
        batch += [{**flight, "prediction": predicted(flight["features"]["hour"])} for flight in step.flights]
    assert daemon.post("/v1/models/delays/predictions", batch)[0] == 202


def read_in_a_browser(url: str) -> str:
    """The text of the report in its frame, once its scripts have run; nothing was refused, and nothing failed."""
    with chromium() as browser, opened(browser) as page:
        page.goto(url)
        body = page.frame_locator("iframe").locator("body")
        expect(body).to_contain_text("distance", timeout=60_000)
        return re.sub(r"\s+", " ", body.inner_text())


@pytest.mark.release
@pytest.mark.timeout(300)
def test_the_report_of_the_drifting_week_opens_from_the_incident(tmp_path: Path) -> None:
    flights = pq.read_table(prepare(tmp_path))
    write_reference(flights, tmp_path / "reference.parquet")
    with Daemon(tmp_path, CONFIG) as daemon:
        feed(daemon, flights)

        def week() -> dict[str, Any] | None:
            """The report on seven days that have all begun in kilometres, from the incident on the distance."""
            for incident in daemon.get("/api/v1/alerts?model=delays")["incidents"]:
                if any(alert["labels"].get("feature") == "distance" for alert in incident["alerts"]):
                    links = [link for link in incident["reports"] if link["end"] > KILOMETRES.begins + 5 * DAY]
                    return dict(links[0]) if links else None
            return None

        link = wait_for(week, "the incident links the report on the drifting week", 150)
        assert link["path"] in daemon.get("/reports"), "the page lists it, too"
        text = read_in_a_browser(daemon.url + link["path"])
    assert "Dataset Drift" in text
    row = re.search(r"distance num (Detected|Not Detected) ([A-Za-z -]+)", text)
    assert row is not None, text[:2000]
    assert row[1] == "Detected"
    assert "13 Columns" in text, "twelve features and the prediction"
