"""Sketches of the categories that have no bin of their own: how many there are, and which are frequent.

Both are Apache DataSketches (https://datasketches.apache.org), kept as bytes, b"" for nothing. They are exact while
there is little, stay below a few kilobytes however much there is, and merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import datasketches

LOG_DISTINCT = 11
"""A HyperLogLog sketch of 2¹¹ buckets: exact to about 190 values; beyond, its standard error is 2.3 %."""
DISTINCT_ERROR = 0.077
"""The share by which the number of distinct values is off at most, in 99.7 of 100 cases (three standard errors)."""
LOG_TAIL = 6
"""A frequent-items sketch of 2⁶ places: exact to 48 values."""
TAIL_ERROR = 3.5 / 2**LOG_TAIL
"""Beyond, a value's count is too low by at most this share of all that was counted, and never too high. Anderson et
al., A High-Performance Algorithm for Identifying Frequent Items in Data Streams (2017)."""
KEPT_TEXT = 100  # characters by which frequent values are told apart
EMPTY = "\0"  # the library counts no empty text


def distinct_of(names: Iterable[str]) -> bytes:
    """A sketch of these values."""
    sketch = datasketches.hll_sketch(LOG_DISTINCT, datasketches.tgt_hll_type.HLL_4)
    for name in names:
        sketch.update(name or EMPTY)
    return b"" if sketch.is_empty() else bytes(sketch.serialize_compact())


def distinct_merged(a: bytes, b: bytes) -> bytes:
    return bytes(_union(a, b).serialize_compact()) if a and b else a or b


def distinct_count(data: bytes) -> int:
    """How many values went in, each once; within DISTINCT_ERROR, and the same however they were split and merged."""
    # Of a union the library estimates from the buckets alone; of a sketch, also from the order in which values came.
    return round(_union(data, data).get_estimate()) if data else 0


def tail_of(tallies: Mapping[str, int]) -> bytes:
    """A sketch of these counts."""
    if not tallies:
        return b""
    sketch = datasketches.frequent_strings_sketch(LOG_TAIL)
    # The frequent ones last: what comes early is what a full sketch drops.
    for name, count in sorted(tallies.items(), key=lambda item: (item[1], item[0])):
        sketch.update(name[:KEPT_TEXT], count)
    return bytes(sketch.serialize())


def tail_merged(a: bytes, b: bytes) -> bytes:
    if not (a and b):
        return a or b
    sketch = datasketches.frequent_strings_sketch.deserialize(a)
    sketch.merge(datasketches.frequent_strings_sketch.deserialize(b))
    return bytes(sketch.serialize())


def tail_counts(data: bytes) -> dict[str, int]:
    """Values and their counts, the most frequent first: lower bounds, too low by TAIL_ERROR of the total at most."""
    if not data:
        return {}
    sketch = datasketches.frequent_strings_sketch.deserialize(data)
    found = sketch.get_frequent_items(datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES)
    return dict(sorted(((name, low) for name, _, low, _ in found), key=lambda item: (-item[1], item[0])))


def _union(a: bytes, b: bytes) -> datasketches.hll_sketch:
    union = datasketches.hll_union(LOG_DISTINCT)
    union.update(datasketches.hll_sketch.deserialize(a))
    union.update(datasketches.hll_sketch.deserialize(b))
    return union.get_result(datasketches.tgt_hll_type.HLL_4)
