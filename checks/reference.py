"""What 'normal' is: the reference's schema, bins, profile and performance, and the limits learned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import msgspec

from checks.base import Estimate
from checks.data.schema import Schema
from checks.limits import Calibration
from checks.profile import Binning, Profile
from checks.profile.binning import unpack

VERSION = 3
READABLE = (3,)
"""Versions that this release reads."""


@dataclass(frozen=True)
class Reference:
    """A model's normal state, of `n` rows; everything a check compares a window with."""

    schema: Schema
    binning: Binning
    profile: Profile
    calibration: Calibration
    performance: Mapping[str, Estimate]
    n: int
    notes: tuple[str, ...] = ()
    """What people should know about how it was made, one sentence each."""

    def to_bytes(self) -> bytes:
        body = {
            "format": "watchkeeper-reference",
            "version": VERSION,
            "schema": self.schema.to_json(),
            "binning": self.binning.to_bytes(),
            "profile": self.profile.to_bytes(),
            "calibration": self.calibration.pack(),
            "performance": {name: astuple(estimate) for name, estimate in self.performance.items()},
            "n": self.n,
            "notes": self.notes,
        }
        return msgspec.msgpack.encode(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Reference:
        """Raises ProfileError when the bytes are no reference of a READABLE version."""
        body = unpack(data, "reference", READABLE)
        binning = Binning.from_bytes(body["binning"])
        return cls(
            Schema.from_json(body["schema"]),
            binning,
            Profile.from_bytes(body["profile"], binning),
            Calibration.unpack(body["calibration"]),
            {name: Estimate(*values) for name, values in body["performance"].items()},
            body["n"],
            tuple(body["notes"]),
        )


def watched_prediction(binning: Binning) -> str | None:
    """The column whose drift is the predictions': the score where there is one, else the prediction."""
    return next((name for name in ("score", "prediction") if name in binning.columns), None)
