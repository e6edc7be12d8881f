"""Shares of what was sent lately and can't be used: counted from the meters and from each run of compaction."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from monitor.collectors.stream_shares import LABELS_SECONDS, ROWS_SECONDS, StreamShares
from monitor.telemetry.metrics import Meters


@pytest.fixture
def meters() -> Meters:
    return Meters(CollectorRegistry())


def values(shares: StreamShares, monotonic: float) -> dict[str, tuple[float | None, int]]:
    return {item.name: (item.value, item.n) for item in shares.collect(1e9, monotonic)}


def test_nothing_received_is_no_data(meters: Meters) -> None:
    found = values(StreamShares("m", meters), 0.0)
    assert found.pop("events_corrupt_recent") == (0.0, 0)
    assert set(found.values()) == {(None, 0)}


def test_rejected_rows_of_this_model_count_for_an_hour(meters: Meters) -> None:
    shares = StreamShares("m", meters)
    meters.events_rejected.labels(model="other", reason="too_old").inc(500)
    meters.events_ingested.labels(model="m", kind="predictions").inc(70)
    meters.events_ingested.labels(model="m", kind="labels").inc(10)
    meters.events_rejected.labels(model="m", reason="too_old").inc(15)
    meters.events_rejected.labels(model="m", reason="invalid_time").inc(5)
    assert values(shares, 0.0)["events_rejected_ratio"] == (0.2, 100)
    meters.events_ingested.labels(model="m", kind="labels").inc(100)
    assert values(shares, 60.0)["events_rejected_ratio"] == (0.1, 200)
    assert values(shares, ROWS_SECONDS)["events_rejected_ratio"] == (0.0, 100)
    assert values(shares, ROWS_SECONDS + 60.0)["events_rejected_ratio"] == (None, 0)


def test_labels_count_for_a_day_and_one_that_came_before_its_prediction_is_matched_later(meters: Meters) -> None:
    shares = StreamShares("m", meters)
    shares.compacted(0.0, labels=100, placed=0, invalid=30, corrupt=1)
    found = values(shares, 1.0)
    assert found["labels_unmatched_ratio"] == (1.0, 100)
    assert found["labels_invalid_ratio"] == (0.3, 100)
    assert found["events_corrupt_recent"] == (1.0, 0)
    shares.compacted(10.0, labels=0, placed=90, invalid=0, corrupt=0)
    assert values(shares, 11.0)["labels_unmatched_ratio"] == (0.1, 100)
    # Predictions that come a day after their labels never make the share negative, nor more than 1.
    assert values(shares, LABELS_SECONDS + 1.0)["labels_unmatched_ratio"] == (None, 0)
    shares.compacted(LABELS_SECONDS + 2.0, labels=50, placed=50, invalid=0, corrupt=0)
    assert values(shares, LABELS_SECONDS + 3.0)["labels_unmatched_ratio"] == (0.0, 50)
