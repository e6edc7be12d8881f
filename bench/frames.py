"""Frames as tables in production are: numbers of several shapes, small counts, categories; some columns drift."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from checks.data.arrow import float_array, int_array, string_array

GROUP = 100_000
"""Rows of a row group."""
DRIFTED = 7
"""Each seventh column of the current frame is drawn otherwise."""


def write(path: Path, rows: int, columns: int, *, seed: int, current: bool) -> None:
    """A Parquet file, row group by row group, so that it need not fit into memory."""
    rng = np.random.default_rng(seed)
    writer: pyarrow.parquet.ParquetWriter | None = None
    for start in range(0, rows, GROUP):
        table = pa.table(dict(_columns(rng, min(GROUP, rows - start), columns, current)))
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    os.sync()  # what is measured next should not wait for this to reach the disk


def _columns(rng: np.random.Generator, rows: int, columns: int, current: bool) -> Iterator[tuple[str, pa.Array]]:
    for place in range(columns):
        moved = current and place % DRIFTED == 3
        kind = place % 5
        if kind == 0:
            yield f"normal_{place}", float_array(rng.normal(0.4 if moved else 0.0, 1.0, rows))
        elif kind == 1:
            yield f"skewed_{place}", float_array(rng.lognormal(0.3 if moved else 0.0, 1.0, rows))
        elif kind == 2:
            yield f"count_{place}", int_array(rng.poisson(4.0 if moved else 3.0, rows).astype(np.int64))
        elif kind == 3:
            yield f"uniform_{place}", float_array(rng.uniform(0.0, 1.3 if moved else 1.0, rows))
        else:
            words = np.array([f"word-{code}" for code in range(20)])
            yield f"word_{place}", string_array(words[rng.zipf(1.9 if moved else 1.6, rows) % 20].tolist())
