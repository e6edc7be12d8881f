"""What one evaluation saw of one label set: a value, nothing, or that measuring failed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from checks.base import Labels, Measurement, NotEnough, Window


class Kind(StrEnum):
    VALUE = "value"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Observation:
    """`window_end` names the window that was judged; `interval` is the expected number of seconds between observations
    on the wall clock, None in event time, where no window is ever missed."""

    kind: Kind
    window_end: float
    measurement: Measurement | None = None
    text: str = ""
    """Why there is no value."""
    interval: float | None = None
    holds: bool | None = True
    """Whether what must hold beside the rule's level does; None when nothing is known of it."""
    beside: str = ""
    """That, in words."""

    @classmethod
    def of(cls, measurement: Measurement, interval: float | None = None, beside: str = "") -> Observation:
        """A measurement as an observation; one without a value, or with NaN or an infinity, is no data."""
        end = measurement.window.end
        if measurement.value is None:
            return cls(Kind.NO_DATA, end, measurement, str(measurement.reason), interval)
        if not math.isfinite(measurement.value):
            return cls(Kind.NO_DATA, end, measurement, "not_finite", interval)
        return cls(Kind.VALUE, end, measurement, "", interval, beside=beside)

    @classmethod
    def no_data(cls, window: Window, labels: Labels, metric: str, interval: float | None = None) -> Observation:
        """Something was measured, and nothing of it can be judged."""
        nothing = Measurement(metric, None, window, labels, reason=NotEnough.TOO_FEW_ROWS)
        return cls(Kind.NO_DATA, window.end, nothing, "not_judged", interval)

    @classmethod
    def vanished(cls, now: float, interval: float | None = None) -> Observation:
        """The label set was there before and is not measured any more."""
        return cls(Kind.NO_DATA, now, None, "vanished", interval)

    @classmethod
    def failed(cls, text: str, now: float, interval: float | None = None) -> Observation:
        return cls(Kind.ERROR, now, None, text, interval)
