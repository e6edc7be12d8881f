import time
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from checks.base import Measurement, NotEnough, Window, labels
from checks.catalog import CATALOG
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.telemetry.prometheus_text import render

HOUR = Window(0.0, 3600.0)
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
NASTY = 'quote " backslash \\ newline \n end'


class States:
    """What the alert store says of its rules."""

    def __init__(self, *rows: tuple[str, str, int]) -> None:
        self._rows = rows

    def worst_states(self) -> Iterable[tuple[str, str, int]]:
        return self._rows


def registry_of(latest: Latest, states: States | None = None, max_series: int = 10_000) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(LatestCollector(latest, states or States(), max_series))
    return registry


def test_a_measurement_is_a_gauge_with_its_model_and_labels() -> None:
    latest = Latest()
    latest.put("delays", [Measurement("feature_drift", 0.25, HOUR, labels(feature="distance", method="psi"))])
    registry = registry_of(latest)

    drift = {"model": "delays", "feature": "distance", "method": "psi"}
    assert registry.get_sample_value("watchkeeper_feature_drift", drift) == 0.25


def test_limits_and_intervals_stand_beside_the_value_where_there_are_any() -> None:
    latest = Latest()
    psi, named = labels(feature="distance", method="psi"), {"model": "m", "feature": "distance", "method": "psi"}
    latest.put("m", [Measurement("feature_drift", 0.25, HOUR, psi, limit_high=0.1)])
    accuracy = Measurement("performance", 0.9, HOUR, labels(metric="accuracy"), low=0.88, high=0.92, limit_low=0.85)
    latest.put("m", [accuracy, Measurement("missing_ratio", 0.1, HOUR, labels(feature="temp"), limit_high=0.05)])
    registry = registry_of(latest)

    assert registry.get_sample_value("watchkeeper_feature_drift_limit", named) == 0.1
    interval = [
        registry.get_sample_value(f"watchkeeper_performance_{end}", {"model": "m", "metric": "accuracy"})
        for end in ("low", "high")
    ]
    assert interval == [0.88, 0.92]
    assert b"missing_ratio_limit" not in render(registry, "")[0]

    latest.put("m", [Measurement("feature_drift", 0.3, Window(3600.0, 7200.0), psi)])
    assert registry.get_sample_value("watchkeeper_feature_drift_limit", named) is None


def test_the_machine_has_no_model() -> None:
    latest = Latest()
    latest.put("", [Measurement("cpu_utilization_ratio", 0.5, HOUR, labels(scope="host"))])

    assert registry_of(latest).get_sample_value("watchkeeper_cpu_utilization_ratio", {"scope": "host"}) == 0.5


def test_no_data_removes_a_series() -> None:
    latest = Latest()
    latest.put("delays", [Measurement("missing_ratio", 0.6, HOUR, labels(feature="temp"))])
    gone = Measurement("missing_ratio", None, Window(3600.0, 7200.0), labels(feature="temp"), reason=NotEnough.NO_ROWS)
    latest.put("delays", [gone])

    assert b"watchkeeper_missing_ratio" not in render(registry_of(latest), "")[0]


def test_a_name_outside_of_the_catalogue_is_not_exported() -> None:
    latest = Latest()
    latest.put("delays", [Measurement("made_up", 1.0, HOUR)])

    assert b"made_up" not in render(registry_of(latest), "")[0]


def test_alert_states_by_rule() -> None:
    registry = registry_of(Latest(), States(("drift", "delays", 2), ("cpu", "", 0)))

    assert registry.get_sample_value("watchkeeper_alert_state", {"rule": "drift", "model": "delays"}) == 2
    assert registry.get_sample_value("watchkeeper_alert_state", {"rule": "cpu"}) == 0


