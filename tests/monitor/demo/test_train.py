from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.demo.data import FEATURES, between
from monitor.demo.story import DAY, REPLAY, TRAINING, apply_faults, story
from monitor.demo.train import Delays, main


@pytest.fixture(scope="module")
def model(flights: pa.Table) -> Delays:
    return Delays(between(flights, *TRAINING))


def columns(rows: pa.Table) -> dict[str, list[object]]:
    return {name: rows[name].to_pylist() for name in FEATURES}


def accuracy(model: Delays, rows: pa.Table) -> float:
    rows = rows.filter(rows["late"].is_valid())
    right = (model.scores(columns(rows), rows.num_rows) > 0.5) == (rows["late"].to_numpy() == 1)
    return float(right.mean())


@pytest.mark.release
def test_training_twice_gives_the_same_model(model: Delays, flights: pa.Table) -> None:
    rows = between(flights, REPLAY[0], REPLAY[0] + DAY)
    again = Delays(between(flights, *TRAINING))
    np.testing.assert_array_equal(
        model.scores(columns(rows), rows.num_rows), again.scores(columns(rows), rows.num_rows)
    )


def test_the_year_itself_brings_change(model: Delays, flights: pa.Table) -> None:
    def two_weeks(month: int, day: int) -> float:
        start = np.datetime64(f"2013-{month:02}-{day:02}T00:00:00").astype(float)
        return accuracy(model, between(flights, start, start + 14 * DAY))

    assert two_weeks(6, 24) == pytest.approx(0.66, abs=0.02)
    assert two_weeks(12, 9) == pytest.approx(0.67, abs=0.02)
    assert two_weeks(9, 23) == pytest.approx(0.87, abs=0.03)


def test_kilometres_do_not_hurt_accuracy(model: Delays, flights: pa.Table) -> None:
    fault = story(REPLAY[0])[0]
    rows = between(flights, fault.begins, fault.ends)
    rows = rows.filter(rows["late"].is_valid())
    wrong = [apply_faults((fault,), row["time"], row["id"], row) for row in rows.to_pylist()]
    scores = model.scores({name: [row[name] for row in wrong] for name in FEATURES}, len(wrong))
    with_fault = float(((scores > 0.5) == (rows["late"].to_numpy() == 1)).mean())
    assert with_fault == pytest.approx(accuracy(model, rows), abs=0.01)


def test_what_is_missing_or_unknown_is_no_error(model: Delays) -> None:
    empty: dict[str, list[object]] = {name: [None] for name in FEATURES}
    new = {**empty, "carrier": ["XX"], "temp": [float("nan")]}
    for row in (empty, new):
        assert 0.0 < model.scores(row, 1)[0] < 1.0


@pytest.mark.release
def test_the_reference_is_honest_about_accuracy(
    flights_file: Path, tmp_path: Path, flights: pa.Table, model: Delays
) -> None:
    path = tmp_path / "reference.parquet"
    main(["--flights", str(flights_file), "--reference", str(path)])
    table = pq.read_table(path)
    assert table.column_names == ["id", "time", *FEATURES, "target", "prediction", "score"]
    winter = between(flights, *TRAINING)
    assert table.num_rows == winter.num_rows - winter["late"].null_count
    right = (table["prediction"].to_numpy() == table["target"].to_numpy()).mean()
    assert right == pytest.approx(0.78, abs=0.01)
    assert right < accuracy(model, winter), "out of fold, so below what the model has on its own rows"
