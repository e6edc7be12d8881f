"""What a value is held against: levels as rules write them, and as numbers for one measurement."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from alerts.duration import Length, span
from alerts.rules.baselines import Season, Slots, of_baseline, of_season
from checks.base import Measurement, Window

Side = Literal["above", "below"]


class Unjudged(StrEnum):
    """Why a measurement has no level to be held against."""

    NO_LIMIT = "no_limit"
    NO_REFERENCE = "no_reference"
    NO_BASELINE = "no_baseline"


class Level(BaseModel):
    """The value that a measurement is held against. Exactly one of:

    - ``0.9`` or ``{value: 0.9}``: a number
    - ``limit``: the measurement's own calibrated limit
    - ``{reference: -0.05}``: the reference's value of the same quantity, plus this
    - ``{baseline: 1h, times: 3}``: the median of the measurement's recent values, times this
    - ``{season: 7d, times: 1.5}``: its value so long ago, at the same time of the week, times this
    - ``{previous: true, times: 2}``: its value one window (or sample) before, times this

    ``plus`` is added to the last three; ``at_least`` and ``at_most`` bound the level, whatever it is made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float | None = None
    """This number; a bare number is short for it."""
    limit: bool = False
    """The limit calibrated on the reference; `limit` alone is short for it."""
    reference: float | None = None
    """The reference's own value and so much more."""
    baseline: Length | None = None
    """The median of the values in so much time before."""
    season: Length | None = None
    """The value so much time earlier."""
    previous: bool = False
    """The value of the window before."""
    times: float = 1.0
    """What is learned, times this."""
    plus: float = 0.0
    """And this more."""
    at_least: float | None = None
    """The level is never less."""
    at_most: float | None = None
    """The level is never more."""

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number, limit, {reference: offset} or {baseline: duration, times: factor}")
        if isinstance(value, int | float):
            return {"value": value}
        if value == "limit":
            return {"limit": True}
        if isinstance(value, str):
            raise ValueError(f"{value!r} is no level; write a number, limit, {{reference: …}} or {{baseline: …}}")
        return value

    @model_validator(mode="after")
    def _one(self) -> Level:
        given = [self.value is not None, self.limit, self.reference is not None, *self._learned]
        if sum(given) != 1:
            raise ValueError("give exactly one of value, limit, reference, baseline, season and previous")
        if not self.learned and {"times", "plus"} & self.model_fields_set:
            raise ValueError("times and plus go with baseline, season and previous")
        return self

    @property
    def _learned(self) -> tuple[bool, bool, bool]:
        return self.baseline is not None, self.season is not None, self.previous

    @property
    def learned(self) -> bool:
        """Whether it is made from earlier values of the measurement itself."""
        return any(self._learned)


class Band(BaseModel):
    """Two levels between which a value is well: ``{low: 10, high: 20}``; ``limit`` for the calibrated ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: Level
    """Below it is wrong."""
    high: Level
    """Above it is wrong."""

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if value == "limit":
            return {"low": "limit", "high": "limit"}
        if not isinstance(value, dict | Band):
            raise ValueError(f"{value!r} is no band; write {{low: …, high: …}}, or limit")
        return value


class Bound(NamedTuple):
    """One side on which a value can be wrong."""

    side: Side
    level: Level
    clear: Level | None
    """The separate level at which a breach ends."""


class Memory(Protocol):
    """What is remembered of earlier values."""

    @property
    def baseline(self) -> Slots: ...
    @property
    def season(self) -> Season: ...
    @property
    def previous(self) -> tuple[float, float] | None:
        """(window end, value)."""
        ...


def describe_level(level: Level) -> str:
    """What a level that is no number is made from, in words: ``3 times its median of the last 1h``."""
    times = "" if level.times == 1 else f"{level.times:g} × "
    plus = "" if level.plus == 0 else f" {'+' if level.plus > 0 else '-'} {abs(level.plus):g}"
    if level.limit:
        return "its calibrated limit"
    if level.reference is not None:
        return f"reference {'+' if level.reference >= 0 else '-'} {abs(level.reference):g}"
    if level.baseline is not None:
        return f"{times}its median of the last {span(level.baseline)}{plus}"
    if level.season is not None:
        return f"{times}its value {span(level.season)} before{plus}"
    if level.previous:
        return f"{times}its value one window before{plus}"
    return f"{level.value:g}"


def is_worse(side: Side, one: float, other: float) -> bool:
    """Whether the first value is further on the wrong side than the second."""
    return one > other if side == "above" else one < other


def resolve(
    level: Level, measurement: Measurement, side: Side, memory: Memory, patience: float = 0.0
) -> float | Unjudged:
    """The level as a number, or why there is none. `patience`: seconds by which the previous value may precede the
    measurement's window."""
    number: float | None
    if level.limit:
        number, missing = (measurement.limit_high if side == "above" else measurement.limit_low), Unjudged.NO_LIMIT
    elif level.reference is not None:
        known = measurement.reference
        number, missing = (None if known is None else known + level.reference), Unjudged.NO_REFERENCE
    elif level.learned:
        known, missing = _earlier(level, measurement.window, memory, patience), Unjudged.NO_BASELINE
        number = None if known is None else known * level.times + level.plus
    else:
        number, missing = level.value, Unjudged.NO_LIMIT
    if number is None or not math.isfinite(number):
        return missing
    if level.at_least is not None:
        number = max(number, level.at_least)
    if level.at_most is not None:
        number = min(number, level.at_most)
    return number


def _earlier(level: Level, window: Window, memory: Memory, patience: float) -> float | None:
    if level.baseline is not None:
        return of_baseline(memory.baseline)
    if level.season is not None:
        return of_season(memory.season, level.season, window)
    if memory.previous is None:
        return None
    end, value = memory.previous
    return value if -1e-3 <= window.start - end <= patience + 1e-3 else None
