"""Rows of a frame and their labels, as performance checks take them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from checks.data.arrow import Codes, Floats, encoded, floats, valid
from checks.data.frame import as_text
from checks.data.schema import Schema, Task
from checks.data.schema_inference import FEW_CLASSES
from checks.inputs import Scored

NOTHING = np.zeros(0, np.float64)
NO_CLASS = np.zeros(0, np.int32)


def scored(
    frame: pa.Table, label: pa.Array | pa.ChunkedArray, schema: Schema | None, task: Task | None = None
) -> Scored:
    """The rows of a window's frame, with each row's label (`frame.label_array`), null where none has arrived.

    Rows without a prediction can't be right or wrong and are left out. Where neither the schema nor the config (`task`)
    tells the task, text is taken for classes and so are few whole numbers; two classes stay without a positive one.
    """
    if "prediction" not in frame.column_names:
        frame = frame.append_column("prediction", pa.nulls(frame.num_rows, pa.string()))
    task = (schema.task if schema else None) or task
    if task == "regression" if task else _amounts(frame["prediction"], label):
        return _regression(frame, label)
    return _classification(frame, label, schema)


def _amounts(prediction: pa.ChunkedArray, label: pa.Array | pa.ChunkedArray) -> bool:
    if not (pa.types.is_floating(prediction.type) and pa.types.is_floating(label.type)):
        return False
    both = np.concatenate([floats(column)[0][valid(column)] for column in (prediction, label)])
    return len(np.unique(both)) > FEW_CLASSES or bool((both != both.round()).any())


def _regression(frame: pa.Table, label: pa.Array | pa.ChunkedArray) -> Scored:
    estimate, estimated = floats(frame["prediction"])
    actual, labelled = floats(label)
    with np.errstate(over="ignore", invalid="ignore"):
        keep = estimated & labelled & np.isfinite(actual - estimate)
    return Scored(False, frame.num_rows, NO_CLASS, NO_CLASS, actual[keep], estimate[keep])


def _classification(frame: pa.Table, label: pa.Array | pa.ChunkedArray, schema: Schema | None) -> Scored:
    classes = list(schema.classes) if schema else []
    positive = schema.positive_class if schema and schema.task == "binary" else ""
    if positive and positive not in classes:
        classes.append(positive)
    known = len(classes)
    places = {name: place for place, name in enumerate(classes)}
    truth = _places(label, places)
    prediction = _places(frame["prediction"], places)
    keep = (truth >= 0) & (prediction >= 0)
    score = _score(frame, "score")[keep] if positive and "score" in frame.column_names else None
    probabilities = None
    if not positive and known and all(f"p:{name}" in frame.column_names for name in classes):
        probabilities = np.column_stack([_score(frame, f"p:{name}")[keep] for name in classes])
    return Scored(
        True, frame.num_rows, truth[keep], prediction[keep], NOTHING, NOTHING, tuple(places), positive, score,
        probabilities,
    )  # fmt: skip


def _places(column: pa.Array | pa.ChunkedArray, places: dict[str, int]) -> Codes:
    """Each row's place in the list of classes, to which unknown ones are added."""
    codes, names = encoded(as_text(column))
    found = np.array([places.setdefault(name, len(places)) for name in names] or [-1], np.int32)
    return np.where(codes >= 0, found[codes], np.int32(-1))


def _score(frame: pa.Table, name: str) -> Floats:
    values, present = floats(frame[name])
    return np.where(present, values, np.nan)
