"""Where the counts of a column fall: made once from the reference, then frozen, so that profiles of any rows add up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks.data.arrow import Floats, finite, tallied
from checks.data.canonical_text import spellings
from checks.data.datetime_parts import PARTS
from checks.data.schema import Schema

VERSION = 2
READABLE = (2,)
"""Versions that this release reads."""
OWN_SHARE = 0.005  # categories at least this frequent have a bin of their own,
MOST_OWN = 100  # the most frequent of them at most this many,
LEAST_OWN = 20  # and this many in any case
MOST_KNOWN = 10_000  # further categories that are remembered as known, without a bin
MOST_SORTED = 500_000  # of more values a sample, the same each time, sets the inner edges: to about 0.1 % of the rows
TOLERANCE = 1e-6  # how far, relatively, a value may pass the ends: float32 references meet float64 payloads


Counts = npt.NDArray[Any]


class ProfileError(Exception):
    """Stored bytes that are no profile or binning of this version; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class NumberBins:
    """Half-open bins between ascending `edges`; the first and last edge are the reference's range.

    Counts have one entry for values below, one a bin, and one for values above.
    """

    edges: tuple[float, ...]

    @property
    def size(self) -> int:
        return max(len(self.edges) - 1, 0) + 2

    @property
    def names(self) -> list[str]:
        if not self.edges:
            return ["below", "above"]
        ends = [f"{edge:.6g}" for edge in self.edges]
        inner = [f"{low} – {high}" for low, high in pairwise(ends)]
        return [f"below {ends[0]}", *inner, f"above {ends[-1]}"]

    def inner(self, counts: Counts) -> Counts:
        """Counts (last axis) with what lies outside the range added to the outermost bins: what drift compares.

        Being out of range is measured by itself (`out_of_range_ratio`); a bin that is empty in every reference would
        only let single outliers dominate a distance. A column with a single bin keeps the outside: nothing else moves.
        """
        if len(self.edges) <= 2:
            return counts
        moved = counts[..., 1:-1].copy()
        moved[..., 0] += counts[..., 0]
        moved[..., -1] += counts[..., -1]
        return moved

    @property
    def inner_names(self) -> list[str]:
        if len(self.edges) <= 2:
            return self.names
        return [f"below {self.edges[1]:.6g}", *self.names[2:-2], f"{self.edges[-2]:.6g} or more"]


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """One bin a frequent category; then `other` (known, rare) and `new` (not in the reference)."""

    own: tuple[str, ...]
    known: tuple[str, ...] = ()
    """Rare categories that count as `other`."""
    complete: bool = True
    """False when the reference has more categories than are remembered, so `new` may hold known ones."""
    lookup: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = dict.fromkeys(self.known, len(self.own)) | {name: i for i, name in enumerate(self.own)}
        other = {word: places[name] for word, name in spellings(places).items()}
        object.__setattr__(self, "lookup", places | other)

    @property
    def size(self) -> int:
        return len(self.own) + 2

    @property
    def names(self) -> list[str]:
        return [*self.own, "(other)", "(new)"]

    def inner(self, counts: Counts) -> Counts:
        return counts

    @property
    def inner_names(self) -> list[str]:
        return self.names


Bins = NumberBins | CategoryBins


@dataclass(frozen=True)
class Binning:
    """The bins of every watched column of a frame, by the frame's column name (`f:distance`, `prediction`, `score`)."""

    columns: Mapping[str, Bins]

    @cached_property
    def fingerprint(self) -> bytes:
        """Eight bytes that tell binnings apart; profiles carry them."""
        return hashlib.blake2b(self.to_bytes(), digest_size=8).digest()

    def to_bytes(self) -> bytes:
        columns = [
            {"name": name, "edges": np.array(bins.edges, "<f8").tobytes()}
            if isinstance(bins, NumberBins)
            else {"name": name, "own": bins.own, "known": bins.known, "complete": bins.complete}
            for name, bins in self.columns.items()
        ]
        return msgspec.msgpack.encode({"format": "watchkeeper-binning", "version": VERSION, "columns": columns})

    @classmethod
    def from_bytes(cls, data: bytes) -> Binning:
        """Raises ProfileError when the bytes are no binning of a READABLE version."""
        body = unpack(data, "binning", READABLE)
        columns: dict[str, Bins] = {}
        for column in body["columns"]:
            if "edges" in column:
                columns[column["name"]] = NumberBins(tuple(np.frombuffer(column["edges"], "<f8").tolist()))
            else:
                own, known = tuple(column["own"]), tuple(column["known"])
                columns[column["name"]] = CategoryBins(own, known, column["complete"])
        return cls(columns)


