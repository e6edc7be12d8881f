"""Panels with what all of them share: the data source, a description, a unit, and words for 'nothing there'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, statetimeline, statushistory, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from grafana.query import SOURCE, Query

Levels = Sequence[tuple[float | None, str]]
"""Thresholds: from this value on, this colour; the first value is None."""
CALM: Levels = [(None, "green")]
ANY_IS_BAD: Levels = [(None, "green"), (1, "red")]
WIDTH = 24
UP_DOWN = {"0": ("down", "red"), "1": ("up", "green")}
ALERT_STATES = {"0": ("inactive", "green"), "1": ("pending", "yellow"), "2": ("firing", "red")}


class Panel(Protocol):
    """What the kit's panel builders have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: Any) -> Self: ...
    def with_target(self, target: Any) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...


P = TypeVar("P", bound=Panel)


def common_to(
    panel: P, title: str, about: str, unit: str, queries: Sequence[Query], empty: str, size: tuple[int, int]
) -> P:
    panel = panel.title(title).description(about).datasource(SOURCE).unit(unit).no_value(empty)
    for index, query in enumerate(queries):
        panel = panel.with_target(query.build(chr(ord("A") + index)))
    return panel.span(size[0]).height(size[1])


def graph(
    title: str,
    about: str,
    unit: str,
    *queries: Query,
    empty: str,
    size: tuple[int, int] = (12, 8),
    minimum: float | None = 0,
    maximum: float | None = None,
) -> timeseries.Panel:
    """Lines over time."""
    panel = common_to(timeseries.Panel(), title, about, unit, queries, empty, size)
    panel = panel.line_width(1).fill_opacity(8).show_points(VisibilityMode.NEVER)
    panel = panel.legend(_legend()).tooltip(_tooltip())
    if minimum is not None:
        panel = panel.axis_soft_min(minimum)
    if maximum is not None:
        panel = panel.axis_soft_max(maximum)
    return panel


def number(
    title: str,
    about: str,
    unit: str,
    expr: str,
    *,
    empty: str,
    levels: Levels = CALM,
    size: tuple[int, int] = (4, 4),
    decimals: int | None = None,
    spark: bool = True,
) -> stat.Panel:
    """The newest value, with what it was before."""
    panel = common_to(stat.Panel(), title, about, unit, [Query(expr)], empty, size)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    panel = panel.graph_mode(BigValueGraphMode.AREA if spark else BigValueGraphMode.NONE)
    panel = panel.color_mode(BigValueColorMode.VALUE).thresholds(thresholds(levels))
    return panel if decimals is None else panel.decimals(decimals)


def text(title: str, about: str, expr: str, label: str, *, empty: str, size: tuple[int, int] = (4, 4)) -> stat.Panel:
    """The value of a label."""
    panel = common_to(stat.Panel(), title, about, "none", [Query(expr, f"{{{{{label}}}}}", instant=True)], empty, size)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    return panel.text_mode(BigValueTextMode.NAME).graph_mode(BigValueGraphMode.NONE).thresholds(thresholds(CALM))


def bars(
    title: str,
    about: str,
    unit: str,
    query: Query,
    *,
    empty: str,
    levels: Levels,
    size: tuple[int, int] = (12, 10),
) -> bargauge.Panel:
    """Values now, the largest first, one below the other."""
    panel = common_to(bargauge.Panel(), title, about, unit, [query], empty, size)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    panel = panel.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC).show_unfilled(True)
    return panel.min(0).thresholds(thresholds(levels))


def heat(
    title: str, about: str, unit: str, query: Query, *, empty: str, levels: Levels, size: tuple[int, int] = (24, 12)
) -> statushistory.Panel:
    """One row a series, one column a time, coloured by the value."""
    panel = common_to(statushistory.Panel(), title, about, unit, [query], empty, size)
    panel = panel.show_value(VisibilityMode.NEVER).row_height(0.95).col_width(1).fill_opacity(85).line_width(0)
    panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS)).thresholds(thresholds(levels))
    # More columns than this, and Grafana refuses to draw them.
    return panel.max_data_points(96).legend(_legend()).tooltip(_tooltip())


def states(
    title: str,
    about: str,
    names: Mapping[str, tuple[str, str]],
    *queries: Query,
    empty: str,
    size: tuple[int, int] = (24, 10),
) -> statetimeline.Panel:
    """One row a series: how long it was in which state. `names`: the value's word and colour."""
    panel = common_to(statetimeline.Panel(), title, about, "none", queries, empty, size)
    panel = panel.mappings([words(names)]).merge_values(True).show_value(VisibilityMode.NEVER).row_height(0.85)
    panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS)).thresholds(thresholds(CALM))
    return panel.fill_opacity(80).line_width(0).legend(_legend()).tooltip(_tooltip())


def thresholds(levels: Levels) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value, colour) for value, colour in levels]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def words(names: Mapping[str, tuple[str, str]]) -> ValueMapping:
    """Values shown as a word in a colour."""
    results = {
        value: ValueMappingResult(text=word, color=colour, index=index)
        for index, (value, (word, colour)) in enumerate(names.items())
    }
    return ValueMap(results)


def setting(name: str, value: object) -> DynamicConfigValue:
    """One property of an override."""
    return DynamicConfigValue(name, value)


def link(title: str, url: str) -> Builder[Any]:
    """A link to another place, in a tab of its own."""
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(True).icon("external link")


def dashed(panel: timeseries.Panel, name: str) -> timeseries.Panel:
    """Draws a limit or a norm as such: dashed, grey, unfilled."""
    return panel.override_by_regexp(
        f"/{name}/",
        [
            setting("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
            setting("custom.fillOpacity", 0),
            setting("color", {"mode": "fixed", "fixedColor": "text"}),
        ],
    )


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
