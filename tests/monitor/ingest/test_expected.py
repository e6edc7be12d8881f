"""What is taken and can't be used is said, by kind, with one example; what is right is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.data.schema import Schema
from monitor.ingest.expected import ANYTHING, Expected
from monitor.ingest.labels import parse_labels
from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Parsed
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings

LIMITS = LimitSettings()
SPAN = TimeRange(received=1_700_000_000.0)
FEATURES = (("kind", "categorical"), ("x", "numeric"))
BINARY = Expected(Schema("binary", FEATURES, classes=("0", "1"), positive_class="1"))
SCORED = Expected(Schema("binary", FEATURES, None, "p", "p", "1", ("0", "1")))
STARS = Expected(Schema("multiclass", FEATURES, classes=("1", "2", "10")))
AMOUNTS = Expected(Schema("regression", FEATURES))
GOOD: dict[str, Any] = {"id": "a", "prediction": 1, "features": {"kind": "k", "x": 1.5}}


def said(parsed: Parsed) -> dict[str, tuple[int, str]]:
    return {one["kind"]: (one["count"], one["example"]) for one in parsed.reply()["warnings"]}  # type: ignore


def predict(expected: Expected, *rows: dict[str, Any], many: int = 1) -> Parsed:
    body = json.dumps([GOOD | row for row in rows] * many).encode()
    return parse_predictions(body, "application/json", LIMITS, SPAN, expected)


def label(expected: Expected, *values: Any) -> dict[str, tuple[int, str]]:
    body = json.dumps([{"id": "a", "label": value} for value in values]).encode()
    return said(parse_labels(body, "application/json", LIMITS, SPAN, expected))


@pytest.mark.parametrize(
    ("expected", "good", "bad", "example"),
    [
        (
            BINARY,
            [1, "1", 1.0, True, "true", "0.0", "False"],
            ["yes", 2, 0.73],
            "label 'yes' is none of the classes '0', '1'",
        ),
        (STARS, [1, "10", 7, "2.0"], ["word", 2.5], "label 'word' is none of the classes '1', '2', '10'"),
        (AMOUNTS, [1, "12.5", -1e9, " 3 "], ["12,5", True, "nan"], "label '12,5' is no number"),
    ],
)
def test_labels_that_are_no_truth(expected: Expected, good: list[Any], bad: list[Any], example: str) -> None:
    assert label(expected, *good) == {}
    assert label(expected, *good, *bad) == {"invalid_label": (len(bad), example)}
    assert label(ANYTHING, *good, *bad) == {}


@pytest.mark.parametrize(
    ("expected", "good", "bad", "example"),
    [
        (BINARY, [0, "1", True], [0.73, 2], "prediction 0.73 is none of the classes '0', '1'"),
        (SCORED, [0.73, 1, 0], [7.3], "prediction 7.3 is no probability; it must lie within 0 to 1"),
        (STARS, [10, "2", 4], [0.5], "prediction 0.5 is none of the classes '1', '2', '10'"),
        (AMOUNTS, ["12.5", 3], ["many"], "prediction 'many' is no number"),
    ],
)
def test_predictions_that_are_none(expected: Expected, good: list[Any], bad: list[Any], example: str) -> None:
    assert said(predict(expected, *({"prediction": value} for value in good))) == {}
    found = said(predict(expected, *({"prediction": value} for value in [*good, *bad])))
    assert found == {"invalid_prediction": (len(bad), example)}


@pytest.mark.parametrize(
    ("expected", "good", "bad", "words"),
    [
        (
            BINARY,
            [0.5, [0.2, 0.8], [0.7], {"true": 0.3}, 1.0000001, None],
            [5, -1.0, 42.5],
            "they must lie within 0 to 1",
        ),
        (BINARY, [0.5], [[0.1, 0.2, 0.7], [0.2, 1.8]], "3 values for 2 classes"),
        (STARS, [[0.2, 0.3, 0.5], {"1": 0.2, "2.0": 0.3, "10": 0.5}], [[0.5, 0.5]], "2 values for 3 classes"),
        (STARS, [None], [0.5], "one value for 3 classes; send one for each"),
        (STARS, [None], [{"1": 0.5, "2": 0.5}], "a class is missing; the classes are '1', '2', '10'"),
    ],
)
def test_probabilities_that_are_none(expected: Expected, good: list[Any], bad: list[Any], words: str) -> None:
    assert said(predict(expected, *({"probabilities": value} for value in good))) == {}
    ((kind, (count, example)),) = said(
        predict(expected, *({"probabilities": value} for value in [*good, *bad]))
    ).items()
    assert (kind, count) == ("invalid_probabilities", len(bad))
    assert words in example


@pytest.mark.parametrize("many", [1, 30, 4_000])
@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (
            {"features": {}, "x": 1.5, "kind": "k"},
            {"unknown_key": "the key", "no_features": "send them in `features`"},
        ),
        ({"features": {}, "feature": {"x": 1}}, {"unknown_key": "did you mean 'features'?", "no_features": ""}),
        (
            {"features": {"Kind": "k", "x": 1}},
            {"unknown_feature": "feature 'Kind' is unknown to the reference; did you mean 'kind'?"},
        ),
        ({"features": {"kinds": "k", "x": 1}}, {"unknown_feature": "did you mean 'kind'?"}),
        ({"Version": "3"}, {"unknown_key": "nothing reads the key 'Version'; did you mean 'version'?"}),
        ({"features": {"kind": "k", "x": [1, 2]}}, {"unreadable_feature": "feature 'x' is an array, taken as missing"}),
        ({"features": {"kind": "k", "x": 1, "extra": 3}}, {}),
        ({}, {}),
    ],
)
def test_keys_and_features_that_nothing_reads(row: dict[str, Any], kinds: dict[str, str], many: int) -> None:
    parsed = predict(BINARY, row, many=many)
    found = said(parsed)
    assert parsed.n == many
    assert found.keys() == kinds.keys()
    for kind, words in kinds.items():
        assert found[kind][0] == many
        assert words in found[kind][1]


def test_a_misspelt_prediction_is_named_where_the_row_is_refused() -> None:
    body = json.dumps({"id": "a", "predicton": 1}).encode()
    parsed = parse_predictions(body, "application/json", LIMITS, SPAN, BINARY)
    assert parsed.rejections.listed[0].detail == "no prediction; did you mean `prediction` by 'predicton'?"


def test_very_many_unknown_names_are_compared_within_bounds() -> None:
    keys = {f"key{number}": number for number in range(50_000)}
    features = {f"Kind{number}": 1 for number in range(LIMITS.features)}
    found = said(predict(BINARY, keys | {"features": features}))
    assert found.keys() == {"unknown_key", "unknown_feature"}
    assert all(len(example) < 400 for _, example in found.values())


def test_names_are_shown_on_one_line() -> None:
    ((_, example),) = said(predict(BINARY, {"evil\nname\u202e": 1})).values()
    assert example.isprintable()


@pytest.mark.parametrize("length", [61, 4_000])
def test_an_example_shows_sixty_characters_of_a_value_at_most(length: int) -> None:
    value = "Ab" * 30 + "Z" * (length - 60)
    labelled = label(BINARY, value)["invalid_label"][1]
    predicted = said(predict(BINARY, {"prediction": value}))["invalid_prediction"][1]
    keyed = said(predict(BINARY, {value: 1}))["unknown_key"][1]
    for example in (labelled, predicted, keyed):
        assert f"'{value[:60]}…'" in example and "Z" not in example
