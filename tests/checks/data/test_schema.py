"""What is inferred, what is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.data.canonical_text import text
from checks.data.schema import Schema, SchemaError, SchemaOverrides
from checks.data.schema_inference import infer

N = 40


def table(**columns: list[Any]) -> pa.Table:
    return pa.table({"x": [float(i % 7) for i in range(N)], **columns})


def test_binary_from_the_usual_names() -> None:
    got = infer(
        table(
            id=[f"i{i}" for i in range(N)],
            timestamp=pa.array(range(N), pa.timestamp("s")),
            y_true=[i % 2 for i in range(N)],
            y_pred=[i % 2 for i in range(N)],
            proba=[0.25] * N,
        )
    )
    assert (got.task, got.target, got.prediction, got.score) == ("binary", "y_true", "y_pred", "proba")
    assert (got.id, got.time, got.positive_class, got.classes) == ("id", "timestamp", "1", ("0", "1"))
    assert got.features == (("x", "numeric"),)


def test_a_prediction_of_fractions_for_two_classes_is_the_score() -> None:
    got = infer(table(target=[i % 2 for i in range(N)], prediction=[i / N for i in range(N)]))
    assert (got.task, got.score, got.prediction, got.classes) == ("binary", "prediction", "prediction", ("0", "1"))


def test_multiclass_with_probability_columns() -> None:
    names = ["a", "b", "c"]
    columns = {f"proba_{name}": [1 / 3] * N for name in names}
    got = infer(table(target=[names[i % 3] for i in range(N)], prediction=["a"] * N, **columns))
    assert got.task == "multiclass"
    assert got.probabilities == tuple((name, f"proba_{name}") for name in names)
    assert got.features == (("x", "numeric"),)


def test_a_feature_that_begins_like_a_probability_stays_a_feature() -> None:
    got = infer(table(target=["a", "b"] * 20, prediction=["a", "b"] * 20, p_size=[0.5] * N))
    assert got.probabilities == ()
    assert ("p_size", "numeric") in got.features


@pytest.mark.parametrize(
    ("target", "prediction", "task"),
    [
        ([i * 1.5 for i in range(N)], [i * 1.4 for i in range(N)], "regression"),
        (list(range(N)), list(range(N)), "regression"),
        ([i % 5 for i in range(N)], [i % 5 + 0.25 for i in range(N)], "regression"),
        ([i % 5 for i in range(N)], [i % 5 for i in range(N)], "multiclass"),
        ([i % 2 for i in range(N)], [1] * N, "binary"),
        (["no", "yes"] * 20, ["no", "yes"] * 20, "binary"),
        ([True, False] * 20, [True, False] * 20, "binary"),
    ],
)
def test_task(target: list[Any], prediction: list[Any], task: str) -> None:
    assert infer(table(target=target, prediction=prediction)).task == task


def test_booleans_and_zero_one_are_the_same_classes() -> None:
    got = infer(table(target=[True, False] * 20, prediction=[1, 0] * 20))
    assert (got.task, got.classes, got.positive_class) == ("binary", ("false", "true"), "true")


def test_feature_types_and_what_is_left_out() -> None:
    got = infer(
        table(
            small=[i % 3 for i in range(N)],
            name=[f"n{i % 3}" for i in range(N)],
            flag=[i % 2 == 0 for i in range(N)],
            key=[f"k{i}" for i in range(N)],
            seen=pa.array(range(N), pa.timestamp("s")),
            born=pa.array(range(N), pa.date32()),
            blank=pa.nulls(N),
            parts=[[1]] * N,
            coded=pa.array(["u", "v"] * 20).dictionary_encode(),
        ),
        SchemaOverrides(time="seen"),
    )
    assert dict(got.features) == {
        "x": "numeric", "small": "numeric", "name": "categorical", "flag": "boolean", "born": "datetime",
        "coded": "categorical",
    }  # fmt: skip
    why = dict(got.excluded)
    assert set(why) == {"key", "blank", "parts"}
    assert why["key"] == "an id: every value is different"


def test_only_features_is_a_reference_for_drift() -> None:
    got = infer(table())
    assert (got.task, got.target, got.prediction) == (None, None, None)


def test_overrides() -> None:
    got = infer(
        table(outcome_x=["a", "b"] * 20, guess=["a", "b"] * 20, code=[1, 2] * 20, secret=[1] * N),
        SchemaOverrides(
            target="outcome_x",
            prediction="guess",
            positive_class="a",
            features={"code": "categorical"},
            ignore=("secret",),
        ),
    )
    assert (got.target, got.prediction, got.positive_class) == ("outcome_x", "guess", "a")
    assert dict(got.features)["code"] == "categorical"
    assert ("secret", "ignored by the config") in got.excluded


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (SchemaOverrides(prediction="predicton"), "no column 'predicton' (did you mean 'prediction'?)"),
        (SchemaOverrides(ignore=("zzzz", "X")), "'X' (did you mean 'x'?)"),
        (SchemaOverrides(features={"name": "numeric"}), "'name' holds string"),
        (SchemaOverrides(features={"x": "boolean"}), "more than true and false"),
        (SchemaOverrides(positive_class="maybe"), "positive_class 'maybe' is none of the classes 'no', 'yes'"),
        (SchemaOverrides(task="regression"), "a regression needs numbers"),
        (SchemaOverrides(target="x", id="x"), "'x' two roles"),
        (SchemaOverrides(score="name"), "'name' holds string, which can't be a score"),
        (SchemaOverrides(time="name"), "'name' holds string, which can't be a time"),
    ],
)
def test_a_wrong_override_is_one_sentence(overrides: SchemaOverrides, words: str) -> None:
    rows = table(target=["no", "yes"] * 20, prediction=["no", "yes"] * 20, name=["u", "v"] * 20)
    with pytest.raises(SchemaError) as caught:
        infer(rows, overrides)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_prediction_under_an_unusual_name_is_asked_for() -> None:
    rows = table(target=["no", "yes"] * 20, delay_pred=["no", "yes"] * 20)
    with pytest.raises(SchemaError, match="say `prediction: delay_pred`"):
        infer(rows)
    assert infer(rows, SchemaOverrides(prediction="delay_pred")).prediction == "delay_pred"
    assert infer(rows, SchemaOverrides(ignore=("delay_pred",))).prediction is None


def test_classes_that_have_nothing_in_common_are_refused() -> None:
    with pytest.raises(SchemaError, match="share no class"):
        infer(table(target=["no", "yes"] * 20, prediction=["p", "q"] * 20))


def test_three_classes_are_not_binary() -> None:
    with pytest.raises(SchemaError, match="set `task: multiclass`"):
        infer(table(target=["a", "b", "c", "a"] * 10, prediction=["a", "b"] * 20), SchemaOverrides(task="binary"))


def test_a_column_that_stands_twice_is_refused() -> None:
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    with pytest.raises(SchemaError, match="stands twice"):
        infer(twice)


def test_json_there_and_back() -> None:
    got = infer(table(target=["no", "yes"] * 20, prediction=["no", "yes"] * 20))
    assert Schema.from_json(got.to_json()) == got
    with pytest.raises(SchemaError, match="build the reference anew"):
        Schema.from_json("{}")


def test_small_numbers_named_time_are_a_feature() -> None:
    assert infer(table(time=[i % 24 for i in range(N)])).time is None


def test_one_class_alone_is_the_negative_one_where_it_is_known_as_such() -> None:
    assert infer(table(target=[0] * N, prediction=[0] * N)).positive_class == "1"
    assert infer(table(target=["fraud"] * N, prediction=["fraud"] * N)).positive_class == "fraud"


def test_a_column_of_nothing_but_nan_has_no_value() -> None:
    assert ("void", "has no value in the reference") in infer(table(void=[float("nan")] * N)).excluded


def of(values: Any, name: str) -> dict[str, str]:
    """Features, and what is left out and why."""
    got = infer(pa.table({"kept": [0.5] * len(values), name: values}))
    return {**dict(got.features), **dict(got.excluded)}


MANY = 2_000
AMOUNTS = np.random.default_rng(0).permutation(10**9 // MANY * np.arange(MANY) + 7)


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("user_id", AMOUNTS, "an id: every value is different"),
        ("userId", AMOUNTS, "an id: every value is different"),
        ("session.key", np.concatenate([AMOUNTS[:-5], AMOUNTS[:5]]), "an id: nearly all values are different"),
        ("number", np.random.default_rng(0).permutation(MANY) + 10**6, "an id: every value is different"),
        ("note", [f"text {i % (MANY - 10)}" for i in range(MANY)], "an id: nearly all values are different"),
        ("cents", AMOUNTS, "numeric"),
        ("paid", AMOUNTS, "numeric"),
        ("user_id", np.arange(MANY) % 500, "numeric"),
        ("note", [f"text {i % (MANY // 2)}" for i in range(MANY)], "categorical"),
        ("hour", np.arange(24), "numeric"),
    ],
)
def test_what_is_an_id_and_what_only_varies_much(name: str, values: Any, what: str) -> None:
    assert of(pa.array(values), name)[name] == what


def test_a_config_may_watch_an_id() -> None:
    rows = pa.table({"kept": [0.5] * MANY, "user_id": AMOUNTS})
    assert dict(infer(rows, SchemaOverrides(features={"user_id": "numeric"})).features)["user_id"] == "numeric"


def test_a_time_gives_way_to_columns_with_the_names_of_its_parts() -> None:
    seen = pa.array(range(N), pa.timestamp("s"))
    got = infer(table(seen=seen, **{"seen.hour": list(range(N))}))
    assert dict(got.excluded)["seen"] == "a time, but column 'seen.hour' has the name of its part"


def test_texts_and_numbers_are_times_where_the_config_says_so() -> None:
    rows = table(seen=["2024-05-01T10:00:00Z"] * N, at=[1.7e9] * N)
    got = infer(rows, SchemaOverrides(features={"seen": "datetime", "at": "datetime"}))
    assert [name for name, _ in got.watched if name != "x"] == [
        "seen.hour", "seen.weekday", "at.hour", "at.weekday",
    ]  # fmt: skip
    with pytest.raises(SchemaError, match="'name' holds string that is no time"):
        infer(table(name=["u"] * N), SchemaOverrides(features={"name": "datetime"}))


@pytest.mark.parametrize(
    ("target", "classes"),
    [
        (list(range(12)), tuple(map(str, range(12)))),
        ([2, 10], ("2", "10")),
        ([-1, 1], ("-1", "1")),
        ([1.0, 2.0, 10.0], ("1", "2", "10")),
        (["2", "10"], ("10", "2")),  # texts: by code point
        (["b", "B", "é", "a"], ("B", "a", "b", "é")),
        ([True, False], ("false", "true")),
        ([1, 2], ("1", "2")),
    ],
)
def test_classes_stand_in_the_order_of_scikit_learns(target: list[Any], classes: tuple[str, ...]) -> None:
    column = (target * N)[:N]
    score = {"score": [0.5] * N} if len(classes) == 2 else {}
    given = SchemaOverrides(task="binary" if len(classes) == 2 else "multiclass")
    got = infer(table(target=column, prediction=column, **score), given)
    assert got.classes == classes == tuple(map(text, np.unique(np.array(target)).tolist()))
    assert got.positive_class == (classes[1] if len(classes) == 2 else "")


def test_the_config_may_state_the_classes_and_name_their_probabilities() -> None:
    columns = {"target": [2, 10] * 20, "prediction": [2, 10] * 20, "late": [0.1] * N, "on_time": [0.9] * N}
    given = SchemaOverrides(classes=(10, 2), probabilities={"10": "late", "2": "on_time"})
    got = infer(table(**columns), given)
    assert (got.task, got.classes, got.positive_class) == ("binary", ("10", "2"), "2")
    assert got.probabilities == (("10", "late"), ("2", "on_time"))
    assert got.features == (("x", "numeric"),)
    more = infer(table(target=[1, 2] * 20, prediction=[1, 2] * 20), SchemaOverrides(classes=(1, 2, 3)))
    assert (more.task, more.classes) == ("multiclass", ("1", "2", "3"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (SchemaOverrides(classes=(2, 3)), "'target', 'prediction' hold '10', which `schema.classes` does not name"),
        (SchemaOverrides(classes=(2, "2.0", 10)), "schema.classes names a class twice: 2, 2.0, 10"),
        (
            SchemaOverrides(task="binary", classes=(2, 10, 11)),
            "a binary task has two classes, but schema.classes names 3",
        ),
        (SchemaOverrides(task="regression", classes=(2, 10)), "a regression has no classes"),
        (SchemaOverrides(probabilities={"2": "lat"}), "the reference has no column 'lat' (did you mean 'late'?)"),
        (SchemaOverrides(probabilities={"2": "word"}), "column 'word' holds string, which can't be a probability"),
        (SchemaOverrides(probabilities={"3": "late"}), "schema.probabilities names class '3', which is none of"),
    ],
)
def test_stated_classes_that_do_not_fit_are_refused(given: SchemaOverrides, words: str) -> None:
    columns = {"target": [2, 10] * 20, "prediction": [2, 10] * 20, "late": [0.1] * N, "word": ["w"] * N}
    with pytest.raises(SchemaError) as caught:
        infer(table(**columns), given)
    assert words in str(caught.value)


def test_texts_of_true_and_false_are_booleans() -> None:
    got = infer(
        table(target=[i * 1.5 for i in range(N)], prediction=[1.5] * N, a=["True", "FALSE"] * 20, b=["yes", "no"] * 20)
    )
    assert dict(got.features) == {"x": "numeric", "a": "boolean", "b": "categorical"}
