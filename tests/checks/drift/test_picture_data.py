"""Which columns of a window are kept for a picture."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.base import Window
from checks.data.frame import from_reference
from checks.drift import picture_data
from checks.drift.picture_data import MOST, drawn
from checks.inputs import CheckOptions, WindowData
from checks.pictures.drawn import Drawn
from checks.profile import profile
from checks.run import run_checks
from tests.checks.sample import reference, table

REFERENCE = reference()


def of(frame: Any, **importance: float) -> list[Drawn]:
    rows = from_reference(frame, REFERENCE.schema)
    data = WindowData(Window(0.0, 3600.0), profile(rows, REFERENCE.binning), rows.num_rows)
    return drawn(run_checks(data, REFERENCE, CheckOptions()).measurements, data, REFERENCE, importance)


def moved() -> Any:
    rows = table(500, seed=9)
    return table(500, seed=9, amount=rows["amount"].to_numpy() * 1.609, city=["Rome"] * 500)


def test_the_columns_that_moved_most_come_first_and_each_once() -> None:
    found = of(moved())
    features = [dict(one.labels).get("feature") for one in found]
    assert set(features[:2]) == {"amount", "city"}
    assert len(features) == len(set(features)) <= MOST
    assert all("method" not in dict(one.labels) for one in found)
    amount = next(one for one in found if dict(one.labels).get("feature") == "amount")
    assert sum(amount.distribution.reference) == pytest.approx(1.0)
    assert amount.distribution.current[-1] > 0.3 > amount.distribution.reference[-1], (
        "many values are beyond the reference's range"
    )
    assert "before" in amount.distribution.why


def test_what_matters_comes_first() -> None:
    last = {dict(one.labels).get("feature"): place for place, one in enumerate(of(moved(), city=1.0))}
    assert last["city"] < last["amount"]
    last = {dict(one.labels).get("feature"): place for place, one in enumerate(of(moved(), amount=1.0))}
    assert last["amount"] < last["city"]


def test_they_travel_as_json() -> None:
    found = of(moved())
    assert [Drawn.from_dict(json.loads(json.dumps(one.to_dict()))) for one in found] == found


def test_a_column_that_cant_be_drawn_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, real = of(moved()), picture_data.distribution

    def failing(name: str, *rest: Any) -> Any:
        if name == "amount":
            raise ArithmeticError("no edges")
        return real(name, *rest)

    monkeypatch.setattr(picture_data, "distribution", failing)
    features = [dict(one.labels).get("feature") for one in of(moved())]
    assert "amount" not in features
    assert "city" in features
    assert len(whole) >= len(features)
