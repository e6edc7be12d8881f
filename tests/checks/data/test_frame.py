"""Payload and reference in one layout."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.data.frame import concat, feature_columns, from_reference
from checks.data.frame_payload import UNREAD, from_payload, label_array
from checks.data.ids import hash_ids
from checks.data.infer_from_events import observed
from checks.data.schema import Schema, SchemaError, SchemaOverrides
from checks.data.schema_inference import infer
from checks.profile import CategoryBins

BINARY = Schema(
    task="binary",
    features=(("dist", "numeric"), ("origin", "categorical"), ("night", "boolean")),
    prediction="prediction",
    score="score",
    positive_class="late",
    classes=("late", "on time"),
)


def payload(rows: int = 1, **given: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": [f"r{i}" for i in range(rows)],
        "time": [float(i) for i in range(rows)],
        "features": {},
        "prediction": ["late"] * rows,
        "probabilities": None,
        "latency": None,
        "version": None,
        "tags": None,
    }
    return base | given


def frame(schema: Schema | None = BINARY, rows: int = 1, **given: Any) -> dict[str, list[Any]]:
    table = from_payload(payload(rows, **given), schema)
    table.validate(full=True)
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns


def test_a_number_is_read_from_its_text_and_other_text_is_a_mismatch_that_keeps_it() -> None:
    got = frame(rows=6, features={"dist": ["12", True, 3, None, 2.5, "12 km"]})
    assert got["f:dist"] == [12.0, 1.0, 3.0, None, 2.5, None]
    assert got["m:dist"] == [None, None, None, None, None, "12 km"]


def test_columns_that_fit_have_no_mismatch_column() -> None:
    got = frame(rows=2, features={"dist": [1, None], "origin": ["JFK", None], "night": [True, None]})
    assert not [name for name in got if name.startswith("m:")]
    assert got["f:night"] == ["true", None]


def test_nan_and_infinity_stay_in_numbers() -> None:
    got = frame(rows=3, features={"dist": [math.nan, math.inf, None]})["f:dist"]
    assert math.isnan(got[0])
    assert got[1:] == [math.inf, None]


def test_numbers_have_one_spelling_as_categories() -> None:
    assert frame(rows=4, features={"origin": [3, 3.0, True, math.nan]})["f:origin"] == ["3", "3", "true", None]


def test_a_boolean_takes_its_spellings_and_nothing_else() -> None:
    got = frame(rows=6, features={"night": [1, 0.0, "True", "0", 2, "maybe"]})
    assert got["f:night"] == ["true", "false", "true", "false", None, None]
    assert got["m:night"] == [None, None, None, None, "2", "maybe"]


def test_lists_and_objects_are_mismatches_everywhere() -> None:
    got = frame(rows=1, features={"dist": [[1]], "origin": [{"a": 1}], "night": [[True]]})
    assert [got[f"f:{name}"] for name in ("dist", "origin", "night")] == [[None]] * 3
    assert got["m:dist"] == ["[1]"]


def test_a_feature_that_never_came_is_all_missing() -> None:
    assert frame(rows=2)["f:dist"] == [None, None]


def test_unknown_features_are_kept_and_excluded_ones_dropped() -> None:
    schema = Schema("binary", (), excluded=(("key", "an id"),), positive_class="1", classes=("0", "1"))
    got = frame(schema, rows=1, features={"key": ["k"], "extra": [1]})
    assert "f:key" not in got
    assert got["f:extra"] == [1.0]


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ({"late": 0.7, "on time": 0.3}, 0.7),
        ({"on time": 0.25}, 0.75),
        ([0.7, 0.3], 0.7),
        ([0.7], 0.7),
        (0.7, 0.7),
        (None, None),
        ("0.7", 0.7),
        ([0.1, 0.2, 0.7], None),
    ],
)
def test_binary_probabilities_in_every_form(given: Any, score: float | None) -> None:
    got = frame(rows=2, probabilities=[given, {"late": 0.1}])["score"]
    assert got == [pytest.approx(score) if score is not None else None, 0.1]


def test_multiclass_probabilities_by_name_and_by_order() -> None:
    schema = Schema("multiclass", (), classes=("a", "b", "c"))
    got = frame(schema, rows=3, prediction=["a", "b", "c"], probabilities=[[0.1, 0.2, 0.7], {"a": 1.0}, None])
    assert got["p:a"] == [0.1, 1.0, None]
    assert got["p:c"] == [0.7, None, None]


def test_a_prediction_that_is_a_score_is_cut_at_one_half() -> None:
    schema = Schema("binary", (), prediction="p", score="p", positive_class="1", classes=("0", "1"))
    got = frame(schema, rows=3, prediction=[0.2, 0.5, None])
    assert got["prediction"] == ["0", "1", None]
    assert got["score"] == [0.2, 0.5, None]


def test_classes_and_labels_of_another_type_are_the_same_classes() -> None:
    schema = Schema("binary", (), positive_class="1", classes=("0", "1"))
    every = [1, 1.0, True, "1", "true", "True", "1.0", 0, False, "false", None]
    want = ["1"] * 7 + ["0"] * 3 + [None]
    assert frame(schema, rows=len(every), prediction=every)["prediction"] == want
    assert label_array(every, schema).to_pylist() == want


def test_labels_of_a_regression_are_numbers() -> None:
    schema = Schema("regression", ())
    assert label_array([1, 2.5, None, "x", "12.5", True], schema).to_pylist() == [1.0, 2.5, None, None, 12.5, None]


def test_without_a_schema_types_come_from_the_values() -> None:
    got = frame(None, rows=2, features={"a": [1, None], "b": [True, None], "c": ["x", 1]}, prediction=[1, 2])
    assert (got["f:a"], got["f:b"], got["f:c"]) == ([1.0, None], ["true", None], ["x", "1"])
    assert got["prediction"] == [1.0, 2.0]


def test_tags_latency_and_version() -> None:
    got = frame(rows=2, tags=[{"country": "DE"}, None], latency=[0.1, None], version=["v1", "é"])
    assert (got["t:country"], got["latency"], got["version"]) == (["DE", None], [0.1, None], ["v1", "é"])


def test_concat_makes_text_of_a_column_that_is_text_anywhere() -> None:
    a = from_payload(payload(1, features={"x": [3]}, prediction=[1]), None)
    b = from_payload(payload(1, features={"x": ["u"], "y": [1.5]}, prediction=["late"]), None)
    got = concat([a, b]).to_pydict()
    assert (got["f:x"], got["f:y"], got["prediction"]) == (["3", "u"], [None, 1.5], ["1", "late"])


def test_ids_hash_the_same_in_every_release() -> None:
    ids = ["", "a", "flight-1", "é", "x" * 300, "a\0", "a"]
    hashes = hash_ids(ids)
    assert hashes[1] == hashes[6]
    assert len(set(hashes.tolist())) == 6
    # Stored in chunks: another value would lose the labels of every row stored before.
    assert [f"{int(value):016x}" for value in hashes[:3]] == PINNED
    column = pa.array(["skipped", *ids])[1:]
    assert (hash_ids(column) == hashes).all()
    assert len(hash_ids([])) == 0


PINNED = ["9ca066f1a4ab2eea", "a70e84d52b813287", "f8b1520fa6010eae"]


def test_reference_columns_match_the_payloads() -> None:
    table = pa.table(
        {
            "when": pa.array([0, 1_000_000], pa.timestamp("us")),
            "dist": pa.array([1, 2], pa.int32()),
            "code": pa.array([1.0, 2.0]),
            "origin": pa.array(["JFK", None]).dictionary_encode(),
            "night": [True, None],
            "target": [True, False],
            "prediction": [1, 0],
            "score": [0.9, 0.2],
        }
    )
    schema = infer(table, SchemaOverrides(time="when", features={"code": "categorical"}))
    assert schema.classes == ("false", "true")
    got = from_reference(table, schema).to_pydict()
    assert got == {
        "time": [0.0, 1.0],
        "prediction": ["true", "false"],
        "score": [0.9, 0.2],
        "label": ["true", "false"],
        "f:dist": [1.0, 2.0],
        "f:code": ["1", "2"],
        "f:origin": ["JFK", None],
        "f:night": ["true", None],
    }


@pytest.mark.parametrize(
    "times",
    [
        ["2013-01-01T05:00:00", "2013-01-01T06:00:00"],
        ["2013-01-01T05:00:00Z", "2013-01-01T06:00:00Z"],
        [1357016400, 1357020000],
        [1357016400000, 1357020000000],
        [1357016400000000000, 1357020000000000000],
    ],
)
def test_times_in_every_form_are_epoch_seconds(times: list[Any]) -> None:
    table = pa.table({"time": times, "x": [1.0, 2.0]})
    assert from_reference(table, infer(table)).to_pydict()["time"] == [1357016400.0, 1357020000.0]


def test_an_unreadable_time_is_one_sentence() -> None:
    table = pa.table({"time": ["2013-01-01T05:00:00", "yesterday"], "x": [1.0, 2.0]})
    with pytest.raises(SchemaError, match="time column 'time' holds what is no ISO 8601 time"):
        from_reference(table, infer(table))


def test_pandas_stays_out() -> None:
    script = """
