"""Mute times: spans of the wall clock in which a route tells nobody, as Alertmanager reads time intervals. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from alerts.delivery.receiver_settings import NAME

AHEAD = 8
"""Days after which a mute time that still holds is looked at again."""
DAY = 24 * 60
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
Range = tuple[int, int]
"""The first and the last, both included."""


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value!r}; write one such as Europe/Berlin") from None
    return value


def _as_text(value: Any) -> Any:
    """A number as YAML reads it, as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
RangeText = Annotated[str, BeforeValidator(_as_text)]


class MuteTime(BaseModel):
    """Times by the wall clock of one time zone: what the clock shows decides, also in the hour that a change of the
    clock doubles or leaves out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME)
    """What routes call it."""
    days: list[Day] = Field(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1)
    """Days of the week on which its spans start."""
    times: list[str] = Field(["00:00-24:00"], min_length=1)
    """Spans such as 22:00-06:00, which end the next day if their end is not after their start."""
    months: list[RangeText] = []
    """Months in which its spans start, such as december, june:august or 6:8; none is all."""
    days_of_month: list[RangeText] = []
    """Days of the month on which its spans start, such as 1, 24:26 or -3:-1, where -1 is the last; none is all."""
    years: list[RangeText] = []
    """Years in which its spans start, such as 2026 or 2026:2028; none is all."""
    time_zone: TimeZone = "UTC"
    """Whose wall clock it goes by."""
    _spans: tuple[Range, ...] = PrivateAttr(())
    _months: tuple[Range, ...] = PrivateAttr(())
    _days: tuple[Range, ...] = PrivateAttr(())
    _years: tuple[Range, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _parse(self) -> MuteTime:
        self._spans = tuple(_span(text) for text in self.times)
        self._months = tuple(_month_range(text) for text in self.months)
        self._days = tuple(_day_range(text) for text in self.days_of_month)
        self._years = tuple(_range(text, "year") for text in self.years)
        return self

    def until(self, now: float) -> float | None:
        """Return when the mute time that holds at `now` (epoch seconds) ends; None outside of any."""
        zone = ZoneInfo(self.time_zone)
        if not self._holds(datetime.fromtimestamp(now, zone)):
            return None
        later = sorted(at for at in self._changes(now, zone) if at > now)
        return next((at for at in later if not self._holds(datetime.fromtimestamp(at, zone))), later[-1])

    def _holds(self, local: datetime) -> bool:
        """Whether the wall clock is within a span that started today or yesterday."""
        minute = local.hour * 60 + local.minute
        return any(
            start <= minute + back * DAY < stop
            for back in (0, 1)
            if self._starts_on(local.date() - timedelta(days=back))
            for start, stop in self._spans
        )

    def _starts_on(self, day: date) -> bool:
        return (
            _DAYS[day.weekday()] in self.days
            and _within(day.month, self._months)
            and _within(day.year, self._years)
            and (not self._days or any(_in_month(day, days) for days in self._days))
        )

    def _changes(self, now: float, zone: ZoneInfo) -> Iterator[float]:
        """Moments between which it holds or does not throughout: ends and starts of spans, and changes of the clock."""
        today = datetime.fromtimestamp(now, zone).date()
        minutes = {minute % DAY for span in self._spans for minute in span} | {0}
        for ahead in range(AHEAD + 1):
            day = today + timedelta(days=ahead)
            yield from (_at(day, minute, fold, zone) for minute in minutes for fold in (0, 1))
            yield from _clock_change(_at(day, 0, 0, zone), _at(day + timedelta(days=1), 0, 0, zone), zone)


def _at(day: date, minute: int, fold: int, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(minute // 60, minute % 60), zone).replace(fold=fold).timestamp()


def _clock_change(start: float, end: float, zone: ZoneInfo) -> Iterator[float]:
    """The minute between two moments at which the zone's offset changes, if it does."""

    def offset(at: float) -> timedelta | None:
        return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()

    low, high = int(start // 60), int(end // 60)
    if offset(low * 60) == offset(high * 60):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle * 60) == offset(low * 60) else (low, middle)
    yield high * 60.0


def _within(value: int, ranges: Sequence[Range]) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _in_month(day: date, days: Range) -> bool:
    """Whether a day is among those of a range; a range that begins after the month's end has none in it."""
    length = monthrange(day.year, day.month)[1]
    first, last = (value if value > 0 else length + 1 + value for value in days)
    return first <= day.day <= last


def _span(text: str) -> Range:
    """Minutes of the day from which to which; the end lies behind the start.

    >>> _span("22:00-06:00")
    (1320, 1800)
    """
    begin, dash, end = text.replace(" ", "").partition("-")
    if not dash or not _CLOCK.fullmatch(begin) or not _CLOCK.fullmatch(end) or begin == "24:00":
        raise ValueError(f"{text!r} is no time of day; write from-to, such as 22:00-06:00")
    start, stop = (int(part[:-3]) * 60 + int(part[-2:]) for part in (begin, end))
    return start, stop if stop > start else stop + DAY


def _ends(text: str) -> tuple[str, str]:
    """The two ends of a range such as 1:3; both are the same where it is one value."""
    first, colon, last = text.strip().lower().partition(":")
    return (first.strip(), last.strip()) if colon else (first, first)


def _range(text: str, what: str) -> Range:
    try:
        first, last = map(int, _ends(text))
    except ValueError:
        raise ValueError(f"{text!r} is no {what}; write a number, or from:to") from None
    if what == "year" and first > last:
        raise ValueError(f"{text!r} ends before it starts; write the earlier {what} first")
    return first, last


def _month_range(text: str) -> Range:
    """The months from which to which.

    >>> _month_range("June:8")
    (6, 8)
    """
    known = {**{name: place for place, name in enumerate(_MONTHS, 1)}, **{str(n): n for n in range(1, 13)}}
    first, last = (known.get(end, 0) for end in _ends(text))
    if not first or not last:
        raise ValueError(f"{text!r} is no month; write january or 1, or from:to")
    if first > last:
        raise ValueError(f"{text!r} ends before it starts; write two ranges, up to december and from january on")
    return first, last


def _day_range(text: str) -> Range:
    """The days of a month from which to which, where negative ones count from its end."""
    first, last = _range(text, "day of the month")
    if not all(0 < abs(day) <= 31 for day in (first, last)):
        raise ValueError(f"{text!r} is no day of the month; write 1 to 31, or -1 (the last) to -31")
    if first < 0 < last:
        raise ValueError(f"{text!r} begins at the month's end; write its end as a negative number, too")
    # No month is shorter than 28 days, so only what no month has is refused.
    if (first if first > 0 else 28 + first) > (last if last > 0 else 28 + last):
        raise ValueError(f"{text!r} ends before it starts; write the earlier day first")
    return first, last
