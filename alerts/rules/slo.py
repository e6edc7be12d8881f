"""Service level objectives: how fast the error budget burns, over two windows of two lengths each.

The method and its table are those of the Site Reliability Workbook, chapter 'Alerting on SLOs', 6: multiwindow,
multi-burn-rate alerts (https://sre.google/workbook/alerting-on-slos/).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.duration import Length

SLOTS = 20
"""Slots of a short window; the long one is made of the same."""
LONGEST = 48
"""A long window is at most so many times its short one, which bounds what is remembered."""

BurnSlots = tuple[tuple[int, float, float], ...]
"""(number of the slot since the epoch, bad, total), oldest first; slots without anything are left out."""


class BurnWindows(BaseModel):
    """The budget burns too fast if in both windows more than `budget` of the period's is spent per `long`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    long: Length
    """The long window."""
    short: Length
    """The short window, which ends an alert soon after the burning has."""
    budget: float = Field(gt=0, le=1)
    """Share of the period's budget that may be spent in the long window."""

    @model_validator(mode="after")
    def _ordered(self) -> BurnWindows:
        if not 0 < self.short < self.long:
            raise ValueError("the short window must be shorter than the long one")
        if self.long > LONGEST * self.short:
            raise ValueError(f"the long window may be {LONGEST} times the short one at most")
        return self


HOUR, MINUTE, DAY = 3600.0, 60.0, 86400.0
TABLE: dict[str, tuple[BurnWindows, ...]] = {
    "page": (
        BurnWindows(long=1 * HOUR, short=5 * MINUTE, budget=0.02),
        BurnWindows(long=6 * HOUR, short=30 * MINUTE, budget=0.05),
    ),
    "ticket": (
        BurnWindows(long=1 * DAY, short=2 * HOUR, budget=0.10),
        BurnWindows(long=3 * DAY, short=6 * HOUR, budget=0.10),
    ),
}
"""With a period of 30 days: burn rates of 14.4 and 6 for a page, 3 and 1 for a ticket."""


class Pair(NamedTuple):
    """Two windows in seconds, and the ratio of bad to all that both must be above."""

    long: float
    short: float
    rate: float
    """How many times faster than the budget lasts it must burn."""
    threshold: float

    @property
    def width(self) -> float:
        """Seconds of a slot."""
        return self.short / SLOTS


class Slo(BaseModel):
    """An objective, such as 0.999 of requests within a period, and when its budget burns too fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objective: float = Field(gt=0, lt=1)
    """Share that has to be good."""
    period: Length = 30 * DAY
    """The time that the objective is for."""
    burn: Literal["page", "ticket"] | list[BurnWindows] = "page"
    """The workbook's windows for a page (1 h and 5 min, 6 h and 30 min) or a ticket (1 d and 2 h, 3 d and 6 h), or
    others."""

    @model_validator(mode="after")
    def _reachable(self) -> Slo:
        if not self.pairs:
            raise ValueError("slo: burn needs at least one pair of windows")
        if all(pair.threshold >= 1 for pair in self.pairs):
            least = min(pair.threshold for pair in self.pairs)
            raise ValueError(
                f"slo: with objective {self.objective:g} more than everything ({least:.3g}) would have to fail; "
                "name a higher objective, or a smaller budget"
            )
        return self

    @property
    def pairs(self) -> tuple[Pair, ...]:
        windows = TABLE[self.burn] if isinstance(self.burn, str) else tuple(self.burn)
        allowed = 1 - self.objective
        rates = [item.budget * self.period / item.long for item in windows]
        return tuple(
            # Products of decimal fractions, without their binary dust.
            Pair(item.long, item.short, rate, float(f"{rate * allowed:.12g}"))
            for item, rate in zip(windows, rates, strict=True)
        )


class Burnt(NamedTuple):
    """One pair's ratios of bad to all, None without anything; `total` is all of the long window."""

    pair: Pair
    long: float | None
    short: float | None
    total: float

    def burns(self, least: float) -> bool:
        """Whether it burns too fast, resting on at least so much in the long window."""
        if self.long is None or self.short is None or self.total < least:
            return False
        return min(self.long, self.short) > self.pair.threshold

    @property
    def nearness(self) -> float:
        """1 where it begins to burn too fast."""
        return min(self.long or 0.0, self.short or 0.0) / self.pair.threshold


def add(slots: BurnSlots, pair: Pair, now: float, bad: float, total: float) -> BurnSlots:
    """The slots with what was counted at `now`; what is older than the long window, or in the future, is dropped."""
    current = slot_of(now, pair)
    kept = tuple(item for item in slots if current - _count(pair.long, pair) < item[0] <= current)
    if kept and kept[-1][0] == current:
        *before, (_, known_bad, known_total) = kept
        return (*before, (current, known_bad + bad, known_total + total))
    return (*kept, (current, bad, total)) if total else kept


def shift(slots: BurnSlots, pair: Pair, seconds: float) -> BurnSlots:
    """The slots moved on by time in which nothing was observed, or that a clock jumped over."""
    by = round(seconds / pair.width)
    return tuple((slot + by, bad, total) for slot, bad, total in slots) if by else slots


def burnt(slots: BurnSlots, pair: Pair, now: float) -> Burnt:
    """The ratios of both windows that end now."""
    current = slot_of(now, pair)
    long, total = _ratio(slots, current - _count(pair.long, pair), current)
    short, _ = _ratio(slots, current - _count(pair.short, pair), current)
    return Burnt(pair, long, short, total)


def worst(found: Sequence[Burnt], least: float) -> Burnt:
    """The fastest pair that burns too fast, or the one that is nearest to it."""
    return max(found, key=lambda item: (item.burns(least) * item.pair.rate, item.nearness))


def slot_of(now: float, pair: Pair) -> int:
    return math.floor(now / pair.width + 1e-9)


def _count(length: float, pair: Pair) -> int:
    return math.ceil(length / pair.width - 1e-9)


def _ratio(slots: BurnSlots, after: int, until: int) -> tuple[float | None, float]:
    bad = total = 0.0
    for slot, its_bad, its_total in slots:
        if after < slot <= until:
            bad, total = bad + its_bad, total + its_total
    return (bad / total if total else None), total
