"""Features that follow the clock: what a window of some hours can't show, and whole days and weeks can."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from checks.base import Measurement, NotEnough, Window
from checks.calibration.build_reference import build_reference
from checks.data.arrow import string_array
from checks.data.schema import Schema
from checks.inputs import CheckOptions, WindowData
from checks.profile import profile
from checks.reference import Reference
from checks.run_trailing import trailing_drift

HOUR, DAY, WEEK = 3600.0, 86400.0, 7 * 86400.0
ROWS = 60
OPTIONS = CheckOptions(min_rows=50)
KINDS = (("hour", "numeric"), ("weekday", "categorical"), ("swing", "numeric"), ("steady", "numeric"))
Floats = npt.NDArray[np.float64]


def rows(times: Floats, seed: int, shift: float = 0.0) -> pa.Table:
    """The clock's own features, one that swings with it, and one that does not."""
    rng = np.random.default_rng(seed)
    swing = 2 * np.sin(2 * np.pi * times / DAY)
    columns = {
        "time": times,
        "f:hour": times // HOUR % 24,
        "f:swing": rng.normal(size=len(times)) + swing + shift,
        "f:steady": rng.normal(size=len(times)) + shift,
    }
    weekdays = string_array([str(int(day)) for day in times // DAY % 7])
    return pa.table({"f:weekday": weekdays, **{name: pa.chunked_array([own]) for name, own in columns.items()}})


def evenly(begin: float, seconds: float) -> Floats:
    """So many rows an hour."""
    return begin + np.arange(round(seconds / HOUR * ROWS)) * (HOUR / ROWS)


def learned(days: int) -> Reference:
    return build_reference(rows(evenly(0.0, days * DAY), 1), Schema(None, KINDS), min_rows=50)  # type: ignore[arg-type]


REFERENCE = learned(28)


def drift(
    reference: Reference,
    begin: float,
    seconds: float,
    seed: int = 2,
    shift: float = 0.0,
    kept: Callable[[Floats], npt.NDArray[np.bool_]] | None = None,
) -> dict[str, Measurement]:
    times = evenly(begin, seconds)
    if kept is not None:
        times = times[kept(times)]
    made = profile(rows(times, seed, shift), reference.binning)
    data = WindowData(Window(begin, begin + seconds), made, made.n)
    found = trailing_drift("", data, reference, OPTIONS).measurements
    return {dict(row.labels)["feature"]: row for row in found if row.name == "feature_drift"}


def seen(found: dict[str, Measurement]) -> set[str]:
    return {
        name
        for name, row in found.items()
        if row.value is not None and row.limit_high is not None and row.value > row.limit_high
    }


@pytest.mark.parametrize("seconds", [HOUR, 6 * HOUR, 36 * HOUR])
def test_a_window_that_no_change_could_show_in_is_said_to_be_insensitive(seconds: float) -> None:
    found = drift(REFERENCE, 30 * DAY, seconds)
    for name in ("hour", "weekday"):
        assert (found[name].value, found[name].reason) == (None, NotEnough.INSENSITIVE), name
        assert found[name].detail["limit"] > 5
    assert found["steady"].value is not None


@pytest.mark.parametrize("seed", range(5))
def test_unchanged_days_and_weeks_are_quiet_whenever_they_begin(seed: int) -> None:
    for begin in (30 * DAY, 33 * DAY + 7 * HOUR, 40 * DAY + 13 * HOUR):
        for seconds in (DAY, 2 * DAY, WEEK):
            assert seen(drift(REFERENCE, begin, seconds, seed)) == set()


@pytest.mark.parametrize("seconds", [DAY, WEEK])
def test_a_shift_is_seen_in_a_feature_that_swings_with_the_day(seconds: float) -> None:
    assert seen(drift(REFERENCE, 30 * DAY, 6 * HOUR, shift=1.0)) == {"steady"}, "in some hours it is always there"
    assert seen(drift(REFERENCE, 30 * DAY, seconds, shift=1.0)) == {"swing", "steady"}


def test_hours_that_stay_away_are_seen_over_days_and_days_over_weeks() -> None:
    def by_day(times: Floats) -> npt.NDArray[np.bool_]:
        return (times // HOUR % 24 > 7) & (times // HOUR % 24 < 20)

    def not_at_weekends(times: Floats) -> npt.NDArray[np.bool_]:
        return times // DAY % 7 < 5

    assert "hour" in seen(drift(REFERENCE, 30 * DAY, DAY, kept=by_day))
    found = drift(REFERENCE, 30 * DAY, WEEK, kept=not_at_weekends)
    assert seen(found) == {"weekday"}
    assert drift(REFERENCE, 30 * DAY, DAY)["weekday"].reason is NotEnough.INSENSITIVE


def test_a_reference_of_few_days_knows_no_seasons() -> None:
    found = drift(learned(5), 30 * DAY, WEEK)
    assert found["hour"].reason is NotEnough.INSENSITIVE
    assert drift(learned(9), 30 * DAY, WEEK)["hour"].limit_high == pytest.approx(0.1)


def test_limits_of_days_are_kept_with_the_reference() -> None:
    read = Reference.from_bytes(REFERENCE.to_bytes())
    assert drift(read, 30 * DAY, WEEK) == drift(REFERENCE, 30 * DAY, WEEK)


def test_a_constant_is_not_insensitive() -> None:
    """Only another value is a change of it, and that is seen."""
    times = evenly(0.0, 9 * DAY)
    constant = rows(times, 1).set_column(2, "f:hour", pa.chunked_array([np.full(len(times), 3.0)]))
    reference = build_reference(constant, Schema(None, KINDS), min_rows=50)  # type: ignore[arg-type]
    now = rows(evenly(9 * DAY, HOUR), 2)
    for value, beyond in ((3.0, False), (4.0, True)):
        frame = now.set_column(2, "f:hour", pa.chunked_array([np.full(now.num_rows, value)]))
        data = WindowData(Window(0.0, HOUR), profile(frame, reference.binning), now.num_rows)
        found = trailing_drift("", data, reference, OPTIONS).measurements
        (row,) = [row for row in found if ("feature", "hour") in row.labels]
        assert row.value is not None and row.limit_high is not None
        assert (row.value > row.limit_high) == beyond


def test_the_reference_names_them() -> None:
    (note,) = [note for note in REFERENCE.notes if "no single window can show drift" in note]
    assert "could in hour, weekday, so" in note
