"""What segments cost: a stream is compacted, measured and rolled up with 0, 1 and 3 dimensions, and nothing else runs.

    python -m bench.segments [--rows 10000] [--columns 50] [--hours 4]

CPU time of one core, a window; the log is the daemon's, in a database of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import func, select

from checks.segments.parts import DEFAULT
from monitor.store.tables import rollups
from monitor.worker.messages import ModelOptions, SegmentOptions
from monitor.worker.tasks import build_reference, compact, measure
from monitor.worker.upkeep.rollup import roll
from tests.monitor.worker.log import HOUR, START, Log

CATEGORIES = (12, 30, 6)
"""Values of each of the columns that rows are told apart by: top 10 and others, twice, and 6 and others."""
HEADS: tuple[str, ...] = ("dimensions", "segments", "reference built", "compaction", "measuring", "rolling up")
HEADS += ("measurements", "stored an hour")
BATCH = 5_000
REFERENCE_ROWS = 40_000
Columns = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="a window")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--hours", type=int, default=4)
    given = parser.parse_args()
    print(f"{given.rows:,} rows an hour, {given.columns} columns, of which {len(CATEGORIES)} are categories")
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.parquet"
        pq.write_table(pa.table(dict(columns(REFERENCE_ROWS, given.columns, START - 40 * HOUR, 40))), path)
        live = columns(given.rows * given.hours, given.columns, START, given.hours)
        for dimensions in (0, 1, 3):
            print(run(Path(folder) / f"{dimensions}.db", path, live, dimensions), flush=True)
    return 0


def columns(rows: int, count: int, start: float, hours: int) -> Columns:
    """Numbers, categories of geometric frequencies, and a score whose labels it predicts."""
    rng = np.random.default_rng(rows)
    found: dict[str, np.ndarray[Any, np.dtype[Any]]] = {"time": start + np.arange(rows) * hours * HOUR / rows}
    found |= {f"x{place}": rng.normal(size=rows) for place in range(count - len(CATEGORIES))}
    for place, size in enumerate(CATEGORIES):
        names = np.array([f"v{value}" for value in range(size)])
        found[f"c{place}"] = names[np.minimum(rng.geometric(0.25, rows) - 1, size - 1)]
    score = rng.random(rows)
    label = (rng.random(rows) < score).astype(int)
    return {**found, "prediction": (score > 0.5).astype(int), "score": score, "label": label}


def run(database: Path, reference: Path, live: Columns, dimensions: int) -> str:
    """One line of the table."""
    segments = tuple(SegmentOptions(f"c{place}", checks=DEFAULT) for place in range(dimensions))
    options = ModelOptions("bench", allowed_lateness=0.0, maturity=HOUR, segments=segments)
    log = Log(database, options)
    began = time.process_time()
    build_reference(log.url, str(reference), options)
    built = time.process_time() - began
    send(log, live)
    log.scan()
    spent = {"compact": 0.0, "measure": 0.0, "roll": 0.0}
    named: set[str] = set()
    closings = log.closings()
    for closing in closings:
        began = time.process_time()
        compact(log.url, log.model, closing.close_seq, options)
        compacted = time.process_time()
        verdict = measure(log.url, log.model, closing, options)
        measured = time.process_time()
        log.record(closing, [window for window, _ in verdict.matured])
        roll(log.engine, log.model, options)
        spent["compact"] += compacted - began
        spent["measure"] += measured - compacted
        spent["roll"] += time.process_time() - measured
        named = {dict(row.labels).get("segment", "") for row in verdict.measurements} - {""}
    hours = select(func.sum(func.length(rollups.c.payload))).where(rollups.c.seconds == HOUR)
    stored = log.rows(hours)[0][0] / len(closings)
    each = [f"{seconds / len(closings) * 1e3:,.0f} ms" for seconds in spent.values()]
    cells = [dimensions, len(named), f"{built:.1f} s", *each, len(verdict.measurements), f"{stored / 1e3:,.1f} kB"]
    return f"| {' | '.join(map(str, cells))} |"


def send(log: Log, live: Columns) -> None:
    """All rows and their labels, in batches."""
    features = [name for name in live if name[0] in "xc"]
    for start in range(0, len(live["time"]), BATCH):
        part = {name: values[start : start + BATCH].tolist() for name, values in live.items()}
        ids = [str(start + place) for place in range(len(part["time"]))]
        payload = {
            "id": ids,
            "time": part["time"],
            "features": {name: part[name] for name in features},
            "prediction": part["prediction"],
            "probabilities": part["score"],
            "latency": None,
            "version": None,
            "tags": None,
        }
        log.arrive("predictions", part["time"], payload)
        log.arrive("labels", part["time"], {"id": ids, "label": part["label"], "time": part["time"]})


if __name__ == "__main__":
    raise SystemExit(main())
