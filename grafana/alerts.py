"""Alerts as they stand and stood, who was told, and how much of the error budget is left."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, VariableOption

from grafana.board import board, model
from grafana.panels import ALERT_STATES, ANY_IS_BAD, CALM, Levels, graph, number, states
from grafana.query import ANY_MODEL, MODEL, Query, grown, of, rate, recorded

NO_RULES = "needs the recording rules: watchkeeper rules export --recording"
BURNING: Levels = [(None, "green"), (1, "yellow"), (6, "orange"), (14.4, "red")]
"""The rates of the Site Reliability Workbook's pairs for a period of 30 days."""
LEFT: Levels = [(None, "red"), (0, "orange"), (0.25, "green")]
ALL_CALM = "no alert was pending or firing"


def alerts() -> Dashboard:
    return board(
        "alerts",
        "Alerts & SLO",
        "What fires and fired, whom Watchkeeper told, and how fast the error budget burns.",
        [("Now", _now()), ("Alerts", _alerts()), ("Error budget", _budget()), ("Telling people", _told())],
        since="now-24h",
        variables=[model(several=True), _objective()],
    )


def _objective() -> dashboard.CustomVariable:
    current = VariableOption(selected=True, text="0.999", value="0.999")
    about = "The share of requests that is to succeed."
    values = "0.9,0.95,0.99,0.995,0.999,0.9995,0.9999"
    return dashboard.CustomVariable("objective").label("Objective").description(about).values(values).current(current)


def _now() -> list[Builder[Any]]:
    alive = f"vector(0) * count({of('build_info')})"
    gone = "Watchkeeper is not scraped"
    state = of("alert_state", ANY_MODEL)
    return [
        number(
            "Firing",
            "Rules with an alert that fires.",
            "none",
            f"count({state} == 2) or {alive}",
            empty=gone,
            levels=ANY_IS_BAD,
            size=(6, 4),
        ),
        number(
            "Pending",
            "Rules of which something is wrong, but not for long enough yet.",
            "none",
            f"count({state} == 1) or {alive}",
            empty=gone,
            levels=[*CALM, (1, "yellow")],
            size=(6, 4),
        ),
        number(
            "Rules judged",
            "Rules that have been judged, once a model.",
            "none",
            f"count({state})",
            empty=gone,
            size=(6, 4),
        ),
        number(
            "Owed to people",
            "Notifications that are not delivered yet.",
            "none",
            f"sum({of('outbox_pending')})",
            empty=gone,
            levels=[*CALM, (1, "orange")],
            size=(6, 4),
        ),
    ]


def _alerts() -> list[Builder[Any]]:
    state = of("alert_state", ANY_MODEL)
    return [
        states(
            "Alerts",
            "Rules that were pending or firing in the time that is shown, each in its worst state.",
            ALERT_STATES,
            Query(
                f"max by (model, rule) ({state}) and on (model, rule) "
                f"(max by (model, rule) (max_over_time({state}[$__range] @ end())) > 0)",
                "{{rule}} {{model}}",
            ),
            empty=ALL_CALM,
            size=(24, 12),
        ),
        graph(
            "How many fire",
            "Rules with a firing alert, by model; those on the machine have none.",
            "none",
            Query(f"sum by (model) ({state} == bool 2)", "{{model}}"),
            empty="no rule has been judged yet",
            size=(24, 7),
        ),
    ]


def _ratio(window: str) -> str:
    return recorded(f"instance_model:watchkeeper_errors:ratio{window}", MODEL)


def _budget() -> list[Builder[Any]]:
    spent = f"max by (model) ({_ratio('30d')}) / (1 - $objective)"
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    return [
        number(
            "Budget left of 30 days",
            "1 is untouched, 0 is spent, below that the objective is missed.",
            "percentunit",
            f"min(1 - {spent})",
            empty=NO_RULES,
            levels=LEFT,
            size=(6, 8),
            decimals=1,
        ),
        number(
            "Availability, 30 days",
            "Share of requests that succeeded.",
            "percentunit",
            f"min(1 - max by (model) ({_ratio('30d')}))",
            empty=NO_RULES,
            size=(6, 8),
            decimals=3,
        ),
        graph(
            "Burn rate",
            "How many times faster than allowed the budget is spent, over windows of several lengths. The workbook "
            "pages from 14.4 (1 h and 5 min) or 6 (6 h and 30 min) on, and files a ticket from 3 (1 d and 2 h) or 1 "
            "(3 d and 6 h) on.",
            "none",
            *(
                Query(
                    f"max by (model) ({_ratio(window)}) / (1 - $objective)", f"{{{{model}}}} {window}", ref=f"W{window}"
                )
                for window in windows
            ),
            empty=NO_RULES,
            size=(12, 8),
        ),
        graph(
            "Errors and objective",
            "Share of requests that failed on the server's side, over 5 minutes and 1 hour.",
            "percentunit",
            Query(f"max by (model) ({_ratio('5m')})", "{{model}} 5m"),
            Query(f"max by (model) ({_ratio('1h')})", "{{model}} 1h"),
            empty=NO_RULES,
            size=(24, 7),
        ),
    ]


def _told() -> list[Builder[Any]]:
    return [
        graph(
            "Notifications",
            "Deliveries tried, by receiver and outcome.",
            "cps",
            Query(rate("notifications_total", by="receiver, outcome"), "{{receiver}} {{outcome}}"),
            empty="nobody had to be told yet",
            size=(8, 8),
        ),
        number(
            "Told in this time",
            "Deliveries by receiver and outcome.",
            "none",
            grown("notifications_total", by="receiver, outcome"),
            empty="nobody had to be told yet",
            size=(8, 8),
            decimals=0,
            spark=False,
        ),
        graph(
            "Since Alertmanager took the alerts",
            "Time since each member last took them.",
            "s",
            Query(f"time() - max by (member) ({of('alertmanager_last_success_timestamp_seconds')})", "{{member}}"),
            empty="no `alertmanager` in the config",
            size=(8, 8),
        ),
    ]
