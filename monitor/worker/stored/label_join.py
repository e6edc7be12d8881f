"""Labels to their windows: each goes where its prediction is, or waits.

A label belongs to the latest window that holds a prediction of its id and had it before the label came; if there is
none, to the first prediction of its id to come after it. So the answer does not depend on how the log is portioned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, Select, select

from checks.data.arrow import coded_array, encoded, float_array, floats
from checks.data.classes import may_be_class, stated_schema
from checks.data.frame_payload import label_array
from checks.data.ids import hash_ids
from checks.data.schema import Schema
from monitor.store.tables import labels as labels_table
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.chunks import Bools, Hashes, Ints
from monitor.worker.stored.id_index import NOWHERE, IdIndex
from monitor.worker.stored.references import StoredReference

PORTION = 50_000
KINDS = ("number", "text", "boolean")


@dataclass(frozen=True, slots=True)
class LabelJoin:
    """Where and when predictions came that are just being compacted."""

    hashes: Hashes
    seqs: Ints
    windows: Ints


@dataclass(frozen=True, slots=True)
class JoinedLabel:
    """One version of one label."""

    id: str
    seq: int
    value: object
    time: float
    received_at: float


def read_labels(arrivals: Sequence[tuple[int, float, dict[str, Any]]]) -> list[JoinedLabel]:
    """The labels of arrivals (seq, received_at, columns), in order; of one id twice in one arrival, the last."""
    found: dict[tuple[str, int], JoinedLabel] = {}
    for seq, received_at, batch in arrivals:
        for id_, value, time in zip(batch["id"], batch["label"], batch["time"], strict=True):
            found[id_, seq] = JoinedLabel(id_, seq, value, time, received_at)
    return list(found.values())


def windows_of(hashes: Hashes, seqs: Ints, fresh: LabelJoin, ids: IdIndex) -> Ints:
    """The window of each label, NOWHERE for those that wait, given the compacted predictions and the fresh ones."""
    windows = ids.latest(hashes)
    places = _by_hash(hashes, fresh)
    for row in np.flatnonzero(np.isin(hashes, np.fromiter(places, np.uint64, len(places)))).tolist():
        found, seq = places[int(hashes[row])], int(seqs[row])
        before = [window for at, window in found if at < seq]
        if before:
            windows[row] = max(int(windows[row]), *before)
        elif windows[row] == NOWHERE:
            windows[row] = _first(found)
    return windows


def truths(values: Sequence[object], schema: Schema | None) -> pa.Array:
    """Labels as the task's truth, a number or a class's one spelling; null for those that are none. Where no schema
    tells the task, those of the type that most have are taken."""
    if schema is None or schema.task is None:
        return label_array(_of_one_type(values), None)
    found = label_array(values, schema)
    if schema.task == "regression":
        numbers, present = floats(found)
        return float_array(numbers, present & np.isfinite(numbers))
    codes, names = encoded(found)
    wrong = [code for code, name in enumerate(names) if not may_be_class(name, schema)]
    return coded_array(np.where(np.isin(codes, wrong), np.int32(-1), codes), names)


def task_schema(reference: StoredReference | None, options: ModelOptions) -> Schema | None:
    """What is known of the model's outcome: all that its reference tells, else what its config states."""
    return reference.reference.schema if reference is not None else stated_schema(options.schema)


def _of_one_type(values: Sequence[object]) -> list[Any]:
    """The values without those of a type, of number, text and boolean, that fewer have."""
    kinds = [_kind(value) for value in values]
    counts = Counter(kind for kind in kinds if kind)
    # Of two that are as frequent the one that is named first, whatever the order of the labels.
    most = max(KINDS, key=lambda kind: counts[kind])
    return [value if kind == most else None for value, kind in zip(values, kinds, strict=True)]


def _kind(value: object) -> str:
    if value is None:
        return ""
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def waiting(model: str) -> Select[Any]:
    """The ids of labels that wait, one row a label: DISTINCT would read all labels there are, in the order of ids."""
    return select(labels_table.c.prediction_id).where(
        labels_table.c.model == model, labels_table.c.window_start.is_(None)
    )


class WaitingLabels:
    """The labels whose prediction is not known, read from the store once."""

    def __init__(self, engine: Engine, model: str) -> None:
        self._ids: dict[str, None] = {}
        self._hashes = np.empty(0, np.uint64)
        with engine.connect() as connection:
            for portion in connection.execution_options(yield_per=PORTION).scalars(waiting(model)).partitions():
                self.add(portion)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Iterable[str]) -> None:
        fresh = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._ids]
        if fresh:
            self._ids.update(dict.fromkeys(fresh))
            self._hashes = np.concatenate([self._hashes, hash_ids(fresh)])

    def take(self, fresh: LabelJoin) -> list[tuple[str, int]]:
        """Those that a fresh prediction has come for, with its window; they wait no longer."""
        if not self._ids or not len(fresh.hashes):
            return []
        places = _by_hash(self._hashes, fresh)
        matched = np.isin(self._hashes, np.fromiter(places, np.uint64, len(places)))
        ids = list(self._ids)
        taken = [(ids[row], _first(places[int(self._hashes[row])])) for row in np.flatnonzero(matched).tolist()]
        for id_, _ in taken:
            del self._ids[id_]
        self._hashes = self._hashes[~matched]
        return taken


def _by_hash(wanted: Hashes, fresh: LabelJoin) -> dict[int, list[tuple[int, int]]]:
    """Position in the log and window of the fresh predictions whose ids are wanted."""
    matched: Bools = np.isin(fresh.hashes, wanted)
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for hash_, seq, window in zip(
        fresh.hashes[matched].tolist(), fresh.seqs[matched].tolist(), fresh.windows[matched].tolist(), strict=True
    ):
        found[hash_].append((seq, window))
    return found


def _first(places: list[tuple[int, int]]) -> int:
    """The window of the first prediction to come; of two in one arrival the later window."""
    return min(places, key=lambda place: (place[0], -place[1]))[1]
