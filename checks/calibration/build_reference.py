"""Builds a reference column by column: bins, counts and limits, with bins of its own or under those of another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from checks.base import labels
from checks.calibration.build_columns import FrameColumns, Load, ReferenceColumns, Values
from checks.calibration.calibrate import Column, Key, column_limits, performance, performance_limits
from checks.calibration.notes import notes
from checks.calibration.reference_windows import cut, spans
from checks.data.parallel import each
from checks.data.schema import Schema
from checks.drift.methods.registry import METHODS
from checks.limits import Calibration, Limit
from checks.profile import Binning, CategoryBins, CategoryColumn, NumberBins, NumberColumn, Profile
from checks.profile.binning import Bins, bins_of, watched
from checks.profile.summary import column_of, nothing
from checks.reference import Reference


def build_reference(
    rows: pa.Table | ReferenceColumns,
    schema: Schema,
    *,
    bins: int = 10,
    every: float = 3600.0,
    min_rows: int = 200,
    progress: Callable[[float], None] = lambda share: None,
    seed: int = 0,
) -> Reference:
    """The reference of a frame (`frame.from_reference`) or its columns, with limits for windows of `every` seconds.

    Windows with fewer than `min_rows` rows, which drift does not judge, do not set limits where enough others do. A
    column that can't be read is an error of its own, and watched by nothing. `progress` is told the share done, 0 … 1;
    `seed` fixes the simulated samples.
    """
    columns = FrameColumns(rows) if isinstance(rows, pa.Table) else rows

    def made(values: Values, name: str) -> Bins:
        return bins_of(values, name, schema, bins)

    return _built(_Learning(columns, schema, made, every, min_rows, METHODS, seed), progress)


def reference_under(
    binning: Binning,
    frame: pa.Table,
    schema: Schema,
    *,
    every: float,
    min_rows: int,
    methods: Collection[str] = METHODS,
    progress: Callable[[float], None] = lambda share: None,
    seed: int = 0,
) -> Reference:
    """The reference of a frame under bins that are there already, as `build_reference`; with drift limits for these
    methods alone."""
    known = [name for name in frame.column_names if not name.startswith("f:") or name in binning.columns]
    columns = FrameColumns(frame.select(known))

    def made(values: Values, name: str) -> Bins:
        return binning.columns[name]

    return _built(_Learning(columns, schema, made, every, min_rows, methods, seed), progress)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What one column teaches."""

    bins: Bins
    whole: NumberColumn | CategoryColumn
    limits: Mapping[Key, Limit]
    error: str | None = None


class _Learning:
    """Bins, counts and limits column by column, each from its own values and the windows that all share."""

    def __init__(
        self,
        columns: ReferenceColumns,
        schema: Schema,
        bins: Callable[[Values, str], Bins],
        every: float,
        min_rows: int,
        methods: Collection[str],
        seed: int,
    ) -> None:
        self.columns, self.schema, self.every = columns, schema, every
        self._bins, self._methods, self._seed = bins, methods, seed
        self.outcome, self.kinds = columns.outcome, watched(schema)
        names = self.outcome.column_names
        self.blocks = cut(self.outcome["time"], every, min_rows) if "time" in names else None
        self.spans = spans(self.outcome["time"], every, min_rows) if self.blocks else {}
        self.prediction = next((name for name in ("score", "prediction") if name in names and name in self.kinds), None)

    def of_outcome(self) -> Mapping[str, Values]:
        return {name: self.outcome[name] for name in self.outcome.column_names}

    def of(self, load: Load) -> dict[str, _Learned]:
        """What the watched ones of these columns teach."""
        loaded = load()
        odd = {
            name[2:]: len(values) - values.null_count
            for name, values in loaded.items()
            if name[:2] == "m:" and not isinstance(values, Exception)
        }
        return {
            name: self._of(name, values, odd.get(name[2:], 0)) for name, values in loaded.items() if name in self.kinds
        }

    def _of(self, name: str, values: Values | Exception, odd: int) -> _Learned:
        keys = {method: key for method, key in _keys(name, self.prediction).items() if method in self._methods}
        # Seeded by the column, so that it does not matter which is worked on first.
        rng = np.random.default_rng((self._seed, list(self.kinds).index(name)))
        try:
            if isinstance(values, Exception):
                raise values
            bins = self._bins(values, name)
            column = Column(name, values, bins, column_of(values, bins, odd), self.columns.rows)
            return _Learned(bins, column.whole, column_limits(column, self.blocks, keys, rng, self.spans))
        except Exception as error:  # noqa: BLE001 - the column's boundary: kept as its own error
            bins = NumberBins(()) if self.kinds[name] == "number" else CategoryBins(())
            return _Learned(bins, nothing(bins, self.columns.rows), {}, f"{type(error).__name__}: {error}")


def _built(learning: _Learning, progress: Callable[[float], None]) -> Reference:
    loads = [*learning.columns.features, learning.of_outcome]
    found: dict[str, _Learned] = {}
    for place, learned in enumerate(each(learning.of, loads), 1):
        found |= learned
        progress(0.9 * place / len(loads))
    found = {name: found[name] for name in learning.kinds if name in found}
    binning = Binning({name: column.bins for name, column in found.items()})
    errors = {name: column.error for name, column in found.items() if column.error is not None}
    columns = {name: column.whole for name, column in found.items()}
    whole = Profile(learning.columns.rows, columns, binning.fingerprint, errors)
    limits = {key: limit for column in found.values() for key, limit in column.limits.items()}
    achieved = performance(learning.outcome, learning.schema)
    limits |= performance_limits(learning.outcome, learning.schema, achieved, learning.blocks)
    progress(1.0)
    made = Reference(learning.schema, binning, whole, Calibration(limits), achieved, learning.columns.rows)
    timed, told_apart = "time" in learning.outcome.column_names, learning.blocks is not None
    return replace(made, notes=tuple(notes(made, learning.every, timed=timed, told_apart=told_apart)))


def _keys(name: str, prediction: str | None) -> dict[str, Key]:
    """Method → the measurement that a column's drift limit belongs to."""
    if name.startswith("f:"):
        return {method: ("feature_drift", labels(feature=name[2:], method=method)) for method in METHODS}
    if name == prediction:
        return {method: ("prediction_drift", labels(method=method)) for method in METHODS}
    return {}
