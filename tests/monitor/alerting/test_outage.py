"""What is told while the database can't be written."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import OperationalError

from alerts.incidents.incident import KEPT
from monitor.alerting.outage import AGAIN, PATIENCE
from tests.alerts.builders import measure, rule
from tests.alerts.world import Receiver, world

FULL = OperationalError("INSERT", {}, Exception("database or disk is full"))


def test_alerts_beyond_those_described_are_counted_once(tmp_path: Path) -> None:
    pager, names = Receiver(), [f"feature{number}" for number in range(KEPT + 10)]
    with world(tmp_path, [rule()], pager) as it:
        it.outage.failed(FULL)
        it.clock.forward(PATIENCE)
        now = it.clock.now
        rows = [measure(3.2, now, labels=(("feature", name),)) for name in names]
        it.outage.step("delays", rows, now, metrics={"feature_drift"}, failed={}, interval=15.0)
        for _ in range(4):
            it.outage.failed(FULL)
            it.outage.tell("pager")
            it.clock.forward(AGAIN)
    assert [(notice.incident.version, notice.incident.total) for notice, _ in pager.sent] == [(1, KEPT + 11)]
