"""A tag or feature by whose values rows are told apart: the most frequent ones each, all others together.

A row belongs to exactly one segment of a dimension, so the profiles of its segments merge into the whole's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checks.data.arrow import Codes, Ints, encoded, int_array
from checks.data.frame import as_text
from checks.profile import Binning, NumberBins
from checks.profile.summary import codes_of

OTHER = "(other)"
MISSING = "(missing)"
"""Rows without a value: a value like any other, which may be frequent."""
LONGEST = 100
"""Characters of a value; a longer one is never a segment of its own."""
MARK = 12
"""Characters of a dimension's mark, with which all its keys begin."""


def mark_of(key: str) -> str:
    """The mark of the dimension that has a segment with this key."""
    return key[:MARK]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One segmentation: a column of the frame (`f:` a feature, `t:` a tag) and its values, which are frozen."""

    column: str
    values: tuple[str, ...]
    """The most frequent ones, most frequent first."""

    @property
    def name(self) -> str:
        """Of the tag or feature."""
        return self.column[2:]

    @property
    def segments(self) -> tuple[str, ...]:
        """What the segments are called, in the order of the values, with that of all other values at the end.

        >>> Dimension("t:country", ("DE", "FR")).segments
        ('country=DE', 'country=FR', 'country=(other)')
        """
        return tuple(f"{self.name}={value}" for value in (*self.values, OTHER))

    @property
    def keys(self) -> tuple[str, ...]:
        """What the segments' profiles are stored under, in the order of `segments`: apart from those of another
        dimension, and of this one with other values."""
        of = self.mark
        return (*(f"{of} {self.name}={value}" for value in self.values), of)

    @property
    def mark(self) -> str:
        """The key of all other values. Every chunk that was told apart has a profile of them, also without rows."""
        text = "\0".join((self.column, *self.values)).encode("utf-8", "replace")
        return hashlib.blake2b(text, digest_size=MARK // 2).hexdigest()

    def rows(self, frame: pa.Table, binning: Binning) -> Iterator[Ints]:
        """The rows of each segment, in the order of `segments`."""
        codes, names = texts(frame, self.column, binning)
        own = {value: place for place, value in enumerate(self.values)}
        lookup = np.array([own.get(name, len(own)) for name in names] or [0], np.int64)
        places = lookup[codes]
        order = np.argsort(places, kind="stable")
        ends = np.searchsorted(places[order], np.arange(len(own) + 2))
        for place in range(len(own) + 1):
            yield order[ends[place] : ends[place + 1]]

    def split(self, frame: pa.Table, binning: Binning) -> Iterator[pa.Table]:
        """The frame of each segment, in the order of `segments`."""
        for rows in self.rows(frame, binning):
            yield frame if len(rows) == frame.num_rows else frame.take(int_array(rows))


def texts(frame: pa.Table, column: str, binning: Binning) -> tuple[Codes, list[str]]:
    """Each row's value, as a place in the list of values; numbers by their bin."""
    if column not in frame.column_names:
        return np.zeros(frame.num_rows, np.int32), [MISSING]
    bins = binning.columns.get(column)
    if isinstance(bins, NumberBins):
        codes, names = _binned(codes_of(frame[column], bins), bins), bins.inner_names
    else:
        codes, names = encoded(as_text(frame[column]))
    names = [str(name) for name in names]
    return np.where(codes < 0, np.int32(len(names)), codes), [*names, MISSING]


def _binned(codes: Codes, bins: NumberBins) -> Codes:
    """Places among `inner_names`: what is out of the reference's range belongs to the outermost bins."""
    if len(bins.edges) <= 2:
        return codes
    inner = np.clip(codes - 1, 0, len(bins.inner_names) - 1)
    return np.where(codes < 0, np.int32(-1), inner.astype(np.int32))


def tally(frame: pa.Table, column: str, binning: Binning) -> dict[str, int]:
    """Rows by value."""
    codes, names = texts(frame, column, binning)
    counts = np.bincount(codes, minlength=len(names))
    found: dict[str, int] = {}
    for name, count in zip(names, counts.tolist(), strict=True):
        if count:
            found[name] = found.get(name, 0) + count
    return found


def added(tallies: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Rows by value over all of these."""
    found: dict[str, int] = {}
    for one in tallies:
        for name, count in one.items():
            found[name] = found.get(name, 0) + count
    return found


def most(rows: Mapping[str, int], top: int) -> tuple[str, ...]:
    """The `top` most frequent values; equally frequent ones in alphabetical order.

    >>> most({"FR": 3, "DE": 7, "AT": 3, "(other)": 9}, 2)
    ('DE', 'AT')
    """
    fit = [name for name in rows if len(name) <= LONGEST and name != OTHER]
    return tuple(sorted(fit, key=lambda name: (-rows[name], name))[:top])