import sys
import numpy as np
from checks.data.arrow import float_array, string_array
import pyarrow as pa
from checks.data.infer_from_events import observed
from checks.data.schema_inference import infer
from checks.profile import CategoryBins
from checks.data.frame_payload import UNREAD, from_payload, label_array
from checks.data.frame import from_reference, concat
from checks.data.ids import hash_ids
from checks.profile import make_binning, profile
table = pa.Table.from_arrays(
    [float_array(np.arange(50.0)), string_array(["a", "b"] * 25), string_array(["x", "y"] * 25)],
    names=["v", "c", "target"],
)
schema = infer(table)
frame = from_reference(table, schema)
binning = make_binning(frame, schema, 10)
rows = from_payload({"id": ["1"], "time": [0.0], "features": {"v": [None], "c": ["z"]}, "prediction": ["x"]}, schema)
hash_ids(rows["id"]); label_array(["x"], schema)
profile(concat([rows, rows]), binning); profile(frame, binning)
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.floats(), max_size=2),
)
SCHEMAS = [
    None,
    BINARY,
    Schema("binary", (("dist", "numeric"),), "y", "p", "p", "1", ("0", "1")),
    Schema("multiclass", (("origin", "categorical"),), classes=("a", "b", "c")),
    Schema("regression", (("dist", "numeric"),)),
]


