"""Every measurement there is: its name, labels, meaning and clock. /metrics, rules and docs read this one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    help: str
    labels: tuple[str, ...] = ()
    clock: Literal["event", "wall"] = "event"
    check: str = ""
    """The check that measures it; empty for what collectors sample."""


CATALOG: dict[str, Metric] = {
    # drift
    "feature_drift": Metric("Distance of a feature's window from the reference.", ("feature", "method"), check="drift"),
    "prediction_drift": Metric("Distance of the predictions' window from the reference.", ("method",), check="drift"),
    "drifted_features": Metric("Features whose drift is above their calibrated limit.", check="drift"),
    # quality
    "missing_ratio": Metric("Share of rows in which the feature is missing.", ("feature",), check="quality"),
    "out_of_range_ratio": Metric("Share of values outside the reference's range.", ("feature",), check="quality"),
    "new_category_ratio": Metric("Share of values that the reference does not know.", ("feature",), check="quality"),
    "type_mismatch_ratio": Metric("Share of values of another type than the schema's.", ("feature",), check="quality"),
    "non_finite_ratio": Metric("Share of values that are NaN or infinite.", ("feature",), check="quality"),
    # performance
    "performance": Metric(
        "Performance of a window on the labels that have arrived.", ("metric", "segment"), check="performance"
    ),
    "performance_reference": Metric("Performance on the reference.", ("metric", "segment"), check="performance"),
    "label_coverage_ratio": Metric("Share of the window's predictions whose label has arrived.", check="performance"),
    # volume and freshness
    "window_rows": Metric("Predictions in the window.", check="volume"),
    "window_end_timestamp_seconds": Metric("End of the newest closed window (event time).", check="volume"),
    "prediction_age_seconds": Metric("Seconds without a prediction, while ingest was served.", (), "wall"),
    "label_age_seconds": Metric("Seconds without a label, while ingest was served.", (), "wall"),
    # the server
    "server_up": Metric("1 if the server's metrics could be read, else 0.", (), "wall"),
    "request_rate": Metric("Requests per second.", (), "wall"),
    "error_ratio": Metric("Share of requests that failed on the server's side.", (), "wall"),
    "latency_p50_seconds": Metric("Median request latency.", (), "wall"),
    "latency_p95_seconds": Metric("95th percentile of request latency.", (), "wall"),
    "latency_p99_seconds": Metric("99th percentile of request latency.", (), "wall"),
    # the machine
    "cpu_utilization_ratio": Metric("CPU in use, as a share of all cores.", ("scope",), "wall"),
    "load1_ratio": Metric("One-minute load average per core.", ("scope",), "wall"),
    "memory_used_bytes": Metric("Memory in use.", ("scope",), "wall"),
    "memory_utilization_ratio": Metric("Memory in use, as a share of all.", ("scope",), "wall"),
    "disk_used_bytes": Metric("Disk space in use.", ("scope", "path"), "wall"),
    "disk_utilization_ratio": Metric("Disk space in use, as a share of all.", ("scope", "path"), "wall"),
    # Watchkeeper itself
    "check_failing": Metric("1 while the check's last run failed, else 0.", ("check",), "wall"),
}
