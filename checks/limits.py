"""Limits learned from the reference: what its own windows stay within, at the size of the window that is judged.

docs/calibration.md tells the whole story; the formulas stand here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, log, log1p, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np

from checks.base import Labels
from checks.data.arrow import Floats

SIZES = (3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000)
"""Window sizes at which sampling noise is tabulated; between them it is a line in logarithms."""
USUAL = SIZES.index(1_000)
"""The size that is taken for typical where no windows are known."""
BAD_DAYS = 0.02  # share of the reference's windows that may be exceptional without raising a limit
Z = 3.719  # the normal quantile of 1 − 1/10,000: how rarely a window of unchanged data may pass a limit

_T = {
    3: 22.20, 4: 13.03, 5: 9.678, 6: 8.025, 7: 7.063, 8: 6.442, 9: 6.010, 10: 5.694, 12: 5.263,
    15: 4.880, 20: 4.539, 30: 4.234, 50: 4.014, 100: 3.862, 1000: 3.733,
}  # fmt: skip
"""Student's quantile of 1 − 1/10,000 by degrees of freedom."""


Scale = Literal["linear", "square", "log", "logit"]
EDGE = 0.005  # shares nearer to 0 or 1 are taken as this near, where logits would run away


def scaled(value: float, scale: Scale) -> float:
    """The value where its windows vary most evenly: squared distances, logarithms of losses, logits of shares."""
    if scale == "square":
        return value * value
    if scale == "log":
        return log(max(value, 1e-12))
    if scale == "logit":
        share = min(max(value, EDGE), 1 - EDGE)
        return log(share / (1 - share))
    return value


def unscaled(value: float, scale: Scale) -> float:
    """The inverse of `scaled`."""
    if scale == "square":
        return sqrt(max(value, 0.0))
    if scale == "log":
        return exp(min(value, 700.0))
    if scale == "logit":
        return 1 / (1 + exp(min(-value, 700.0)))
    return value


class LookBackLimit(NamedTuple):
    """What stretches of the reference longer than a window stay within, as a Limit's fields of these names."""

    seconds: float
    base: float
    rows: float
    design: float


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as a function of the window's rows.

    `base` holds for windows of about `rows` rows: the size of the reference's own. A smaller window adds the sampling
    noise that it has more of, `design` times (rows that come in groups vary more than independent ones). A larger one
    has less of it: where noise adds up with the distance (`shrinks`), the difference is taken off, as far as noise is
    what the reference's windows differ by: none where they differ by twice as much, by the hour or the weekday.
    """

    base: float
    rows: float
    noise: tuple[float, ...]
    """What sampling alone reaches, at each of SIZES."""
    floor: float
    """The smallest effect worth an alarm: the limit never lies nearer to the reference."""
    scale: Scale = "linear"
    """base, noise and floor are on this scale; the limit is not."""
    design: float = 1.0
    shrinks: bool = False
    low: bool = False
    """A lower limit: noise is taken off."""
    most: float | None = None
    """An upper limit never lies above, so that losing everything is always seen."""
    reachable: float | None = None
    """The largest distance that a window of values that the reference has can have; None where there is no largest."""
    longer: tuple[LookBackLimit, ...] = ()
    """Stretches of the reference in which seasons have had their turn: days, weeks."""

    def at(self, n: int, seconds: float = 0.0) -> float:
        """The limit of a window of n rows, which is so many seconds long where that is longer than usual.

        Several days together are no further from the reference than the furthest of them: distances are convex in the
        window's shares. So the limits of all stretches that make up the window hold for it, and the least is taken.
        """
        found = [self._at(n)]
        for span in self.longer:
            if seconds and seconds % span.seconds == 0:
                found.append(replace(self, base=span.base, rows=span.rows, design=span.design)._at(n))
        return min(found)

    def _at(self, n: int) -> float:
        extra = self._noise(n) - self._noise(self.rows)
        extra *= self.design if extra > 0 else max(2.0 - self.design, 0.0) if self.shrinks else 0.0
        if self.low:
            value = min(self.floor, self.base - extra)
            # At the edge a logit says nothing: the reference knows windows without a single hit.
            return 0.0 if self.scale == "logit" and value <= scaled(0.0, "logit") else unscaled(value, self.scale)
        value = max(self.floor, self.base + extra)
        return unscaled(value if self.most is None else min(value, max(self.most, self.floor)), self.scale)

    def silent(self, n: int, limit: float) -> Literal["rows", "reference"] | None:
        """What makes that no window of n rows could pass its limit, unless by new values: its few rows, or how
        the reference's own windows differ; None where one could."""
        if self.reachable is None or limit < unscaled(self.reachable, self.scale):
            return None
        return "rows" if self._noise(n) >= self.reachable else "reference"

    def _noise(self, n: float) -> float:
        table = np.log(np.maximum(self.noise, 1e-300))
        return float(np.exp(np.interp(np.log(max(n, 1)), np.log(SIZES), table)))


