"""Segmentations in the store: which values are segments, frozen, and what is normal for each.

A dimension that the reference's rows know is frozen with the reference. A tag that they lack is frozen at the first
closing with enough rows behind it, as of its position in the arrival log: a replay freezes the same values at
the same closing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, select

from checks.data.frame import as_text
from checks.data.schema import Schema, SchemaError
from checks.segments.plan import SegmentPlan, WantedDimension, plan
from checks.segments.references import Segmentation
from checks.suggest import did_you_mean
from monitor.store.tables import segmentations
from monitor.worker.messages import ModelOptions, SegmentOptions
from monitor.worker.stored.references import StoredReference

SEGMENTATION_CODEC = "segmentation/1"


@dataclass(frozen=True, slots=True)
class Segments:
    """One dimension of the config, and its segmentation as far as there is one."""

    options: SegmentOptions
    column: str
    segmentation: Segmentation | None = None
    seq: int = 0
    """The position as of which it was frozen; 0 with the reference."""

    def as_of(self, seq: int) -> Segmentation | None:
        """What there was of it as of a position in the log."""
        return self.segmentation if self.seq <= seq else None


def column_of(options: SegmentOptions, schema: Schema) -> str:
    """The frame's column that the config means: a feature, if there is one of the name, else a tag."""
    known = options.name in dict(schema.features)
    return f"f:{options.name}" if options.kind == "feature" or (known and not options.kind) else f"t:{options.name}"


def check(options: ModelOptions, schema: Schema) -> None:
    """Raises SchemaError for a dimension that names a feature which is not watched."""
    names = dict(schema.features)
    for one in options.segments:
        if one.kind == "feature" and one.name not in names:
            hint = did_you_mean(one.name, names) or ";"
            tag = f"write {{tag: {one.name}}} if it is a tag"
            raise SchemaError(f"segments: the reference has no feature {one.name!r} that is watched{hint} {tag}")


def planned(options: ModelOptions, schema: Schema, values: Sequence[int | None]) -> SegmentPlan:
    """What is measured of segments, given how many values each dimension has, as far as that is known."""
    wanted = [
        WantedDimension(column_of(one, schema), (one.top if count is None else count) + 1, one.checks)
        for one, count in zip(options.segments, values, strict=True)
    ]
    return plan(wanted, schema, methods_of(options), options.segment_measurements)


def cost(plan: SegmentPlan, options: ModelOptions, schema: Schema) -> list[str]:
    """What the plan comes to, for people: a sentence a dimension, and one on what is left out."""
    told = []
    for one in options.segments:
        column = column_of(one, schema)
        kind = "feature" if column.startswith("f:") else "tag"
        checks = ", ".join(plan.checks(column)) or "nothing"
        told.append(f"{one.name} ({kind}), {plan.segments(column)} segments at most: {checks}")
    profiles = sum(plan.segments(column_of(one, schema)) for one in options.segments)
    told.append(
        f"this adds {profiles} profiles to each chunk and {plan.measurements} measurements to each window at most"
    )
    if plan.cut:
        lost = ", ".join(f"{share.check} of {share.column[2:]} ({share.measurements})" for share in plan.cut)
        told.append(
            f"left out, since segment_measurements is {options.segment_measurements}: {lost}; raise it, lower top, or "
            "name fewer checks"
        )
    return told


def methods_of(options: ModelOptions) -> tuple[str, ...]:
    """The drift methods of segments: from profiles, also where a preset compares the rows of the whole."""
    if not options.checks.drift:
        return ()
    return ("psi",) if options.checks.preset is not None else options.checks.methods


def load(connection: Connection, reference: StoredReference, options: ModelOptions) -> list[Segments]:
    """The dimensions of the config under this reference."""
    found = []
    for one in options.segments:
        column = column_of(one, reference.reference.schema)
        own, learned_ = settings_of(one, options), learned_settings(one)
        rows = connection.execute(
            select(segmentations).where(
                segmentations.c.model == options.model,
                segmentations.c.reference_id.in_({reference.number, reference.id}),
                segmentations.c.column == column,
                segmentations.c.settings.in_([own, learned_]),
            )
        ).all()
        # Its own; else the values that were frozen with its bins, of which it then says nothing.
        order = [(reference.number, own), (reference.id, own), (reference.id, learned_)]
        row = min(rows, key=lambda row: order.index((row.reference_id, row.settings)), default=None)
        found.append(_loaded(one, column, row, reference))
    return found


def _loaded(one: SegmentOptions, column: str, row: Row[Any] | None, reference: StoredReference) -> Segments:
    if row is None:
        return Segments(one, column)
    made = Segmentation.from_bytes(row.payload, reference.reference)
    if row.reference_id != reference.number:
        made = Segmentation(made.dimension)
    return Segments(one, column, made, row.seq)


def counted(options: ModelOptions, schema: Schema, table: pa.Table) -> list[int | None]:
    """How many values each dimension will have, as far as the reference's table tells; a missing one counts, too."""
    found: list[int | None] = []
    for one in options.segments:
        numeric = column_of(one, schema).startswith("f:") and dict(schema.features)[one.name] == "numeric"
        if numeric or one.name not in table.column_names:
            found.append(None)
            continue
        found.append(min(one.top, pc.count_distinct(as_text(table[one.name]), mode="all").as_py()))
    return found


def stored_cost(connection: Connection, reference: StoredReference, options: ModelOptions) -> list[str]:
    """What the segments under this reference come to, for people."""
    schema = reference.reference.schema
    found = [one.segmentation for one in load(connection, reference, options)]
    values = [None if one is None else len(one.dimension.values) for one in found]
    return cost(planned(options, schema, values), options, schema)


def missing(connection: Connection, reference: StoredReference, options: ModelOptions) -> bool:
    """Whether a dimension has no segmentation yet that the reference's rows might give it."""
    return any(one.segmentation is None or one.seq for one in load(connection, reference, options))


def settings_of(one: SegmentOptions, options: ModelOptions) -> str:
    """All that a segmentation by the reference's rows is made by, beside these."""
    own = [SEGMENTATION_CODEC, one.top, one.min_rows, sorted(one.checks), methods_of(options), options.every]
    return hashlib.blake2b(msgspec.json.encode(own), digest_size=16).hexdigest()


def learned_settings(one: SegmentOptions) -> str:
    """All that a segmentation by the stream's rows is made by, beside these."""
    return f"top={one.top}"
