from __future__ import annotations

from typing import Any

import pytest

from checks.data.schema import Schema
from monitor.worker.stored.label_join import truths

WORDS = Schema("binary", (), "label", "prediction", positive_class="yes", classes=("no", "yes"))
NUMBERS = Schema("binary", (), "label", "prediction", positive_class="1", classes=("0", "1"))
ONE_CLASS = Schema("binary", (), "label", "prediction", positive_class="1", classes=("1",))
COLOURS = Schema("multiclass", (), "label", "prediction", classes=("blue", "green", "red"))
STARS = Schema("multiclass", (), "label", "prediction", classes=("1", "2", "3"))
NO_TASK = Schema(None, ())
AMOUNTS = Schema("regression", (), "label", "prediction")


@pytest.mark.parametrize(
    ("schema", "given", "truth"),
    [
        (WORDS, ["yes", "no", "maybe"], ["yes", "no", None]),
        (WORDS, [1, True, 0.5, None], [None, None, None, None]),
        (NUMBERS, [1, True, 1.0, "1", 0, False, 2, "zz", ""], ["1", "1", "1", "1", "0", "0", *[None] * 3]),
        (ONE_CLASS, ["1", 0, "zz"], ["1", "0", None]),
        (COLOURS, ["red", "new", 1, True], ["red", "new", None, None]),
        (STARS, [1, "2", 7, "7", "zz", True], ["1", "2", "7", "7", None, "1"]),
        (AMOUNTS, [1, 2.5, -0.0], [1.0, 2.5, -0.0]),
        (AMOUNTS, ["2.5 $", True, None, float("inf"), float("nan"), "inf", "nan"], [None] * 7),
        (AMOUNTS, ["2.5", " -1e3 ", 4], [2.5, -1000.0, 4.0]),
        (None, ["yes", "no"], ["yes", "no"]),
        (None, [1.5, "oops", 2, None, True], [1.5, None, 2.0, None, None]),
        (None, ["yes", 1, "no", True], ["yes", None, "no", None]),
        (None, ["yes", 1], [None, 1.0]),
        (None, [True, False, 1], ["true", "false", None]),
        (NO_TASK, [1.5, "oops", 2], [1.5, None, 2.0]),
        (WORDS, [], []),
    ],
)
def test_labels_of_another_type_are_no_truth(schema: Schema | None, given: list[Any], truth: list[Any]) -> None:
    assert truths(given, schema).to_pylist() == truth
