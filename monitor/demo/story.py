"""What happens to the model in the demo, and when: pure functions of event time and of a flight's id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DAY = 86_400.0
TRAINING = (datetime(2013, 1, 1, tzinfo=UTC).timestamp(), datetime(2013, 4, 1, tzinfo=UTC).timestamp())
REPLAY = (TRAINING[1], datetime(2014, 1, 2, tzinfo=UTC).timestamp())
"""The last flights of the year leave New York when it is already the next in UTC."""
KILOMETRES_PER_MILE = 1.609344
MISSING_SHARE = 0.6

Features = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong between two moments of event time."""

    name: str
    title: str
    begins: float
    ends: float
    rule: str
    """The shipped rule that has to tell of it."""
    feature: str = ""
    """The feature that the alert has to name."""
    delay: float = 0.0
    """Seconds by which the model server answers later."""
    change: Callable[[str, Features], Features] | None = None
    """What the features of the flight with this id turn into."""

    def active(self, time: float) -> bool:
        return self.begins <= time < self.ends


def story(start: float) -> tuple[Fault, ...]:
    """The faults of a replay that begins at `start`, in order."""
    return (
        Fault(
            "kilometres",
            "distance arrives in kilometres instead of miles",
            start + 30 * DAY,
            start + 40 * DAY,
            rule="feature-drift",
            feature="distance",
            change=in_kilometres,
        ),
        Fault(
            "missing",
            f"temp is missing in {MISSING_SHARE:.0%} of the rows",
            start + 75 * DAY,
            start + 80 * DAY,
            rule="missing-values",
            feature="temp",
            change=without_temp,
        ),
        # Seven days are 130 requests: 40 s at this delay, however fast the rest is replayed.
        Fault(
            "slow",
            "the model server answers 0.3 s later",
            start + 130 * DAY,
            start + 137 * DAY,
            rule="latency-high",
            delay=0.3,
        ),
    )


def in_kilometres(_id: str, features: Features) -> Features:
    return {**features, "distance": features["distance"] * KILOMETRES_PER_MILE}


def without_temp(id: str, features: Features) -> Features:
    return {**features, "temp": None} if share(id) < MISSING_SHARE else features


def share(id: str) -> float:
    """A number in [0, 1) that is the same for the same id on every machine.

    >>> share("2013-06-15-UA1545-EWR") == share("2013-06-15-UA1545-EWR")
    True
    """
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "big") / 2**64


def apply_faults(faults: tuple[Fault, ...], time: float, id: str, features: Features) -> Features:
    """The features of one flight as the faults of that time leave them."""
    for fault in faults:
        if fault.change is not None and fault.active(time):
            features = fault.change(id, features)
    return features


def delay(faults: tuple[Fault, ...], time: float) -> float:
    """Seconds by which the server is to be slowed down at that time."""
    return sum(fault.delay for fault in faults if fault.active(time))
