"""Whatever rows come in, their profile and reference are those of the frame in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from checks.calibration.build_reference import build_reference
from checks.data.frame import from_reference
from checks.data.schema import Schema, SchemaError, SchemaOverrides
from checks.data.schema_inference import infer
from checks.profile import CategoryColumn, NumberColumn, Profile, make_binning, profile
from checks.source import Source, SourceColumns, Stream, open_source, profile_source
from checks.source.base import grouped
from checks.source.columns import LazyTable, by_columns
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.references import build_file, read_table
from tests.checks.sample import HOUR, table

ROWS = 6_000
RNG = np.random.default_rng(4)
NORMAL = table(
    ROWS,
    count=RNG.poisson(3, ROWS),
    single=(RNG.normal(size=ROWS) * 64).round().astype(np.float32) / 64,
    gaps=pa.array([None if i % 9 == 0 else float(i % 70) for i in range(ROWS)]),
    when=pa.array(1_700_000_000 + RNG.integers(0, 10**6, ROWS), pa.timestamp("s", "UTC")),
)
SCHEMA = infer(NORMAL)
FRAME = from_reference(NORMAL, SCHEMA)
BINNING = make_binning(FRAME, SCHEMA)
WHOLE = profile(FRAME, BINNING)


def written(kind: str, folder: Path, rows: pa.Table = NORMAL) -> Any:
    path = folder / f"rows.{kind.split('-')[0]}"
    if kind == "parquet":
        pq.write_table(rows, path, row_group_size=1_700)
    elif kind == "csv":
        pa.csv.write_csv(rows, path)
    elif kind == "csv.gz":
        with pa.CompressedOutputStream(str(path), "gzip") as sink:
            pa.csv.write_csv(rows, sink)
    elif kind.startswith("feather"):
        pa.feather.write_feather(rows, path, compression=kind.split("-")[1], chunksize=1_700)
    elif kind == "arrows":
        with pa.ipc.new_stream(str(path), rows.schema) as writer:
            writer.write_table(rows, max_chunksize=1_700)
    elif kind == "table":
        return rows
    elif kind == "pandas":
        return rows.to_pandas()
    return path


KINDS = ["parquet", "csv", "csv.gz", "feather-lz4", "feather-uncompressed", "arrows", "table", "pandas"]


def same(made: Profile, whole: Profile = WHOLE) -> None:
    assert not made.errors
    assert (made.n, made.fingerprint, list(made.columns)) == (whole.n, whole.fingerprint, list(whole.columns))
    for name, column in made.columns.items():
        expected = whole.columns[name]
        assert column.counts.tolist() == expected.counts.tolist(), name
        assert (column.missing, column.mismatched) == (expected.missing, expected.mismatched), name
        if isinstance(column, NumberColumn) and isinstance(expected, NumberColumn):
            assert column.sums == pytest.approx(expected.sums, rel=1e-9)
            assert column.mean == pytest.approx(expected.mean, rel=1e-9)
            assert (column.low, column.high, column.zeros) == (expected.low, expected.high, expected.zeros)
        elif isinstance(column, CategoryColumn) and isinstance(expected, CategoryColumn):
            assert (column.distinct, column.examples) == (expected.distinct, expected.examples)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_has_the_profile_of_its_rows(kind: str, threads: int, tmp_path: Path) -> None:
    told: list[float] = []
    source = open_source(written(kind, tmp_path))
    same(profile_source(source, SCHEMA, BINNING, threads=threads, progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("kind", ["parquet", "csv", "feather-lz4", "arrows", "pandas"])
def test_any_kind_makes_the_same_reference(kind: str, tmp_path: Path) -> None:
    expected = build_reference(FRAME, SCHEMA, every=HOUR)
    with by_columns(open_source(written(kind, tmp_path))) as source:
        schema = infer(LazyTable(source))
        made = build_reference(SourceColumns(source, schema), schema, every=HOUR)
    assert schema == SCHEMA
    same(made.profile, expected.profile)
    assert made.binning == expected.binning
    assert made.performance == expected.performance
    assert made.notes == expected.notes
    for key, limit in expected.calibration.limits.items():
        assert made.calibration.limits[key].at(500) == pytest.approx(limit.at(500), rel=1e-9), key


def test_a_frame_of_polars_has_the_profile_of_its_rows() -> None:
    frame = pl.from_arrow(NORMAL)
    assert isinstance(frame, pl.DataFrame)
    assert pa.types.is_string_view(pa.table(frame)["city"].type), "which many of Arrow's functions can't take"
    same(profile_source(open_source(frame), SCHEMA, BINNING))
    places = frame.with_columns(pl.col("city").cast(pl.Categorical))
    assert pa.types.is_dictionary(pa.table(places)["city"].type)
    same(profile_source(open_source(places), SCHEMA, BINNING))
    pieces = pl.concat([frame[:1_000], frame[1_000:]], rechunk=False)
    same(profile_source(open_source(pieces), SCHEMA, BINNING))


def test_a_frame_of_polars_makes_the_same_reference() -> None:
    frame = pl.from_arrow(NORMAL)
    assert isinstance(frame, pl.DataFrame)
    source = plain(open_source(frame.with_columns(pl.col("city").cast(pl.Categorical))))
    assert infer(LazyTable(source)) == SCHEMA
    made = build_reference(SourceColumns(source, SCHEMA), SCHEMA, every=HOUR)
    same(made.profile, build_reference(FRAME, SCHEMA, every=HOUR).profile)


def test_columns_that_are_not_there_are_missing(tmp_path: Path) -> None:
    rows = NORMAL.drop_columns(["amount", "prediction", "score"])
    made = profile_source(open_source(written("parquet", tmp_path, rows)), SCHEMA, BINNING)
    for name in ("f:amount", "prediction", "score"):
        assert (made.columns[name].missing, made.columns[name].counts.sum()) == (ROWS, 0)
    assert made.columns["f:city"].counts.sum() == ROWS


def test_mixed_objects_are_mismatches_of_their_column() -> None:
    rows = NORMAL.to_pandas()
    rows["amount"] = [["100", "n/a", 7, None, 2.5, float("nan")][i % 6] for i in range(ROWS)]
    made = profile_source(open_source(rows), SCHEMA, BINNING)
    column = made.columns["f:amount"]
    assert (column.mismatched, column.missing, int(column.counts.sum())) == (ROWS // 6, ROWS // 3, ROWS // 2)
    assert not made.errors
    assert made.columns["f:city"].counts.sum() == ROWS


def test_one_empty_one_nan_and_one_mixed_among_fifty() -> None:
    frame = pd.DataFrame({f"x{i}": RNG.normal(size=900) for i in range(50)})
    schema = infer(pa.Table.from_pandas(frame, preserve_index=False))
    reference = build_reference(from_reference(pa.Table.from_pandas(frame, preserve_index=False), schema), schema)
    frame["x1"], frame["x2"] = pd.Series([None] * 900, dtype=object), np.nan
    frame["x3"] = [[1], {"a": 1}, "text"] * 300
    made = profile_source(open_source(frame), schema, reference.binning)
    measured = [name for name, column in made.columns.items() if column.counts.sum() == 900]
    assert len(measured) == 47
    assert made.columns["f:x1"].missing == 900
    nan = made.columns["f:x2"]
    assert isinstance(nan, NumberColumn)
    assert nan.missing + nan.nan == 900
    assert made.columns["f:x3"].mismatched == 900


def test_a_column_of_lists_is_its_own_error() -> None:
    rows = NORMAL.set_column(NORMAL.column_names.index("amount"), "amount", pa.array([[1.0]] * ROWS))
    made = profile_source(open_source(rows), SCHEMA, BINNING)
    assert list(made.errors) == ["f:amount"]
    assert made.columns["f:city"].counts.sum() == ROWS


def test_a_reference_says_which_column_it_could_not_read() -> None:
    rows = NORMAL.set_column(NORMAL.column_names.index("amount"), "amount", pa.array([[1.0]] * ROWS))
    made = build_reference(SourceColumns(plain(open_source(rows)), SCHEMA), SCHEMA, every=HOUR)
    assert list(made.profile.errors) == ["f:amount"]
    assert any("Column amount can't be watched" in note for note in made.notes)
    assert made.profile.columns["f:city"].counts.sum() == ROWS


@pytest.mark.parametrize("kind", ["parquet", "csv", "table"])
def test_times_as_texts_are_read_from_any_source(tmp_path: Path, kind: str) -> None:
    rows = NORMAL.append_column("pickup", pa.array([f"2024-05-01T{row % 24:02}:00:00Z" for row in range(ROWS)]))
    with by_columns(open_source(written(kind, tmp_path, rows))) as source:
        schema = infer(LazyTable(source), SchemaOverrides(features={"pickup": "datetime"}))
        made = build_reference(SourceColumns(source, schema), schema, every=HOUR)
    assert not made.profile.errors
    assert made.profile.columns["f:pickup.hour"].counts.max() == ROWS // 24


@pytest.mark.parametrize("damaged", [0, 17])
def test_a_damaged_time_is_an_error_of_its_column(tmp_path: Path, damaged: int) -> None:
    """Wherever it stands, in the reference and in a frame of it."""
    texts = [f"2024-05-{1 + row % 28:02}T{row % 24:02}:00:00Z" for row in range(ROWS)]
    texts[damaged] = "yesterday"
    rows = NORMAL.append_column("pickup", pa.array(texts))
    with by_columns(open_source(written("parquet", tmp_path, rows))) as source:
        schema = infer(LazyTable(source), SchemaOverrides(features={"pickup": "datetime"}))
        made = build_reference(SourceColumns(source, schema), schema, every=HOUR)
    assert set(made.profile.errors) == {"f:pickup.hour", "f:pickup.weekday"}
    assert any("pickup.hour can't be watched" in note and "yesterday" in note for note in made.notes), made.notes
    assert made.profile.columns["f:city"].counts.sum() == ROWS
    frame = from_reference(rows, schema)
    assert (frame["f:pickup.hour"].null_count, frame["f:city"].null_count) == (ROWS, 0)


def plain(source: Source | Stream) -> Source:
    assert not isinstance(source, Stream)
    return source


def test_csv_types_hold_for_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    lines = ["a,b,c", *(f"{i},{i},{i}" for i in range(1_000_000)), "1.5,word,7"]
    path.write_text("\n".join(lines))
    kinds = open_source(path).schema
    assert [str(field.type) for field in kinds] == ["double", "string", "int64"]
    schema = Schema(None, (("a", "numeric"), ("b", "numeric")))
    binning = make_binning(pa.table({"f:a": np.arange(10.0), "f:b": np.arange(10.0)}), schema)
    made = profile_source(open_source(path), schema, binning)
    assert (made.columns["f:b"].mismatched, made.columns["f:b"].counts.sum()) == (1, 1_000_000)
    assert made.columns["f:a"].counts.sum() == 1_000_001


def test_what_is_no_table_and_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="a int can't be read as a table"):
        open_source(3)
    with pytest.raises(SchemaError, match="of no known kind"):
        open_source(tmp_path / "rows.xlsx")
    for name in ("no.parquet", "no.csv", "no.arrow"):
        with pytest.raises(FileNotFoundError):
            open_source(tmp_path / name)


def test_groups_are_bounded() -> None:
    assert grouped(["a", "b", "c"], 10**9) == [["a"], ["b"], ["c"]]
    assert grouped(["a", "b"], 0) == [["a", "b"]]
    assert grouped([], 5) == []


def test_no_pandas_by_the_back_door(tmp_path: Path) -> None:
    files = [str(written(kind, tmp_path)) for kind in ("parquet", "csv", "feather-lz4", "arrows")]
    script = f"""
