"""Selectors of Watchkeeper's series, narrowed by the variables that every dashboard has."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef("prometheus", "${datasource}")
SCOPE = 'job=~"$job",instance=~"$instance"'
MODEL = 'model=~"$model"'
ANY_MODEL = 'model=~"$model|"'
"""A model that is chosen, or none: alerts of the machine have none."""
WHOLE = 'segment=""'
PREDICTIONS = 'kind="predictions"'
NOW = 'segment="",over=""'
"""Of drift: all rows, and the window itself rather than a longer span."""


def of(name: str, *matchers: str) -> str:
    """One of Watchkeeper's series, of the chosen targets.

    >>> of("alert_state", MODEL)
    'watchkeeper_alert_state{job=~"$job",instance=~"$instance",model=~"$model"}'
    """
    return f"watchkeeper_{name}{{{','.join((SCOPE, *matchers))}}}"


def recorded(name: str, *matchers: str) -> str:
    """A series that a recording rule makes (`watchkeeper rules export --recording`)."""
    return f"{name}{{{','.join((SCOPE, *matchers))}}}"


def rate(name: str, *matchers: str, by: str) -> str:
    """How fast a counter grows, a second."""
    return f"sum by ({by}) (rate({of(name, *matchers)}[$__rate_interval]))"


def grown(name: str, *matchers: str, by: str) -> str:
    """By how much a counter has grown in the time that is shown."""
    return f"sum by ({by}) (increase({of(name, *matchers)}[$__range]))"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and the name of what it gives, over time unless `instant`; `ref` names it within its panel."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False
    ref: str = ""

    def build(self, ref: str) -> prometheus.Dataquery:
        query = prometheus.Dataquery().expr(self.expr).ref_id(self.ref or ref).datasource(SOURCE)
        query = query.instant() if self.instant else query.range()
        if self.table:
            query = query.format(PromQueryFormat.TABLE)
        return query.legend_format(self.legend or "__auto")
