"""Our own side of `bench.drift`, a process for each thing that is measured: `python -m bench.drift_own WHAT DIR`.

`build` makes the reference of DIR/reference.parquet and keeps it; `profile` profiles DIR/current.parquet under it and
compares; `frame` does so with the rows in memory as an Arrow table; `evidently` and `nannyml` compare the rows exactly.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from bench.peers.measure import peak_mb
from checks.base import Window
from checks.calibration.build_reference import build_reference
from checks.data.schema_inference import infer
from checks.drift.feature import feature_drift
from checks.drift.presets.compare import compare_exact
from checks.drift.presets.result import Kind
from checks.inputs import CheckOptions, WindowData
from checks.profile import Profile
from checks.reference import Reference
from checks.source import SourceColumns, open_source, profile_source
from checks.source.columns import LazyTable, by_columns

Columns = dict[str, dict[str, Any]]
METHODS = ("psi", "jensenshannon")


def main(what: str, folder: Path) -> None:
    work = _prepared(what, folder)
    began = time.perf_counter()
    columns = work()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "columns": columns}))


def _prepared(what: str, folder: Path) -> Callable[[], Columns]:
    """What is to be timed, with what it needs read before."""
    reference, current = folder / "reference.parquet", folder / "current.parquet"
    if what == "build":
        return lambda: _build(reference, folder / "reference.bin")
    if what in ("profile", "frame"):
        known = Reference.from_bytes((folder / "reference.bin").read_bytes())
        data: Any = pa.parquet.read_table(current) if what == "frame" else current
        return lambda: _profiled(data, known)
    before, now = (pa.parquet.read_table(path) for path in (reference, current))
    return lambda: _exact(before, now, what)


def _build(path: Path, target: Path) -> Columns:
    with by_columns(open_source(path)) as source:
        schema = infer(LazyTable(source))
        target.write_bytes(build_reference(SourceColumns(source, schema), schema).to_bytes())
    return {}


def _profiled(data: Any, reference: Reference) -> Columns:
    made: Profile = profile_source(open_source(data), reference.schema, reference.binning)
    window = WindowData(Window(0.0, 3600.0), made, made.n, None, provisional=False)
    found = feature_drift(window, reference, CheckOptions(min_rows=200, methods=METHODS, ignore=()))
    columns: Columns = {}
    for row in found:
        named = dict(row.labels)
        if row.name == "feature_drift" and named["method"] == METHODS[0]:
            over = row.value is not None and row.limit_high is not None and row.value > row.limit_high
            columns[named["feature"]] = {"method": METHODS[0], "value": row.value, "drifted": over}
    return columns


def _exact(reference: pa.Table, current: pa.Table, preset: Any) -> Columns:
    columns: Columns = {}
    for name in reference.column_names:
        kind: Kind = "categorical" if pa.types.is_string(reference.schema.field(name).type) else "numeric"
        result = compare_exact(reference[name], current[name], kind, preset)
        columns[name] = {"method": result.method, "value": result.value, "drifted": result.drifted}
    return columns


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
