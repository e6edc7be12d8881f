"""One model: its traffic, performance, drift and data, from what alerts first to what explains it."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, VariableSort

from grafana.board import Row, board, chosen, model
from grafana.model_drift import drift
from grafana.model_quality import quality
from grafana.panels import ANY_IS_BAD, UP_DOWN, Levels, dashed, graph, link, number, setting, states
from grafana.query import MODEL, NOW, PREDICTIONS, SCOPE, WHOLE, Query, of, rate, recorded

STALE: Levels = [(None, "green"), (900, "red")]
"""Seconds without a prediction: as the shipped rule no-traffic has it."""
METRIC = 'metric=~"$metric"'
NO_SERVER = "no requests, or no `server` in the config"
NO_LABELS = "no labels yet: performance is measured as they arrive"
LONG = "needs the recording rules: watchkeeper rules export --recording"


def one_model() -> Dashboard:
    return board(
        "model",
        "Model",
        "One model: traffic, errors, latency, performance, drift and data quality. Windows are of event time: a value "
        "stands until the next window has closed.",
        [
            ("Now", _now()),
            ("Traffic, errors, latency", _traffic()),
            ("Performance", _performance()),
            drift(),
            quality(),
        ],
        folded=[_segments(), _evidently(), _long()],
        since="now-7d",
        variables=[model(several=False), *_choices()],
    )


def _choices() -> list[Builder[Any]]:
    def values(series: str, label: str) -> str:
        return f"label_values(watchkeeper_{series}{{{SCOPE},{MODEL}}}, {label})"

    return [
        chosen("metric", "Metric", values("performance", "metric"), "Measures of performance: one panel each."),
        chosen("method", "Drift method", values("feature_drift", "method"), "Methods by which features are compared."),
        chosen(
            "segment",
            "Segment",
            values("window_rows", "segment"),
            "Parts of the predictions (`segments` in the config).",
            sort=VariableSort.NATURAL_ASC,
        ),
    ]


def _now() -> list[Builder[Any]]:
    alive = f"vector(0) * count({of('build_info')})"
    return [
        number(
            "Alerts that fire",
            "Rules of this model with a firing alert. The red marks in the graphs are theirs.",
            "none",
            f"count({of('alert_state', MODEL)} == 2) or {alive}",
            empty="Watchkeeper is not scraped",
            levels=ANY_IS_BAD,
        ).data_links([link("Status page", "${page}/#alerts")]),
        number(
            "Drifted features",
            "Features beyond their calibrated limit in the newest window.",
            "none",
            f"max({of('drifted_features', MODEL, NOW)})",
            empty="no window with a reference has closed yet",
            levels=ANY_IS_BAD,
        ),
        number(
            "Last prediction",
            "Time without a prediction.",
            "s",
            f"min({of('prediction_age_seconds', MODEL)})",
            empty="nothing was sent yet",
            levels=STALE,
            spark=False,
        ),
        number(
            "Rows in the window",
            "Predictions in the newest closed window.",
            "short",
            f"sum({of('window_rows', MODEL, WHOLE)})",
            empty="no window has closed yet",
        ),
        number(
            "Measured up to",
            "End of the newest closed window, in event time.",
            "dateTimeAsIso",
            f"max({of('window_end_timestamp_seconds', MODEL)}) * 1000",
            empty="no window has closed yet",
            spark=False,
        ),
        number(
            "Labels there",
            "Share of the newest window's predictions whose label has arrived. Performance is provisional until then.",
            "percentunit",
            f"avg({of('label_coverage_ratio', MODEL, WHOLE)})",
            empty="no window has closed yet",
        ),
    ]


def _traffic() -> list[Builder[Any]]:
    errors = f"sum({of('error_ratio', MODEL)} * {of('request_rate', MODEL)}) / sum({of('request_rate', MODEL)})"
    return [
        graph(
            "Traffic",
            "Requests that the server answers, and predictions that Watchkeeper stores. If they part, rows are lost.",
            "reqps",
            Query(f"sum({of('request_rate', MODEL)})", "requests"),
            Query(rate("events_ingested_total", MODEL, PREDICTIONS, by="model"), "predictions stored"),
            empty="nothing was sent, and no `server` in the config",
            size=(8, 8),
        ),
        graph(
            "Errors",
            "Share of requests that failed on the server's side, weighed by the instances' requests.",
            "percentunit",
            Query(errors, "errors"),
            empty=NO_SERVER,
            size=(8, 8),
            maximum=0.05,
        ),
        graph(
            "Latency",
            "Of the slowest instance. Percentiles of several can't be averaged.",
            "s",
            *(Query(f"max({of(f'latency_{p}_seconds', MODEL)})", p) for p in ("p50", "p95", "p99")),
            empty=NO_SERVER,
            size=(8, 8),
        ),
        states(
            "Server and probes",
            "Whether the server's metrics can be read, its process is there, and known questions get known answers.",
            UP_DOWN,
            Query(f"min by (instance) ({of('server_up', MODEL)})", "server metrics {{instance}}"),
            Query(f"min by (instance) ({of('server_process_up', MODEL)})", "process {{instance}}"),
            Query(f"min by (probe, instance) ({of('probe_up', MODEL)})", "probe {{probe}} {{instance}}"),
            empty="no `server` and no `probes` in the config",
            size=(16, 6),
        ),
        graph(
            "Probes",
            "How long each probe's request took.",
            "s",
            Query(f"max by (probe) ({of('probe_latency_seconds', MODEL)})", "{{probe}}"),
            empty="no `probes` in the config",
            size=(8, 6),
        ),
    ]


def _performance() -> list[Builder[Any]]:
    return [
        _measure().repeat("metric").repeat_direction("h").max_per_row(2),
        graph(
            "Label coverage",
            "Share of the newest window's predictions whose label has arrived.",
            "percentunit",
            Query(f"avg by (model) ({of('label_coverage_ratio', MODEL, WHOLE)})", "labels there"),
            empty="no window has closed yet",
            size=(12, 6),
            maximum=1,
        ),
        graph(
            "Labels",
            "Labels that arrive, a second, and how long none has.",
            "cps",
            Query(rate("events_ingested_total", MODEL, 'kind="labels"', by="model"), "labels stored"),
            Query(f"min({of('label_age_seconds', MODEL)})", "without a label for"),
            empty="no label was sent yet",
            size=(12, 6),
        ).override_by_name("without a label for", [setting("unit", "s"), setting("custom.axisPlacement", "right")]),
    ]


def _measure() -> timeseries.Panel:
    """One measure in its 95 % interval, beside the reference's."""
    by = "by (metric)"
    panel = graph(
        "$metric",
        "Of the newest window with labels, in its 95 % interval; dashed: on the reference. Provisional until the "
        "window's labels are in: see the label coverage.",
        "none",
        Query(f"avg {by} ({of('performance', MODEL, WHOLE, METRIC)})", "{{metric}}"),
        Query(f"min {by} ({of('performance_low', MODEL, WHOLE, METRIC)})", "interval, low"),
        Query(f"max {by} ({of('performance_high', MODEL, WHOLE, METRIC)})", "interval, high"),
        Query(f"avg {by} ({of('performance_reference', MODEL, WHOLE, METRIC)})", "reference"),
        empty=NO_LABELS,
        size=(24, 8),  # all of the row: the others of its kind come beside it
        minimum=None,
    )
    hidden = [
        setting("custom.lineWidth", 0),
        setting("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
    ]
    panel = panel.override_by_name("interval, low", [*hidden, setting("custom.fillOpacity", 0)])
    filled = [setting("custom.fillBelowTo", "interval, low"), setting("custom.fillOpacity", 18)]
    panel = panel.override_by_name("interval, high", [*hidden, *filled])
    return dashed(panel, "^reference$").decimals(3)


def _segments() -> Row:
    some = 'segment=~"$segment"'
    parts = {
        "Performance of segments": (
            "performance",
            "none",
            f"avg by (segment, metric) ({of('performance', MODEL, some, METRIC)})",
        ),
        "Drifted features of segments": (
            "drifted_features",
            "none",
            f"max by (segment) ({of('drifted_features', MODEL, some)})",
        ),
        "Rows of segments": ("window_rows", "short", f"sum by (segment) ({of('window_rows', MODEL, some)})"),
    }
    return (
        "Segments",
        [
            graph(
                title,
                "Of the segments that are chosen above, each held against its own rows of the reference.",
                unit,
                Query(expr, "{{segment}} {{metric}}" if name == "performance" else "{{segment}}"),
                empty="no `segments` in the config, or none has a window yet",
                size=(8, 9),
                minimum=None if name == "performance" else 0,
            )
            for title, (name, unit, expr) in parts.items()
        ],
    )


def _evidently() -> Row:
    panel = graph(
        "Evidently's numbers",
        "What the config's checks of `type: evidently` measured; their reports are at the link above.",
        "none",
        Query(
            f"max by (check, metric, column, stat) ({of('evidently_value', MODEL)})",
            "{{check}} {{metric}} {{column}} {{stat}}",
        ),
        empty="no check of `type: evidently` has run",
        size=(24, 9),
        minimum=None,
    )
    return "Evidently", [panel]


def _long() -> Row:
    """Weeks and months, from what recording rules keep."""
    day = "[1d]"
    drifted = recorded("instance_model:watchkeeper_drifted_features:max1h", MODEL)
    performance = recorded("instance_model_metric:watchkeeper_performance:avg1h", MODEL, METRIC)
    slow = recorded("instance_model:watchkeeper_latency_p95_seconds:max1h", MODEL)
    missing = recorded("instance_model_feature:watchkeeper_missing_ratio:max1h", MODEL)
    about = "By day, from recorded hours: cheap over months."
    return (
        "Weeks and months",
        [
            graph(
                "Performance by day",
                f"Mean of the day's windows. {about}",
                "none",
                Query(f"avg by (metric) (avg_over_time({performance}{day}))", "{{metric}}"),
                empty=LONG,
                minimum=None,
            ),
            graph(
                "Drifted features by day",
                f"The day's worst window. {about}",
                "none",
                Query(f"max by (model) (max_over_time({drifted}{day}))", "{{model}}"),
                empty=LONG,
            ),
            graph(
                "Latency p95 by day",
                f"The day's slowest moment. {about}",
                "s",
                Query(f"max by (model) (max_over_time({slow}{day}))", "{{model}}"),
                empty=LONG,
            ),
            graph(
                "Missing values by day",
                f"The ten features with most. {about}",
                "percentunit",
                Query(f"topk(10, max by (feature) (max_over_time({missing}{day})))", "{{feature}}"),
                empty=LONG,
            ),
        ],
    )
