from __future__ import annotations

from typing import Any

import pytest

from checks.schema import Schema
from monitor.work.place import truths

WORDS = Schema("binary", (), "label", "prediction", positive_class="yes", classes=("no", "yes"))
NUMBERS = Schema("binary", (), "label", "prediction", positive_class="1", classes=("0", "1"))
AMOUNTS = Schema("regression", (), "label", "prediction")


@pytest.mark.parametrize(
    ("schema", "given", "truth"),
    [
        (WORDS, ["yes", "no", "maybe"], ["yes", "no", "maybe"]),
        (WORDS, [1, True, 0.5, None], [None, None, None, None]),
        (NUMBERS, [1, True, 1.0, "1", 0, False, 2], ["1", "1", "1", "1", "0", "0", "2"]),
        (AMOUNTS, [1, 2.5, -0.0], [1.0, 2.5, -0.0]),
        (AMOUNTS, ["2.5", True, None, float("inf"), float("nan")], [None] * 5),
        (None, ["yes", "no"], ["yes", "no"]),
        (WORDS, [], []),
    ],
)
def test_labels_of_another_type_are_no_truth(schema: Schema | None, given: list[Any], truth: list[Any]) -> None:
    assert truths(given, schema).to_pylist() == truth
