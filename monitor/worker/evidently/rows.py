"""The rows that a report is on: a sample of a window as it was at a position in the arrival log, and one of the file
that the reference was built from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from checks.base import Window
from checks.data.arrow import int_array
from checks.data.schema import Schema
from monitor.worker.messages import window_of
from monitor.worker.sample import Sample
from monitor.worker.stored.window_reader import WindowReader


def count(evidence: WindowReader, window: Window, every: float) -> int:
    """The window's rows; costs no look at them."""
    return sum(evidence.rows(inner) for inner in _inner(window, every))


def of_window(evidence: WindowReader, window: Window, every: float, sample: Sample, *, labelled: bool) -> None:
    """Adds the window's rows to the sample; of those that have a label, with it, if only they count."""
    for inner in _inner(window, every):
        if labelled:
            frame = evidence.labelled_frame(inner)
            if frame is not None:
                sample.add(frame)
        else:
            for frame in evidence.frames(inner):
                sample.add(frame)


def of_reference(table: pa.Table, size: int, seed: int) -> pa.Table:
    """At most `size` of its rows, in their order; the same at every call."""
    if table.num_rows <= size:
        return table
    chosen = np.random.default_rng(seed).choice(table.num_rows, size, replace=False)
    return table.take(int_array(np.sort(chosen)))


def frame_of(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """The rows under the names that people know: features by their own, and target, prediction and score. A feature of
    such a name would stand for two things; the outcome gives way."""
    features = {name: f"f:{name}" for name, _ in schema.watched}
    outcome = {"target": "label", "prediction": "prediction", "score": "score"}
    own = {name: column for name, column in outcome.items() if name not in features}
    columns = {
        name: table[column].to_pandas() for name, column in {**features, **own}.items() if column in table.column_names
    }
    frame = pd.DataFrame(columns)
    texts = [name for name, kind in schema.watched if kind != "numeric" and name in columns]
    if schema.classification:
        texts += [name for name in ("target", "prediction") if name in columns and name in own]
    # Evidently 0.7 takes texts as objects alone for categories.
    return frame.astype(dict.fromkeys(texts, object))


def _inner(window: Window, every: float) -> Iterator[Window]:
    start = window_of(window.start, every).start
    while start < window.end:
        inner = Window(start, start + every)
        yield inner
        start = inner.end
