"""What 'normal' is: the reference's schema, bins, profile and performance, and the limits learned from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import astuple, dataclass

import msgspec
import numpy as np
import pyarrow as pa

from checks.base import labels
from checks.blocks import FEWEST, FEWEST_ROWS, Blocks, cut
from checks.calibrate import Column, Key, column_limits, performance, performance_limits
from checks.drift.methods import METHODS
from checks.limits import Calibration, Limit
from checks.performance.interval import Estimate
from checks.profile import Binning, Profile, make_binning, profile
from checks.profile.binning import unpack
from checks.schema import Schema

VERSION = 2
READABLE = (2,)
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


def build_reference(
    frame: pa.Table,
    schema: Schema,
    *,
    bins: int = 10,
    every: float = 3600.0,
    min_rows: int = 200,
    progress: Callable[[float], None] = lambda share: None,
    seed: int = 0,
) -> Reference:
    """The reference of a frame (`frame.from_reference`), with limits for windows of `every` seconds.

    Windows with fewer than `min_rows` rows, which drift does not judge, do not set limits where enough others do.
    `progress` is told the share done, 0 … 1; `seed` fixes the simulated samples.
    """
    binning = make_binning(frame, schema, bins)
    return reference_under(binning, frame, schema, every=every, min_rows=min_rows, progress=progress, seed=seed)


def reference_under(
    binning: Binning,
    frame: pa.Table,
    schema: Schema,
    *,
    every: float,
    min_rows: int,
    methods: Collection[str] = METHODS,
    progress: Callable[[float], None] = lambda share: None,
    seed: int = 0,
) -> Reference:
    """The reference of a frame under bins that are there already, as `build_reference`; with drift limits for these
    methods alone."""
    whole = profile(frame, binning)
    progress(0.2)
    blocks = cut(frame["time"], every, min_rows) if "time" in frame.column_names else None
    rng = np.random.default_rng(seed)
    limits: dict[Key, Limit] = {}
    for place, (name, own) in enumerate(binning.columns.items(), 1):
        column = Column(name, frame[name], own, whole.columns[name], frame.num_rows)
        keys = {method: key for method, key in _keys(name, binning).items() if method in methods}
        limits.update(column_limits(column, blocks, keys, rng))
        progress(0.2 + 0.7 * place / len(binning.columns))
    achieved = performance(frame, schema)
    limits.update(performance_limits(frame, schema, achieved, blocks))
    progress(1.0)
    notes = tuple(_notes(frame, schema, every, blocks, binning, whole, limits))
    return Reference(schema, binning, whole, Calibration(limits), achieved, frame.num_rows, notes)


def watched_prediction(binning: Binning) -> str | None:
    """The column whose drift is the predictions': the score where there is one, else the prediction."""
    return next((name for name in ("score", "prediction") if name in binning.columns), None)


def _keys(name: str, binning: Binning) -> dict[str, Key]:
    """Method → the measurement that a column's drift limit belongs to."""
    if name.startswith("f:"):
        return {method: ("feature_drift", labels(feature=name[2:], method=method)) for method in METHODS}
    if name == watched_prediction(binning):
        return {method: ("prediction_drift", labels(method=method)) for method in METHODS}
    return {}


def _blind(name: str, binning: Binning, whole: Profile, limits: Mapping[Key, Limit]) -> bool:
    """Whether even a window with all rows in the reference's rarest bin would stay within the feature's limit."""
    limit = limits.get(_keys(name, binning).get("psi", ("", ())))
    total = binning.columns[name].inner(whole.columns[name].counts)
    if limit is None or not name.startswith("f:") or len(total[total > 0]) < 2:
        return False
    extreme = np.zeros(len(total))
    extreme[np.argmin(np.where(total > 0, total, np.inf))] = limit.rows
    return float(METHODS["psi"].distance(total, extreme)) <= limit.at(round(limit.rows))


def _notes(
    frame: pa.Table,
    schema: Schema,
    every: float,
    blocks: Blocks | None,
    binning: Binning,
    whole: Profile,
    limits: Mapping[Key, Limit],
) -> Iterator[str]:
    if "time" not in frame.column_names:
        yield (
            "The reference has no time column, so its limits know the chance of sampling alone, not how windows differ "
            "through the day and week; expect more alerts than with one."
        )
    elif blocks is None:
        yield (
            f"The reference has fewer than {FEWEST} windows of {every:g} s with at least {FEWEST_ROWS} rows, so its "
            "limits know the chance of sampling alone, not how windows differ through the day and week."
        )
    blind = [name for name in binning.columns if _blind(name, binning, whole, limits)]
    if blind:
        names = ", ".join(name[2:] for name in blind[:10])
        names += f" and {len(blind) - 10} more" if len(blind) > 10 else ""
        yield (
            f"Windows of the reference already differ among themselves as much as they could in {names}, so no single "
            "window can show drift there; compare longer windows, or derive a feature that does not follow the clock."
        )
    if schema.task is None:
        yield "The reference has neither predictions nor a target, so only features are watched."
    elif not schema.target:
        yield "The reference has no target, so there is no performance to compare with."
