"""How long it takes to evaluate a thousand rules over a hundred series each: alone, and with their states in SQLite.

python -m bench.rules [--series 100] [--rules 1000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

from alerts.evaluate import States, evaluate
from alerts.rule import Rule
from bench.table import Row, markdown
from checks.base import Measurement, Window, labels
from monitor.judge import Judge
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


def pure(chosen: list[Rule], series: int, wrong: int) -> float:
    """Seconds of one evaluation of all the rules, states held in memory."""
    states: list[States] = [{} for _ in chosen]
    now, taken = 1_700_000_000.0, []
    for _ in range(ROUNDS + 2):
        now += EVERY
        rows = samples(series, now, wrong)
        began = time.process_time()
        for index, rule in enumerate(chosen):
            states[index], _ = evaluate(rule, states[index], rows, None, now, EVERY)
        taken.append(time.process_time() - began)
    return statistics.median(taken[2:])


def stored(chosen: list[Rule], series: int, wrong: int) -> float:
    """Seconds of one evaluation by the judge: states read from SQLite, and what changed written, synced and told."""
    clock = Stopped()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.db")
        metadata.create_all(engine)
        writer = Writer(engine)
        writer.start()
        judge = Judge(chosen, ["nobody"], clock, interval=EVERY)

        def once() -> float:
            clock.now += EVERY
            rows = samples(series, clock.now, wrong)
            began = time.process_time()
            writer.call(lambda connection: judge.step(connection, "m", rows, clock.now, metrics={METRIC}, failed={}))
            return time.process_time() - began

        taken = [once() for _ in range(ROUNDS + 2)]
        writer.stop()
        engine.dispose()
    return statistics.median(taken[2:])


def measure(count: int = RULES, series: int = SERIES) -> list[Row]:
    chosen = rules(count)
    what = f"{count:,} rules × {series} series"
    rows = []
    for name, call in (("pure", pure), ("with states in SQLite", stored)):
        for state, wrong in (("all calm", 0), ("one in 100 firing", max(1, series // 100)), ("all firing", series)):
            seconds = call(chosen, series, wrong)
            budget = "≤ 1 s" if wrong < series else "reported"
            met = seconds <= 1 if wrong < series else None
            rows.append(Row(f"{what}, {name}, {state}", f"{seconds * 1000:.0f} ms", budget, met))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=RULES)
    parser.add_argument("--series", type=int, default=SERIES)
    given = parser.parse_args()
    print(markdown(measure(given.rules, given.series)))


if __name__ == "__main__":
    main()
