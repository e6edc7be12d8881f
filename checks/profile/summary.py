"""Counts and moments of rows under a binning; profiles of parts merge into the profile of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa

from checks.arrow import Codes, Floats, Ints, encoded, finite, floats
from checks.profile.binning import Binning, Bins, CategoryBins, NumberBins, ProfileError, unpack

VERSION = 1
SPAN = 65_536  # values sorted at a time: they stay in the cache, which is four times faster than one large sort
WIDTHS = ("<u2", "<u4", "<i8")  # counts are stored in the narrowest that holds them all
EXAMPLES = 20  # new categories kept by name


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A numeric column's rows: `counts` as in NumberBins; moments and range over finite values."""

    missing: int
    nan: int
    infinite: int
    mismatched: int
    counts: Ints
    low: float = np.inf
    high: float = -np.inf
    mean: float = 0.0
    m2: float = 0.0
    """Sum of squared distances from the mean."""

    @property
    def finite(self) -> int:
        return int(self.counts.sum())

    @property
    def std(self) -> float:
        """Standard deviation of the population (ddof 0); 0 without values."""
        return float(np.sqrt(self.m2 / self.finite)) if self.finite else 0.0


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """A text column's rows: `counts` as in CategoryBins.

    `examples` are the most frequent new categories, for people: their counts are exact while there are at most
    EXAMPLES of them, else lower bounds.
    """

    missing: int
    mismatched: int
    counts: Ints
    examples: Mapping[str, int] = field(default_factory=dict)

    @property
    def present(self) -> int:
        return int(self.counts.sum())


Column = NumberColumn | CategoryColumn


@dataclass(frozen=True)
class Profile:
    """`n` rows, column by column, by the frame's column names; made under the binning with this fingerprint."""

    n: int
    columns: Mapping[str, Column]
    fingerprint: bytes

    def to_bytes(self) -> bytes:
        """Compact, versioned bytes: integers and floats little-endian, column after column."""
        counts = [column.counts for column in self.columns.values()]
        heads, moments, examples = [], [], {}
        for name, column in self.columns.items():
            if isinstance(column, NumberColumn):
                heads.append((column.missing, column.nan, column.infinite, column.mismatched))
                moments.append((column.low, column.high, column.mean, column.m2))
            else:
                heads.append((column.missing, 0, 0, column.mismatched))
                if column.examples:
                    examples[name] = dict(column.examples)
        flat = np.concatenate([np.zeros(0, np.int64), *counts])
        width = next(kind for kind in WIDTHS if flat.max(initial=0) <= np.iinfo(kind).max)
        body = {
            "format": "watchkeeper-profile",
            "version": VERSION,
            "binning": self.fingerprint,
            "n": self.n,
            "heads": np.array(heads, "<i8").tobytes(),
            "moments": np.array(moments, "<f8").tobytes(),
            "width": width,
            "counts": flat.astype(width).tobytes(),
            "examples": examples,
        }
        return msgspec.msgpack.encode(body)

    @classmethod
    def from_bytes(cls, data: bytes, binning: Binning) -> Profile:
        """Raises ProfileError for another version, and for a profile that another binning made."""
        body = unpack(data, "profile", VERSION)
        if body["binning"] != binning.fingerprint:
            raise ProfileError("the stored profile was made by another binning; profile its rows anew")
        heads = np.frombuffer(body["heads"], "<i8").reshape(-1, 4).tolist()
        moments = iter(np.frombuffer(body["moments"], "<f8").reshape(-1, 4).tolist())
        counts = np.frombuffer(body["counts"], body["width"]).astype(np.int64)
        columns: dict[str, Column] = {}
        start = 0
        for (name, bins), head in zip(binning.columns.items(), heads, strict=True):
            own = counts[start : start + bins.size]
            start += bins.size
            if isinstance(bins, NumberBins):
                missing, nan, infinite, odd = head
                low, high, mean, m2 = next(moments)
                columns[name] = NumberColumn(missing, nan, infinite, odd, own, low, high, mean, m2)
            else:
                columns[name] = CategoryColumn(head[0], head[3], own, body["examples"].get(name, {}))
        return cls(body["n"], columns, body["binning"])


def empty(binning: Binning) -> Profile:
    """The profile of no rows: neutral in `merge`."""
    columns: dict[str, Column] = {
        name: NumberColumn(0, 0, 0, 0, np.zeros(bins.size, np.int64))
        if isinstance(bins, NumberBins)
        else CategoryColumn(0, 0, np.zeros(bins.size, np.int64))
        for name, bins in binning.columns.items()
    }
    return Profile(0, columns, binning.fingerprint)


def profile(frame: pa.Table, binning: Binning) -> Profile:
    """The frame's profile; a column that the frame lacks is missing in every row."""
    columns: dict[str, Column] = {}
    present = set(frame.column_names)
    for name, bins in binning.columns.items():
        column = frame[name] if name in present else pa.nulls(frame.num_rows)
        odd = f"m:{name[2:]}"
        mismatched = frame.num_rows - frame[odd].null_count if name.startswith("f:") and odd in present else 0
        if isinstance(bins, NumberBins):
            columns[name] = _numbers(column, bins, mismatched)
        else:
            columns[name] = _categories(column, bins, mismatched)
    return Profile(frame.num_rows, columns, binning.fingerprint)


