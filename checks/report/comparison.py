"""Two tables held against each other, column by column: without a daemon, config or database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, get_args

import pyarrow as pa

from checks.drift.methods import METHODS
from checks.report.column import Plan, compare_column
from checks.report.layout import Layout, layout, role_of
from checks.report.order import order_of
from checks.report.result import ColumnReport, Preset, Report, Side
from checks.report.tables import MixedTypes, as_table, frame_columns
from checks.schema import FeatureType, SchemaError, SchemaOverrides

THREADS = 2


def compare(
    reference: Any,
    current: Any,
    *,
    preset: Preset = "calibrated",
    method: str | None = None,
    columns: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    schema: SchemaOverrides | None = None,
    bins: int = 10,
    names: tuple[str, str] = ("reference", "current"),
    progress: Callable[[float], None] = lambda share: None,
) -> Report:
    """The report on `current` against `reference`: frames of pandas or polars, or Arrow tables.

    `preset` decides methods and thresholds: limits calibrated on the reference, or exactly those of Evidently or
    NannyML. A column that can't be compared is an entry with an error, and costs no other. Raises SchemaError, one
    sentence, where there is nothing to compare.

    >>> import pyarrow as pa
    >>> before = pa.table({"temp": [float(i % 20) for i in range(1000)]})
    >>> now = pa.table({"temp": [float(i % 20 + 15) for i in range(1000)]})
    >>> report = compare(before, now)
    >>> report.drifted, report.columns[0].why
    (True, '100 % of values now at 15 or more, 25 % before; mean 9.5 → 24.5')
    """
    _check(preset, method)
    tables = as_table(reference), as_table(current)
    for table, name in zip(tables, names, strict=True):
        if not table.num_rows:
            raise SchemaError(f"{name} holds no rows, so there is nothing to compare")
    given = schema or SchemaOverrides()
    plan_of = layout(*tables, given, preset, columns, ignore)
    blocks, order, notes = order_of(*tables, plan_of.time)
    plan = Plan(preset, method or ("psi" if preset == "calibrated" else None), bins, blocks, order)
    found = [*plan_of.failed]
    for place, made in enumerate(_each(tables, plan_of, given, plan), 1):
        found += made
        progress(place / len(plan_of.columns))
    before, now = (Side(name, table.num_rows) for name, table in zip(names, tables, strict=True))
    told = notes if preset == "calibrated" else ()
    return Report(preset, before, now, _ordered(found, plan_of), plan_of.excluded, told)


def _check(preset: str, method: str | None) -> None:
    if preset not in get_args(Preset):
        raise SchemaError(f"there is no preset {preset!r}; take one of {', '.join(get_args(Preset))}")
    if method is None:
        return
    known = set(METHODS)
    if preset != "calibrated":
        from checks.drift.exact.compare import METHODS as EXACT

        known = {name for kind in EXACT[preset].values() for name in kind}  # type: ignore[index]
    if method not in known:
        raise SchemaError(f"{preset} has no method {method!r}; it has {', '.join(sorted(known))}")


def _each(
    tables: tuple[pa.Table, pa.Table], plan_of: Layout, given: SchemaOverrides, plan: Plan
) -> Iterator[list[ColumnReport]]:
    """Each column's entries, both cores at work; numpy's loops let go of the interpreter."""

    def one(column: tuple[str, FeatureType]) -> list[ColumnReport]:
        return _column(*tables, *column, given, plan)

    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(one, plan_of.columns)


def _column(
    reference: pa.Table, current: pa.Table, name: str, kind: FeatureType, given: SchemaOverrides, plan: Plan
) -> list[ColumnReport]:
    role = role_of(name, given)
    try:
        before, now = frame_columns(reference[name], name, kind), frame_columns(current[name], name, kind)
        made = [compare_column(part, kind, role, before[part], now[part], plan) for part in before]
    except MixedTypes as error:
        return [ColumnReport(name, kind, role, error=str(error))]
    except Exception as error:  # noqa: BLE001 - the column's boundary: one column's rows are no other's error
        text = f"can't be compared: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return [ColumnReport(name, kind, role, error=text)]
    return [_noted(column, reference.schema.field(name).type, current.schema.field(name).type) for column in made]


def _noted(column: ColumnReport, before: pa.DataType, now: pa.DataType) -> ColumnReport:
    """With a note where the column's type is of another kind than it was."""
    kinds = _held(before), _held(now)
    if kinds[0] == kinds[1] or "null" in kinds:
        return column
    return replace(column, notes=(f"held {kinds[0]} in the reference and holds {kinds[1]} now",))


def _held(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_boolean(kind):
        return "true and false"
    return "texts" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else str(kind).partition("[")[0]


def _ordered(found: list[ColumnReport], plan_of: Layout) -> tuple[ColumnReport, ...]:
    place = {name: at for at, name in enumerate(plan_of.order)}

    def of(column: ColumnReport) -> int:
        return place.get(column.name, place.get(column.name.rpartition(".")[0], len(place)))

    return tuple(sorted(found, key=of))
