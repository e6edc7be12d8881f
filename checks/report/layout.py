"""Which columns of two tables are compared, as what; and of those that are not, why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from checks.data.column_contents import ColumnReader
from checks.data.schema import FeatureType, SchemaError, SchemaOverrides
from checks.data.schema_inference import infer_layout
from checks.data.usual_names import usual_role
from checks.report.result import ColumnReport, Preset, Role
from checks.suggest import did_you_mean

USELESS = ("has no value", "type ")
"""How reasons begin that are told as a column's error: it can't be compared, and nobody asked for that."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns to compare, and what is known of the others already."""

    columns: tuple[tuple[str, FeatureType], ...]
    failed: tuple[ColumnReport, ...]
    excluded: tuple[tuple[str, str], ...]
    time: str | None
    """The reference's column of times."""
    order: tuple[str, ...]
    """All names, in the order in which they are told."""


def layout(
    reference: ColumnReader,
    current: ColumnReader,
    overrides: SchemaOverrides,
    preset: Preset,
    columns: Sequence[str] | None,
    ignore: Sequence[str],
) -> Layout:
    """Raises SchemaError for names that the reference lacks, and where nothing is left to compare."""
    names: list[str] = reference.column_names
    _once(current.column_names)
    _known((*(columns or ()), *ignore), names)
    left_out = set(ignore) | (set() if columns is None else set(names) - set(columns))
    given = replace(overrides, ignore=(*overrides.ignore, *sorted(left_out - {overrides.id, overrides.time})))
    found, reasons, time, id_ = infer_layout(reference, given)
    excluded = [(name, why) for name, why in reasons if name not in left_out and not why.startswith(USELESS)]
    excluded += [(name, why) for name, why in ((time, "the time of the rows"), (id_, "the rows' ids")) if name]
    useless = [(name, why) for name, why in reasons if why.startswith(USELESS)]
    alike = {name: why for name, why in useless if _same(name, why, current, reference)}
    excluded += [(name, "empty in both" if why.startswith("has no") else why) for name, why in alike.items()]
    failed = [_failed(reference, name, why) for name, why in useless if name not in alike]
    if preset != "calibrated":
        excluded += [(name, f"a time, which {preset} does not compare") for name, kind in found if kind == "datetime"]
        found = tuple((name, kind) for name, kind in found if kind != "datetime")
    here = set(current.column_names)
    failed += [
        ColumnReport(name, kind, role_of(name, overrides), error="is not in the current data", changed=True)
        for name, kind in found
        if name not in here
    ]
    extra = [name for name in dict.fromkeys(current.column_names) if name not in names] if columns is None else []
    failed += [
        ColumnReport(name, str(current.schema.field(name).type), error="is not in the reference", changed=True)
        for name in extra
        if current.column_names.count(name) == 1
    ]
    both = tuple((name, kind) for name, kind in found if name in here)
    if not both:
        raise SchemaError(f"the two tables share no column that can be compared; the reference has {_listed(names)}")
    return Layout(both, tuple(failed), tuple(excluded), time, (*names, *extra))


def role_of(name: str, overrides: SchemaOverrides) -> Role:
    """What a column is to the model: as was said, or by its name."""
    said: tuple[tuple[Role, str | None], ...] = (
        ("target", overrides.target),
        ("prediction", overrides.prediction),
        ("score", overrides.score),
    )
    usual = usual_role(name)
    for role, given in said:
        if name == given or (given is None and role == usual):
            return role
    return "feature"


def _failed(table: ColumnReader, name: str, why: str) -> ColumnReport:
    error = why.replace("can't be watched", "can't be compared")
    return ColumnReport(name, str(table.schema.field(name).type), error=error, changed=True)


def _same(name: str, why: str, current: ColumnReader, reference: ColumnReader) -> bool:
    """Return whether what keeps the column from being compared is so in both tables."""
    if name not in current.column_names:
        return False
    if why.startswith("has no"):
        column = current[name]
        floating = pa.types.is_floating(column.type)
        known = column.filter(pc.is_finite(column)) if floating else column
        return bool(known.null_count == len(known))
    return bool(current.schema.field(name).type == reference.schema.field(name).type)


def _once(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SchemaError(f"column {twice[0]!r} stands twice in the current data; rename one of them")


def _known(wanted: Iterable[str], names: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            hint = did_you_mean(name, names, f"its columns are {_listed(names)}")
            raise SchemaError(f"the reference has no column {name!r}{hint}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(repr(name) for name in names[:12]) or "none") + more
