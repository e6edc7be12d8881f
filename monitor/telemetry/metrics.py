"""What Watchkeeper exports: counts of its own work (Meters) and the newest value of every series (LatestCollector)."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.samples import Sample

from checks.catalog import BESIDE, CATALOG
from monitor.store.references.active import ReferenceStatus
from monitor.telemetry.latest_values import Latest

PREFIX = "watchkeeper_"
MAX_SERIES = 10_000
"""Series of one name; what is over is dropped and counted."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


def release() -> str:
    """The installed version."""
    try:
        return version("watchkeeper")
    except PackageNotFoundError:
        return "unknown"


class Meters:
    """Watchkeeper's own counts. Every label has few values: names from the config, or of an enum."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *names: str) -> Counter:
            return Counter(PREFIX + name, text, names, registry=registry)

        def gauge(name: str, text: str, *names: str) -> Gauge:
            return Gauge(PREFIX + name, text, names, registry=registry)

        self.events_ingested = counter("events_ingested", "Rows accepted and on disk.", "model", "kind")
        self.events_rejected = counter("events_rejected", "Rows not accepted.", "model", "reason")
        self.events_repaired = counter(
            "events_repaired", "Values kept that can't be measured, such as a NaN in a feature.", "model", "reason"
        )
        self.events_warned = counter(
            "events_warned",
            "Rows accepted that can't be measured with, or look like a mistake, by kind.",
            "model",
            "kind",
        )
        self.events_duplicate = counter(
            "events_duplicate", "Predictions dropped because their id was there already.", "model"
        )
        self.events_corrupt = counter("events_corrupt", "Batches set aside because they can't be read.", "model")
        self.labels_waiting = gauge("labels_waiting", "Labels whose prediction has not arrived.", "model")
        self.labels_invalid = counter("labels_invalid", "Labels whose value does not fit the model's task.", "model")
        self.chunks_unprofiled = gauge(
            "chunks_unprofiled", "Stored chunks that are still to be profiled under the newest reference.", "model"
        )
        self.batches_repeated = counter(
            "batches_repeated", "Batches sent again under the same key, stored once.", "model", "kind"
        )
        self.requests_refused = counter("requests_refused", "Requests not served, by reason.", "reason")
        self.notifications = counter("notifications", "Deliveries tried, by outcome.", "receiver", "outcome")
        self.alertmanager_last_success = gauge(
            "alertmanager_last_success_timestamp_seconds", "When Alertmanager last took the alerts.", "member"
        )
        self.slack_connected = gauge(
            "slack_connected", "1 while presses on buttons in Slack are heard; absent without buttons.", "receiver"
        )
        self.slack_presses = counter("slack_presses", "Presses on buttons in Slack.", "button", "outcome")
        self.reference_info = gauge(
            "reference_info", "1 for every reference in force.", "model", "version", "kind", "reference"
        )
        self.reference_learned = gauge(
            "reference_learned_ratio", "Share of the time of a reference that is being learned.", "model", "version"
        )
        self._references: dict[str, ReferenceStatus] = {}
        self._lock = threading.Lock()
        self.outbox_pending = gauge("outbox_pending", "Notifications owed.")
        self.incidents_without_receiver = gauge(
            "incidents_without_receiver", "Open incidents that no route matches, so that nobody hears of them."
        )
        self.check_duration = Histogram(
            PREFIX + "check_duration_seconds",
            "How long a check ran on one window.",
            ["check"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.check_last_success = gauge(
            "check_last_success_timestamp_seconds", "When the check last ran without an error.", "check"
        )
        self.check_failures = counter("check_failures", "Runs of a check that failed.", "check")
        self.collector_failures = counter("collector_failures", "Samples that could not be taken.", "collector")
        self.job_failures = counter("job_failures", "Runs of a scheduled job that failed.", "scheduled_job")
        self.last_evaluation = gauge(
            "last_evaluation_timestamp_seconds", "When rules were last judged; a watchdog's food."
        )
        self.config_reload_successful = gauge(
            "config_last_reload_successful", "1 if the config was right when it was last read, else 0."
        )
        self.config_reload_success = gauge(
            "config_last_reload_success_timestamp_seconds", "When the config was last read and right."
        )
        self.degraded = gauge("degraded", "1 for every part that is not well.", "part")
        gauge("build_info", "1, with the release as a label.", "version").labels(version=release()).set(1)

    def show_references(self, model: str, normal: ReferenceStatus) -> None:
        """Makes the model's references exactly these."""
        with self._lock:
            if self._references.get(model) == normal:
                return
            self._references[model] = normal
            self.reference_info.clear()
            self.reference_learned.clear()
            for name, state in self._references.items():
                for one in state.in_force:
                    self.reference_info.labels(name, one.version or "", one.kind, str(one.id)).set(1)
                for missing in state.learning:
                    self.reference_learned.labels(name, missing.version or "").set(missing.share)

    def show_degraded(self, problems: Mapping[str, str]) -> None:
        """Makes `degraded` name exactly these parts."""
        self.degraded.clear()
        for part in problems:
            self.degraded.labels(part=part).set(1)


class AlertStates(Protocol):
    def worst_states(self) -> Iterable[tuple[str, str, int]]:
        """(rule, model, 0 inactive | 1 pending | 2 firing), once a rule and model."""
        ...


class LatestCollector:
    """The catalogue's gauges as they are now, what stands beside them, and the worst state of each rule's alerts.

    A series without a value is absent: it neither freezes nor becomes 0.
    """

    def __init__(self, latest: Latest, alerts: AlertStates, max_series: int = MAX_SERIES) -> None:
        self._latest, self._alerts, self._max = latest, alerts, max_series

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are the catalogue's, and asking for values before a database exists would fail."""
        return []

    def collect(self) -> Iterable[Metric]:
        yield from self._gauges()
        yield self._states()

    def _gauges(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        dropped: Tally[str] = Tally()

        def add(name: str, text: str, kind: str, labels: dict[str, str], value: float) -> None:
            family = families.get(name)
            if family is None:
                family = families[name] = Metric(PREFIX + name.removesuffix("_total"), text, kind)
            if len(family.samples) >= self._max:
                dropped[name] += 1
                return
            family.samples.append(Sample(PREFIX + name, labels, value))

        for model, measurement in self._latest.snapshot():
            entry = CATALOG.get(measurement.name)
            if entry is None or measurement.value is None:
                continue
            labels = dict(measurement.labels)
            if model:
                labels["model"] = model
            add(measurement.name, entry.help, entry.kind, labels, measurement.value)
            for beside in BESIDE.get(measurement.name, ()):
                value: float | None = getattr(measurement, beside.side)
                if value is not None:
                    add(beside.name, beside.help, "gauge", labels, value)
        yield from families.values()
        if dropped:
            over = GaugeMetricFamily(
                PREFIX + "series_dropped", "Series over the bound of one metric.", labels=["metric"]
            )
            for name, count in dropped.items():
                over.add_metric([name], count)
            yield over

    def _states(self) -> Metric:
        family = GaugeMetricFamily(
            PREFIX + "alert_state",
            "The worst state of the rule's alerts: 0 inactive, 1 pending, 2 firing.",
        )
        for rule, model, level in self._alerts.worst_states():
            labels = {"rule": rule, "model": model} if model else {"rule": rule}
            family.samples.append(Sample(family.name, labels, level))
        return family
