"""One column's counts, read out of stored references and profiles by the daemon, which loads no numerics.

What the bytes mean is `checks.profile`'s and `checks.reference`'s to say; a test holds this reader against them.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

NUMBER_HEAD, CATEGORY_HEAD = 5, 2
"""Integers before the counts of a column: missing, nan, infinite, mismatched, zeros; missing, mismatched."""
READABLE = {"watchkeeper-reference": (3,), "watchkeeper-binning": (2,), "watchkeeper-profile": (2,)}
"""Versions by format."""
WIDTHS = {"<u2": "H", "<u4": "I", "<i8": "q"}


class Unreadable(Exception):
    """Stored bytes of another format or version."""


@dataclass(frozen=True, slots=True)
class Bins:
    """A column's bins: ascending `edges` of numbers, or frequent categories by name."""

    numeric: bool
    edges: tuple[float, ...] = ()
    own: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Counts there are: of numbers those below and above the range too, of categories other and new ones."""
        return max(len(self.edges) - 1, 0) + 2 if self.numeric else len(self.own) + 2

    @property
    def head(self) -> int:
        return NUMBER_HEAD if self.numeric else CATEGORY_HEAD


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """A column's rows: how many, without a value (NaN counts as none), and by bin; adds up."""

    rows: int
    missing: int
    bins: tuple[int, ...]

    def __add__(self, other: ColumnCounts) -> ColumnCounts:
        bins = tuple(one + more for one, more in zip(self.bins, other.bins, strict=True))
        return ColumnCounts(self.rows + other.rows, self.missing + other.missing, bins)


class _Reference(msgspec.Struct):
    """What is needed of a stored reference; the limits, most of its bytes, are passed over."""

    format: str
    version: int
    binning: bytes
    profile: bytes


class _Profile(msgspec.Struct):
    format: str
    version: int
    n: int
    width: str
    integers: bytes


def of_reference(payload: bytes) -> tuple[Mapping[str, Bins], bytes]:
    """A stored reference's bins by the frame's column names (`f:distance`, `score`), and its profile's bytes. Raises
    Unreadable."""
    found = _decoded(payload, _Reference)
    body = _decoded(found.binning, dict[str, Any])
    return {column["name"]: _bins(column) for column in body["columns"]}, found.profile


def of_profile(payload: bytes, bins: Mapping[str, Bins], name: str) -> ColumnCounts:
    """One column's counts in a profile that was made under these bins. Raises Unreadable."""
    found = _decoded(payload, _Profile)
    kind = WIDTHS[found.width]
    size = array(kind).itemsize
    start = 0
    for other, column in bins.items():
        width = column.head + column.size
        if other == name:
            own = array(kind)
            own.frombytes(found.integers[start * size : (start + width) * size])
            if sys.byteorder == "big":
                own.byteswap()
            missing = own[0] + (own[1] if column.numeric else 0)
            return ColumnCounts(found.n, missing, tuple(own[column.head :]))
        start += width
    raise KeyError(name)


def nothing(bins: Bins) -> ColumnCounts:
    """The counts of no rows."""
    return ColumnCounts(0, 0, (0,) * bins.size)


def _bins(column: Mapping[str, Any]) -> Bins:
    if "edges" not in column:
        return Bins(False, own=tuple(column["own"]))
    edges = array("d")
    edges.frombytes(column["edges"])
    if sys.byteorder == "big":
        edges.byteswap()
    return Bins(True, edges=tuple(edges))


def _decoded(payload: bytes, kind: Any) -> Any:
    try:
        found = msgspec.msgpack.decode(payload, type=kind)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the stored bytes can't be read: {error}") from error
    body = found if isinstance(found, dict) else {"format": found.format, "version": found.version}
    kind_, version = body.get("format"), body.get("version")
    if version not in READABLE.get(str(kind_), ()):
        raise Unreadable(f"the stored bytes are {kind_!r} of version {version!r}, which this release does not read")
    return found
