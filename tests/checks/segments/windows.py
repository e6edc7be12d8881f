"""Windows and segmentations of the sample in tests.checks.sample, for tests of segments."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from checks.data.frame import from_reference
from checks.data.schema import SchemaOverrides
from checks.data.schema_inference import infer
from checks.inputs import WindowData
from checks.performance.scored import scored
from checks.profile import profile
from checks.reference import Reference
from checks.segments.dimension import Dimension, most, tally
from checks.segments.parts import DEFAULT, SegmentCheck
from checks.segments.references import Segmentation, segmentation
from tests.checks.sample import HOUR, WINDOW, table

METHODS = ("psi", "jensenshannon")


def frame_of(made: pa.Table) -> pa.Table:
    return from_reference(made, infer(made, SchemaOverrides()))


def window_of(normal: Reference, frame: pa.Table) -> WindowData:
    """All rows of a frame as one window, all of them labelled."""
    rows = scored(frame, frame["label"], normal.schema)
    return WindowData(WINDOW, profile(frame, normal.binning), frame.num_rows, rows)


def window(normal: Reference, rows: int, seed: int = 5, **columns: Any) -> WindowData:
    return window_of(normal, frame_of(table(rows, seed, **columns)))


def segmented(
    normal: Reference, made: pa.Table, column: str, top: int = 10, checks: tuple[SegmentCheck, ...] = DEFAULT
) -> Segmentation:
    """The segments of the reference that was built from this table."""
    frame = frame_of(made)
    found = Dimension(column, most(tally(frame, column, normal.binning), top))
    return segmentation(found, frame, normal, checks=checks, methods=METHODS, every=HOUR, min_rows=50)
