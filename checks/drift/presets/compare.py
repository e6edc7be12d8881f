"""One column's rows against the reference's, by the definitions of a library that people know."""

from __future__ import annotations

from checks.drift.presets import evidently, nannyml
from checks.drift.presets.result import ColumnResult, Kind
from checks.drift.presets.values import Column
from checks.inputs import PresetName

METHODS: dict[PresetName, dict[Kind, tuple[str, ...]]] = {
    "evidently": {
        "numeric": tuple(name for name, own in evidently.METHODS.items() if "numeric" in own.kinds),
        "categorical": tuple(name for name, own in evidently.METHODS.items() if "categorical" in own.kinds),
        "boolean": tuple(name for name, own in evidently.METHODS.items() if "categorical" in own.kinds),
    },
    "nannyml": {
        "numeric": tuple(nannyml.NUMBERS),
        "categorical": tuple(nannyml.CATEGORIES),
        "boolean": tuple(nannyml.CATEGORIES),
    },
}
"""Preset → kind of column → the methods that may be named, by the library's names."""


def compare_exact(
    reference: Column, current: Column, kind: Kind, preset: PresetName, method: str | None = None
) -> ColumnResult:
    """The column by the preset's choice of method, or by this one.

    Columns are Arrow's: numbers, or values with an order (text, whole numbers, booleans). For NannyML the reference's
    rows are in the order of time. Whatever a column makes the method raise is the column's own `error`.
    """
    if method is not None and method not in METHODS[preset][kind]:
        known = ", ".join(METHODS[preset][kind])
        return _failed(method, f"{preset} has no {method} for {kind} columns; it has {known}", reference, current)
    try:
        if preset == "evidently":
            return evidently.compare(reference, current, kind, method)
        return nannyml.fit(reference, kind, method or "jensen_shannon").compare(current)
    except Exception as error:  # noqa: BLE001 - the column's boundary: one column's rows are no other's error
        return _failed(method or "", f"{type(error).__name__}: {error}", reference, current)


def usual_method(reference: Column, kind: Kind, preset: PresetName) -> str:
    """The preset's choice for data like the reference; it may be another where current data have more distinct
    values."""
    return "jensen_shannon" if preset == "nannyml" else evidently.usual(reference, kind)


def _failed(method: str, text: str, reference: Column, current: Column) -> ColumnResult:
    present = [len(column) - column.null_count for column in (reference, current)]
    return ColumnResult(method, "distance", None, None, None, present[0], present[1], text)
