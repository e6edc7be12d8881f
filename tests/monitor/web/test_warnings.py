"""What is taken and can't be used is said wherever one may look."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.base import NotEnough
from checks.data.schema import Schema, SchemaOverrides
from monitor.collectors.usable_rows import UsableRows
from monitor.ingest.expected import ANYTHING, Expected
from monitor.ingest.warnings import WarningKind, Warnings
from monitor.store.references.expected_rows import ExpectedRows
from monitor.telemetry.data_warnings import MINUTES, DataWarnings
from monitor.web.app import create_app
from tests.monitor.web.rig import NOW, Rig, StillClock
from tests.monitor.web.rig import rig as make

LABELS = "/v1/models/delays/labels"
BINARY = Expected(Schema("binary", (), classes=("0", "1"), positive_class="1"))


def labels(rig: Rig, *values: Any) -> list[dict[str, Any]]:
    rows = [{"id": "a", "label": value, "time": NOW} for value in values]
    found: list[dict[str, Any]] = rig.client.post(LABELS, json=rows).json()["warnings"]
    return found


@pytest.fixture
def binary(rig: Rig) -> Rig:
    services = replace(rig.services, expected=lambda model: BINARY if model == "delays" else ANYTHING)
    return Rig(services, rig.writer, create_app(services), rig.clock)


def test_a_label_that_is_no_class_is_said_everywhere(binary: Rig, caplog: pytest.LogCaptureFixture) -> None:
    example = "label 'yes' is none of the classes '0', '1'"
    with caplog.at_level(logging.WARNING, "watchkeeper.intake"):
        assert labels(binary, "yes", 1, "no") == [{"kind": "invalid_label", "count": 2, "example": example}]
        assert labels(binary, "yes")[0]["count"] == 1
    assert [record.getMessage() for record in caplog.records] == [
        f"delays: invalid_label: {example} (further ones are counted only)"
    ]
    assert binary.metric("watchkeeper_events_warned_total", model="delays", kind="invalid_label") == 3
    assert binary.client.get("/readyz").json()["warnings"] == {"delays": {"invalid_label": 3}}
    assert example in binary.client.get("/models/delays").text.replace("&#39;", "'")
    (model,) = [one for one in binary.client.get("/api/v1/status").json()["models"] if one["model"] == "delays"]
    assert model["warnings"] == [{"kind": "invalid_label", "count": 3, "example": example}]


def test_good_rows_are_not_mentioned(binary: Rig) -> None:
    assert labels(binary, 1, "0", True) == []
    assert "warnings" not in binary.client.get("/readyz").json()
    assert "not usable as sent" not in binary.client.get("/models/delays").text


def test_most_of_a_stream_unusable_is_a_measurement_and_unwell(rig: Rig) -> None:
    clock = StillClock(6_000.0)
    warnings, health = DataWarnings(clock.monotonic), rig.services.health
    source = UsableRows("delays", warnings, health, lambda _: None)

    def shares() -> dict[str, float | NotEnough | None]:
        return {dict(row.labels)["kind"]: row.reason or row.value for row in source.collect(NOW, clock.now)}

    assert shares() == dict.fromkeys(("labels", "predictions"), NotEnough.NO_ROWS)
    warnings.add("delays", "labels", 40, Warnings())
    warnings.add("delays", "labels", 60, Warnings({WarningKind.INVALID_LABEL: 60}, {WarningKind.INVALID_LABEL: "why"}))
    warnings.add("delays", "predictions", 9, Warnings({WarningKind.UNKNOWN_KEY: 9}, {WarningKind.UNKNOWN_KEY: "hint"}))
    assert shares() == {"labels": 0.6, "predictions": 0.0}
    told = "60% of the rows of the last 15 minutes can't be used, such as: why"
    assert health.degraded() == {"labels of delays": told}
    for minute in range(1, MINUTES):
        clock.now = 6_000.0 + 60 * minute
        warnings.add("delays", "labels", 1, Warnings())
        assert warnings.recent("delays", "labels") == (100 + minute, 60)
    clock.now += 60
    assert (shares()["labels"], health.degraded()) == (0.0, {})


def test_what_is_expected_comes_from_the_config_until_a_reference_is_in_force(tmp_path: Path) -> None:
    rig = make(tmp_path)
    known = ExpectedRows(rig.engine, {"delays": SchemaOverrides(classes=("low", "high")), "past": SchemaOverrides()})
    found = Warnings()
    for model in ("delays", "past"):
        known.of(model).check_labels(["odd"], found)
        known.refresh(model)
    assert found.counts == {}
    known.of("past").check_labels(["odd"], found)
    known.of("delays").check_labels(["odd", "low"], found)
    assert found.plain() == [
        {"kind": "invalid_label", "count": 1, "example": "label 'odd' is none of the classes 'low', 'high'"}
    ]
    rig.close()
