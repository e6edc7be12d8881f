"""Compacts what bench.ingest sends, as fast as it can, in a process of its own: the worker's side of a busy hour.

    python -m bench.compacting sqlite:///path/to/bench.db

Builds a reference first, so that every chunk is encoded, profiled and written as it would be beside a real model.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, insert, select, update

from bench.ingest import prediction
from monitor.store.engine import open_engine, writing
from monitor.store.tables import arrivals, progress
from monitor.worker.compaction.compaction import Compaction
from monitor.worker.messages import ModelOptions
from monitor.worker.tasks import build_reference

MODEL = "bench"


def main(url: str) -> int:
    options = ModelOptions(model=MODEL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.csv"
        write_reference(path)
        build_reference(url, str(path), options)
    engine = open_engine(url)
    with writing(engine).begin() as connection:
        connection.execute(insert(progress).values(model=MODEL, scanned_seq=0, compacted_seq=0))
    while True:
        with writing(engine).begin() as connection:
            newest = connection.scalar(select(func.max(arrivals.c.seq)).where(arrivals.c.model == MODEL))
            if newest is not None:
                connection.execute(update(progress).where(progress.c.model == MODEL).values(scanned_seq=newest))
        if newest is None:
            time.sleep(0.05)
            continue
        began = time.perf_counter()
        done = Compaction(engine, MODEL, options).run(newest)
        if done.rows:
            print(f"compacted {done.rows:,} rows in {time.perf_counter() - began:.2f} s", file=sys.stderr, flush=True)


def write_reference(path: Path, rows: int = 2000) -> None:
    """Predictions like those that are sent, as a reference file."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        for index in range(rows):
            row = prediction()
            features, prediction_ = row["features"], row["prediction"]
            assert isinstance(features, dict)
            if index == 0:
                out.writerow(["time", *features, "prediction", "score"])
            probabilities = row["probabilities"]
            assert isinstance(probabilities, dict)
            out.writerow([row["time"], *features.values(), prediction_, probabilities["1"]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
