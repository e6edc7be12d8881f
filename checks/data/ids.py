"""Prediction ids as numbers: what chunks store to find the row that a late label belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import string_array, whole


def hash_ids(ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each id, the same on every machine and in every release; about 0.1 µs an id.

    The UTF-8 bytes in little-endian words of eight (the last padded with zeros) go one by one through MurmurHash3's
    64-bit finaliser (public domain, Austin Appleby), which starts from the length. Not keyed: two ids can be made to
    collide, so whoever finds a row by it compares the id.
    """
    array = whole(ids) if isinstance(ids, pa.Array | pa.ChunkedArray) else string_array(ids)
    array = pc.cast(array, pa.string())
    count = len(array)
    if count == 0:
        return np.zeros(0, np.uint64)
    offsets = np.frombuffer(array.buffers()[1], np.int32, count=array.offset + count + 1)[array.offset :]
    lengths = np.diff(offsets).astype(np.int64)
    raw = array.buffers()[2]
    data = (b"" if raw is None else memoryview(raw)[offsets[0] : offsets[-1]].tobytes()) + bytes(8)
    words: npt.NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    starts = (offsets[:-1] - offsets[0]).astype(np.int64)
    hashes = _mix(lengths.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    for step in range(0, int(lengths.max()), 8):
        rows = np.flatnonzero(lengths > step)
        word = words[starts[rows] + step]
        left = np.minimum(lengths[rows] - step, 8).astype(np.uint64)
        word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(8) * (np.uint64(8) - left))
        hashes[rows] = _mix(hashes[rows] ^ word)
    return hashes


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))
