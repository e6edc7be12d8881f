"""Profiles of parts merge into the profile of the whole: a commutative monoid over each binning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa

from checks.data.arrow import Codes, Floats, Ints, encoded, floats
from checks.profile.binning import Binning, Bins, CategoryBins, NumberBins, ProfileError, unpack
from checks.profile.categories import CategoryColumn, categories, merged_categories, no_categories
from checks.profile.numeric import SPAN, NumberColumn, merged_numbers, no_numbers, numbers, places_of

VERSION = 2
READABLE = (2,)
"""Versions that this release reads."""
WIDTHS = ("<u2", "<u4", "<i8")  # counts are stored in the narrowest that holds them all

Column = NumberColumn | CategoryColumn


@dataclass(frozen=True)
class Profile:
    """`n` rows, column by column, by the frame's column names; made under the binning with this fingerprint."""

    n: int
    columns: Mapping[str, Column]
    fingerprint: bytes
    errors: Mapping[str, str] = field(default_factory=dict)
    """Columns that could not be profiled, in all rows or in some, and why; what they hold then means nothing."""

    def to_bytes(self) -> bytes:
        """Compact, versioned bytes: integers and floats little-endian, column after column."""
        numeric = [column for column in self.columns.values() if isinstance(column, NumberColumn)]
        whole = np.concatenate([np.zeros(0, np.int64), *(_integers(column) for column in self.columns.values())])
        moments = np.array([(column.low, column.high, column.mean, column.m2) for column in numeric])
        sums = np.concatenate([np.zeros(0), *(column.sums[column.counts > 0] for column in numeric)])
        sketches = {
            name: (column.rest, column.tail)
            for name, column in self.columns.items()
            if isinstance(column, CategoryColumn) and (column.rest or column.tail)
        }
        return encoded_parts(self.fingerprint, self.n, whole, moments, sums, sketches, self.errors)

    @classmethod
    def from_bytes(cls, data: bytes, binning: Binning) -> Profile:
        """Raises ProfileError for a version that is not READABLE, and for a profile that another binning made."""
        body = unpack(data, "profile", READABLE)
        if body["binning"] != binning.fingerprint:
            raise ProfileError("the stored profile was made by another binning; profile its rows anew")
        integers = np.frombuffer(body["integers"], body["width"]).astype(np.int64)
        moments = iter(np.frombuffer(body["moments"], "<f8").reshape(-1, 4).tolist())
        sums, summed = np.frombuffer(body["sums"], "<f8"), 0
        columns: dict[str, Column] = {}
        start = 0
        for name, bins in binning.columns.items():
            width = (5 if isinstance(bins, NumberBins) else 2) + bins.size
            own = integers[start : start + width]
            start += width
            if isinstance(bins, CategoryBins):
                rest, tail = body["sketches"].get(name, (b"", b""))
                columns[name] = CategoryColumn(int(own[0]), int(own[1]), own[2:], rest, tail)
                continue
            missing, nan, infinite, odd, zeros = own[:5].tolist()
            held = own[5:] > 0
            here = np.zeros(bins.size)
            here[held] = sums[summed : (summed := summed + int(np.count_nonzero(held)))]
            low, high, mean, m2 = next(moments)
            columns[name] = NumberColumn(missing, nan, infinite, odd, own[5:], low, high, mean, m2, zeros, here)
        return cls(body["n"], columns, body["binning"], body["errors"])


def encoded_parts(
    fingerprint: bytes,
    n: int,
    whole: Ints,
    moments: Floats,
    sums: Floats,
    sketches: Mapping[str, tuple[bytes, bytes]],
    errors: Mapping[str, str],
) -> bytes:
    """A profile's bytes from its parts, all columns' in one: integers (heads and counts), moments by numeric column,
    and sums of the counts that are not 0."""
    width = next(kind for kind in WIDTHS if whole.min(initial=0) >= 0 and whole.max(initial=0) <= np.iinfo(kind).max)
    body = {
        "format": "watchkeeper-profile",
        "version": VERSION,
        "binning": fingerprint,
        "n": n,
        "width": width,
        "integers": whole.astype(width).tobytes(),
        "moments": moments.astype("<f8").tobytes(),
        "sums": sums.astype("<f8").tobytes(),
        "sketches": dict(sketches),
        "errors": dict(errors),
    }
    return msgspec.msgpack.encode(body)


