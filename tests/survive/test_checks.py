"""Scenario 16: a check that raises, hangs, gives no number or loses a label ends no alert."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any

import pytest

from checks.base import Labels, Measurement, NotEnough, Window
from monitor.clock import SystemClock
from monitor.settings.root import WorkerSettings
from monitor.worker.pool import Worker, WorkerError
from tests.alerts.builders import HOUR, START, measure, rule
from tests.alerts.world import Receiver, World, world
from tests.monitor.worker import worker_tasks

DISTANCE: Labels = (("feature", "distance"),)


def failing(task: Any, timeout: float = 120.0) -> dict[str, str]:
    """What the real worker says of a task that does not return."""
    worker = Worker(WorkerSettings(timeout=timeout), SystemClock())
    try:
        with pytest.raises(WorkerError) as error:
            worker.run(task)
    finally:
        worker.stop()
    return {"feature_drift": str(error.value)}


def broken(it: World, kind: str, hour: int) -> None:
    """One window whose check is broken in this way."""
    end = START + hour * HOUR
    rows: list[Measurement] = []
    failed: dict[str, str] = {}
    if kind == "raises":
        failed = failing(worker_tasks.fail)
    elif kind == "hangs":
        failed = failing(worker_tasks.hang, 0.5)
    elif kind == "gives no number":
        rows = [measure(nan, end, labels=DISTANCE)]
    elif kind == "has too few rows":
        rows = [Measurement("feature_drift", None, Window(end - HOUR, end), DISTANCE, reason=NotEnough.NO_ROWS)]
    elif kind == "loses the label":
        rows = [measure(0.0, end)]
    elif kind == "measures another":
        rows = [measure(0.0, end, labels=(("feature", "temp"),))]
    it.judged(rows, end, failed=failed)


KINDS = [
    "raises",
    "hangs",
    "gives no number",
    "has too few rows",
    "loses the label",
    "measures another",
    "says nothing",
]


@pytest.mark.parametrize("kind", KINDS)
def test_survives_a_check_that_is_broken(tmp_path: Path, kind: str) -> None:
    pager = Receiver()
    health = "error" if kind in ("raises", "hangs") else "no_data"
    policy = {health: "alert"}
    with world(tmp_path, [rule(), rule(name="blind", above=1e9, **policy)], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        broken(it, kind, 2)
        found = {row["rule"]: row for row in it.store.alerts() if row["labels"] == dict(DISTANCE)}
        assert (found["drift"]["state"], found["drift"]["health"]) == ("firing", health), "no false resolve"
        assert (found["blind"]["state"], found["blind"]["cause"]) == ("firing", health), "and whoever wants it is told"
        it.deliver()
        it.window(0.0, 3)
        it.deliver()
        drift = [(notice.why.value, address) for notice, address in pager.sent if notice.incident.group == "drift"]
    assert drift == [("first", None), ("resolved", {"ts": "1"})], "it ends with the first good window"
