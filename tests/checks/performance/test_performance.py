"""Figures against scikit-learn, intervals against repetition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as oracle

from checks.base import NotEnough
from checks.data.frame_payload import from_payload, label_array
from checks.data.schema import Schema
from checks.inputs import CheckOptions, Scored, WindowData
from checks.performance.metrics import CLASSIFICATION, REGRESSION
from checks.performance.scored import scored
from checks.run import run_checks
from tests.checks.sample import WINDOW, measure, one, reference, table

BINARY = Schema("binary", (), positive_class="yes", classes=("no", "yes"))
THREE = Schema("multiclass", (), classes=("a", "b", "c"))


def binary(seed: int, n: int = 700, ties: bool = False) -> Scored:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    score = np.clip(0.3 * truth + rng.random(n) * 0.7, 0, 1)
    score = score.round(1) if ties else score
    names = np.array(["no", "yes"])
    frame = pa.table({"prediction": names[(score >= 0.5).astype(int)], "score": score})
    return scored(frame, pa.array(names[truth.astype(int)]), BINARY)


def figure(metric: str, rows: Scored) -> float:
    estimate = CLASSIFICATION[metric].of(rows)
    assert estimate is not None
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.value


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_binary_figures_are_scikit_learns(seed: int, ties: bool) -> None:
    rows = binary(seed, ties=ties)
    truth, said = rows.truth, rows.prediction
    assert rows.score is not None
    assert figure("accuracy", rows) == pytest.approx(oracle.accuracy_score(truth, said))
    assert figure("precision", rows) == pytest.approx(oracle.precision_score(truth, said))
    assert figure("recall", rows) == pytest.approx(oracle.recall_score(truth, said))
    assert figure("f1", rows) == pytest.approx(oracle.f1_score(truth, said))
    assert figure("roc_auc", rows) == pytest.approx(oracle.roc_auc_score(truth, rows.score))
    assert figure("log_loss", rows) == pytest.approx(oracle.log_loss(truth, rows.score))


def test_multiclass_figures_are_scikit_learns() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 900)
    shares = rng.random((900, 3)) + np.eye(3)[truth] * 0.6
    shares /= shares.sum(axis=1, keepdims=True)
    said = shares.argmax(axis=1)
    names = np.array(["a", "b", "c"])
    frame = pa.table({"prediction": names[said], **{f"p:{name}": shares[:, i] for i, name in enumerate(names)}})
    rows = scored(frame, pa.array(names[truth]), THREE)
    assert figure("accuracy", rows) == pytest.approx(oracle.accuracy_score(truth, said))
    for metric, score in (
        ("precision", oracle.precision_score),
        ("recall", oracle.recall_score),
        ("f1", oracle.f1_score),
    ):
        assert figure(metric, rows) == pytest.approx(score(truth, said, average="macro"))
    assert figure("roc_auc", rows) == pytest.approx(oracle.roc_auc_score(truth, shares, multi_class="ovr"))
    assert figure("log_loss", rows) == pytest.approx(oracle.log_loss(truth, shares))


def test_regression_figures_are_scikit_learns() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=500)
    said = truth + rng.normal(size=500)
    rows = scored(pa.table({"prediction": said}), pa.array(truth), Schema("regression", ()))
    mae, rmse = REGRESSION["mae"].of(rows), REGRESSION["rmse"].of(rows)
    assert mae is not None
    assert rmse is not None
    assert mae.value == pytest.approx(oracle.mean_absolute_error(truth, said))
    assert rmse.value == pytest.approx(oracle.root_mean_squared_error(truth, said))


@pytest.mark.parametrize("wrong", [-1e308, 1e200, 1e61])
def test_a_prediction_out_of_all_bounds_gives_a_large_finite_error(wrong: float) -> None:
    truth = np.zeros(100)
    said = np.append(np.ones(99), wrong)
    rows = scored(pa.table({"prediction": said}), pa.array(truth), Schema("regression", ()))
    mae, rmse = REGRESSION["mae"].of(rows), REGRESSION["rmse"].of(rows)
    assert mae is not None
    assert rmse is not None
    assert mae.value == pytest.approx(abs(wrong) / 100)
    assert rmse.value == pytest.approx(abs(wrong) / 10)
    for estimate in (mae, rmse):
        assert 0 <= estimate.low <= estimate.value <= estimate.high < np.inf
        assert estimate.n == 100


def test_an_error_that_no_float_holds_is_left_out_and_seen_in_the_coverage() -> None:
    frame = pa.table({"prediction": [-1.7e308, 1.0, float("inf")]})
    rows = scored(frame, pa.array([1.7e308, 2.0, 0.0]), Schema("regression", ()))
    assert (rows.n, rows.predictions) == (1, 3)
    estimate = REGRESSION["rmse"].of(rows)
    assert estimate is not None
    assert estimate.value == 1.0


@pytest.mark.parametrize("metric", REGRESSION)
def test_two_errors_at_the_end_of_the_floats_have_a_finite_interval(metric: str) -> None:
    frame = pa.table({"prediction": [1.7e308, 0.0]})
    estimate = REGRESSION[metric].of(scored(frame, pa.array([0.0, 0.0]), Schema("regression", ())))
    assert estimate is not None
    assert np.isfinite([estimate.low, estimate.value, estimate.high]).all()


@pytest.mark.parametrize("metric", CLASSIFICATION)
def test_intervals_hold_the_truth_about_nineteen_times_in_twenty(metric: str) -> None:
    truth = figure(metric, binary(1_000, n=400_000))
    held = 0
    for seed in range(200):
        estimate = CLASSIFICATION[metric].of(binary(seed, n=300))
        assert estimate is not None
        held += estimate.low <= truth <= estimate.high
    assert 180 <= held <= 199


@pytest.mark.parametrize("metric", REGRESSION)
def test_intervals_of_errors_hold_the_truth_about_nineteen_times_in_twenty(metric: str) -> None:
    truth = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0}[metric]
    held = 0
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(size=300)
        frame = pa.table({"prediction": errors})
        estimate = REGRESSION[metric].of(scored(frame, pa.array(np.zeros(300)), Schema("regression", ())))
        assert estimate is not None
        held += estimate.low <= truth <= estimate.high
    assert 180 <= held <= 199


def test_labels_of_another_type_are_the_same_labels() -> None:
    schema = Schema("binary", (), positive_class="1", classes=("0", "1"))
    frame = pa.table({"prediction": ["1", "1", "0", "0"]})
    for given in ([1, 0, 0, 1], ["1", "0", "0", "1"], [True, False, False, True], [1.0, 0.0, 0.0, 1.0]):
        rows = scored(frame, label_array(given, schema), schema)
        assert figure("accuracy", rows) == 0.5


def test_rows_without_a_label_or_prediction_are_left_out() -> None:
    frame = pa.table({"prediction": pa.array(["yes", None, "no", "no"])})
    rows = scored(frame, pa.array(["yes", "yes", None, "yes"]), BINARY)
    assert (rows.n, rows.predictions) == (2, 4)
    assert figure("accuracy", rows) == 0.5


def test_an_unknown_label_is_wrong_and_no_error() -> None:
    rows = scored(pa.table({"prediction": ["a", "b"]}), pa.array(["a", "zebra"]), THREE)
    assert figure("accuracy", rows) == 0.5


@pytest.mark.parametrize(
    ("prediction", "label", "classification"),
    [(["a", "b"], ["a", "b"], True), ([0.0, 1.0], [1.0, 1.0], True), ([0.5, 1.0], [1.0, 2.5], False)],
)
def test_without_a_schema_the_task_is_seen_from_the_values(
    prediction: list[Any], label: list[Any], classification: bool
) -> None:
    rows = scored(pa.table({"prediction": prediction}), pa.array(label), None)
    assert (rows.classification, rows.n) == (classification, 2)


# as measured


def test_a_window_beside_its_reference() -> None:
    normal = reference()
    outcome = measure(normal, table(600, seed=7), provisional=True)
    assert not outcome.errors
    accuracy = one(outcome, "performance", metric="accuracy")
    before = one(outcome, "performance_reference", metric="accuracy")
    assert accuracy.value == pytest.approx(0.75, abs=0.06)
    assert before.value == accuracy.reference == normal.performance["accuracy"].value
    assert before.n == 24_000
    assert accuracy.n == 600
    assert accuracy.provisional
    assert accuracy.low is not None and accuracy.high is not None and accuracy.limit_low is not None
    assert accuracy.low < accuracy.value < accuracy.high
    assert 0.5 < accuracy.limit_low < accuracy.value
    loss = one(outcome, "performance", metric="log_loss")
    assert loss.limit_low is None
    assert loss.value is not None and loss.limit_high is not None
    assert loss.value < loss.limit_high
    coverage = one(outcome, "label_coverage_ratio")
    assert (coverage.value, coverage.n) == (1.0, 600)


def test_a_model_that_guesses_is_below_its_limit() -> None:
    rows = table(600, seed=7)
    outcome = measure(reference(), table(600, seed=7, prediction=1 - rows["prediction"].to_numpy()))
    accuracy = one(outcome, "performance", metric="accuracy")
    assert accuracy.value is not None and accuracy.limit_low is not None
    assert accuracy.value < accuracy.limit_low


@pytest.mark.parametrize(
    ("rows", "labelled", "reason"),
    [(0, 0, NotEnough.NO_ROWS), (500, 0, NotEnough.NO_LABELS), (500, 199, NotEnough.TOO_FEW_ROWS)],
)
def test_too_few_labels_are_a_reason(rows: int, labelled: int, reason: NotEnough) -> None:
    normal = reference(3_000)
    truth = binary(1, n=labelled) if labelled else None
    outcome = run_checks(WindowData(WINDOW, None, rows, truth), normal, CheckOptions(), only=("performance",))
    assert {row.reason for row in outcome.measurements if row.name == "performance"} == {reason}
    assert one(outcome, "performance_reference", metric="accuracy").value is not None


def test_one_class_has_no_area() -> None:
    frame = pa.table({"prediction": ["no"] * 300, "score": [0.1] * 300})
    rows = scored(frame, pa.array(["no"] * 300), BINARY)
    outcome = run_checks(WindowData(WINDOW, None, 300, rows), None, CheckOptions(), only=("performance",))
    assert one(outcome, "performance", metric="roc_auc").reason == NotEnough.ONE_CLASS
    assert one(outcome, "performance", metric="precision").reason == NotEnough.ONE_CLASS
    assert one(outcome, "performance", metric="accuracy").value == 1.0


def test_coverage_counts_labelled_rows_of_all() -> None:
    outcome = run_checks(
        WindowData(WINDOW, None, 400, binary(1, n=100)), None, CheckOptions(), only=("performance.coverage",)
    )
    assert one(outcome, "label_coverage_ratio").value == 0.25


def reasons(frame: pa.Table, labels: list[Any], schema: Schema, invalid: int = 0) -> dict[str, NotEnough | None]:
    rows = scored(frame, pa.array(labels), schema)
    data = WindowData(WINDOW, None, frame.num_rows, rows, invalid_labels=invalid)
    outcome = run_checks(data, None, CheckOptions(), only=("performance",))
    return {dict(row.labels)["metric"]: row.reason for row in outcome.measurements}


RIGHT = ["no", "yes"] * 150
BY_CLASS = ("accuracy", "precision", "recall", "f1")


@pytest.mark.parametrize("said", [["0.73"] * 300, ["maybe"] * 300, [None] * 300, ["yes"] * 9 + ["1"] * 291])
def test_predictions_that_are_no_class_give_no_value_and_leave_the_area(said: list[str | None]) -> None:
    frame = pa.table({"prediction": pa.array(said, pa.string()), "score": [0.2, 0.7] * 150})
    found = reasons(frame, RIGHT, BINARY)
    assert {name: found[name] for name in BY_CLASS} == dict.fromkeys(BY_CLASS, NotEnough.INVALID_PREDICTIONS)
    assert (found["roc_auc"], found["log_loss"]) == (None, None)


def test_a_new_class_is_wrong_where_there_are_several_and_a_fraction_is_none() -> None:
    stars = Schema("multiclass", (), classes=("1", "2", "3"))
    right = [str(1 + place % 3) for place in range(300)]
    assert reasons(pa.table({"prediction": ["4"] * 300}), right, stars)["accuracy"] is None
    assert reasons(pa.table({"prediction": ["0.7"] * 300}), right, stars)["accuracy"] is NotEnough.INVALID_PREDICTIONS


@pytest.mark.parametrize("score", [[42.0, 7.0], [0.4, -1.0], [5.0, 0.1]])
def test_scores_outside_of_zero_to_one_have_an_area_and_no_loss(score: list[float]) -> None:
    found = reasons(pa.table({"prediction": RIGHT, "score": score * 150}), RIGHT, BINARY)
    assert found == {**dict.fromkeys((*BY_CLASS, "roc_auc")), "log_loss": NotEnough.INVALID_PROBABILITIES}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([0.2, 0.3, 0.4, 0.1], NotEnough.INVALID_PROBABILITIES),
        ([0.5, 0.5], NotEnough.INVALID_PROBABILITIES),
        ({"a": 0.5, "b": 0.5}, NotEnough.INVALID_PROBABILITIES),
        (None, NotEnough.NO_PROBABILITIES),
        ([0.2, 0.3, 0.5], None),
    ],
)
def test_lists_of_the_wrong_length_are_not_one_class(given: object, reason: NotEnough | None) -> None:
    labels = ["a", "b", "c"] * 100
    frame = from_payload(
        {
            "id": [str(i) for i in range(300)],
            "time": [0.0] * 300,
            "features": {},
            "prediction": labels,
            "probabilities": [given] * 299 + [None],
        },
        THREE,
    )
    found = reasons(frame, labels, THREE)
    assert (found["roc_auc"], found["log_loss"]) == (reason, reason)


def test_labels_that_came_and_fit_nothing_are_not_absent() -> None:
    normal = reference(3_000)

    def reason(**given: Any) -> NotEnough | None:
        data = WindowData(WINDOW, None, 300, **given)
        outcome = run_checks(data, normal, CheckOptions(), only=("performance",))
        return one(outcome, "performance", metric="accuracy").reason

    few = binary(1, n=20)
    assert reason(invalid_labels=300) is NotEnough.INVALID_LABELS
    assert reason(scored=few, invalid_labels=280) is NotEnough.INVALID_LABELS
    assert reason(scored=few, invalid_labels=2) is NotEnough.TOO_FEW_ROWS
    assert reason(unmatched_labels=True) is NotEnough.UNMATCHED_LABELS
    assert reason() is NotEnough.NO_LABELS


def test_an_amount_written_as_text_is_one_and_a_word_is_none() -> None:
    amounts = Schema("regression", ())
    payload = {"id": ["a"] * 300, "time": [0.0] * 300, "features": {}, "probabilities": None}
    for said, reason in ((["12.5", 3] * 150, None), (["many"] * 300, NotEnough.INVALID_PREDICTIONS)):
        frame = from_payload({**payload, "prediction": said}, amounts)
        rows = scored(frame, label_array(["12", 4.0] * 150, amounts), amounts)
        outcome = run_checks(WindowData(WINDOW, None, 300, rows), None, CheckOptions(), only=("performance",))
        assert one(outcome, "performance", metric="mae").reason is reason
