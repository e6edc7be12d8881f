"""Rows of a frame and their labels, as performance checks take them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from checks.data.arrow import Bools, Codes, Floats, encoded, floats, valid
from checks.data.classes import may_be_class
from checks.data.frame import as_text
from checks.data.frame_payload import UNREAD
from checks.data.schema import Schema, Task
from checks.data.schema_inference import FEW_CLASSES
from checks.inputs import Scored

NOTHING = np.zeros(0, np.float64)
NO_CLASS = np.zeros(0, np.int32)


def scored(
    frame: pa.Table, label: pa.Array | pa.ChunkedArray, schema: Schema | None, task: Task | None = None
) -> Scored:
    """The rows of a window's frame, with each row's label (`frame.label_array`), null where none has arrived.

    Rows that have neither a usable prediction nor probabilities are left out, and counted. Where neither the schema nor
    the config (`task`) tells the task, text is taken for classes and so are few whole numbers; two classes stay without
    a positive one.
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
    lost = labelled & np.isfinite(actual) & ~keep
    found = Scored(False, frame.num_rows, NO_CLASS, NO_CLASS, actual[keep], estimate[keep])
    return replace(found, invalid_predictions=int(lost.sum()))


def _classification(frame: pa.Table, label: pa.Array | pa.ChunkedArray, schema: Schema | None) -> Scored:
    classes = list(schema.classes) if schema else []
    positive = schema.positive_class if schema and schema.task == "binary" else ""
    if positive and positive not in classes:
        classes.append(positive)
    known = len(classes)
    places = {name: place for place, name in enumerate(classes)}
    truth = _places(label, places, schema)
    prediction = _places(frame["prediction"], places, schema)
    score = _score(frame, "score") if positive and "score" in frame.column_names else None
    probabilities = None
    if not positive and known and all(f"p:{name}" in frame.column_names for name in classes):
        probabilities = np.column_stack([_score(frame, f"p:{name}") for name in classes])
    shares = score if score is not None else probabilities
    labelled = truth >= 0
    keep = labelled & ((prediction >= 0) | _graded(shares, len(truth)))
    return Scored(
        True, frame.num_rows, truth[keep], prediction[keep], NOTHING, NOTHING, tuple(places), positive,
        None if score is None else score[keep],
        None if probabilities is None else probabilities[keep],
        int(np.count_nonzero(labelled & (prediction < 0))),
        int(np.count_nonzero(labelled & _invalid(frame, shares))),
    )  # fmt: skip


def _graded(shares: Floats | None, rows: int) -> Bools:
    """Where there are probabilities of every class."""
    if shares is None:
        return np.zeros(rows, np.bool_)
    known: Bools = np.isfinite(shares.sum(axis=1) if shares.ndim == 2 else shares)
    return known


def _invalid(frame: pa.Table, shares: Floats | None) -> Bools:
    """Where probabilities were sent that can't be read, or lie outside 0 to 1."""
    found = np.zeros(frame.num_rows, np.bool_)
    if UNREAD in frame.column_names:
        found |= valid(frame[UNREAD])
    if shares is not None:
        outside = (shares < 0) | (shares > 1)
        found |= outside.any(axis=1) if outside.ndim == 2 else outside
    return found


def _places(column: pa.Array | pa.ChunkedArray, places: dict[str, int], schema: Schema | None) -> Codes:
    """Each row's place in the list of classes, to which new ones are added; -1 for what is no class."""
    codes, names = encoded(as_text(column))
    fit = [schema is None or may_be_class(name, schema) for name in names]
    found = [places.setdefault(name, len(places)) if good else -1 for name, good in zip(names, fit, strict=True)]
    return np.where(codes >= 0, np.array(found or [-1], np.int32)[codes], np.int32(-1))


def _score(frame: pa.Table, name: str) -> Floats:
    values, present = floats(frame[name])
    return np.where(present, values, np.nan)
