"""What is known of a window's segments as of a position in the arrival log: their profiles and their labelled rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from checks.base import Window
from checks.inputs import Scored
from checks.performance.scored import scored
from checks.profile import Profile, merge
from checks.segments.dimension import Dimension
from monitor.worker.stored.chunks import fitted
from monitor.worker.stored.profiles import Profiles
from monitor.worker.stored.window_reader import WindowReader, settled


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """One segment's part of a window."""

    segment: str
    profile: Profile
    scored: Scored | None
    """Its labelled rows; None where there are none."""


def parts(evidence: WindowReader, window: Window, dimension: Dimension) -> Iterator[SegmentRows]:
    """Every segment of the dimension, in its order, with what the window holds of it."""
    store = evidence.profiles
    assert store is not None, "segments are of a reference's columns"
    made = _profiles(store, window, evidence.seq, dimension)
    frame = evidence.labelled(window).frame
    labelled: list[pa.Table | None] = [None] * len(made)
    if frame is not None:
        labelled = list(dimension.split(fitted(frame, store.binning), store.binning))
    for segment, own, rows in zip(dimension.segments, made, labelled, strict=True):
        found = None
        if rows is not None and rows.num_rows:
            found = replace(scored(rows, rows["label"], evidence.schema, evidence.task), predictions=own.n)
        yield SegmentRows(segment, own, found)


def _profiles(store: Profiles, window: Window, seq: int, dimension: Dimension) -> list[Profile]:
    """Each segment's profile, in the order of its segments. Chunks that were not told apart are now, and that is
    stored."""
    found = [store.of(window, seq, key) for key in dimension.keys]
    merged = [store.read(one) for one in found]
    for id_ in found[-1].missing:
        made = store.make_segments(id_, dimension)
        merged = [merge(whole, part) for whole, part in zip(merged, made, strict=True)] if made else merged
    return [settled(whole) for whole in merged]
