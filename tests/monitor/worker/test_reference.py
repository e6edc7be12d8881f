from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from checks.data.schema import Schema, SchemaError, SchemaOverrides
from monitor.store.tables import references
from monitor.worker.stored.references import newest
from monitor.worker.tasks import build_reference
from tests.monitor.worker.log import Log
from tests.monitor.worker.sample import reference_table


def stream(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "reference.parquet": lambda table, path: pq.write_table(table, path),
    "reference.csv": lambda table, path: pa.csv.write_csv(table, path),
    "reference.feather": lambda table, path: pa.feather.write_feather(table, path, compression="zstd"),
    "reference.arrow": stream,
}


@pytest.mark.parametrize("name", WRITERS)
def test_is_built_from_each_kind_of_file_and_read_back(log: Log, tmp_path: Path, name: str) -> None:
    WRITERS[name](reference_table(), tmp_path / name)
    built = build_reference(log.url, str(tmp_path / name), log.options)
    assert (built.n, built.created) == (400, True)
    row = log.rows(select(references))[0]
    schema = Schema.from_json(row.schema)
    assert (row.id, row.model, row.source, row.n) == (built.id, log.model, str(tmp_path / name), 400)
    assert (schema.task, schema.target, schema.time) == ("binary", "label", "time")
    assert schema.features == (("distance", "numeric"), ("carrier", "categorical"))
    with log.engine.connect() as connection:
        stored = newest(connection, log.model)
        assert newest(connection, "other") is None
    assert stored is not None
    assert (stored.id, stored.reference.schema, stored.reference.n) == (built.id, schema, 400)


def test_is_built_once_for_the_same_content_and_settings(log: Log, tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")
    pq.write_table(reference_table(), first)
    pq.write_table(reference_table(), second)
    built = build_reference(log.url, first, log.options)
    again = build_reference(log.url, second, log.options)
    assert (again.id, again.n, again.created) == (built.id, 400, False)
    coarser = build_reference(log.url, first, replace(log.options, bins=4))
    assert coarser.created
    back = build_reference(log.url, first, log.options)
    assert (back.id, back.created) == (built.id, False)
    assert coarser.id > built.id
    with log.engine.connect() as connection:
        now = newest(connection, log.model)
    assert now is not None and now.number == built.id


def test_tells_the_share_that_is_done(log: Log, tmp_path: Path) -> None:
    path = str(tmp_path / "reference.parquet")
    pq.write_table(reference_table(), path)
    shares: list[float] = []
    build_reference(log.url, path, log.options, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_says_in_one_sentence_what_is_wrong_with_the_file(log: Log, tmp_path: Path) -> None:
    broken, empty, other = tmp_path / "broken.parquet", tmp_path / "empty.parquet", tmp_path / "model.pkl"
    broken.write_bytes(b"PAR1 no such thing")
    pq.write_table(reference_table().slice(0, 0), empty)
    other.write_bytes(b"")
    for path, text in [
        (tmp_path / "absent.parquet", "does not exist"),
        (tmp_path, "can't be read"),
        (broken, "can't be read"),
        (empty, "holds no rows"),
        (other, "no known kind"),
    ]:
        with pytest.raises(SchemaError, match=text) as caught:
            build_reference(log.url, str(path), log.options)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert log.rows(select(references)) == []


def test_a_column_that_the_config_names_must_be_there(log: Log, tmp_path: Path) -> None:
    path = str(tmp_path / "reference.parquet")
    pq.write_table(reference_table(), path)
    with pytest.raises(SchemaError, match="delayed"):
        build_reference(log.url, path, replace(log.options, schema=SchemaOverrides(target="delayed")))
