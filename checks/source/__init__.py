"""Tables that need not fit into memory: files and frames, read by blocks of rows and columns.

A reference from a file, and another file's profile under its bins:

    with by_columns(open_source("train.parquet")) as rows:
        schema = infer(LazyTable(rows))
        normal = build_reference(SourceColumns(rows, schema), schema)
    now = profile_source(open_source("today.parquet"), normal.schema, normal.binning)

`open_source` takes paths (Parquet, CSV, Arrow), Arrow tables, pandas frames, and what exports Arrow's stream.
"""

from checks.source.base import Source, Stream
from checks.source.columns import LazyTable, SourceColumns, by_columns
from checks.source.opening import open_source
from checks.source.profiling import profile_source

__all__ = ["LazyTable", "Source", "SourceColumns", "Stream", "by_columns", "open_source", "profile_source"]
