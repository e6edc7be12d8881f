"""A small reference for the tests: delays of flights, yes or no."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from checks.data.arrow import float_array, string_array
from monitor.worker.messages import BuiltReference
from monitor.worker.tasks import build_reference
from tests.monitor.worker.log import HOUR, START, Log


def reference_table(rows: int = 400) -> pa.Table:
    """Forty hours of flights; a positive class, `yes`, in a quarter of the rows, found in most of them."""
    random = np.random.default_rng(7)
    late = random.random(rows) < 0.25
    score = np.clip(0.2 + 0.5 * late + random.normal(0, 0.15, rows), 0.01, 0.99)
    return pa.table(
        {
            "time": float_array(START - 40 * HOUR + np.arange(rows) * 40 * HOUR / rows),
            "distance": float_array(random.normal(2.0, 1.0, rows)),
            "carrier": string_array([["UA", "AA", "DL"][place] for place in random.integers(0, 3, rows)]),
            "prediction": string_array(["yes" if value > 0.5 else "no" for value in score]),
            "score": float_array(score),
            "label": string_array(["yes" if value else "no" for value in late]),
        }
    )


def write_reference(log: Log, folder: Path) -> BuiltReference:
    path = folder / "reference.parquet"
    if not path.exists():
        pq.write_table(reference_table(), path)
    return build_reference(log.url, str(path), log.options)
