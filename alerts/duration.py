"""Spans of time as people write them: ``15s``, ``5m``, ``1h``, ``7d``; and of windows: ``3 windows``, ``3 of 5
windows``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d|w)")
_WINDOWS = re.compile(r"([0-9]+)(?:\s+of\s+([0-9]+))?\s*windows?")
LONGEST = 100 * 365.25 * 86400.0
"""Seconds of the longest span."""
MOST = 60
"""Windows at most of which some must breach."""


def seconds(value: Any) -> float:
    """The span in seconds; plain numbers are seconds already.

    >>> seconds("1h30m"), seconds("15s"), seconds(2)
    (5400.0, 15.0, 2.0)
    """
    if isinstance(value, bool):
        raise ValueError("a duration, such as 15s, 5m, 1h or 7d")
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError("a duration can't be negative")
        return _sensible(float(min(value, 2 * LONGEST)))
    text = str(value).strip()
    parts = list(_SPAN.finditer(text))
    if not parts or _SPAN.sub("", text).strip() or len(text) > 100:
        raise ValueError(f"{text[:40]!r} is no duration; write 15s, 5m, 1h or 7d")
    return _sensible(sum(float(part[1]) * _UNITS[part[2]] for part in parts))


def _sensible(value: float) -> float:
    """Return the span. Raises ValueError for one that is no number, or that nobody lives to see the end of."""
    if not value <= LONGEST:  # also for NaN, which is not less than anything
        raise ValueError("a duration must be a number, and 100 years at most")
    return value


def span(value: float) -> str:
    """Seconds as people read them, in the two largest units.

    >>> span(5400), span(0.25), span(86400)
    ('1h30m', '250ms', '1d')
    """
    if value < 1:
        return f"{value * 1000:.0f}ms" if value else "0s"
    left, parts = round(value), []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def within(least: float, most: float) -> Callable[[float], float]:
    """Return a check that a span is neither shorter nor longer than what makes sense for a key.

    >>> within(1.0, 60.0)(15.0)
    15.0
    """

    def check(value: float) -> float:
        if not least <= value <= most:
            raise ValueError(f"must be from {span(least)} to {span(most)}, and is {span(value)}")
        return value

    return check


Seconds = Annotated[float, BeforeValidator(seconds)]
Timeout = Annotated[Seconds, AfterValidator(within(0.1, 3600.0))]
"""How long somebody is waited for."""
Interval = Annotated[Seconds, AfterValidator(within(0.1, 7 * 86400.0))]
"""Time between two looks."""
Length = Annotated[Seconds, AfterValidator(within(1.0, LONGEST))]
"""A span that something fills."""


class Hold(BaseModel):
    """How long a condition must last: consecutive windows, so many `of` the last ones, or seconds on the rule's
    clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    windows: int = Field(0, ge=0, le=9999)
    of: int = Field(0, ge=0)
    seconds: float = Field(0.0, ge=0, le=LONGEST)

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, dict | Hold):
            return value
        if match := _WINDOWS.fullmatch(str(value).strip()[:100]):
            if max(len(match[1]), len(match[2] or "")) > 4:
                raise ValueError(f"{str(value)[:40]!r} is too many windows; write 9999 at most")
            return {"windows": int(match[1]), "of": int(match[2] or 0)}
        return {"seconds": seconds(value)}

    @model_validator(mode="after")
    def _some_of(self) -> Hold:
        if self.of and not 1 <= self.windows <= self.of <= MOST:
            raise ValueError(f"{self} can't be: write n of m windows, with n from 1 to m, and m at most {MOST}")
        return self

    def __str__(self) -> str:
        """As people write it; empty where nothing is to last."""
        parts = [f"{self.windows} windows"] if self.windows else []
        if self.of:
            parts = [f"{self.windows} of {self.of} windows"]
        return " and ".join(parts + ([span(self.seconds)] if self.seconds else []))
