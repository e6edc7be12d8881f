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
    kind: Literal["gauge", "counter"] = "gauge"
    """Counters only grow while their source lives, and their name ends in `_total`; rules judge gauges."""
    is_share: bool = True
    """Of one whose name ends in `_ratio`: whether it lies from 0 to 1."""
    relative: bool = False
    """Whether values against two references are on two scales; else only their limits differ."""


@dataclass(frozen=True, slots=True)
class CompanionValue:
    """A number that a measurement carries beside its value, and that /metrics shows as a series of its own, with the
    measurement's labels. Rules know it as their level."""

    name: str
    side: Literal["low", "high", "limit_high"]
    help: str


_FEATURE = ("feature", "segment")
_GPU = ("gpu", "uuid")


def _gpu(help: str, *labels: str, kind: Literal["gauge", "counter"] = "gauge") -> Metric:
    return Metric(help, (*_GPU, *labels), "wall", kind=kind)


CATALOG: dict[str, Metric] = {
    # drift
    "feature_drift": Metric(
        "Distance of a feature's window from the reference.",
        ("feature", "method", "over", "segment"),
        check="drift",
        relative=True,
    ),
    "prediction_drift": Metric(
        "Distance of the predictions' window from the reference.",
        ("method", "over", "segment"),
        check="drift",
        relative=True,
    ),
    "drifted_features": Metric(
        "Features whose drift is above their calibrated limit.", ("over", "segment"), check="drift", relative=True
    ),
    # quality
    "missing_ratio": Metric("Share of rows in which the feature is missing.", _FEATURE, check="quality"),
    "out_of_range_ratio": Metric(
        "Share of values outside the reference's range.", _FEATURE, check="quality", relative=True
    ),
    "new_category_ratio": Metric(
        "Share of values that the reference does not know.", _FEATURE, check="quality", relative=True
    ),
    "type_mismatch_ratio": Metric(
        "Share of values of another type than the schema's.", _FEATURE, check="quality", relative=True
    ),
    "non_finite_ratio": Metric("Share of values that are NaN or infinite.", _FEATURE, check="quality"),
    # performance
    "performance": Metric(
        "Performance of a window on the labels that have arrived.", ("metric", "segment"), check="performance"
    ),
    "performance_reference": Metric("Performance on the reference.", ("metric", "segment"), check="performance"),
    "label_coverage_ratio": Metric(
        "Share of the window's predictions whose label has arrived.", ("segment",), check="performance"
    ),
    # volume and freshness
    "window_rows": Metric("Predictions in the window.", ("segment",), check="volume"),
    "window_end_timestamp_seconds": Metric("End of the newest closed window (event time).", check="volume"),
    "segment_measurements_cut": Metric(
        "Measurements of segments that segment_measurements leaves out of a window.", check="volume"
    ),
    "unreferenced_rows_ratio": Metric(
        "Share of the window's rows whose model version has no reference, where versions have their own.",
        check="volume",
    ),
    "prediction_age_seconds": Metric("Seconds without a prediction, while ingest was served.", (), "wall"),
    "label_age_seconds": Metric("Seconds without a label, while ingest was served.", (), "wall"),
    "events_rejected_ratio": Metric("Share of the rows of the last hour that were rejected.", (), "wall"),
    "events_corrupt_recent": Metric("Stored batches of the last day that can't be read.", (), "wall"),
    "labels_unmatched_ratio": Metric("Share of the labels of the last day whose prediction is not known.", (), "wall"),
    "labels_invalid_ratio": Metric("Share of the labels of the last day that do not fit the task.", (), "wall"),
    "unusable_ratio": Metric(
        "Share of the predictions, or labels, received in the last 15 minutes that can't be measured with.",
        ("kind",),
        "wall",
    ),
    # the server
    "server_up": Metric("1 if the server's metrics could be read, else 0.", (), "wall"),
    "request_rate": Metric("Requests per second.", (), "wall"),
    "error_ratio": Metric("Share of requests that failed on the server's side.", (), "wall"),
    "latency_p50_seconds": Metric("Median request latency.", (), "wall"),
    "latency_p95_seconds": Metric("95th percentile of request latency.", (), "wall"),
    "latency_p99_seconds": Metric("99th percentile of request latency.", (), "wall"),
    # the machine
    "cpu_utilization_ratio": Metric("CPU in use, as a share of all cores.", ("scope",), "wall"),
    "load1_ratio": Metric("One-minute load average per core.", ("scope",), "wall", is_share=False),
    "memory_used_bytes": Metric("Memory in use.", ("scope",), "wall"),
    "memory_utilization_ratio": Metric("Memory in use, as a share of all.", ("scope",), "wall"),
    "disk_used_bytes": Metric("Disk space in use.", ("scope", "path"), "wall"),
    "disk_utilization_ratio": Metric("Disk space in use, as a share of all.", ("scope", "path"), "wall"),
    # the machine's containers
    "cpu_limit_cores": Metric("Cores that the container may use.", ("scope",), "wall"),
    "memory_limit_bytes": Metric("Memory that the container may use.", ("scope",), "wall"),
    "cpu_throttled_ratio": Metric("Share of scheduling periods in which the CPU was throttled.", ("scope",), "wall"),
    "cpu_throttled_seconds_total": Metric("Time for which the CPU was throttled.", ("scope",), "wall", kind="counter"),
    "oom_kills_total": Metric("Processes killed for want of memory.", ("scope",), "wall", kind="counter"),
    "oom_kills_recent": Metric("Processes killed for want of memory in the last 15 minutes.", ("scope",), "wall"),
    "pressure_ratio": Metric(
        "Share of time in which some, or all, tasks waited for the resource.", ("scope", "resource", "kind"), "wall"
    ),
    # the server's process
    "server_process_up": Metric("1 if the server's process was found, else 0.", (), "wall"),
    "server_processes": Metric("Processes of the server: the one found and its descendants.", (), "wall"),
    "server_threads": Metric("Threads of the server's processes.", (), "wall"),
    "server_open_fds": Metric("Open file descriptors of the server's processes.", (), "wall"),
    "server_fd_utilization_ratio": Metric(
        "Open file descriptors as a share of the limit, in the process nearest to it.", (), "wall"
    ),
    "server_start_time_seconds": Metric("When the server's process started.", (), "wall"),
    "server_restarts_total": Metric(
        "Times the server's process was another one than before.", (), "wall", kind="counter"
    ),
    "server_restarts_recent": Metric("Restarts of the server's process in the last 15 minutes.", (), "wall"),
    # probes
    "probe_up": Metric("1 if the probe's request was answered as expected, else 0.", ("probe",), "wall"),
    "probe_latency_seconds": Metric("How long the probe's request took.", ("probe",), "wall"),
    "probe_status_code": Metric("HTTP status of the probe's answer.", ("probe",), "wall"),
    "probe_certificate_remaining_seconds": Metric(
        "Time until the certificate that the probe was shown expires.", ("probe",), "wall"
    ),
    "probe_failures_total": Metric("Probes that failed, by reason.", ("probe", "reason"), "wall", kind="counter"),
    # GPUs
    "gpu_up": _gpu("1 if the GPU answers, 0 if it was there and is lost."),
    "gpu_utilization_ratio": _gpu("Share of time in which the GPU was busy."),
    "gpu_memory_used_bytes": _gpu("GPU memory in use."),
    "gpu_memory_limit_bytes": _gpu("GPU memory there is."),
    "gpu_memory_utilization_ratio": _gpu("GPU memory in use, as a share of all."),
    "gpu_temperature_celsius": _gpu("Temperature of the GPU."),
    "gpu_temperature_headroom_celsius": _gpu("Degrees left until the GPU slows itself down."),
    "gpu_power_watts": _gpu("Power that the GPU draws."),
    "gpu_power_limit_watts": _gpu("Power that the GPU may draw."),
    "gpu_energy_joules_total": _gpu("Energy used since the driver was loaded.", kind="counter"),
    "gpu_clock_hertz": _gpu("Clock frequency.", "clock"),
    "gpu_throttled": _gpu("1 while clocks are held down for this reason, else 0.", "reason"),
    "gpu_ecc_errors_total": _gpu("Memory errors since the driver was loaded.", "type", kind="counter"),
    "gpu_xid_errors_total": _gpu("XID errors that the driver reported while watched.", "xid", kind="counter"),
    "gpu_xid_errors_recent": _gpu("XID errors in the last 15 minutes.", "xid"),
    "gpu_pcie_throughput_bytes_per_second": _gpu("Bytes a second over PCIe.", "direction"),
    "gpu_process_memory_bytes": _gpu("GPU memory of the server's processes."),
    "gpu_query_failures_total": Metric(
        "Questions to the GPU's driver that failed, by error.", ("error",), "wall", kind="counter"
    ),
    # Evidently
    "evidently_value": Metric(
        "A number that a metric of Evidently gave.", ("check", "metric", "column", "stat"), check="evidently"
    ),
    # Watchkeeper itself
    "check_failing": Metric("1 while the check's last run failed, else 0.", ("check",), "wall"),
}

