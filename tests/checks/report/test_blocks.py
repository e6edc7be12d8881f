"""Reports of files: what frames give, by columns and row groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from checks.data.schema import SchemaError
from checks.report import compare
from checks.report.result import PRESETS
from checks.source import open_source
from tests.checks.report.tables import MIXED, fifty, with_three_wrong

ROWS = 2_000
GROUP = 300
TIMES = {"time": pd.date_range("2026-01-01", periods=ROWS, freq="5min", unit="us")}
DUE = {"due": pd.date_range("2026-03-01", periods=ROWS, freq="7h", unit="us")}
BEFORE = fifty().assign(**TIMES, **DUE)
NOW = with_three_wrong(fifty(seed=1)).assign(**TIMES, **DUE, f03=lambda frame: frame["f03"] + 1)


def written(frame: pd.DataFrame, path: Path) -> Path:
    if frame[MIXED].dtype == object:
        frame = frame.assign(**{MIXED: [str(value) for value in frame[MIXED]]})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=GROUP)
    elif path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        feather.write_feather(table, str(path), chunksize=GROUP)
    return path


def near(found: Any, expected: Any) -> None:
    """The same but for what another order of sums does to their last digits."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            near(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            near(one, other)
    else:
        assert found == (pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_files_give_what_frames_give(kind: str, preset: Any, tmp_path: Path) -> None:
    paths = [written(frame, tmp_path / f"{name}.{kind}") for name, frame in (("before", BEFORE), ("now", NOW))]
    expected = compare(BEFORE, NOW, preset=preset)
    assert {"f03"} <= {column.name for column in expected.columns if column.drifted}
    odd = next(column for column in expected.columns if column.name == MIXED)
    assert odd.quality["type_mismatch_ratio"]["value"] == 0.2
    found = json.loads(compare(*paths, preset=preset).to_json())
    for side in ("reference", "current"):
        assert bool(found[side].pop("read")) == (kind == "csv"), "what a CSV file was read as is said"
    near(found, {**json.loads(expected.to_json()), "reference": found["reference"], "current": found["current"]})


class Watched:
    """A file that notes what is read of it."""

    def __init__(self, path: Path) -> None:
        self._source: Any = open_source(path)
        self.schema, self.parts = self._source.schema, self._source.parts
        self.read_of: list[tuple[int, tuple[str, ...]]] = []

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        self.read_of.append((part, tuple(names)))
        return self._source.read(part, names)


def test_no_more_than_a_column_s_part_is_read_at_once(tmp_path: Path) -> None:
    before, now = (
        Watched(written(frame, tmp_path / f"{name}.parquet")) for name, frame in (("before", BEFORE), ("now", NOW))
    )
    assert len(now.parts) == 7
    assert compare(before, now).drifted
    assert {len(names) for _, names in before.read_of + now.read_of} == {1}
    assert sorted(part for part, names in now.read_of if names == ("f03",)) == list(range(7))


def test_only_what_was_chosen_is_read(tmp_path: Path) -> None:
    before, now = (
        Watched(written(frame, tmp_path / f"{name}.parquet")) for name, frame in (("before", BEFORE), ("now", NOW))
    )
    compare(before, now, columns=["f03", "time"])
    assert {name for _, names in now.read_of for name in names} == {"f03", "time"}


def damaged(path: Path) -> str:
    """Overwrites a column's values in one row group; returns its name."""
    with pq.ParquetFile(path) as file:
        column = file.metadata.row_group(3).column(4)
    with path.open("r+b") as bytes_:
        bytes_.seek(column.dictionary_page_offset or column.data_page_offset)
        bytes_.write(b"\xff" * column.total_compressed_size)
    return str(column.path_in_schema)


def test_a_damaged_column_of_the_current_file_is_its_own_error(tmp_path: Path) -> None:
    path = written(NOW, tmp_path / "now.parquet")
    name = damaged(path)
    report, sound = compare(BEFORE, path), compare(BEFORE, NOW)
    errors = {one.name: one.error for one in report.columns if one.error}
    assert "can't be compared" in str(errors[name])
    assert errors.keys() - {name} == {one.name for one in sound.columns if one.error}


def test_a_damaged_reference_is_one_sentence(tmp_path: Path) -> None:
    path = written(BEFORE, tmp_path / "before.parquet")
    damaged(path)
    with pytest.raises(SchemaError, match=r"the reference before\.parquet can't be read") as error:
        compare(path, NOW, names=("before.parquet", "now"))
    assert "\n" not in str(error.value)
