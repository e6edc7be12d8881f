from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.data.frame_payload import from_payload
from checks.profile import Binning, CategoryBins, NumberBins, profile
from monitor.worker.messages import window_of
from monitor.worker.stored.chunks import (
    DamagedBatch,
    decode,
    encode,
    encode_rows,
    fitted,
    joined,
    read_batch,
    window_indices,
)


def batch(*ids: str, **features: list[Any]) -> dict[str, Any]:
    count = len(ids)
    return {"id": list(ids), "time": [0.0] * count, "prediction": ["no"] * count, "features": features}


def test_batches_join_with_none_where_one_lacks_a_column() -> None:
    first, second = batch("a", "b", x=[1, 2]), batch("c", y=["u"])
    second["latency"] = [0.5]
    whole = joined([first, second, batch("d", x=[4])])
    assert whole["id"] == ["a", "b", "c", "d"]
    assert whole["features"] == {"x": [1, 2, None, 4], "y": [None, None, "u", None]}
    assert whole["latency"] == [None, None, 0.5, None]
    assert whole["tags"] is None


def test_a_frame_is_read_back_whole_or_in_part() -> None:
    frame = from_payload(batch("a", "b", x=[1.5, None], name=["é", None]), None)
    stored = encode(frame)
    assert decode(stored, "arrow-zstd/1", None).equals(frame)
    assert decode(stored, "arrow-zstd/1", None, ["f:x", "id", "absent"]).to_pydict() == {
        "id": ["a", "b"],
        "f:x": [1.5, None],
    }


def test_rows_without_a_schema_are_kept_as_they_came() -> None:
    stored = encode_rows(batch("a", "b", "c", x=[1, "odd", None]), np.array([1, 2]))
    assert read_batch(stored, "msgpack-columns/1")["features"] == {"x": ["odd", None]}
    assert decode(stored, "msgpack-columns/1", None, ["id"]).to_pydict() == {"id": ["b", "c"]}


@pytest.mark.parametrize(
    ("payload", "codec"),
    [
        (b"", "arrow-zstd/2"),
        (b"no arrow", "arrow-zstd/1"),
        (b"\xc1", "msgpack-columns/1"),
        (b"\x01", "msgpack-columns/1"),
    ],
)
def test_what_can_not_be_read_is_said(payload: bytes, codec: str) -> None:
    with pytest.raises(DamagedBatch, match=r"stored (as|batch|chunk)"):
        decode(payload, codec, None)


def test_columns_of_an_earlier_schema_fit_the_binning() -> None:
    binning = Binning({"f:x": NumberBins((0.0, 5.0, 10.0)), "f:name": CategoryBins(("1", "2"))})
    frame = pa.table({"f:x": pa.array(["1", "7.5", "many", None]), "f:name": pa.array([1.0, 2.0, 3.0, None])})
    made = profile(fitted(frame, binning), binning)
    assert made.columns["f:x"].counts.tolist() == [0, 1, 1, 0]
    assert (made.columns["f:x"].mismatched, made.columns["f:x"].missing) == (1, 1)
    assert made.columns["f:name"].counts.tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("time", [0.0, 3599.999, 3600.0, 1.7e9, 1.7e9 + 0.1, -1.0])
def test_windows_are_counted_as_the_daemon_aligns_them(time: float) -> None:
    index = int(window_indices(np.array([time]), 3600.0)[0])
    assert (index * 3600.0, (index + 1) * 3600.0) == (window_of(time, 3600.0).start, window_of(time, 3600.0).end)
