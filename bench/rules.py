"""How long it takes to evaluate a thousand rules over a hundred series each, on one core.

    python -m bench.rules [--series 100] [--rules 1000]

In memory: `evaluate`, which steps each series' alert. By the judge, as the daemon has it: the states are read from
SQLite, what changed is written, with transitions, incidents and what receivers are owed, and the transaction is synced.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from alerts.rules.rule import Rule
from alerts.state.evaluate import States, evaluate
from bench.table import Row, markdown
from checks.base import Measurement, Window, labels
from monitor.alerting.engine import AlertEngine
from monitor.store.engine import open_engine
from monitor.store.tables import metadata
from monitor.store.writer import Writer

RULES, SERIES, ROUNDS, EVERY = 1000, 100, 5, 15.0
METRIC = "disk_utilization_ratio"
KINDS: tuple[dict[str, Any], ...] = (
    {"above": 0.9, "for": "1m", "keep_firing_for": "1m"},
    {"above": 0.9, "clear": 0.8, "for": "5m"},
    {"below": 0.05},
    {"outside": {"low": 0.01, "high": 0.95}, "for": "3 of 5 windows"},
    {"above": {"value": 0.9, "at_most": 0.95}, "no_data": "ok"},
)
CALM, WRONG = 0.5, 0.99


class Stopped:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def rules(count: int) -> list[Rule]:
    """Rules of every plain kind, in groups of ten."""
    return [
        Rule.model_validate(
            {"name": f"r{index}", "metric": METRIC, "group": f"g{index // 10}", **KINDS[index % len(KINDS)]}
        )
        for index in range(count)
    ]


def samples(count: int, now: float, wrong: int) -> list[Measurement]:
    """A value a series, of which so many are wrong."""
    window = Window(now, now)
    return [
        Measurement(METRIC, WRONG if index < wrong else CALM, window, labels(scope="host", path=f"/disk{index}"))
        for index in range(count)
    ]


def timed(call: Callable[[], object]) -> float:
    """CPU seconds of one evaluation of all the rules, whatever else the machine does meanwhile."""
    began = time.process_time()
    call()
    return time.process_time() - began


def median(rounds: list[float]) -> float:
    """The first two rounds, in which every alert is new, are left out."""
    return statistics.median(rounds[2:])


def pure(chosen: list[Rule], series: int, wrong: int) -> float:
    """With the states in memory."""
    states: list[States] = [{} for _ in chosen]
    now, taken = 1_700_000_000.0, []

    def once() -> None:
        for index, rule in enumerate(chosen):
            states[index], _ = evaluate(rule, states[index], rows, None, now, EVERY)

    for _ in range(ROUNDS + 2):
        now += EVERY
        rows = samples(series, now, wrong)
        taken.append(timed(once))
    return median(taken)


def stored(chosen: list[Rule], series: int, wrong: int) -> float:
    """By the judge."""
    clock = Stopped()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.db")
        metadata.create_all(engine)
        writer = Writer(engine)
        writer.start()
        alert_engine = AlertEngine(chosen, ["nobody"], clock, interval=EVERY)

        def once() -> float:
            clock.now += EVERY
            rows = samples(series, clock.now, wrong)
            return timed(
                lambda: writer.call(
                    lambda connection: alert_engine.step(connection, "m", rows, clock.now, metrics={METRIC}, failed={})
                )
            )

        taken = [once() for _ in range(ROUNDS + 2)]
        writer.stop()
        engine.dispose()
    return median(taken)


def measure(count: int = RULES, series: int = SERIES) -> list[Row]:
    chosen = rules(count)
    what = f"{count:,} rules × {series} series"
    rows = []
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        for name, call in (("states in memory", pure), ("by the judge, states in SQLite", stored)):
            for state, wrong in (("all calm", 0), ("one in 100 firing", max(1, series // 100)), ("all firing", series)):
                rows.append(_row(f"{what}, {name}, {state}", call(chosen, series, wrong), wrong < series))
    finally:
        os.sched_setaffinity(0, before)
    return rows


def _row(what: str, seconds: float, budgeted: bool) -> Row:
    figure = f"{seconds * 1000:.0f} ms of CPU"
    return Row(what, figure, "≤ 1 s", seconds <= 1) if budgeted else Row(what, figure, "reported", None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=RULES)
    parser.add_argument("--series", type=int, default=SERIES)
    given = parser.parse_args()
    print(markdown(measure(given.rules, given.series)))


if __name__ == "__main__":
    main()
