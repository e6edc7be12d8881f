"""A column's distribution in a window beside its reference's, from what is stored: plain sums, for the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf
from operator import add

from sqlalchemy import Connection, Engine, select, tuple_

from checks import wording
from checks.base import Window
from checks.pictures.distribution import Distribution
from monitor.store.buckets import Bucket, cover, levels
from monitor.store.references.activations import read_activations
from monitor.store.results import profile_reader
from monitor.store.results.profile_reader import Bins, ColumnCounts
from monitor.store.tables import profiles, references, rollups, windows

MOST = 400
"""Parts of a window that are read: an hour that came in more pieces than that is shown by some of them."""


@dataclass(frozen=True, slots=True)
class WindowDistribution:
    """What a window holds of a column, with how many rows each side counts."""

    distribution: Distribution
    window: Window
    reference_rows: int
    rows: int
    missing: tuple[float, float]
    """Share of rows without a value, in the reference and now."""


def distribution(engine: Engine, model: str, column: str, end: float) -> WindowDistribution | None:
    """One column (`f:distance`, `score`) of the window that ends then; None where there is no such window, reference or
    column, or nothing is kept of it. Raises counts.Unreadable."""
    with engine.connect() as connection:
        found = _reference(connection, model, end)
        if found is None or column not in found.bins:
            return None
        bins = found.bins[column]
        parts = (
            profile_reader.of_profile(payload, found.bins, column) for payload in _payloads(connection, model, found)
        )
        now = reduce(add, parts, profile_reader.nothing(bins))
    if not now.rows:
        return None
    normal = profile_reader.of_profile(found.profile, found.bins, column)
    missing = normal.missing / max(normal.rows, 1), now.missing / max(now.rows, 1)
    shown = drawn(column.removeprefix("f:"), bins, normal, now, missing)
    return WindowDistribution(shown, found.window, normal.rows, now.rows, missing)


def drawn(name: str, bins: Bins, normal: ColumnCounts, now: ColumnCounts, missing: tuple[float, float]) -> Distribution:
    """Both sides as a picture shows them, with a sentence on what moved."""
    before, after = _shares(normal.bins), _shares(now.bins)
    told = wording.missing_words(*missing)
    if not bins.numeric:
        names = [*bins.own, "(other)", "(new)"]
        moved = wording.of_categories(names, before, after) if any(before) and any(after) else ""
        held = [place for place in range(len(names)) if before[place] or after[place]]
        order = sorted(held, key=lambda place: (place >= len(bins.own), -before[place], -after[place]))
        was, now_ = (tuple(side[place] for place in order) for side in (before, after))
        return Distribution(name, False, tuple(names[place] for place in order), was, now_, (), _why(moved, told))
    bounds = [-inf, *_edges(bins), inf]
    # What lies outside the range belongs to the outermost bins, unless there is any: then it stands apart.
    first, last = (0 if before[0] or after[0] else 1), (-1 if not (before[-1] or after[-1]) else None)
    shown = tuple(bounds[first:last])
    was, now_ = (tuple(side[first:last]) for side in (before, after))
    moved = wording.of_numbers(*_inner(bins, before, after)) if any(before) and any(after) else ""
    return Distribution(name, True, tuple(wording.bin_names(shown)), was, now_, shown, _why(moved, told))


def _edges(bins: Bins) -> list[float]:
    """The ends of the bins; the outer ones lie a little beside the range, but of whole numbers halfway to the next."""
    edges = list(bins.edges) or [0.0]
    if len(edges) > 2 and wording.whole(edges[1:-1]):
        edges[0], edges[-1] = round(edges[0]) - 0.5, round(edges[-1]) + 0.5
    return edges


def _inner(bins: Bins, *sides: Sequence[float]) -> tuple[list[float], list[float], list[float]]:
    """Bounds and shares with what lies outside the range added to the outermost bins, as drift compares them."""
    if len(bins.edges) <= 2:
        return ([-inf, *(bins.edges or (0.0,)), inf], *(list(side) for side in sides))  # type: ignore[return-value]
    moved = []
    for side in sides:
        inner = list(side[1:-1])
        inner[0] += side[0]
        inner[-1] += side[-1]
        moved.append(inner)
    return [-inf, *bins.edges[1:-1], inf], moved[0], moved[1]


def _why(moved: str, missing: str) -> str:
    return "; ".join(part for part in (moved, missing) if part)


def _shares(bins: Sequence[int]) -> list[float]:
    total = sum(bins)
    return [count / total if total else 0.0 for count in bins]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A closed window, and the reference that it was judged by."""

    window: Window
    binning_id: int
    bins: Mapping[str, Bins]
    profile: bytes


def _reference(connection: Connection, model: str, end: float) -> _Judged | None:
    here = windows.c
    query = select(here.start, here.end, here.reference_id, here.version).where(here.model == model, here.end == end)
    closed = connection.execute(query.limit(1)).one_or_none()
    if closed is None:
        return None
    use = read_activations(connection, model).of(end, closed.version or "")
    number = closed.reference_id or (use.reference_id if use else None)
    columns = (references.c.id, references.c.binning_id, references.c.payload)
    row = connection.execute(select(*columns).where(references.c.id == number)).one_or_none()
    if row is None:
        return None
    bins, profile = profile_reader.of_reference(row.payload)
    return _Judged(Window(closed.start, closed.end), row.binning_id or row.id, bins, profile)


def _payloads(connection: Connection, model: str, found: _Judged) -> Iterator[bytes]:
    """The profiles that together are all that has come of the window: roll-ups, and what they don't hold."""
    window, here = found.window, rollups.c
    own = (here.model == model, here.binning_id == found.binning_id, here.segment == "")
    query = select(here.start, here.seconds, here.seq).where(
        *own,
        here.seconds.in_(levels(window.seconds)),
        here.start >= window.start,
        here.start < window.end,
    )
    known = [Bucket(row.start, row.seconds, row.seq) for row in connection.execute(query)]
    chosen = cover(window, known, max((bucket.seq for bucket in known), default=0))
    keys = [(bucket.seconds, bucket.start, bucket.seq) for bucket in chosen]
    place = tuple_(here.seconds, here.start, here.seq)
    yield from connection.scalars(select(here.payload).where(*own, place.in_(keys)))
    yield from _loose(connection, model, found, chosen)


def _loose(connection: Connection, model: str, found: _Judged, held: Sequence[Bucket]) -> Iterator[bytes]:
    here, window = profiles.c, found.window
    query = select(here.bucket_start, here.seq, here.payload).where(
        here.model == model,
        here.binning_id == found.binning_id,
        here.segment == "",
        here.bucket_start >= window.start,
        here.bucket_start < window.end,
    )
    for row in connection.execute(query.order_by(here.bucket_start, here.seq).limit(MOST)):
        if not any(bucket.covers(row.bucket_start, row.seq) for bucket in held):
            yield row.payload
