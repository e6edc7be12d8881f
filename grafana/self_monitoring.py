"""Watchkeeper itself: is the watch kept?"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.board import board, model
from grafana.panels import CALM, graph, number, states, text
from grafana.query import MODEL, Query, of, rate

GONE = "Watchkeeper is not scraped"
NOTHING_FAILED = "nothing has failed"
SMALL = (8, 8)


def own() -> Dashboard:
    return board(
        "self",
        "Watchkeeper itself",
        "Whether the watch is kept: evaluations, checks, ingestion, storage of what arrives, and what failed.",
        [("Now", _now()), ("Ingestion", _ingestion()), ("Checks", _checks()), ("The daemon", _daemon())],
        since="now-6h",
        variables=[model(several=True)],
        about_models=False,
    )


def _now() -> list[Builder[Any]]:
    alive = f"vector(0) * count({of('build_info')})"
    return [
        number(
            "Daemons", "Daemons that Prometheus reaches.", "none", f"count({of('build_info')})", empty=GONE, size=(4, 4)
        ),
        text("Release", "Releases that run.", f"count by (version) ({of('build_info')})", "version", empty=GONE),
        number(
            "Since rules were judged",
            "Of the daemon that is furthest behind. Minutes of it mean that nothing is watched.",
            "s",
            f"max(time() - {of('last_evaluation_timestamp_seconds')})",
            empty=GONE,
            levels=[*CALM, (120, "red")],
            spark=False,
        ),
        number(
            "Degraded parts",
            "Parts that are not well: see below which.",
            "none",
            f"count({of('degraded')} == 1) or {alive}",
            empty=GONE,
            levels=[*CALM, (1, "orange")],
        ),
        number(
            "Checks that fail",
            "Checks whose last run failed.",
            "none",
            f"sum({of('check_failing')}) or {alive}",
            empty=GONE,
            levels=[*CALM, (1, "red")],
        ),
        number(
            "Notifications owed",
            "Not delivered yet.",
            "none",
            f"sum({of('outbox_pending')})",
            empty=GONE,
            levels=[*CALM, (1, "orange")],
        ),
    ]


def _ingestion() -> list[Builder[Any]]:
    return [
        graph(
            "Rows stored",
            "Predictions and labels that were accepted and are on disk.",
            "cps",
            Query(rate("events_ingested_total", MODEL, by="model, kind"), "{{model}} {{kind}}"),
            empty="nothing was sent yet",
            size=SMALL,
        ),
        graph(
            "Rows refused",
            "By reason; each is named in the reply to who sent it.",
            "cps",
            Query(rate("events_rejected_total", MODEL, by="model, reason"), "{{model}} {{reason}}"),
            empty="nothing was refused yet",
            size=SMALL,
        ),
        graph(
            "Requests refused",
            "Whole requests, by reason.",
            "cps",
            Query(rate("requests_refused_total", by="reason"), "{{reason}}"),
            empty="no request was refused yet",
            size=SMALL,
        ),
        graph(
            "Sent twice",
            "Predictions whose id was there already, and batches sent again under the same key.",
            "cps",
            Query(rate("events_duplicate_total", MODEL, by="model"), "predictions, {{model}}"),
            Query(rate("batches_repeated_total", MODEL, by="model, kind"), "batches of {{kind}}, {{model}}"),
            empty="nothing was sent twice",
            size=SMALL,
        ),
        graph(
            "Values kept that can't be measured",
            "Such as a NaN in a feature.",
            "cps",
            Query(rate("events_repaired_total", MODEL, by="model, reason"), "{{model}} {{reason}}"),
            empty="no such value has come",
            size=SMALL,
        ),
        graph(
            "Labels without a prediction",
            "They wait for it, for as long as rows are kept.",
            "short",
            Query(f"sum by (model) ({of('labels_waiting', MODEL)})", "waiting, {{model}}"),
            empty="no window has closed yet",
            size=SMALL,
        ),
        graph(
            "Labels that do not fit",
            "Labels whose value is none of the model's task, and batches that can't be read.",
            "cps",
            Query(rate("labels_invalid_total", MODEL, by="model"), "labels, {{model}}"),
            Query(rate("events_corrupt_total", MODEL, by="model"), "batches, {{model}}"),
            empty="no window has closed yet",
            size=SMALL,
        ),
        graph(
            "Chunks to profile anew",
            "Stored rows that are not yet measured under the newest reference.",
            "short",
            Query(f"sum by (model) ({of('chunks_unprofiled', MODEL)})", "{{model}}"),
            empty="no window has closed yet",
            size=SMALL,
        ),
        graph(
            "Measurements left out",
            "Of segments, since there are more than `segment_measurements`.",
            "short",
            Query(f"max by (model) ({of('segment_measurements_cut', MODEL)})", "{{model}}"),
            empty="no `segments` in the config",
            size=SMALL,
        ),
    ]


def _checks() -> list[Builder[Any]]:
    buckets = rate("check_duration_seconds_bucket", by="check, le")
    return [
        graph(
            "How long checks run",
            "95th percentile of a run on one window.",
            "s",
            Query(f"histogram_quantile(0.95, {buckets})", "{{check}}"),
            empty="no check has run",
            size=SMALL,
        ),
        graph(
            "Runs",
            "Runs of checks, a second.",
            "cps",
            Query(rate("check_duration_seconds_count", by="check"), "{{check}}"),
            empty="no check has run",
            size=SMALL,
        ),
        graph(
            "Runs that failed",
            "A check that fails measures nothing, and the rule check-failing tells.",
            "cps",
            Query(rate("check_failures_total", by="check"), "{{check}}"),
            empty=NOTHING_FAILED,
            size=SMALL,
        ),
        graph(
            "Since the last good run",
            "Of each check. It grows by itself while no window closes.",
            "s",
            Query(f"time() - max by (check) ({of('check_last_success_timestamp_seconds')})", "{{check}}"),
            empty="no check has run",
            size=(12, 8),
        ),
        states(
            "Checks",
            "Whether each check's last run failed.",
            {"0": ("well", "green"), "1": ("failing", "red")},
            Query(f"max by (check) ({of('check_failing')})", "{{check}}"),
            empty="no check has run",
            size=(12, 8),
        ),
    ]


def _daemon() -> list[Builder[Any]]:
    own_scope = 'scope="watchkeeper"'
    return [
        graph(
            "Memory",
            "Resident memory of the daemon and its worker.",
            "bytes",
            Query(f"max by (instance) ({of('memory_used_bytes', own_scope)})", "{{instance}}"),
            empty="collect.host is off in the config",
            size=SMALL,
        ),
        graph(
            "CPU",
            "As a share of all cores.",
            "percentunit",
            Query(f"max by (instance) ({of('cpu_utilization_ratio', own_scope)})", "{{instance}}"),
            empty="collect.host is off in the config",
            size=SMALL,
        ),
        states(
            "Degraded",
            "Parts that are not well.",
            {"1": ("degraded", "orange")},
            Query(f"max by (instance, part) ({of('degraded')})", "{{part}} {{instance}}"),
            empty="all parts are well",
            size=SMALL,
        ),
        states(
            "Config",
            "Whether the file was right when it was last read; a wrong one leaves the old rules in force.",
            {"0": ("refused", "red"), "1": ("in force", "green")},
            Query(f"min by (instance) ({of('config_last_reload_successful')})", "{{instance}}"),
            empty=GONE,
            size=SMALL,
        ),
        graph(
            "Samples not taken",
            "By collector.",
            "cps",
            Query(rate("collector_failures_total", by="collector"), "{{collector}}"),
            empty=NOTHING_FAILED,
            size=SMALL,
        ),
        graph(
            "Jobs that failed",
            "Scheduled work, by job.",
            "cps",
            Query(rate("job_failures_total", by="scheduled_job"), "{{scheduled_job}}"),
            empty=NOTHING_FAILED,
            size=SMALL,
        ),
        graph(
            "Series dropped",
            "Series beyond the bound of one metric, which /metrics leaves out.",
            "short",
            Query(f"max by (instance, metric) ({of('series_dropped')})", "{{metric}} {{instance}}"),
            empty="no metric has too many series",
            size=SMALL,
        ),
    ]
