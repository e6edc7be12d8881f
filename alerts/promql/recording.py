"""Recording rules for long ranges: error ratios over the windows of burn rates, and hours of what months are made of.

Each keeps its target's labels, so that dashboards narrow it like any other series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.promql.rules import PREFIX, selector

SHORT = ("5m", "30m", "1h")
LONG = ("2h", "6h", "1d", "3d", "30d")
SPARSE = "2m"
"""How often what spans hours is evaluated: well within the five minutes for which Prometheus holds a value."""
_REQUESTS, _ERRORS = f"instance_model:{PREFIX}requests:", f"instance_model:{PREFIX}errors:"
_ALL_ROWS = {"segment": ""}
_WINDOW = {"segment": "", "over": ""}
_HOURS: tuple[tuple[str, str, str, Mapping[str, str]], ...] = (
    # level, metric, operation, which
    ("instance_model", "drifted_features", "max", _WINDOW),
    ("instance_model", "prediction_drift", "max", _WINDOW),
    ("instance_model_feature", "feature_drift", "max", _WINDOW),
    ("instance_model_feature", "missing_ratio", "max", _ALL_ROWS),
    ("instance_model_metric", "performance", "avg", _ALL_ROWS),
    ("instance_model", "latency_p95_seconds", "max", {}),
)


def recording(interval: str, job: str = "") -> list[dict[str, Any]]:
    """The groups of a rule file. `interval`: how often requests are recorded, in Prometheus' words; with `job`, only
    that job's series are looked at."""
    within = {"job": job} if job else {}
    return [
        {
            "name": "watchkeeper-requests",
            "interval": interval,
            "rules": [*_requests(within), *(_ratio(window, "rate") for window in SHORT)],
        },
        {
            "name": "watchkeeper-budget",
            "interval": SPARSE,
            "rules": [*_means(), *(_ratio(window, "avg5m") for window in LONG)],
        },
        {"name": "watchkeeper-hours", "interval": SPARSE, "rules": [_hour(within, *hour) for hour in _HOURS]},
    ]


def _requests(within: Mapping[str, str]) -> list[dict[str, str]]:
    """Both at the same moments, so that their sums are of the same samples. Without traffic there is no ratio of
    errors, and none to count."""
    rate, ratio = selector(f"{PREFIX}request_rate", within), selector(f"{PREFIX}error_ratio", within)
    return [
        {"record": f"{_REQUESTS}rate", "expr": rate},
        {"record": f"{_ERRORS}rate", "expr": f"{ratio} * {rate} or {rate} * 0"},
    ]


def _means() -> list[dict[str, str]]:
    """What the long windows are made of: a month of every sample would be read anew each time."""
    return [{"record": f"{name}avg5m", "expr": f"avg_over_time({name}rate[5m])"} for name in (_REQUESTS, _ERRORS)]


def _ratio(window: str, of: str) -> dict[str, str]:
    errors, requests = (f"sum_over_time({name}{of}[{window}])" for name in (_ERRORS, _REQUESTS))
    return {"record": f"{_ERRORS}ratio{window}", "expr": f"{errors} / ({requests} > 0)"}


def _hour(
    within: Mapping[str, str], level: str, metric: str, operation: str, match: Mapping[str, str]
) -> dict[str, str]:
    own = selector(f"{PREFIX}{metric}", {**within, **match})
    return {"record": f"{level}:{PREFIX}{metric}:{operation}1h", "expr": f"{operation}_over_time({own}[1h])"}
