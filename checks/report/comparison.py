"""Two tables held against each other, column by column: without a daemon, config or database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, get_args

import pyarrow as pa

from checks.calibration.reference_windows import ReferenceWindows
from checks.data.arrow import Ints, is_text
from checks.data.parallel import each
from checks.data.schema import FeatureType, SchemaError, SchemaOverrides
from checks.drift.methods.registry import METHODS
from checks.report.column import ColumnPlan, compare_column
from checks.report.layout import Layout, layout, role_of
from checks.report.order import order_of
from checks.report.report import Report
from checks.report.result import ColumnReport, Preset, Role, Side
from checks.report.tables import SourceColumn, opened
from checks.source.base import Source
from checks.source.columns import LazyTable


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
    importance: Mapping[str, float] = MappingProxyType({}),
    names: tuple[str, str] = ("reference", "current"),
    progress: Callable[[float], None] = lambda share: None,
) -> Report:
    """The report on `current` against `reference`: paths of files (Parquet, CSV, Arrow), which need not fit into
    memory, frames of pandas or polars, or Arrow tables.

    `preset` decides methods and thresholds: limits calibrated on the reference, or exactly those of Evidently or
    NannyML. `importance` says how much columns matter, in any unit: what drifted is ranked by that times how far it is
    beyond its limit. A column that can't be compared is an entry with an error, and costs no other. Raises SchemaError,
    one sentence, where there is nothing to compare; OSError and pa.ArrowException for a file that can't be opened.

    >>> import pyarrow as pa
    >>> before = pa.table({"temp": [float(i % 20) for i in range(1000)]})
    >>> now = pa.table({"temp": [float(i % 20 + 15) for i in range(1000)]})
    >>> report = compare(before, now)
    >>> report.drifted, report.columns[0].why
    (True, '100 % of values now at 15 or more, 25 % before; mean 9.5 → 24.5')
    """
    _check(preset, method)
    given = schema or SchemaOverrides()
    with opened(reference) as before, opened(current) as now:
        sides = _side(names[0], before), _side(names[1], now)
        for side in sides:
            if not side.rows:
                raise SchemaError(f"{side.name} holds no rows, so there is nothing to compare")
        plan_of, (blocks, order, notes) = _looked_at(before, now, given, preset, columns, ignore, names[0])
        plan = ColumnPlan(preset, method or ("psi" if preset == "calibrated" else None), bins, blocks, order)
        found = [*plan_of.failed]
        for place, made in enumerate(_each(before, now, plan_of, given, plan), 1):
            found += made
            progress(place / len(plan_of.columns))
    told = notes if preset == "calibrated" else ()
    weighted = (replace(column, importance=importance.get(column.name)) for column in _ordered(found, plan_of))
    return Report(preset, *sides, tuple(weighted), plan_of.excluded, told)


def _side(name: str, source: Source) -> Side:
    return Side(name, sum(source.parts), tuple(getattr(source, "notes", ())))


def _looked_at(
    before: Source,
    now: Source,
    given: SchemaOverrides,
    preset: Preset,
    columns: Sequence[str] | None,
    ignore: Sequence[str],
    name: str,
) -> tuple[Layout, tuple[ReferenceWindows | None, Ints | None, tuple[str, ...]]]:
    """Which columns there are to compare, and what time makes of the reference's rows. Raises SchemaError, also where
    the reference, which has this name, is damaged."""
    tables = LazyTable(before), LazyTable(now)
    try:
        found = layout(*tables, given, preset, columns, ignore)
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(f"the reference {name} can't be read ({' '.join(str(error).split())[:300]})") from error
    return found, order_of(*tables, found.time)


def _check(preset: str, method: str | None) -> None:
    if preset not in get_args(Preset):
        raise SchemaError(f"there is no preset {preset!r}; take one of {', '.join(get_args(Preset))}")
    if method is None:
        return
    known = set(METHODS)
    if preset != "calibrated":
        from checks.drift.presets.compare import METHODS as EXACT

        known = {name for kind in EXACT[preset].values() for name in kind}  # type: ignore[index]
    if method not in known:
        raise SchemaError(f"{preset} has no method {method!r}; it has {', '.join(sorted(known))}")


def _each(
    before: Source, now: Source, plan_of: Layout, given: SchemaOverrides, plan: ColumnPlan
) -> Iterator[list[ColumnReport]]:
    """Each column's entries, a few columns in memory at a time."""

    def one(column: tuple[str, FeatureType]) -> list[ColumnReport]:
        return _column(SourceColumn(before, *column), SourceColumn(now, *column), role_of(column[0], given), plan)

    yield from each(one, plan_of.columns)


def _column(before: SourceColumn, now: SourceColumn, role: Role, plan: ColumnPlan) -> list[ColumnReport]:
    name, kind = before.name, before.kind
    try:
        if error := _other_type(now):
            return [ColumnReport(name, kind, role, drifted=True, error=error, changed=True)]
        odd = before.mismatched()[0] if kind == "numeric" and is_text(before.type) else 0
        made = [compare_column(part, kind, role, rows, now, plan, odd) for part, rows in before.whole().items()]
    except Exception as error:  # noqa: BLE001 - the column's boundary: one column's rows are no other's error
        text = f"can't be compared: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        other = before.held != now.held
        return [ColumnReport(name, kind, role, drifted=other or None, error=text, changed=True)]
    return [_noted(column, before, now) for column in made]


def _other_type(now: SourceColumn) -> str:
    """What the current data hold where numbers are expected, if most of it is no number; else empty."""
    odd, cells, example = now.mismatched() if now.kind == "numeric" and is_text(now.type) else (0, 0, "")
    if odd <= cells / 2:
        return ""
    what = f"{odd:,} of {cells:,} values are none, such as {example[:40]!r}"
    return f"holds numbers in the reference, and texts in the current data: {what}"


def _noted(column: ColumnReport, before: SourceColumn, now: SourceColumn) -> ColumnReport:
    """With a note where the column's type is of another kind than it was."""
    kinds = before.held, now.held
    if kinds[0] == kinds[1] or "null" in kinds:
        return column
    return replace(column, notes=(f"held {kinds[0]} in the reference and holds {kinds[1]} now",))


def _ordered(found: list[ColumnReport], plan_of: Layout) -> tuple[ColumnReport, ...]:
    place = {name: at for at, name in enumerate(plan_of.order)}

    def of(column: ColumnReport) -> int:
        return place.get(column.name, place.get(column.name.rpartition(".")[0], len(place)))

    return tuple(sorted(found, key=of))
