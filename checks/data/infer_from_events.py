"""The schema of rows that were served and stored, where no file says what they mean."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import whole
from checks.data.schema import Schema, SchemaOverrides
from checks.data.schema_inference import infer, infer_features


def observed(frame: pa.Table, overrides: SchemaOverrides) -> Schema:
    """The schema of a frame (`checks.data.frame`) that was made without one, with `label` where labels have come.

    Of the overrides those count that are about values; columns that they name are a file's. Raises SchemaError when the
    rows do not fit the task that is stated.
    """
    outcome = {"prediction": frame["prediction"]}
    if "label" in frame.column_names and frame["label"].null_count < frame.num_rows:
        outcome["target"] = frame["label"]
    if "score" in frame.column_names:
        outcome["score"] = frame["score"]
    named = {f"proba_{name[2:]}": frame[name] for name in frame.column_names if name.startswith("p:")}
    roles = SchemaOverrides(
        task=overrides.task,
        target="target" if "target" in outcome else None,
        prediction="prediction",
        positive_class=overrides.positive_class,
        classes=overrides.classes,
    )
    draft = infer(pa.table(outcome | named), roles)
    listed = [frame[name] for name in frame.column_names if name.startswith("list:")]
    if listed and not named and len(listed) == len(draft.classes):
        # Only the classes say whose probability stands where.
        places = dict(zip((f"proba_{name}" for name in draft.classes), listed, strict=True))
        draft = infer(pa.table(outcome | places), roles)
    columns = {name[2:]: _told(frame[name]) for name in frame.column_names if name.startswith("f:")}
    said = SchemaOverrides(
        features={name: kind for name, kind in overrides.features.items() if name in columns},
        ignore=tuple(name for name in overrides.ignore if name in columns),
    )
    features, excluded = infer_features(pa.table(columns), said)
    return replace(draft, features=features, excluded=excluded, id="id", time="time")


def _told(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """The column, as booleans where it holds nothing but their texts."""
    if not pa.types.is_string(column.type) and not pa.types.is_dictionary(column.type):
        return column
    array = whole(column)
    values = set(pc.unique(array).to_pylist()) - {None}
    if not values or not values <= {"true", "false"}:
        return column
    return pc.equal(array if pa.types.is_string(array.type) else pc.cast(array, pa.string()), "true")