import sys
from checks.calibration.build_reference import build_reference
from checks.data.schema_inference import infer
from checks.source import SourceColumns, open_source, profile_source
from checks.source.columns import LazyTable, by_columns
for path in {files!r}:
    with by_columns(open_source(path)) as source:
        schema = infer(LazyTable(source))
        made = build_reference(SourceColumns(source, schema), schema)
    profile_source(open_source(path), schema, made.binning)
for name in ("pandas", "scipy", "evidently"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("form", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("codes", [False, True])
def test_an_arrow_file_with_places_outside_of_its_texts_is_refused(tmp_path: Path, form: Any, codes: bool) -> None:
    texts = pa.array(["2026-01-01T00:00:00Z", "b", "c"])
    column = texts.dictionary_encode() if codes else texts
    places = pa.py_buffer(np.array([0, 1, 1 << 28] if codes else [0, 1, 1 << 28, 3], np.int32))
    kind = pa.int32() if codes else pa.string()
    wrong = pa.Array.from_buffers(kind, 3, [None, places] if codes else [None, places, pa.py_buffer(b"abc")])
    if codes:
        wrong = pa.DictionaryArray.from_arrays(wrong, column.dictionary, safe=False)
    path = tmp_path / "rows.arrow"
    with form(str(path), pa.schema([("time", wrong.type)])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([wrong], names=["time"]))
    with pytest.raises(SchemaError, match="can't be read"):
        read_table(str(path))
    with pytest.raises(SchemaError, match="can't be read"):
        build_file(str(path), ModelOptions("m"), lambda share: None)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 10**40], [1.0, 1e40]),
        ([2**63, -(2**63) - 1], [2.0**63, -(2.0**63)]),
        ([10**400, -(10**400)], [float("inf"), float("-inf")]),
        ([2**53 + 1, 0.5], [2.0**53, 0.5]),
        ([2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)]),
    ],
)
def test_whole_numbers_of_json_lines_beyond_64_bits_are_floats_as_at_ingest(
    tmp_path: Path, values: list[Any], wanted: list[Any]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"a": {value}}}\n' for value in values))
    assert read_table(str(path))["a"].to_pylist() == wanted
