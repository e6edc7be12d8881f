"""What is wrong with the values themselves."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import TableCellHeight
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from grafana.board import Row
from grafana.panels import CALM, common_to, graph, setting, thresholds
from grafana.query import MODEL, WHOLE, Query, of, rate

EMPTY = "no window has closed yet"
WORST = 10
_RATIOS = {
    "missing_ratio": ("Missing values", "Share of rows in which the feature is missing"),
    "out_of_range_ratio": ("Out of range", "Share of values outside of the reference's range"),
    "new_category_ratio": ("New categories", "Share of values that the reference does not know"),
    "type_mismatch_ratio": ("Other types", "Share of values of another type than the schema's"),
    "non_finite_ratio": ("Not finite", "Share of values that are NaN or infinite"),
}


def quality() -> Row:
    """One table of all features, and the worst of each kind over time."""
    return "Data quality", [_table(), *(_over_time(name) for name in _RATIOS), _rejected()]


def _of(name: str) -> str:
    return f"max by (feature) ({of(name, MODEL, WHOLE)})"


def _over_time(name: str) -> Builder[Any]:
    title, about = _RATIOS[name]
    return graph(
        title,
        f"{about}: the {WORST} features with most.",
        "percentunit",
        Query(f"topk({WORST}, {_of(name)})", "{{feature}}"),
        empty=EMPTY,
        size=(8, 8),
        maximum=0.01,
    )


def _rejected() -> Builder[Any]:
    return graph(
        "Rows that were refused",
        "Predictions and labels that were not taken, by reason; each is named in the reply to who sent it.",
        "cps",
        Query(rate("events_rejected_total", MODEL, by="reason"), "{{reason}}"),
        empty="nothing was refused yet",
        size=(8, 8),
    )


def _table() -> Builder[Any]:
    """One line a feature."""
    queries = [
        Query(_of(name), instant=True, table=True, ref=chr(ord("A") + index)) for index, name in enumerate(_RATIOS)
    ]
    about = "Of the newest window, by feature. Click a column's name to sort by it."
    panel = common_to(table.Panel(), "Features", about, "percentunit", queries, EMPTY, (24, 9))
    panel = panel.cell_height(TableCellHeight.SM).filterable(True).decimals(1)
    panel = panel.thresholds(thresholds([*CALM, (0.02, "orange"), (0.1, "red")]))
    joined = DataTransformerConfig("joinByField", options={"byField": "feature", "mode": "outer"})
    names = {f"Value #{query.ref}": title for query, (title, _) in zip(queries, _RATIOS.values(), strict=True)}
    times = {"Time": True} | {f"Time {index}": True for index in range(1, len(queries) + 1)}
    organized = DataTransformerConfig(
        "organize", options={"excludeByName": times, "renameByName": {"feature": "Feature", **names}}
    )
    panel = panel.with_transformation(joined).with_transformation(organized)
    for title in names.values():
        panel = panel.override_by_name(title, [setting("custom.cellOptions", {"type": "color-text"})])
    return panel
