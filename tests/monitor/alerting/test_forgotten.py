"""What reaches nobody is said: degraded, in a metric, and once in the log."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from alerts.delivery.routing import Route
from monitor.alerting.forgotten import Forgotten
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters
from tests.alerts.builders import incident


def test_case_14_an_incident_without_a_receiver_is_counted_shown_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health, registry = Health(), CollectorRegistry()
    forgotten = Forgotten(health, Meters(registry))
    one = incident()
    for _ in range(3):
        forgotten.note([one])
    assert registry.get_sample_value("watchkeeper_incidents_without_receiver") == 1
    assert "delays/" in health.degraded()["routes"] and "reaches nobody" in health.degraded()["routes"]
    assert [record.message for record in caplog.records if "reaches nobody" in record.message] == [
        f"{one.key} ({one.severity}) reaches nobody: no route matches it; let the last route have no matchers"
    ]
    forgotten.note([one, replace(one, id="second", group="other")])
    assert "and 1 more reach nobody" in health.degraded()["routes"]
    forgotten.note([])
    assert registry.get_sample_value("watchkeeper_incidents_without_receiver") == 0
    assert health.degraded() == {}
    assert Route(receivers=[]).conditions == ()