def merge(a: Profile, b: Profile) -> Profile:
    """The profile of both row sets together: counts exactly, moments by Chan, Golub and LeVeque's update (1979)."""
    if a.fingerprint != b.fingerprint:
        raise ProfileError("profiles of different binnings don't add up; profile the rows under one binning")
    columns: dict[str, Column] = {}
    for name, left in a.columns.items():
        right = b.columns[name]
        if isinstance(left, NumberColumn) and isinstance(right, NumberColumn):
            columns[name] = _merged_numbers(left, right)
        elif isinstance(left, CategoryColumn) and isinstance(right, CategoryColumn):
            columns[name] = _merged_categories(left, right)
    return Profile(a.n + b.n, columns, a.fingerprint)


def _numbers(column: pa.ChunkedArray, bins: NumberBins, mismatched: int) -> NumberColumn:
    values, nulls, nans, infinite = finite(column)
    counts = np.zeros(bins.size, np.int64)
    missing = nulls - mismatched
    if len(values) == 0:
        return NumberColumn(missing, nans, infinite, mismatched, counts)
    low, high = np.inf, -np.inf
    for start in range(0, len(values), SPAN):
        ordered = np.sort(values[start : start + SPAN])
        counts += _counted(ordered, bins)
        low, high = min(low, float(ordered[0])), max(high, float(ordered[-1]))
    mean, m2 = _moments(values)
    return NumberColumn(missing, nans, infinite, mismatched, counts, low, high, mean, m2)


def _counted(ordered: Floats, bins: NumberBins) -> Ints:
    if not bins.edges:  # the reference had no value to bin by
        return np.array([len(ordered), 0])
    places = np.searchsorted(ordered, np.array(bins.edges), "left")
    return np.diff(places, prepend=0, append=len(ordered))


def _moments(values: Floats) -> tuple[float, float]:
    # Scaled, so that the squares of huge values don't overflow.
    scale = float(np.abs(values).max())
    if scale < 1e100:
        mean = float(values.mean())
        centred = values - mean
        return mean, float(np.dot(centred, centred))
    scaled = values / scale
    mean = float(scaled.mean())
    with np.errstate(over="ignore"):
        m2 = float(np.dot(scaled - mean, scaled - mean) * np.float64(scale) * np.float64(scale))
    return mean * scale, m2


def _categories(column: pa.ChunkedArray, bins: CategoryBins, mismatched: int) -> CategoryColumn:
    codes, names = encoded(column)
    missing = int(np.count_nonzero(codes < 0))
    tallies = np.bincount(codes[codes >= 0] if missing else codes, minlength=len(names))
    new = len(bins.own) + 1
    places = np.array([bins.lookup.get(name, new) for name in names], np.int64)
    counts = np.zeros(bins.size, np.int64)
    np.add.at(counts, places, tallies)
    unseen = {names[place]: int(tallies[place]) for place in np.flatnonzero((places == new) & (tallies > 0))}
    return CategoryColumn(missing - mismatched, mismatched, counts, _most(unseen))


def _most(tallies: Mapping[str, int]) -> dict[str, int]:
    kept = sorted(tallies.items(), key=lambda item: (-item[1], item[0]))[:EXAMPLES]
    return dict(kept)


def _merged_numbers(a: NumberColumn, b: NumberColumn) -> NumberColumn:
    left, right = a.finite, b.finite
    if left == 0 or right == 0:
        mean, m2 = (b.mean, b.m2) if left == 0 else (a.mean, a.m2)
    else:
        share = right / (left + right)
        apart = b.mean - a.mean
        mean = a.mean * (left / (left + right)) + b.mean * share
        m2 = a.m2 + b.m2 + apart * apart * left * share
    return NumberColumn(
        a.missing + b.missing,
        a.nan + b.nan,
        a.infinite + b.infinite,
        a.mismatched + b.mismatched,
        a.counts + b.counts,
        min(a.low, b.low),
        max(a.high, b.high),
        mean,
        m2,
    )


def _merged_categories(a: CategoryColumn, b: CategoryColumn) -> CategoryColumn:
    together = {name: a.examples.get(name, 0) + b.examples.get(name, 0) for name in {*a.examples, *b.examples}}
    return CategoryColumn(a.missing + b.missing, a.mismatched + b.mismatched, a.counts + b.counts, _most(together))


def codes_of(column: pa.ChunkedArray | pa.Array, bins: Bins) -> Codes:
    """Each row's place in the counts under `bins`; -1 where there is no finite value."""
    if isinstance(bins, CategoryBins):
        codes, names = encoded(column)
        new = len(bins.own) + 1
        places = np.array([bins.lookup.get(name, new) for name in names] or [-1], np.int32)
        return np.where(codes >= 0, places[codes], np.int32(-1))
    values, present = floats(column)
    found = np.searchsorted(np.array(bins.edges), values, "right").astype(np.int32)
    return np.where(present & np.isfinite(values), found, np.int32(-1))
