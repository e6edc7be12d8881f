"""A closed window that can't be measured: when it is given up, and when it is tried again for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checks.inputs import CheckOptions
from monitor.collectors.check_states import CheckStates
from monitor.collectors.stream_shares import StreamShares
from monitor.pipeline.event_time import ATTEMPTS, EventTimePipeline
from monitor.store.tables import progress
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import WorkerError
from monitor.worker.tasks import measure_many
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, World, world
from tests.monitor.pipeline.parts import parts_of
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth

OPTIONS = ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1))
OVERTAKEN = WorkerError("raised", "another process was faster", again=True)
BROKEN = WorkerError("raised", "no such column")


class Own:
    """A worker that works in this process; measuring fails as told."""

    def __init__(self, *problems: WorkerError) -> None:
        self.problems = list(problems)

    def run(self, task: Any, *arguments: object) -> Any:
        if task is measure_many and self.problems:
            raise self.problems.pop(0)
        return task(*arguments)


def pipeline(it: World, *problems: WorkerError) -> EventTimePipeline:
    parts = parts_of(it, Own(*problems))
    return EventTimePipeline(OPTIONS, CheckStates(), parts, StreamShares("delays", parts.meters))


def judged(log: Log) -> float | None:
    found: float | None = log.rows(select(progress.c.judged_window))[0][0]
    return found


@pytest.mark.parametrize(("problem", "given_up"), [(BROKEN, True), (OVERTAKEN, False)])
def test_only_a_failure_of_its_own_gives_a_window_up(tmp_path: Path, problem: WorkerError, given_up: bool) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        log = Log(tmp_path / "alerts.sqlite", OPTIONS)
        log.predict(Prediction("a", START + 1.0))
        log.predict(Prediction("b", START + HOUR + 1.0))
        made = pipeline(it, *[problem] * ATTEMPTS)
        for _ in range(ATTEMPTS - 1):
            with pytest.raises(WorkerError):
                made.tick()
        if given_up:
            assert made.tick() == 1
            return
        with pytest.raises(WorkerError):
            made.tick()
        assert judged(log) is None
        assert made.tick() == 1
        assert judged(log) == START + HOUR


def test_labels_that_fit_no_prediction_or_no_task_are_shares_that_a_rule_can_judge(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        log = Log(tmp_path / "alerts.sqlite", OPTIONS)
        log.predict(Prediction("a", START + 1.0))
        log.label(*(Truth(id_, "yes", START + 2.0) for id_ in ("a", "A", "x-a", "0a")))
        log.predict(Prediction("b", START + HOUR + 1.0))
        made = pipeline(it)
        assert made.tick() == 1
        found = {item.name: (item.value, item.n) for item in made.shares.collect(START, it.clock.monotonic())}
        assert found["labels_unmatched_ratio"] == (0.75, 4)
        assert found["labels_invalid_ratio"] == (0.0, 4)
        assert found["events_corrupt_recent"] == (0.0, 0)
