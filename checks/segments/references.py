"""What is normal for each segment of a dimension: the reference's own rows of it, summarised and calibrated as the
whole is, under the whole's bins."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import msgspec
import pyarrow as pa

from checks.base import Estimate
from checks.calibration.build_reference import reference_under
from checks.limits import Calibration
from checks.profile import Profile
from checks.profile.binning import unpack
from checks.reference import Reference
from checks.segments.dimension import Dimension
from checks.segments.parts import PARTS, SegmentCheck

VERSION = 1
READABLE = (1,)
"""Versions that this release reads."""
ENOUGH = 200
"""Rows of the reference below which it says nothing about a segment."""


@dataclass(frozen=True)
class Segmentation:
    """A dimension, and the references of those of its segments that have one."""

    dimension: Dimension
    references: Mapping[str, Reference] = field(default_factory=dict)
    """By the segment's name."""

    def to_bytes(self) -> bytes:
        """Without what is the whole reference's: schema and bins."""
        own = {
            name: {
                "profile": reference.profile.to_bytes(),
                "calibration": reference.calibration.pack(),
                "performance": {metric: astuple(estimate) for metric, estimate in reference.performance.items()},
                "n": reference.n,
            }
            for name, reference in self.references.items()
        }
        body = {
            "format": "watchkeeper-segmentation",
            "version": VERSION,
            "column": self.dimension.column,
            "values": self.dimension.values,
            "references": own,
        }
        return zlib.compress(msgspec.msgpack.encode(body))

    @classmethod
    def from_bytes(cls, data: bytes, whole: Reference) -> Segmentation:
        """Raises ProfileError when the bytes are no segmentation of this version, or of another reference's bins."""
        body = unpack(zlib.decompress(data), "segmentation", READABLE)
        references = {
            name: Reference(
                whole.schema,
                whole.binning,
                Profile.from_bytes(own["profile"], whole.binning),
                Calibration.unpack(own["calibration"]),
                {metric: Estimate(*values) for metric, values in own["performance"].items()},
                own["n"],
            )
            for name, own in body["references"].items()
        }
        return cls(Dimension(body["column"], tuple(body["values"])), references)


def segmentation(
    dimension: Dimension,
    frame: pa.Table,
    whole: Reference,
    *,
    checks: Collection[SegmentCheck],
    methods: Sequence[str],
    every: float,
    min_rows: int,
    seed: int = 0,
) -> Segmentation:
    """The reference's frame by segment, with the limits that these checks need for windows of `every` seconds; segments
    with too few rows are left without."""
    metrics = {metric for check in checks for metric in PARTS[check].metrics}
    if "drifted_features" in metrics:  # counted by the features' own limits
        metrics.add("feature_drift")
    drifts = methods if {"feature_drift", "prediction_drift"} & metrics else ()
    found: dict[str, Reference] = {}
    for name, rows in zip(dimension.segments, dimension.split(frame, whole.binning), strict=True):
        if rows.num_rows < max(ENOUGH, min_rows):
            continue
        made = reference_under(
            whole.binning, rows, whole.schema, every=every, min_rows=min_rows, methods=drifts, seed=seed
        )
        limits = {key: limit for key, limit in made.calibration.limits.items() if key[0] in metrics}
        found[name] = replace(made, calibration=Calibration(limits), notes=())
    return Segmentation(dimension, found)
