"""Any file or frame as a source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from checks.data.csv_options import CsvOptions
from checks.data.schema import SchemaError
from checks.source.arrow_file import ArrowFile, ArrowStream
from checks.source.base import Source, Stream
from checks.source.delimited import CsvStream
from checks.source.json_lines import JsonLinesStream
from checks.source.memory import PandasSource, TableSource, exported
from checks.source.parquet import ParquetSource

KINDS = "a .parquet, .csv, .tsv, .jsonl, .arrow or .feather file"
CSV = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson")
PACKED = ("", ".gz", ".zst", ".bz2")


def open_source(data: Any, csv: CsvOptions | None = None) -> Source | Stream:
    """A path (Parquet, CSV, JSON lines, Arrow), an Arrow table, or a frame of pandas, polars or another library that
    exports Arrow columns; `csv` says how a CSV file is written. Raises SchemaError for what is none of these, OSError
    and pa.ArrowException for a file that can't be read."""
    if isinstance(data, str | Path):
        return _file(str(data), csv)
    if isinstance(data, pa.Table):
        return TableSource(data)
    pandas = sys.modules.get("pandas")  # a frame of it can't be there without it
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return PandasSource(data)
    if hasattr(data, "__arrow_c_stream__"):
        return TableSource(exported(data))
    raise SchemaError(f"a {type(data).__name__} can't be read as a table; give {KINDS}, or a frame")


def _file(path: str, csv: CsvOptions | None) -> Source | Stream:
    kind = Path(path).suffix.lower()
    if kind in (".parquet", ".pq"):
        return ParquetSource(path)
    if kind in (".arrow", ".feather", ".ipc", ".arrows"):
        try:
            return ArrowFile(path)
        except pa.ArrowInvalid:
            return ArrowStream(path)
    if _is(path, CSV):
        Path(path).stat()
        return CsvStream(path, csv)
    if _is(path, JSON_LINES):
        Path(path).stat()
        return JsonLinesStream(path)
    raise SchemaError(f"{path} is of no known kind; give {KINDS}")


def _is(path: str, kinds: tuple[str, ...]) -> bool:
    return path.lower().endswith(tuple(kind + packed for kind in kinds for packed in PACKED))
