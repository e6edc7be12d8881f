"""A measurement over time, as charts show it. Times are epoch seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerts.wording import quantity


@dataclass(frozen=True, slots=True)
class Point:
    """A window's value; `at` is its end."""

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    provisional: bool = False

    @property
    def over(self) -> bool:
        """Whether the value is beyond a limit."""
        if self.value is None:
            return False
        above = self.limit_high is not None and self.value > self.limit_high
        return above or (self.limit_low is not None and self.value < self.limit_low)

    @property
    def share(self) -> float | None:
        """How far the value has gone towards its limit: 1 is there. None without a value or limit."""
        if self.value is None:
            return None
        if self.limit_high:
            return self.value / self.limit_high
        if self.limit_low:  # a p-value, say: small is bad
            return min(self.limit_low / max(self.value, 1e-300), 1e6)
        return None


@dataclass(frozen=True, slots=True)
class Series:
    """One measurement's values, oldest first. `metric` is what its unit follows from."""

    name: str
    metric: str
    points: Sequence[Point]

    @property
    def newest(self) -> Point | None:
        """The last one that has a value."""
        return next((point for point in reversed(self.points) if point.value is not None), None)

    @property
    def said(self) -> str:
        """What it shows, in words."""
        known = [point.value for point in self.points if point.value is not None]
        if not known:
            return f"{self.name}: no values"
        shown = [quantity(self.metric, value) for value in (known[-1], min(known), max(known))]
        over = sum(point.over for point in self.points)
        beyond = f", {over} beyond the limit" if over else ""
        return f"{self.name}: newest {shown[0]}, from {shown[1]} to {shown[2]} in {len(known)} windows{beyond}"


def describe(metric: str, point: Point, moment: Callable[[float], str]) -> str:
    """A point in words."""
    assert point.value is not None
    parts = [f"{moment(point.at)}: {quantity(metric, point.value)}"]
    if point.low is not None and point.high is not None:
        parts.append(f"95 % interval {quantity(metric, point.low)} – {quantity(metric, point.high)}")
    for name, value in (("limit", point.limit_high), ("lower limit", point.limit_low), ("reference", point.reference)):
        if value is not None:
            parts.append(f"{name} {quantity(metric, value)}")
    return ", ".join(parts) + (", provisional" if point.provisional else "")
