"""Mute times hold when Alertmanager's time intervals do; its own tests' cases are the first table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from alerts.delivery.mute_times import MuteTime

WORKING = {"days": ["mon", "tue", "wed", "thu", "fri"], "times": ["09:00-17:00"]}
QUARTER_END = {
    "days": ["mon", "tue", "wed", "thu", "fri", "sun"],
    "months": ["january:march"],
    "days_of_month": ["-7:-1"],
    "years": ["2020:2025", "2030:2035"],
    "times": ["09:00-17:00"],
}


def mute_time(keys: dict[str, Any]) -> MuteTime:
    return MuteTime.model_validate({"name": "quiet", **keys})


def holds(keys: dict[str, Any], moment: str) -> bool:
    at = datetime.fromisoformat(moment if "+" in moment else f"{moment}+00:00")
    return mute_time(keys).until(at.timestamp()) is not None


# From timeinterval/timeinterval_test.go.
@pytest.mark.parametrize(
    ("keys", "within", "outside"),
    [
        ({}, ["2006-01-02T15:04", "2007-01-03T10:04", "2006-01-04T09:04"], []),
        (
            WORKING,
            ["2020-05-04T15:04", "2020-05-05T10:04", "2020-06-09T09:04", "2020-07-08T09:00", "2020-07-08T16:59"],
            ["2020-05-03T15:04", "2020-05-04T08:59", "2020-05-05T05:00", "2020-07-08T17:00"],
        ),
        (
            {"days_of_month": ["4:6"], "months": ["april"], "years": [2020]},
            ["2020-04-04T15:04", "2020-04-05T00:00", "2020-04-06T23:05"],
            ["2018-05-03T15:04", "2020-04-03T23:59", "2020-06-04T23:59", "2019-04-06T23:59", "2020-04-07T00:00"],
        ),
        (
            {"days_of_month": ["-3:-1"]},
            ["2020-01-31T15:04", "2020-01-30T15:04", "2020-01-29T15:04", "2020-06-30T00:00", "2020-02-29T23:05"],
            ["2018-05-03T15:04", "2020-01-27T15:04", "2020-04-03T23:59", "2020-06-04T23:59", "2020-03-01T00:00"],
        ),
        (
            {"months": [6], "days_of_month": ["-31:-1", "1:31"]},
            ["2020-06-30T00:00", "2020-06-01T00:00"],
            ["2020-05-31T00:00", "2020-07-01T00:00"],
        ),
        (
            {**WORKING, "time_zone": "Australia/Sydney"},
            ["2021-04-06T13:00+10:00"],
            ["2021-04-06T13:00+00:00"],
        ),
        (
            {**WORKING, "months": ["november"], "time_zone": "Australia/Sydney"},
            ["2021-11-01T09:00+11:00", "2021-10-31T22:00+00:00"],
            ["2021-10-31T21:00+00:00"],
        ),
        (
            {"days_of_month": [-1], "time_zone": "America/New_York"},
            ["2021-03-31T16:00"],
            ["2021-03-30T16:00"],
        ),
        (
            QUARTER_END,
            ["2021-01-27T09:00", "2021-01-28T16:59", "2021-01-29T13:00", "2025-03-31T13:00", "2035-01-31T13:00"],
            ["2021-01-30T13:00", "2021-04-01T13:00", "2026-01-30T13:00", "2035-01-31T17:01"],
        ),
        # Thought of here: what begins after a month's end, a span over midnight, and the last day of a leap February.
        ({"days_of_month": ["30:31"]}, ["2023-03-30T00:00"], ["2023-02-28T12:00", "2023-03-01T00:00"]),
        (
            {"months": ["december"], "days_of_month": [31], "times": ["22:00-06:00"]},
            ["2026-12-31T22:00", "2027-01-01T05:59"],
            ["2026-12-31T05:00", "2027-01-01T06:00", "2027-01-01T22:00"],
        ),
        ({"days_of_month": ["29"], "months": ["february"]}, ["2024-02-29T12:00"], ["2023-03-01T12:00"]),
        ({"years": ["2026:2027"]}, ["2026-01-01T00:00", "2027-12-31T23:59"], ["2025-12-31T23:59", "2028-01-01T00:00"]),
    ],
)
def test_holds_when_alertmanagers_interval_does(keys: dict[str, Any], within: list[str], outside: list[str]) -> None:
    assert [moment for moment in within if not holds(keys, moment)] == []
    assert [moment for moment in outside if holds(keys, moment)] == []


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"days_of_month": ["0"]}, "1 to 31"),
        ({"days_of_month": ["-50:-20"]}, "1 to 31"),
        ({"days_of_month": ["1:50"]}, "1 to 31"),
        ({"days_of_month": ["-15:5"]}, "as a negative number, too"),
        ({"days_of_month": ["10:-25"]}, "ends before it starts"),
        ({"days_of_month": ["5:4"]}, "ends before it starts"),
        ({"days_of_month": ["first"]}, "no day of the month"),
        ({"months": ["january:march:may"]}, "no month"),
        ({"months": ["13"]}, "no month"),
        ({"months": [True]}, "string"),
        ({"months": ["december:january"]}, "two ranges"),
        ({"years": ["2028:2026"]}, "earlier year first"),
        ({"years": ["soon"]}, "no year"),
        ({"times": ["01:99-23:59"]}, "no time of day"),
        ({"times": ["00:00-99:99"]}, "no time of day"),
    ],
)
def test_what_means_nothing_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        mute_time(keys)


def test_names_of_months_may_have_capitals_and_a_range_may_reach_to_the_end() -> None:
    mute_time({"months": ["January:december"], "days_of_month": ["1:-1"]})


# Berlin goes from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
@pytest.mark.parametrize(
    ("times", "utc", "ends"),
    [
        # The doubled hour: the wall clock shows 02:05 at 00:05 and at 01:05 UTC, and 01:30-02:30 holds both times.
        ("01:30-02:30", "2026-10-25T00:05", "2026-10-25T00:30"),
        ("01:30-02:30", "2026-10-25T00:30", None),
        ("01:30-02:30", "2026-10-25T01:05", "2026-10-25T01:30"),
        ("01:30-02:30", "2026-10-25T01:30", None),
        ("02:15-02:45", "2026-10-25T00:20", "2026-10-25T00:45"),
        ("02:15-02:45", "2026-10-25T01:00", None),
        ("02:15-02:45", "2026-10-25T01:20", "2026-10-25T01:45"),
        ("22:00-06:00", "2026-10-24T21:00", "2026-10-25T05:00"),
        # What ends at 03:00, or begins at 02:00, has both hours.
        ("01:00-03:00", "2026-10-25T00:59", "2026-10-25T02:00"),
        ("02:00-03:00", "2026-10-25T01:00", "2026-10-25T02:00"),
        # The missing hour: the wall clock shows 03:00 right after 01:59.
        ("01:30-02:30", "2026-03-29T00:45", "2026-03-29T01:00"),
        ("02:15-02:45", "2026-03-29T01:20", None),
        ("02:30-03:30", "2026-03-29T01:00", "2026-03-29T01:30"),
        ("02:30-03:30", "2026-03-29T00:59", None),
        ("22:00-06:00", "2026-03-28T21:00", "2026-03-29T04:00"),
    ],
)
def test_what_the_wall_clock_shows_decides_when_it_changes(times: str, utc: str, ends: str | None) -> None:
    quiet = mute_time({"times": [times], "time_zone": "Europe/Berlin"})
    at = datetime.fromisoformat(f"{utc}+00:00").timestamp()
    assert quiet.until(at) == (None if ends is None else datetime.fromisoformat(f"{ends}+00:00").timestamp())


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-10-24T20:00"),
        ("Europe/Berlin", "2026-03-28T20:00"),
        ("Australia/Lord_Howe", "2026-04-04T10:00"),  # half an hour
        ("America/Havana", "2026-11-01T00:00"),  # at midnight
        ("Africa/Casablanca", "2026-02-14T20:00"),
    ],
)
def test_an_end_is_the_first_minute_at_which_it_no_longer_holds(zone: str, start: str) -> None:
    quiet = mute_time({"times": ["00:15-00:45", "01:30-02:30", "23:30-00:10"], "time_zone": zone})
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    moments = [(first + timedelta(minutes=5 * n)) for n in range(12 * 12)]

    def within(moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        return 15 <= minute < 45 or 90 <= minute < 150 or minute >= 1410 or minute < 10

    for place, moment in enumerate(moments[:-24]):
        ends = next((later for later in moments[place:] if not within(later)), None)
        expected = ends.timestamp() if within(moment) and ends else None
        assert quiet.until(moment.timestamp()) == expected, moment


def test_case_19_the_second_two_oclock_is_muted_and_32_so_is_an_ordinary_one() -> None:
    quiet = mute_time({"times": ["01:30-02:30"], "time_zone": "Europe/Berlin"})
    for moment in ("2026-10-25T01:05", "2026-10-24T00:05"):
        assert quiet.until(datetime.fromisoformat(f"{moment}+00:00").timestamp()) is not None
