"""Many stored profiles merged at once, without making an object of any column: that is what a merge of two costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from checks.data.arrow import Floats, Ints
from checks.profile.binning import Binning, NumberBins, ProfileError, unpack
from checks.profile.sketches import distinct_merged, tail_merged
from checks.profile.summary import READABLE, Profile, empty, encoded_parts

NUMBER_HEAD, TEXT_HEAD = 5, 2  # integers of a column before its counts, as `Profile.to_bytes` writes them

Sketches = Mapping[str, tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """A profile, all columns in one: integers as stored; counts' sums and moments (low, high, mean, m2; by row) of the
    numeric columns."""

    n: int
    integers: Ints
    finite: Ints
    moments: Floats
    sums: Floats
    sketches: Sketches
    errors: Mapping[str, str]


def rows_of(payload: bytes) -> int:
    """The rows of a stored profile."""
    n: int = unpack(payload, "profile", READABLE)["n"]
    return n


class Stack:
    """Merges profiles of one binning by their bytes; knows where in them each column is."""

    def __init__(self, binning: Binning) -> None:
        self._binning = binning
        places, starts, at, counted = [np.zeros(0, np.int64)], [], 0, 0
        for bins in binning.columns.values():
            if isinstance(bins, NumberBins):
                places.append(np.arange(at + NUMBER_HEAD, at + NUMBER_HEAD + bins.size))
                starts.append(counted)
                counted += bins.size
            at += (NUMBER_HEAD if isinstance(bins, NumberBins) else TEXT_HEAD) + bins.size
        self._counts: Ints = np.concatenate(places)
        self._starts: Ints = np.array(starts, np.int64)

    def merged(self, payloads: Iterable[bytes]) -> bytes:
        """The bytes of the profile of all of their rows, as if merged one after the other. Raises ProfileError for a
        version that is not readable, and for a profile of another binning."""
        whole: _Parts | None = None
        for payload in payloads:
            part = self._parts(payload)
            whole = part if whole is None else _merged(whole, part)
        if whole is None:
            return empty(self._binning).to_bytes()
        held = whole.integers[self._counts] > 0
        return encoded_parts(
            self._binning.fingerprint,
            whole.n,
            whole.integers,
            whole.moments.T,
            whole.sums[held],
            whole.sketches,
            whole.errors,
        )

    def profile(self, payloads: Iterable[bytes]) -> Profile:
        """The same as an object."""
        return Profile.from_bytes(self.merged(payloads), self._binning)

    def _parts(self, payload: bytes) -> _Parts:
        body = unpack(payload, "profile", READABLE)
        if body["binning"] != self._binning.fingerprint:
            raise ProfileError("profiles of different binnings don't add up; profile the rows anew under one of them")
        integers = np.frombuffer(body["integers"], body["width"]).astype(np.int64)
        counts = integers[self._counts]
        sums = np.zeros(len(counts))
        sums[counts > 0] = np.frombuffer(body["sums"], "<f8")
        finite = np.add.reduceat(counts, self._starts) if len(counts) else counts
        moments = np.frombuffer(body["moments"], "<f8").reshape(-1, 4).T
        return _Parts(body["n"], integers, finite, moments, sums, body["sketches"], body["errors"])


def _merged(a: _Parts, b: _Parts) -> _Parts:
    """As `checks.profile.summary.merge`, of all columns at once."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = a.sums + b.sums
        moments = _moments(a, b)
    errors = {**b.errors, **a.errors} if a.errors or b.errors else a.errors
    sketches = _sketches(a.sketches, b.sketches)
    return _Parts(a.n + b.n, a.integers + b.integers, a.finite + b.finite, moments, sums, sketches, errors)


def _moments(a: _Parts, b: _Parts) -> Floats:
    """Chan, Golub and LeVeque (1979), as `numbers.merged_numbers`."""
    left, total = a.finite, np.maximum(a.finite + b.finite, 1)
    share = b.finite / total
    apart = b.moments[2] - a.moments[2]
    mean = a.moments[2] * (left / total) + b.moments[2] * share
    m2 = a.moments[3] + b.moments[3] + apart * apart * left * share
    for only, other in ((a, b), (b, a)):
        alone = other.finite == 0
        mean[alone], m2[alone] = only.moments[2][alone], only.moments[3][alone]
    low, high = np.minimum(a.moments[0], b.moments[0]), np.maximum(a.moments[1], b.moments[1])
    return np.stack([low, high, mean, m2])


def _sketches(a: Sketches, b: Sketches) -> Sketches:
    if not (a and b):
        return a or b
    nothing = (b"", b"")
    found = {}
    for name in {**a, **b}:
        (rest, tail), (more, longer) = a.get(name, nothing), b.get(name, nothing)
        found[name] = (distinct_merged(rest, more), tail_merged(tail, longer))
    return found
