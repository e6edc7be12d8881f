"""Which column has which role, by the names that users give them; what was not found, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from checks.data.roles import found_roles, leftovers, quoted
from checks.data.schema import Schema, SchemaOverrides
from checks.data.schema_inference import infer
from checks.data.usual_names import USUAL, key, looks_like, usual_role

N = 40
MINUTES = [5.0 + n % 7 for n in range(N)]
NEARLY = [minutes + 0.5 for minutes in MINUTES]
ANIMALS = ["cat", "dog"] * 20
SHARES = [n / N for n in range(N)]
NOTHING = SchemaOverrides()


def inferred(said: SchemaOverrides = NOTHING, **columns: Any) -> Schema:
    return infer(pa.table({"x": [float(n) for n in range(N)], **columns}), said)


@pytest.mark.parametrize(
    "name", ["yhat", "y_hat", "Y Hat", "yHat", "predictions", "y_pred", "Scored Labels", "Predicted-Class"]
)
def test_a_prediction_by_a_usual_name_however_it_is_spelled(name: str) -> None:
    got = inferred(target=ANIMALS, **{name: ANIMALS})
    assert (got.prediction, got.features) == (name, (("x", "numeric"),))


@pytest.mark.parametrize(
    ("target", "prediction"),
    [
        ("minutes", "predicted_minutes"),
        ("actual_minutes", "predicted_minutes"),
        ("minutes_true", "predictedMinutes"),
        ("minutes", "yhat_minutes"),
        ("y", "predicted_minutes"),
    ],
)
def test_a_prediction_and_its_target_by_one_anothers_name(target: str, prediction: str) -> None:
    got = inferred(**{target: MINUTES, prediction: NEARLY})
    assert (got.target, got.prediction, got.task) == (target, prediction, "regression")
    assert got.features == (("x", "numeric"),)


@pytest.mark.parametrize("prediction", ["minutes_pred", "pred_minutes", "minutes_hat", "Minutes Prediction"])
def test_a_prediction_by_the_name_of_a_target_that_the_config_says(prediction: str) -> None:
    got = inferred(SchemaOverrides(target="minutes"), minutes=MINUTES, **{prediction: NEARLY})
    assert got.prediction == prediction


def test_a_prediction_alone_is_found_and_of_two_neither() -> None:
    assert inferred(predicted_minutes=NEARLY).prediction == "predicted_minutes"
    two = inferred(predicted_minutes=NEARLY, predicted_price=NEARLY)
    assert (two.prediction, two.target, len(two.features)) == (None, None, 3)
    assert inferred(predicted_proba_late=SHARES).prediction is None


def test_what_the_config_lists_as_a_feature_or_ignores_has_no_role() -> None:
    said = SchemaOverrides(features={"predicted_minutes": "numeric"})
    assert inferred(said, predicted_minutes=NEARLY).prediction is None
    assert inferred(SchemaOverrides(ignore=("yhat",)), yhat=NEARLY).prediction is None


@pytest.mark.parametrize(
    "pattern",
    ["score_{}", "proba_{}", "y_pred_proba_{}", "Probability_{}", "{}_proba", "{}_score", "predicted_proba_{}"],
)
@pytest.mark.parametrize("written", [str, str.capitalize])
def test_probabilities_by_class(pattern: str, written: Any) -> None:
    names = {name: pattern.format(written(name)) for name in ("cat", "dog")}
    got = inferred(target=ANIMALS, prediction=ANIMALS, **dict.fromkeys(names.values(), SHARES))
    assert dict(got.probabilities) == names
    assert got.features == (("x", "numeric"),)


def test_scores_of_some_classes_alone_are_features() -> None:
    animals = ["cat", "dog", "owl", "cat"] * 10
    got = inferred(target=animals, prediction=animals, score_cat=SHARES, score_dog=SHARES)
    assert got.probabilities == ()
    assert len(list(leftovers(got, NOTHING))) == 2


def test_each_role_says_by_what_it_was_found_or_what_to_add() -> None:
    said = SchemaOverrides(target="answer")
    got = inferred(said, answer=[n % 2 for n in range(N)], y_pred=SHARES, when=["a"] * N)
    found = {one.role: (one.column, one.by, one.add) for one in found_roles(got, said)}
    assert found == {
        "prediction": ("y_pred", "its name", ""),
        "score": ("y_pred", "its values", ""),
        "target": ("answer", "the config", ""),
        "time": (None, "", "`time: COLUMN` under `schema`"),
        "id": (None, "", "`id: COLUMN` under `schema`"),
    }


def test_a_likely_column_stands_in_the_line_to_add() -> None:
    got = inferred(**{"delay forecast": NEARLY, "true outcome": ANIMALS})
    add = {one.role: one.add for one in found_roles(got, NOTHING)}
    assert add["prediction"] == '`schema: {prediction: "delay forecast"}`'
    assert add["target"] == '`schema: {target: "true outcome"}`'
    assert add["score"] == "`schema: {score: COLUMN}`"


def test_a_feature_that_looks_like_a_role_is_remarked_until_the_config_says_what_it_is() -> None:
    columns = {"prediction": NEARLY, "delay_forecast": NEARLY, "predator": MINUTES, "credit_score": MINUTES}
    (remark,) = leftovers(inferred(target=MINUTES, **columns), NOTHING)
    assert remark.startswith(
        "column 'delay_forecast' is watched as a feature, but its name is like a prediction's. If the"
    )
    assert (
        "`schema: {ignore: [delay_forecast]}`" in remark and "`schema: {features: {delay_forecast: numeric}}`" in remark
    )
    said = SchemaOverrides(features={"delay_forecast": "numeric"})
    assert not list(leftovers(inferred(said, target=MINUTES, **columns), said))


def test_no_usual_name_stands_for_two_roles_or_is_spelled_otherwise_than_compared() -> None:
    names = [name for usual in USUAL.values() for name in usual]
    assert len(names) == len(set(names))
    assert [key(name) for name in names] == names
    assert all(usual_role(name) == role for role, usual in USUAL.items() for name in usual)


@pytest.mark.parametrize(("name", "shown"), [("no", '"no"'), ("a: b", '"a: b"'), ("a\nb", '"a\\nb"'), ("x1", "x1")])
def test_a_name_is_quoted_as_yaml_reads_it(name: str, shown: str) -> None:
    assert quoted(name) == shown
    assert looks_like(name) is None
