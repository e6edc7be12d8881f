"""All models at a glance: who needs a look."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import TableCellHeight
from grafana_foundation_sdk.models.dashboard import Dashboard, DataTransformerConfig

from grafana.board import board, model
from grafana.panels import ANY_IS_BAD, CALM, common_to, graph, link, number, setting, thresholds
from grafana.query import MODEL, NOW, PREDICTIONS, WHOLE, Query, of, rate

ACCURACY = 'metric="accuracy"'
_DETAILS = "/d/watchkeeper-model?${__url_time_range}&var-datasource=${datasource}&var-model=${__data.fields.model}"
_COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    # name, expression, unit, colour from …
    ("Firing", f"sum by (model) ({of('alert_state', MODEL)} == bool 2)", "none", "1"),
    ("Drifted features", f"max by (model) ({of('drifted_features', MODEL, NOW)})", "none", "1"),
    (
        "Accuracy",
        f"avg by (model) ({of('performance', MODEL, WHOLE, ACCURACY)})",
        "percentunit",
        "",
    ),
    (
        "… of the reference",
        f"avg by (model) ({of('performance_reference', MODEL, WHOLE, ACCURACY)})",
        "percentunit",
        "",
    ),
    ("Labels there", f"avg by (model) ({of('label_coverage_ratio', MODEL, WHOLE)})", "percentunit", ""),
    ("Requests", f"sum by (model) ({of('request_rate', MODEL)})", "reqps", ""),
    ("Errors", f"max by (model) ({of('error_ratio', MODEL)})", "percentunit", "0.01"),
    ("Latency p95", f"max by (model) ({of('latency_p95_seconds', MODEL)})", "s", ""),
    ("Last prediction", f"min by (model) ({of('prediction_age_seconds', MODEL)})", "s", "900"),
    ("Rows in the window", f"sum by (model) ({of('window_rows', MODEL, WHOLE)})", "short", ""),
)


def fleet() -> Dashboard:
    return board(
        "fleet",
        "Fleet",
        "Every model that Watchkeeper watches, what fires, and who gets traffic.",
        [
            ("Now", _now()),
            ("Models", [_models()]),
            ("Side by side", _compared()),
        ],
        since="now-24h",
        variables=[model(several=True)],
    )


def _now() -> list[Builder[Any]]:
    firing = f"{of('alert_state')} == 2"
    return [
        number(
            "Models",
            "Models that some daemon watches.",
            "none",
            f"count(count by (model) ({of('prediction_age_seconds', MODEL)}))",
            empty="no model has sent a prediction yet",
        ),
        number(
            "Models with an alert",
            "Models of which some rule fires.",
            "none",
            f"count(count by (model) ({of('alert_state', MODEL)} == 2)) or vector(0) * count({of('build_info')})",
            empty="Watchkeeper is not scraped",
            levels=ANY_IS_BAD,
        ),
        number(
            "Rules that fire",
            "Rules with a firing alert, those on the machines among them.",
            "none",
            f"count({firing}) or vector(0) * count({of('build_info')})",
            empty="Watchkeeper is not scraped",
            levels=ANY_IS_BAD,
        ),
        number(
            "Requests",
            "Requests that the models' servers answer, together.",
            "reqps",
            f"sum({of('request_rate', MODEL)})",
            empty="no `server` in the config",
        ),
        number(
            "Predictions taken",
            "Predictions that Watchkeeper stores.",
            "cps",
            f"sum(rate({of('events_ingested_total', MODEL, PREDICTIONS)}[$__rate_interval]))",
            empty="nothing was sent yet",
        ),
        number(
            "Daemons degraded",
            "Daemons of which some part is not well; the page and /readyz name it.",
            "none",
            f"count(count by (instance, job) ({of('degraded')} == 1)) or vector(0) * count({of('build_info')})",
            empty="Watchkeeper is not scraped",
            levels=ANY_IS_BAD,
        ),
    ]


def _models() -> Builder[Any]:
    queries = [Query(expr, instant=True, table=True, ref=chr(ord("A") + i)) for i, (_, expr, *_) in enumerate(_COLUMNS)]
    about = "One line a model, of its newest window and sample. Click a model for its own dashboard."
    panel = common_to(table.Panel(), "Models", about, "none", queries, "no model is watched yet", (24, 10))
    panel = panel.cell_height(TableCellHeight.SM).thresholds(thresholds(CALM))
    panel = panel.with_transformation(
        DataTransformerConfig("joinByField", options={"byField": "model", "mode": "outer"})
    )
    names = {f"Value #{query.ref}": name for query, (name, *_) in zip(queries, _COLUMNS, strict=True)}
    hidden = {f"Time {index}": True for index in range(1, len(queries) + 1)} | {"Time": True}
    order = {name: index for index, name in enumerate(["model", *names])}
    panel = panel.with_transformation(
        DataTransformerConfig(
            "organize",
            options={"excludeByName": hidden, "renameByName": {"model": "Model", **names}, "indexByName": order},
        )
    )
    details = link("Its dashboard", _DETAILS.replace("fields.model", "fields.Model")).build().to_json()
    panel = panel.override_by_name("Model", [setting("links", [details])])
    for name, _, unit, level in _COLUMNS:
        properties = [setting("unit", unit)]
        if level:
            steps = [{"value": None, "color": "green"}, {"value": float(level), "color": "red"}]
            properties += [
                setting("thresholds", {"mode": "absolute", "steps": steps}),
                setting("custom.cellOptions", {"type": "color-text"}),
            ]
        panel = panel.override_by_name(name, properties)
    return panel


def _compared() -> list[Builder[Any]]:
    return [
        graph(
            "Alerts that fire",
            "Rules with a firing alert, by model.",
            "none",
            Query(f"sum by (model) ({of('alert_state', MODEL)} == bool 2)", "{{model}}"),
            empty="no rule has been judged yet",
        ),
        graph(
            "Drifted features",
            "Features beyond their calibrated limit in the newest window, by model.",
            "none",
            Query(f"max by (model) ({of('drifted_features', MODEL, NOW)})", "{{model}}"),
            empty="no window with a reference has closed yet",
        ),
        graph(
            "Requests",
            "Requests a second, by model.",
            "reqps",
            Query(f"sum by (model) ({of('request_rate', MODEL)})", "{{model}}"),
            empty="no `server` in the config",
        ),
        graph(
            "Latency p95",
            "The slowest instance's 95th percentile, by model.",
            "s",
            Query(f"max by (model) ({of('latency_p95_seconds', MODEL)})", "{{model}}"),
            empty="no requests, or no `server` in the config",
        ),
        graph(
            "Errors",
            "Share of requests that failed on the server's side, by model.",
            "percentunit",
            Query(f"max by (model) ({of('error_ratio', MODEL)})", "{{model}}"),
            empty="no requests, or no `server` in the config",
            maximum=0.05,
        ),
        graph(
            "Predictions taken",
            "Predictions that Watchkeeper stores a second, by model.",
            "cps",
            Query(rate("events_ingested_total", MODEL, PREDICTIONS, by="model"), "{{model}}"),
            empty="nothing was sent yet",
        ),
    ]