@settings(max_examples=200)
@given(st.data(), st.sampled_from(SCHEMAS), st.integers(1, 5))
def test_no_value_whatever_costs_a_row(data: st.DataObject, schema: Schema | None, rows: int) -> None:
    column = st.lists(scalars, min_size=rows, max_size=rows)
    given_payload = payload(
        rows,
        features={name: data.draw(column) for name in ("dist", "origin", "night", "extra")},
        prediction=data.draw(column),
        probabilities=data.draw(st.none() | column),
    )
    table = from_payload(given_payload, schema)
    table.validate(full=True)
    assert table.num_rows == rows
    assert concat([table, table]).num_rows == 2 * rows
    label_array(data.draw(column), schema)
    names = table.column_names
    for name, values in given_payload["features"].items():
        kept = table[f"f:{name}"].to_pylist()
        odd = table[f"m:{name}"].to_pylist() if f"m:{name}" in names else [None] * rows
        for value, fit, wrong in zip(values, kept, odd, strict=True):
            assert fit is None or wrong is None
            # NaN is a missing text; everything else is either kept or told.
            assert (fit is None and wrong is None) == (value is None or (value != value and fit is None))


SPELT = Schema("regression", (("flag", "boolean"), ("size", "numeric"), ("word", "categorical")))


@pytest.mark.parametrize(
    "values", [[True, False], ["True", "False"], ["TRUE", "0"], [1, 0], ["1.0", "false"], [1.0, False]]
)
def test_true_and_false_are_one_category_in_files_and_in_rows(values: list[Any]) -> None:
    row = frame(SPELT, rows=2, features={"flag": values})
    assert row["f:flag"] == ["true", "false"]
    assert "m:flag" not in row
    if len({type(value) for value in values}) == 1:
        (column,) = feature_columns(pa.chunked_array([pa.array(values)]), "flag", "boolean").values()
        assert column.to_pylist() == ["true", "false"]


def test_what_is_neither_true_nor_false_is_a_mismatch_in_files_as_in_rows() -> None:
    given = ["True", "maybe", None, "no"]
    row = frame(SPELT, rows=4, features={"flag": given})
    found = feature_columns(pa.chunked_array([pa.array(given)]), "flag", "boolean")
    for name in ("f:flag", "m:flag"):
        assert found[name].to_pylist() == row[name]
    assert row["m:flag"] == [None, "maybe", None, "no"]


@pytest.mark.parametrize(
    ("known", "given"),
    [
        (["True", "False"], [True, False]),
        (["1", "0"], [True, 0.0]),
        (["1", "2"], ["1.0", 2]),
        (["true", "false"], ["True", "FALSE"]),
    ],
)
def test_other_spellings_of_a_category_are_no_new_ones(known: list[str], given: list[Any]) -> None:
    row = frame(SPELT, rows=2, features={"word": given})
    assert CategoryBins(tuple(known)).lookup.keys() >= set(row["f:word"])
    assert [CategoryBins(tuple(known)).lookup[word] for word in row["f:word"]] == [0, 1]


@pytest.mark.parametrize(
    ("classes", "order"), [([2, 10], ["2", "10"]), (["2", "10"], ["10", "2"]), ([1, 2, 10], ["1", "2", "10"])]
)
def test_lists_without_a_reference_stand_in_the_order_of_the_classes(classes: list[Any], order: list[str]) -> None:
    given = payload(
        len(classes) * 10,
        features={"x": [1.5] * len(classes) * 10},
        prediction=classes * 10,
        probabilities=[[place / 10 for place in range(len(classes))]] * len(classes) * 10,
    )
    schema = observed(from_payload(given, None), SchemaOverrides(task="multiclass"))
    assert schema.classes == tuple(order)
    decoded = from_payload(given, schema)
    assert [decoded[f"p:{name}"][0].as_py() for name in order] == [place / 10 for place in range(len(order))]


def test_lists_of_another_length_than_the_classes_are_kept_as_what_they_are() -> None:
    given = payload(2, features={}, prediction=["1", "2"], probabilities=[[0.1, 0.2, 0.7], [0.5, 0.5]])
    schema = Schema("multiclass", (), classes=("1", "2", "3"))
    assert from_payload(given, schema)[UNREAD].to_pylist() == [None, "[0.5, 0.5]"]
    binary = Schema("binary", (), classes=("1", "2"), positive_class="2")
    assert from_payload(given, binary)[UNREAD].to_pylist() == ["[0.1, 0.2, 0.7]", None]
