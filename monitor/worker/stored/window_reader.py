"""What is known of a window as of a position in the arrival log: its rows, their profile, and their labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Column, ColumnElement, Engine, and_, func, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from checks.base import Window
from checks.data.arrow import int_array, string_array, valid
from checks.data.frame import concat
from checks.data.frame_payload import UNREAD
from checks.data.schema import Schema
from checks.inputs import Scored
from checks.performance.scored import scored
from checks.profile import CategoryColumn, NumberColumn, Profile, merge
from monitor.store.tables import chunks, labels
from monitor.worker.messages import ModelOptions
from monitor.worker.stored import model_versions
from monitor.worker.stored.chunks import Ints, decode, fitted
from monitor.worker.stored.id_index import positions
from monitor.worker.stored.label_join import task_schema, truths
from monitor.worker.stored.profiles import Profiles
from monitor.worker.stored.references import StoredReference

Columns = ReadOnlyColumnCollection[str, Column[Any]]
OUTCOME = ("id", "prediction", "score", UNREAD)
DIGITS = 11
"""Decimal digits of a moment that are free of rounding, relative to the largest value."""


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """The rows of a window that have a label: their outcome columns and `label`, in the order in which they came."""

    frame: pa.Table | None
    """None where no row has one."""
    newest: int = 0
    """Position of the newest label whose prediction is in the window, of the right type or not."""
    invalid: int = 0
    """Rows whose label is none that the task has."""

    def __len__(self) -> int:
        return 0 if self.frame is None else int(self.frame.num_rows)


class WindowReader:
    """One model's windows as of one position. Reads the labelled rows of each at most once."""

    def __init__(
        self,
        engine: Engine,
        model: str,
        reference: StoredReference | None,
        seq: int,
        options: ModelOptions,
        told_apart: Collection[str] = (),
        *,
        version: str | None = None,
        schema: Schema | None = None,
    ) -> None:
        """`told_apart` are columns that labelled rows carry besides their outcome. `version`: only rows of this version
        of the model, as those of a reference that has one. `schema`: instead of the reference's."""
        self._engine, self.model, self.seq = engine, model, seq
        self.schema = schema or task_schema(reference, options)
        self.task = options.schema.task
        self._version = version if reference is None else reference.version
        self.reference = reference
        self._told_apart = told_apart
        self._labelled: dict[Window, LabelledRows] = {}
        self.profiles = None if reference is None else Profiles(engine, model, options.every, reference)

    def rows(self, window: Window) -> int:
        return sum(n for _, n in self._chunks(window))

    def total(self, window: Window) -> int:
        """Its rows, of whichever version of the model."""
        query = select(func.sum(chunks.c.n)).where(_within(chunks.c, self.model, window, self.seq))
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def profile(self, window: Window) -> Profile | None:
        """What is known of its rows, of any window of whole buckets; None without a reference, whose binning it takes.
        Chunks from before the reference are profiled now, and their profiles stored."""
        if self.profiles is None:
            return None
        found = self.profiles.of(window, self.seq)
        made = [self.profiles.make(id_) for id_ in found.missing]
        return settled(reduce(merge, [one for one in made if one is not None], self.profiles.read(found)))

    def trailing(self, window: Window) -> Profile | None:
        """The same of a window that may be long; None also while some of its rows wait to be profiled: a closing does
        not wait for that."""
        if self.profiles is None:
            return None
        found = self.profiles.of(window, self.seq)
        return None if found.missing else settled(self.profiles.read(found))

    def coverage(self, window: Window, enough: float) -> float:
        """The share of its rows that have a label; 1 where there are none. A share below `enough` is only a bound from
        above, and costs no look at the rows."""
        rows = self.rows(window)
        if not rows:
            return 1.0
        where = _within(labels.c, self.model, window, self.seq)
        with self._engine.connect() as connection:
            count = connection.scalar(select(func.count(labels.c.prediction_id.distinct())).where(where)) or 0
        return count / rows if count < enough * rows else len(self.labelled(window)) / rows

    def labelled(self, window: Window) -> LabelledRows:
        """Its rows that have a label of the task's type."""
        if window not in self._labelled:
            classes = self.schema.classes if self.schema else ()
            columns = {*OUTCOME, *self._told_apart, *(f"p:{name}" for name in classes)}
            self._labelled[window] = self._join(window, columns)
        return self._labelled[window]

    def labelled_frame(self, window: Window) -> pa.Table | None:
        """Those rows with all that was stored of them, and their label; None where there are none."""
        return self._join(window, None).frame

    def scored(self, window: Window) -> Scored | None:
        """Those rows as performance checks take them; None where there are none."""
        frame = self.labelled(window).frame
        if frame is None:
            return None
        return replace(scored(frame, frame["label"], self.schema, self.task), predictions=self.rows(window))

    def has_unmatched_labels(self, window: Window, maturity: float) -> bool:
        """Return whether none of its rows has a label, while labels of its time, or of until its own are mature, wait
        for a prediction."""
        found = self.labelled(window)
        if len(found) or found.invalid:
            return False
        own = labels.c
        query = select(own.seq).where(
            own.model == self.model,
            own.window_start.is_(None),
            own.time >= window.start,
            own.time < window.end + maturity,
            own.seq <= self.seq,
        )
        with self._engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def with_labels(self, window: Window) -> Iterator[pa.Table]:
        """All of its rows, chunk by chunk, with `label`: null where none has come, or one that does not fit."""
        ids, values, _ = self._labels(window)
        truth, known = truths(values, self.schema), string_array(ids)
        for frame in self.frames(window):
            places = positions(frame["id"], known)
            label = truth.take(pa.array(places, mask=places < 0))
            yield frame.append_column("label", label)

    def _join(self, window: Window, columns: set[str] | None) -> LabelledRows:
        ids, values, seqs = self._labels(window)
        if not ids:
            return LabelledRows(None)
        truth = truths(values, self.schema)
        fit = valid(truth)
        known = string_array(ids)
        parts: list[pa.Table] = []
        newest = invalid = 0
        for frame in self.frames(window, columns):
            places = positions(frame["id"], known)
            if (places >= 0).any():
                newest = max(newest, int(seqs[places[places >= 0]].max()))
            good = fit[places]
            invalid += int(np.count_nonzero((places >= 0) & ~good))
            rows = np.flatnonzero((places >= 0) & good)
            if len(rows):
                label = truth.take(int_array(places[rows]))
                parts.append(frame.take(int_array(rows)).append_column("label", label))
        return LabelledRows(concat(parts) if parts else None, newest, invalid)

    def _labels(self, window: Window) -> tuple[list[str], list[object], Ints]:
        """The newest version of each label: ids, values and positions in the log."""
        query = (
            select(labels.c.prediction_id, labels.c.label, labels.c.seq)
            .where(_within(labels.c, self.model, window, self.seq))
            .order_by(labels.c.seq)
        )
        with self._engine.connect() as connection:
            found = {row.prediction_id: row for row in connection.execute(query)}
        values = [msgspec.json.decode(row.label) for row in found.values()]
        return list(found), values, np.array([row.seq for row in found.values()], np.int64)

    def _chunks(self, window: Window) -> list[tuple[int, int]]:
        """Number and rows of its chunks, in the order in which they came."""
        query = (
            select(chunks.c.id, chunks.c.n, chunks.c.version)
            .where(_within(chunks.c, self.model, window, self.seq))
            .order_by(chunks.c.seq, chunks.c.id)
        )
        if self._version is not None:
            query = query.where(or_(chunks.c.version == self._version, chunks.c.version.is_(None)))
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        if self._version is None:
            return [(row.id, row.n) for row in found]
        return [(row.id, self._frame(row.id, {"id"}).num_rows if row.version is None else row.n) for row in found]

    def frames(self, window: Window, columns: set[str] | None = None) -> Iterator[pa.Table]:
        """Its rows, chunk by chunk: with all that was stored of them, or with those of these columns that they have."""
        for id_, _ in self._chunks(window):
            frame = self._frame(id_, columns)
            if columns is None and self.reference is not None:
                # A chunk that an earlier schema took otherwise would change the columns' types.
                frame = fitted(frame, self.reference.reference.binning)
            yield frame

    def _frame(self, id_: int, columns: set[str] | None = None) -> pa.Table:
        query = select(chunks.c.payload, chunks.c.codec, chunks.c.version).where(chunks.c.id == id_)
        with self._engine.connect() as connection:
            row = connection.execute(query).one()
        if self._version is None or row.version is not None:
            return decode(row.payload, row.codec, self.schema, columns)
        wanted = None if columns is None else {*columns, "version"}
        return model_versions.only(decode(row.payload, row.codec, self.schema, wanted), self._version)


def settled(merged: Profile) -> Profile:
    """The profile without the noise that the order of merging leaves in the last digits of its moments: what is
    measured of a window must not depend on how its rows were portioned into chunks."""
    return replace(merged, columns={name: _rounded(column) for name, column in merged.columns.items()})


def _rounded(column: NumberColumn | CategoryColumn) -> NumberColumn | CategoryColumn:
    if isinstance(column, CategoryColumn) or not column.finite:
        return column
    scale = max(abs(column.low), abs(column.high)) or 1.0
    digits = DIGITS - math.ceil(math.log10(scale))
    spread = DIGITS - math.ceil(2 * math.log10(scale) + math.log10(column.finite))
    sums = np.round(column.sums, DIGITS - math.ceil(math.log10(scale) + math.log10(column.finite)))
    return replace(column, mean=round(column.mean, digits), m2=round(column.m2, spread), sums=sums)


def _within(columns: Columns, model: str, window: Window, seq: int) -> ColumnElement[bool]:
    """What of a table with these columns is in the window as of the position."""
    start = columns.window_start
    return and_(columns.model == model, start >= window.start, start < window.end, columns.seq <= seq)
