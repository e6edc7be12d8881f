"""Of fifty features one is empty, one all NaN and one of another type: 47 are measured, and each of the three is named
with its reason, whichever way drift is measured."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pytest

from checks.base import Measurement, NotEnough, Window
from checks.calibration.build_reference import build_reference
from checks.data.frame import from_reference
from checks.data.schema_inference import infer
from checks.inputs import CheckOptions, PresetName, WindowData
from checks.profile import profile
from checks.run import run_checks
from tests.checks.report.tables import EMPTY, MIXED, NAN, WRONG, fifty, with_three_wrong

ROWS = 1_000
WINDOW = Window(0.0, 3600.0)


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


BEFORE = arrow(fifty())
SCHEMA = infer(BEFORE)
NORMAL = from_reference(BEFORE, SCHEMA)
REFERENCE = build_reference(NORMAL, SCHEMA)


@dataclass(frozen=True)
class Held:
    """Both sides' rows."""

    now: pa.Table

    def reference(self) -> pa.Table:
        return NORMAL

    def current(self) -> pa.Table:
        return self.now


def window(mixed: list[object]) -> pa.Table:
    """Rows of the same population but for three columns; `mixed` are the values of one."""
    wrong = with_three_wrong(fifty(ROWS, seed=1)).assign(**{MIXED: 0.0})
    frame = from_reference(arrow(wrong), SCHEMA)
    place = frame.column_names.index(f"f:{MIXED}")
    numbers = [value if isinstance(value, float) else None for value in mixed]
    texts = [value if isinstance(value, str) else None for value in mixed]
    frame = frame.set_column(place, f"f:{MIXED}", pa.array(numbers, pa.float64()))
    return frame.append_column(f"m:{MIXED}", pa.array(texts, pa.string()))


def drift(rows: pa.Table, preset: PresetName | None) -> tuple[dict[str, Measurement], dict[str, Measurement]]:
    """The judging measurement of each feature, and the other measurements of the column that holds texts."""
    data = WindowData(WINDOW, profile(rows, REFERENCE.binning), ROWS, exact=Held(rows) if preset else None)
    options = CheckOptions(methods=() if preset else ("psi",), preset=preset)
    outcome = run_checks(data, REFERENCE, options)
    assert not outcome.errors
    judging = {dict(row.labels)["feature"]: row for row in outcome.measurements if row.name == "feature_drift"}
    (count,) = [row for row in outcome.measurements if row.name == "drifted_features"]
    others = {row.name: row for row in outcome.measurements if dict(row.labels).get("feature") == MIXED}
    return judging, {**others, "drifted_features": count}


@pytest.mark.parametrize("preset", [None, "evidently", "nannyml"])
def test_47_are_measured_and_three_are_named(preset: PresetName | None) -> None:
    judging, others = drift(window(["unknown"] * ROWS), preset)
    assert len(judging) == 50
    assert {name for name, row in judging.items() if row.value is None} == WRONG
    assert {judging[name].reason for name in (EMPTY, NAN, MIXED)} == {NotEnough.ALL_MISSING}
    assert others["drifted_features"].detail["compared"] == 47
    assert others["type_mismatch_ratio"].value == 1.0


def test_of_a_column_that_is_partly_text_the_numbers_are_compared_and_the_texts_counted() -> None:
    values = fifty(ROWS, seed=1)[MIXED].tolist()
    mixed: list[object] = ["unknown" if row % 5 == 0 else values[row] for row in range(ROWS)]
    judging, others = drift(window(mixed), None)
    assert {name for name, row in judging.items() if row.value is None} == {EMPTY, NAN}
    row = judging[MIXED]
    assert (row.n, row.value is not None and row.limit_high is not None and row.value < row.limit_high) == (800, True)
    assert others["type_mismatch_ratio"].value == 0.2


def test_a_raising_column_is_told_by_its_name() -> None:
    rows = window(["unknown"] * ROWS)
    rows = rows.set_column(rows.column_names.index("f:f00"), "f:f00", pa.array([[1.0]] * ROWS))
    judging, _ = drift(rows, None)
    assert judging["f00"].reason is NotEnough.ERROR
    assert "list" in judging["f00"].detail["error"]
    assert sum(row.value is not None for row in judging.values()) == 46