def test_series_are_bounded_and_what_is_dropped_is_said() -> None:
    latest = Latest()
    latest.put("m", [Measurement("missing_ratio", 0.0, HOUR, labels(feature=f"f{i}")) for i in range(10)])
    registry = registry_of(latest, max_series=4)

    assert render(registry, "")[0].count(b"\nwatchkeeper_missing_ratio{") == 4
    assert registry.get_sample_value("watchkeeper_series_dropped", {"metric": "missing_ratio"}) == 6


def full_registry() -> CollectorRegistry:
    """Every kind of metric, every catalogue name, and values and labels that need care."""
    latest = Latest()
    latest.put(NASTY, [Measurement("missing_ratio", 0.5, HOUR, labels(feature=NASTY))])
    latest.put("m", [Measurement("window_rows", float(2**60), HOUR), Measurement("request_rate", 1e-9, HOUR)])
    latest.put("m", [Measurement(name, 1.5, HOUR) for name in CATALOG])
    values = [float("inf"), float("-inf"), float("nan")]
    latest.put("m", [Measurement("feature_drift", v, HOUR, labels(feature=str(v))) for v in values])
    registry = registry_of(latest, States(("drift", "m", 1)))
    meters = Meters(registry)
    meters.events_rejected.labels(model="m", reason="not_finite").inc(3)
    meters.check_duration.labels(check="drift").observe(0.2)
    meters.show_degraded({NASTY: "why"})
    return registry


@pytest.mark.parametrize(
    ("accept", "parse", "generate"),
    [("", parse_text, generate_latest), (OPENMETRICS, parse_openmetrics, generate_openmetrics)],
)
def test_what_is_written_here_reads_as_what_the_client_writes(accept, parse, generate) -> None:  # type: ignore[no-untyped-def]
    registry = full_registry()

    def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], str]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): str(sample.value)
            for family in parse(text.decode())
            for sample in family.samples
            if not sample.name.endswith("_created")
        }

    ours, content_type = render(registry, accept)

    assert samples(ours) == samples(generate(registry))
    assert content_type.startswith("application/openmetrics-text" if accept else "text/plain; version=0.0.4")


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=nonsense", "text/plain; version=x", "*/*"])
def test_an_accept_header_without_sense_gets_plain_text(accept: str) -> None:
    assert render(full_registry(), accept)[1] == "text/plain; version=0.0.4; charset=utf-8"


def test_names_follow_prometheus_conventions() -> None:
    """What promtool checks: a help each, counters end in _total, base units, no metric type in a name."""
    for family in parse_openmetrics(render(full_registry(), OPENMETRICS)[0].decode()):
        assert family.name.startswith("watchkeeper_")
        assert family.documentation.endswith("."), family.name
        assert family.type in ("gauge", "counter", "histogram")
        assert not family.name.endswith(("_count", "_sum", "_bucket", "_total", "_gauge", "_milliseconds", "_ms"))
        for sample in family.samples:
            assert family.type == "histogram" or not {"le", "quantile"} & sample.labels.keys()


def test_degraded_parts_go_away_when_they_are_well() -> None:
    registry = CollectorRegistry()
    meters = Meters(registry)
    meters.show_degraded({"slack": "revoked", "database": "full"})
    meters.show_degraded({"database": "full"})

    assert registry.get_sample_value("watchkeeper_degraded", {"part": "database"}) == 1
    assert registry.get_sample_value("watchkeeper_degraded", {"part": "slack"}) is None


def test_a_thousand_features_are_exported_in_fifty_milliseconds() -> None:
    latest = Latest()
    latest.put(
        "m",
        [
            Measurement("feature_drift", 0.1234 + i, HOUR, labels(feature=f"feature_{i}", method=method))
            for i in range(1000)
            for method in ("psi", "jensenshannon")
        ],
    )
    registry = registry_of(latest)
    seconds = []
    for _ in range(7):
        started = time.thread_time()
        body, _ = render(registry, OPENMETRICS)
        seconds.append(time.thread_time() - started)

    assert body.count(b"\nwatchkeeper_feature_drift{") == 2000
    assert min(seconds) < 0.05