def _integers(column: Column) -> Ints:
    if isinstance(column, NumberColumn):
        head = [column.missing, column.nan, column.infinite, column.mismatched, column.zeros]
    else:
        head = [column.missing, column.mismatched]
    return np.concatenate([np.array(head, np.int64), column.counts])


def empty(binning: Binning) -> Profile:
    """The profile of no rows: neutral in `merge`."""
    return Profile(0, {name: nothing(bins) for name, bins in binning.columns.items()}, binning.fingerprint)


def nothing(bins: Bins, missing: int = 0) -> Column:
    """The column of so many rows without a value."""
    return no_numbers(bins, missing) if isinstance(bins, NumberBins) else no_categories(bins, missing)


def profile(frame: pa.Table, binning: Binning) -> Profile:
    """The frame's profile. A column that the frame lacks is missing in every row; one that raises is an error of its
    own and no other's."""
    columns: dict[str, Column] = {}
    errors: dict[str, str] = {}
    present = set(frame.column_names)
    for name, bins in binning.columns.items():
        if name not in present:
            columns[name] = nothing(bins, frame.num_rows)
            continue
        odd = f"m:{name[2:]}"
        mismatched = frame.num_rows - frame[odd].null_count if name.startswith("f:") and odd in present else 0
        try:
            columns[name] = column_of(frame[name], bins, mismatched)
        except Exception as error:  # noqa: BLE001 - the loop's boundary: kept as the column's own error
            columns[name], errors[name] = nothing(bins, frame.num_rows), f"{type(error).__name__}: {error}"
    return Profile(frame.num_rows, columns, binning.fingerprint, errors)


def column_of(column: pa.ChunkedArray | pa.Array, bins: Bins, mismatched: int = 0) -> Column:
    """One column's rows, of which `mismatched` are null for being of another type."""
    return numbers(column, bins, mismatched) if isinstance(bins, NumberBins) else categories(column, bins, mismatched)


def merge(a: Profile, b: Profile) -> Profile:
    """The profile of both profiles' rows; ProfileError if they were made by different binnings."""
    if a.fingerprint != b.fingerprint:
        raise ProfileError("profiles of different binnings don't add up; profile the rows anew under one of them")
    columns = {name: merged(column, b.columns[name]) for name, column in a.columns.items()}
    return Profile(a.n + b.n, columns, a.fingerprint, {**b.errors, **a.errors} if a.errors or b.errors else {})


def merged(a: Column, b: Column) -> Column:
    """The column of both columns' rows. Raises ProfileError where one holds numbers and the other texts."""
    if isinstance(a, NumberColumn) and isinstance(b, NumberColumn):
        return merged_numbers(a, b)
    if isinstance(a, CategoryColumn) and isinstance(b, CategoryColumn):
        return merged_categories(a, b)
    raise ProfileError("a column of numbers and one of texts don't add up; profile the rows anew under one binning")


def codes_of(column: pa.ChunkedArray | pa.Array, bins: Bins) -> Codes:
    """Each row's place in the counts under `bins`; -1 where there is no finite value."""
    if isinstance(bins, CategoryBins):
        codes, names = encoded(column)
        new = len(bins.own) + 1
        places = np.array([bins.lookup.get(name, new) for name in names] or [-1], np.int32)
        return np.where(codes >= 0, places[codes], np.int32(-1))
    values, present = floats(column)
    edges, found = np.array(bins.edges), np.full(len(values), -1, np.int32)
    for start in range(0, len(values), SPAN):
        part = values[start : start + SPAN]
        known = present[start : start + SPAN] & np.isfinite(part)
        np.copyto(found[start : start + SPAN], places_of(part, edges), where=known, casting="unsafe")
    return found