def unpack(data: bytes, what: str, readable: tuple[int, ...]) -> dict[str, Any]:
    """The body of a stored part. Raises ProfileError when it is another format or version."""
    try:
        body = msgspec.msgpack.decode(data)
    except msgspec.DecodeError as error:
        raise ProfileError(f"the stored {what} is damaged ({error}); build the reference anew") from error
    if not isinstance(body, dict) or body.get("format") != f"watchkeeper-{what}":
        raise ProfileError(f"the stored bytes are no {what}; build the reference anew")
    if body.get("version") not in readable:
        raise ProfileError(
            f"the stored {what} has version {body.get('version')!r}, but this release reads {_versions(readable)}; "
            "build the reference anew"
        )
    return body


def _versions(readable: tuple[int, ...]) -> str:
    return f"version {readable[0]}" if len(readable) == 1 else f"versions {readable[0]} to {readable[-1]}"


def watched(schema: Schema) -> dict[str, str]:
    """The frame's columns that are profiled, and whether each is a `number` or `text`."""
    kinds = {f"f:{name}": "number" if kind == "numeric" else "text" for name, kind in schema.watched}
    if schema.task is not None:
        kinds["prediction"] = "number" if schema.task == "regression" else "text"
        kinds["score"] = "number"
    return kinds


def make_binning(frame: pa.Table, schema: Schema, bins: int = 10) -> Binning:
    """Bins from the reference's frame: about `bins` equally filled ones for numbers, frequent categories for text."""
    present = set(frame.column_names)
    return Binning({name: bins_of(frame[name], name, schema, bins) for name in watched(schema) if name in present})


def bins_of(column: pa.ChunkedArray | pa.Array, name: str, schema: Schema, bins: int = 10) -> Bins:
    """One column's bins, as `make_binning`."""
    if name in fixed(schema):
        return CategoryBins(fixed(schema)[name])
    return number_bins(finite(column)[0], bins) if watched(schema)[name] == "number" else category_bins(column)


def fixed(schema: Schema) -> dict[str, tuple[str, ...]]:
    """The columns whose categories don't depend on the reference, with them."""
    moments = [name for name, kind in schema.features if kind == "datetime"]
    return {f"f:{name}.{part}": names for name in moments for part, names in PARTS.items()}


def number_bins(values: Floats, bins: int) -> NumberBins:
    """Quantile bins, their inner edges halfway between neighbouring values.

    A value as frequent as a bin gets one of its own, and with at most two values a bin each value does: so flags and
    small counts keep their meaning. Halfway edges make bins indifferent to the last digits of a float.
    """
    if len(values) == 0:
        return NumberBins(())
    low, high = float(values.min()), float(values.max())
    if len(values) > MOST_SORTED:
        values = values[np.random.default_rng(0).integers(0, len(values), MOST_SORTED)]
    ordered = np.sort(values)
    slack = TOLERANCE * max(abs(low), abs(high), high - low)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] > ordered[:-1])))
    if len(starts) <= 2 * bins:
        cuts = starts[1:]
    else:
        picks = ordered[(np.arange(1, bins) * len(ordered)) // bins]
        first = np.searchsorted(ordered, picks, "left")
        after = np.searchsorted(ordered, picks, "right")
        heavy = (after - first) * bins >= len(ordered)
        cuts = np.unique(np.concatenate((first, after[heavy])))
        cuts = cuts[(cuts > 0) & (cuts < len(ordered))]
    below, above = ordered[cuts - 1], ordered[cuts]
    inner = below + (above - below) / 2
    # Neighbouring floats have nothing between them: the edge is then the upper one.
    inner = np.where(inner > below, inner, above)
    return NumberBins((low - slack, *inner.tolist(), np.nextafter(high + slack, np.inf).item()))


def category_bins(column: pa.ChunkedArray) -> CategoryBins:
    order = sorted((-count, name) for name, count in tallied(column).items())
    total = -sum(count for count, _ in order)
    own = [name for count, name in order[:MOST_OWN] if -count >= OWN_SHARE * total]
    if len(own) < LEAST_OWN:
        own = [name for _, name in order[:LEAST_OWN]]
    known = [name for _, name in order[len(own) : len(own) + MOST_KNOWN]]
    return CategoryBins(tuple(own), tuple(known), len(own) + len(known) == len(order))
