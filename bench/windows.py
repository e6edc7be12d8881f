"""What a longer window costs once its rows are profiled, as a ratio: python -m bench.windows [--columns 50 1000]

A real store: a reference, eight days of arrivals an hour, compacted, judged and rolled up by the code that the worker
runs. Then the newest hour and the seven days before are measured as a closing does it: their profile from the store,
and drift of all columns. No row is read for either.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import func, insert, select

from bench.table import Row
from checks.base import Window
from checks.drift.feature import feature_drift
from checks.inputs import CheckOptions, WindowData
from checks.profile import Profile
from monitor.store.engine import open_engine, writing
from monitor.store.tables import arrivals, metadata, profiles, progress, rollups, windows
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.references import newest
from monitor.worker.stored.window_reader import WindowReader
from monitor.worker.tasks import build_reference, compact
from monitor.worker.upkeep.rollup import roll

MODEL = "bench"
HOUR, DAY = 3600.0, 86400.0
BEGIN = 20_000 * DAY
DAYS = 8
ROWS = 300
"""Rows an hour: the cost of a profile does not go with them."""
RUNS = 7


def measure(columns: int) -> dict[str, float]:
    """Milliseconds of an hour's and of seven days' window, of their profile alone, and their ratio; bytes a column."""
    with tempfile.TemporaryDirectory() as folder:
        options = ModelOptions(model=MODEL, allowed_lateness=0.0)
        url = f"sqlite:///{folder}/bench.db"
        engine = open_engine(url)
        metadata.create_all(engine)
        fill(url, Path(folder), columns, options)
        with engine.connect() as connection:
            reference = newest(connection, MODEL)
            seq = connection.scalar(select(func.max(windows.c.close_seq)))
            size = connection.execute(
                select(func.avg(func.length(rollups.c.payload))).group_by(rollups.c.seconds).order_by(rollups.c.seconds)
            ).scalars()
            hourly, daily = (float(item) / columns for item in size)
            assert not connection.scalar(select(func.count()).select_from(profiles).where(profiles.c.seq <= seq))
        assert reference is not None
        assert seq is not None
        # Seven days that end in the middle of one: the most parts that they can have.
        end = BEGIN + (DAYS - 1) * DAY + 12 * HOUR
        week, hour = Window(end - 7 * DAY, end), Window(end - HOUR, end)

        def profiled(window: Window) -> Profile:
            found = WindowReader(engine, MODEL, reference, seq, options).profile(window)
            assert found is not None
            assert found.n == round(window.seconds / HOUR) * ROWS
            return found

        def judged(window: Window) -> None:
            found = profiled(window)
            rows = feature_drift(WindowData(window, found, found.n), reference.reference, CheckOptions())
            assert rows[-1].value is not None

        seconds = {
            "hour_ms": timed(lambda: judged(hour)),
            "week_ms": timed(lambda: judged(week)),
            "hour_profile_ms": timed(lambda: profiled(hour)),
            "week_profile_ms": timed(lambda: profiled(week)),
        }
        return {
            "columns": columns,
            **{name: round(value * 1e3, 1) for name, value in seconds.items()},
            "ratio": round(seconds["week_ms"] / seconds["hour_ms"], 2),
            "hour_bytes_a_column": round(hourly),
            "day_bytes_a_column": round(daily),
        }


def timed(work: Callable[[], object]) -> float:
    """Seconds of the median run, after one that warms up."""
    found = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return median(found[1:])


def fill(url: str, folder: Path, columns: int, options: ModelOptions) -> None:
    """Eight days of arrivals, an hour each, worked through up to their roll-ups."""
    rng = np.random.default_rng(0)
    names = [f"x{place}" for place in range(columns)]
    made = {name: rng.normal(size=5_000) for name in names}
    path = folder / "reference.parquet"
    pq.write_table(pa.table({"time": BEGIN - DAY + np.arange(5_000) * 17.0, **made}), path)
    build_reference(url, str(path), options)
    engine = open_engine(url)
    hours = round(DAYS * DAY / HOUR)
    with writing(engine).begin() as connection:
        connection.execute(insert(progress).values(model=MODEL, scanned_seq=0, compacted_seq=0, every=HOUR))
    for hour in range(hours):
        start = BEGIN + hour * HOUR
        payload = {
            "id": [f"{hour}-{row}" for row in range(ROWS)],
            "time": (start + np.arange(ROWS)).tolist(),
            "features": {name: rng.normal(size=ROWS).tolist() for name in names},
            "prediction": [0.0] * ROWS,
            **dict.fromkeys(("probabilities", "latency", "version", "tags")),
        }
        row = {"model": MODEL, "kind": "predictions", "received_at": start, "t_min": start, "t_max": start + ROWS}
        stored = {**row, "n": ROWS, "codec": "msgpack-columns/1", "payload": msgspec.msgpack.encode(payload)}
        window = {"model": MODEL, "start": start, "end": start + HOUR, "close_seq": hour + 1, "mature_at": start}
        with writing(engine).begin() as connection:
            connection.execute(insert(arrivals).values(stored))
            connection.execute(insert(windows).values(window))
            connection.execute(progress.update().values(scanned_seq=hour + 1, judged_window=start + HOUR))
        if hour % 24 == 23:
            compact(url, MODEL, hour + 1, options)
            roll(engine, MODEL, options)


def rows(*columns: int) -> list[Row]:
    """The figures as rows of docs/benchmarks.md."""
    return [
        Row(
            f"drift over 7 days / over 1 hour, {count:,} columns, profiled",
            f"{found['ratio']} × ({found['week_ms']} ms / {found['hour_ms']} ms)",
            "≤ 2 ×",
            found["ratio"] <= 2,
        )
        for count in columns
        for found in [measure(count)]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, nargs="+", default=[50, 1000])
    for columns in parser.parse_args().columns:
        print(json.dumps(measure(columns)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
