"""A sample of rows that does not depend on how they are portioned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks.data.arrow import floats, int_array
from checks.data.frame import concat
from checks.data.ids import hash_ids

Keys = npt.NDArray[np.uint64]


class Sample:
    """The `size` rows whose ids, mixed with the seed, have the smallest hashes: the same of the same rows, however
    they are portioned, and no more of them in memory than a few times `size`."""

    def __init__(self, size: int, seed: int) -> None:
        self.seen = 0
        """Rows that the sample is of."""
        self._size, self._salt = size, hash_ids([str(seed)])[0]
        self._frames: list[pa.Table] = []
        self._keys: list[Keys] = []
        self._limit = np.uint64(0xFFFFFFFFFFFFFFFF)

    def add(self, frame: pa.Table) -> None:
        self.seen += frame.num_rows
        keys = _mixed(hash_ids(frame["id"]) ^ self._salt)
        rows = np.flatnonzero(keys <= self._limit)
        if len(rows):
            self._frames.append(frame.take(int_array(rows)))
            self._keys.append(keys[rows])
        if sum(map(len, self._keys)) > 2 * self._size:
            self._prune()

    def table(self) -> pa.Table | None:
        """The sample in the order of time; None where there were no rows."""
        if not self._frames:
            return None
        self._prune()
        table, keys = self._frames[0], self._keys[0]
        return table.take(int_array(np.lexsort((keys, floats(table["time"])[0]))))

    def _prune(self) -> None:
        table, keys = concat(self._frames), np.concatenate(self._keys)
        rows = np.sort(np.argsort(keys, kind="stable")[: self._size])
        self._frames, self._keys = [table.take(int_array(rows))], [keys[rows]]
        if len(rows) == self._size:
            self._limit = keys[rows].max()


def _mixed(keys: Keys) -> Keys:
    keys = keys * np.uint64(0xFF51AFD7ED558CCD)
    return keys ^ (keys >> np.uint64(33))
