"""A dashboard with what all of them share: variables, alerts as annotations, links, and rows of panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    RowPanel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.query import ANY_MODEL, SCOPE, SOURCE, of

TAG = "watchkeeper"
PAGE = "http://127.0.0.1:9797"
"""Where the status page is, unless the variable `page` says otherwise."""
SCHEMA_VERSION = 38
"""Grafana 10.0's: later ones bring it up to date when they load it, and none meets one from its future."""
Row = tuple[str, Sequence[Builder[Any]]]
"""A title, and the panels below it."""


def board(
    name: str,
    title: str,
    about: str,
    rows: Sequence[Row],
    *,
    since: str,
    variables: Sequence[Builder[Any]] = (),
    folded: Sequence[Row] = (),
    about_models: bool = True,
) -> Dashboard:
    """The dashboard watchkeeper-NAME. `since`: the time that is shown at first; `folded` rows are closed at first;
    `about_models`: its alerts are those of the chosen models and of what has none, else all."""
    made = dashboard.Dashboard(f"Watchkeeper / {title}").uid(f"watchkeeper-{name}").description(about).tags([TAG])
    made = made.readonly().timezone("browser").time(since, "now").refresh("30s").version(1)
    made = made.tooltip(DashboardCursorSync.CROSSHAIR)
    for variable in (_source(), *_targets(), *variables, _page()):
        made = made.with_variable(variable)
    made = made.annotation(_alerts(ANY_MODEL if about_models else ""))
    for link in _links():
        made = made.link(link)
    for heading, panels in rows:
        made = made.with_row(dashboard.Row(heading))
        for panel in panels:
            made = made.with_panel(panel)
    for heading, panels in folded:
        row = dashboard.Row(heading).collapsed(True)
        for panel in panels:
            row = row.with_panel(panel)
        made = made.with_row(row)
    whole = _numbered(made.build())
    whole.schema_version = SCHEMA_VERSION
    return whole


def chosen(
    name: str,
    label: str,
    query: str,
    about: str,
    *,
    several: bool = True,
    sort: VariableSort = VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC,
) -> dashboard.QueryVariable:
    """A variable whose values are a label's, by label_values(…); `several` may be chosen, all at first."""
    variable = dashboard.QueryVariable(name).label(label).description(about).datasource(SOURCE)
    variable = variable.query({"query": query, "refId": "variable", "qryType": 1}).sort(sort)
    variable = variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).multi(several).include_all(several)
    if several:
        everything = VariableOption(selected=True, text=["All"], value=["$__all"])
        variable = variable.all_value(".+").current(everything)
    return variable


def model(*, several: bool) -> dashboard.QueryVariable:
    """Every model that some chosen target watches."""
    query = f'label_values({{__name__=~"watchkeeper_.+",{SCOPE}}}, model)'
    return chosen("model", "Model", query, "The models that Watchkeeper watches.", several=several)


def _source() -> dashboard.DatasourceVariable:
    about = "The Prometheus that scrapes Watchkeeper."
    return dashboard.DatasourceVariable("datasource").label("Data source").description(about).type("prometheus")


def _targets() -> list[dashboard.QueryVariable]:
    return [
        chosen(
            "job",
            "Job",
            "label_values(watchkeeper_build_info, job)",
            "The scrape jobs that Watchkeeper's daemons are in.",
        ),
        chosen(
            "instance",
            "Instance",
            'label_values(watchkeeper_build_info{job=~"$job"}, instance)',
            "Watchkeeper's daemons.",
        ),
    ]


def _page() -> dashboard.TextBoxVariable:
    about = "Where people reach Watchkeeper's status page; the links go there."
    option = VariableOption(selected=True, text=PAGE, value=PAGE)
    return dashboard.TextBoxVariable("page").label("Status page").description(about).default_value(PAGE).current(option)


class _Annotation(AnnotationQuery):
    """With the keys that Grafana's Prometheus reads, which the kit's model lacks."""

    def to_json(self) -> dict[str, object]:
        return {
            **super().to_json(),
            "step": "60s",
            "titleFormat": "{{rule}}",
            "textFormat": "fires for {{model}} ({{instance}})",
            "tagKeys": "model,rule",
            "useValueForTime": False,
        }


class _Alerts(Builder[AnnotationQuery]):
    def __init__(self, of_models: str) -> None:
        self._of_models = of_models

    def build(self) -> AnnotationQuery:
        matchers = [self._of_models] if self._of_models else []
        expr = f"{of('alert_state', *matchers)} == 2"
        return _Annotation("Alerts that fire", SOURCE, icon_color="red", expr=expr)


def _alerts(of_models: str) -> _Alerts:
    return _Alerts(of_models)


def _links() -> list[dashboard.DashboardLink]:
    others = dashboard.DashboardLink("Watchkeeper").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    to_page = ("Status page", "${page}/"), ("Reports", "${page}/api/v1/reports")
    return [
        others.include_vars(True).keep_time(True).icon("external link"),
        *(
            dashboard.DashboardLink(title)
            .type(DashboardLinkType.LINK)
            .url(url)
            .icon("external link")
            .target_blank(True)
            for title, url in to_page
        ),
    ]


def _numbered(made: Dashboard) -> Dashboard:
    """With ids that stay the same as long as the order does, for links to a panel."""
    number = 0
    for panel in made.panels or []:
        number += 1
        panel.id_val = number
        for inner in panel.panels if isinstance(panel, RowPanel) else ():
            number += 1
            inner.id_val = number
    return made