BESIDE: dict[str, tuple[CompanionValue, ...]] = {
    "feature_drift": (
        CompanionValue("feature_drift_limit", "limit_high", "Drift of the feature above which it counts as moved."),
    ),
    "prediction_drift": (
        CompanionValue(
            "prediction_drift_limit", "limit_high", "Drift of the predictions above which they count as moved."
        ),
    ),
    "performance": (
        CompanionValue("performance_low", "low", "Lower end of the 95 % interval of performance."),
        CompanionValue("performance_high", "high", "Upper end of the 95 % interval of performance."),
    ),
}
"""By the measurement's name."""

NOT_JUDGED: dict[str, str] = {
    "performance_reference": "what `performance` is held against",
    "window_rows": "follows the traffic; `prediction_age_seconds` says that it stopped",
    "window_end_timestamp_seconds": "a moment; `prediction_age_seconds` says that none follows",
    "segment_measurements_cut": "follows from the config, and check-config says what is left out",
    "request_rate": "follows the traffic, which is no fault of the model",
    "latency_p50_seconds": "`latency_p95_seconds` is slow before it",
    "latency_p99_seconds": "rests on few requests; `latency_p95_seconds` is judged",
    "load1_ratio": "waiting for a disk counts as load; `cpu_utilization_ratio` is judged",
    "memory_used_bytes": "`memory_utilization_ratio` has the limit that matters",
    "disk_used_bytes": "`disk_utilization_ratio` has the limit that matters",
    "cpu_limit_cores": "a setting; `cpu_throttled_ratio` says that it is too low",
    "memory_limit_bytes": "a setting; `memory_utilization_ratio` says that it is too low",
    "cpu_throttled_seconds_total": "counts for dashboards; `cpu_throttled_ratio` is judged",
    "oom_kills_total": "counts for dashboards; `oom_kills_recent` is judged",
    "server_processes": "the server's own choice; `server_process_up` says that it is gone",
    "server_threads": "the server's own choice",
    "server_open_fds": "`server_fd_utilization_ratio` has the limit that matters",
    "server_start_time_seconds": "a moment; `server_restarts_recent` is judged",
    "server_restarts_total": "counts for dashboards; `server_restarts_recent` is judged",
    "probe_latency_seconds": "one request is no trend; too slow an answer fails `probe_up`",
    "probe_status_code": "an unexpected one fails `probe_up`",
    "probe_failures_total": "counts for dashboards; `probe_up` is judged",
    "gpu_memory_used_bytes": "`gpu_memory_utilization_ratio` has the limit that matters",
    "gpu_memory_limit_bytes": "a property of the GPU",
    "gpu_temperature_celsius": "`gpu_temperature_headroom_celsius` knows how hot this GPU may be",
    "gpu_power_watts": "use, not a fault; `gpu_throttled` says that it is held down",
    "gpu_power_limit_watts": "a setting",
    "gpu_energy_joules_total": "use, not a fault",
    "gpu_clock_hertz": "falls whenever the GPU is idle; `gpu_throttled` says that it is held down",
    "gpu_ecc_errors_total": "corrected ones are usual; those that are not come as `gpu_xid_errors_recent`",
    "gpu_xid_errors_total": "counts for dashboards; `gpu_xid_errors_recent` is judged",
    "gpu_pcie_throughput_bytes_per_second": "use, not a fault",
    "gpu_process_memory_bytes": "`gpu_memory_utilization_ratio` has the limit that matters",
    "gpu_query_failures_total": "single failures pass; `gpu_up` says that the GPU is lost",
    "evidently_value": "what a number of Evidently's means is known to who chose its metric: the rule is yours",
}
"""Why no shipped rule judges a metric. Together with the metrics that rules judge these are all of the catalogue."""
