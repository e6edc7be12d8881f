from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli import preflight
from monitor.cli.doctor.reference import reference
from tests.monitor.cli.doctor.conftest import Configure, only
from tests.monitor.cli.test_setup import REFERENCE


def test_what_it_is_understood_to_mean(configure: Configure, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    settings = configure("model: a\nreference: r.csv\nwindows: {min_rows: 30}\n").models[0]
    assert "does not exist" in only(reference(settings)).found
    file.write_text(REFERENCE)
    found = only(reference(settings))
    assert (found.status.value, found.found) == (
        "ok",
        f"{file}: binary, 2 features; prediction 'prediction' by its name, score 'score' by its name, target 'target' "
        "by its name; not found: time, id",
    )
    assert found.todo == "where a column holds it, add `schema: {time: COLUMN}`, `schema: {id: COLUMN}`"
    file.write_text("prediction,distance\n" + "1.5,2\n" * 500)
    found = only(reference(settings))
    assert (found.status.value, "no target" in found.found) == ("missing", True), found


def test_what_looks_like_a_role_and_too_few_rows_are_remarked(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("delay_forecast,distance\n" + "1.5,2\n" * 40)
    about, like, few = reference(configure("model: a\nreference: r.csv\n").models[0])
    assert "`schema: {prediction: delay_forecast}`" in about.todo
    assert "column 'delay_forecast' is watched as a feature" in like.found
    assert few.found.startswith("the reference has 40 rows, too few for its checks: below 400")


def test_one_that_is_large_is_not_read(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LOOKED_INTO", 10)
    (tmp_path / "r.csv").write_text("not,read\n1,2,3\n")
    assert "not read here for its size" in only(reference(configure("model: a\nreference: r.csv\n").models[0])).found


def test_none(configure: Configure) -> None:
    assert only(reference(configure("model: a\n").models[0])).status.value == "missing"