@dataclass(frozen=True)
class Calibration:
    """Limits by metric and labels."""

    limits: Mapping[tuple[str, Labels], Limit]

    def limit(self, metric: str, labels: Labels, n: int, seconds: float = 0.0) -> float | None:
        """The metric's limit for a window of n rows; None where the reference says nothing about it."""
        found = self.limits.get((metric, labels))
        return None if found is None or n <= 0 else found.at(n, seconds)

    def pack(self) -> list[Any]:
        return [[metric, labels, asdict(limit)] for (metric, labels), limit in self.limits.items()]

    @classmethod
    def unpack(cls, rows: Sequence[Any]) -> Calibration:
        limits = {}
        for metric, pairs, body in rows:
            key = (metric, tuple((name, value) for name, value in pairs))
            longer = tuple(LookBackLimit(*span) for span in body["longer"])
            limits[key] = Limit(**(body | {"noise": tuple(body["noise"]), "longer": longer}))
        return cls(limits)


def reach(values: Floats) -> float:
    """What one more of these consecutive values stays below, all but once in 10,000 times: mean + k · sd, and never
    less than their maximum.

    k is Student's prediction factor t(ν) √(1 + 1/m) for m values, where consecutive ones that resemble each other
    count as fewer: m (1 − r) / (1 + r), r being their lag-1 correlation. So a short or slowly moving reference gives a
    wide limit instead of false alarms.
    """
    count = len(values)
    centred = values - values.mean()
    spread = float(np.dot(centred, centred))
    if count < 4 or spread == 0:
        return float(values.max())
    r = min(max(float(np.dot(centred[1:], centred[:-1])) / spread, 0.0), 0.9)
    effective = max(count * (1 - r) / (1 + r), 4.0)
    factor = student(effective - 1) * np.sqrt(1 + 1 / effective)
    return max(float(values.mean() + factor * np.sqrt(spread / (count - 1))), float(values.max()))


def worst(windows: Floats) -> float:
    """The worst window but for the few that may be exceptions: a blizzard in the reference is no normal day."""
    return float(np.sort(windows)[len(windows) - 1 - int(BAD_DAYS * len(windows))])


def student(freedom: float) -> float:
    """Student's quantile of 1 − 1/10,000, from the table; exact in the limit of many degrees of freedom."""
    known = np.array(list(_T))
    return float(np.interp(1 / freedom, 1 / known[::-1], np.array(list(_T.values()))[::-1], left=Z))


def chi_square_reach(values: Floats, skew: float = 0.0) -> float:
    """What a quadratic distance stays below all but once in 10,000 times, from simulated values of it.

    Matches a scaled chi-square to their mean and variance (Satterthwaite 1946), a shifted one where they are more
    skewed than that (`skew`; Pearson 1959), and takes its quantile by Wilson and Hilferty's cube (1931).
    """
    mean, variance = float(values.mean()), float(values.var())
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    skew = max(skew, 2 * sqrt(variance) / mean)
    return mean + sqrt(variance) * 2 / skew * ((1 + skew * Z / 6 - skew * skew / 36) ** 3 - 1)


def skewness(values: Floats) -> float:
    """The third standardised moment; 0 where nothing varies."""
    centred = values - values.mean()
    squares = centred * centred
    spread = float(squares.mean())
    return float(np.dot(squares, centred)) / len(values) / spread**1.5 if spread > 0 else 0.0


def binomial_reach(share: float, rows: int) -> float:
    """The share of `rows` that chance alone passes at most once in 10,000 times, each row hitting with `share`."""
    expected, variance = rows * share, rows * share * (1 - share)
    if share <= 0 or share >= 1:
        return min(max(share, 0.0), 1.0)
    if variance > 100:
        return min((expected + Z * sqrt(variance) + 0.5) / rows, 1.0)
    below, term, hits = 0.0, exp(rows * log1p(-share)), 0
    while below + term < 1 - 1e-4 and hits < rows:
        below += term
        term *= (rows - hits) / (hits + 1) * share / (1 - share)
        hits += 1
    return hits / rows
