"""The same arrivals give the same verdicts, however they are portioned into ticks, compactions and calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.work.closing import Closing, ModelOptions, Verdict
from monitor.work.compact import compact
from monitor.work.measure import measure, measure_many
from tests.monitor.work.log import HOUR, START, Log, Prediction, Truth
from tests.monitor.work.sample import write_reference

IDS = [f"id{number}" for number in range(30)]
OPTIONS = ModelOptions("delays", every=HOUR, lateness=600.0, min_rows=2, maturity=3 * HOUR, coverage=0.8)

predictions = st.builds(
    Prediction,
    id=st.sampled_from(IDS),
    time=st.integers(0, 8 * 3600).map(lambda seconds: START + seconds),
    features=st.fixed_dictionaries(
        {
            "distance": st.sampled_from([None, 1.0, 2.5, 900.0, -4.0]),
            "carrier": st.sampled_from(["UA", "AA", "?", None]),
        }
    ),
    prediction=st.sampled_from(["yes", "no"]),
    score=st.sampled_from([0.1, 0.4, 0.6, 0.9, None]),
)
truths = st.builds(
    Truth,
    id=st.sampled_from(IDS),
    label=st.sampled_from(["yes", "no", 7]),
    time=st.integers(0, 8 * 3600).map(lambda seconds: START + seconds),
)
batches = st.lists(
    st.one_of(st.lists(predictions, min_size=1, max_size=6), st.lists(truths, min_size=1, max_size=6)),
    min_size=4,
    max_size=25,
)


@dataclass
class Daemon:
    """Follows a log as the daemon does, at some pace."""

    log: Log
    calls: Callable[[Log, Sequence[Closing]], list[Verdict]]
    tail: bool

    def tick(self) -> list[tuple[Closing, Verdict]]:
        self.log.scan()
        closings = self.log.closings()
        done = []
        if closings:
            upto = 1 << 40 if self.tail else closings[-1].close_seq
            compact(self.log.url, self.log.model, upto, self.log.options)
            for closing, verdict in zip(closings, self.calls(self.log, closings), strict=True):
                done.append((closing, verdict))
        elif self.tail:
            compact(self.log.url, self.log.model, 1 << 40, self.log.options)
        return done


def at_once(log: Log, closings: Sequence[Closing]) -> list[Verdict]:
    verdicts = measure_many(log.url, log.model, closings, log.options)
    for closing, verdict in zip(closings, verdicts, strict=True):
        log.record(closing, [window for window, _ in verdict.matured])
    return verdicts


def one_by_one(log: Log, closings: Sequence[Closing]) -> list[Verdict]:
    verdicts = []
    for closing in closings:
        verdicts.append(measure(log.url, log.model, closing, log.options))
        log.record(closing, [window for window, _ in verdicts[-1].matured])
    return verdicts


def facts(done: Iterator[tuple[Closing, Verdict]]) -> list[object]:
    """All of the verdicts but how long they took."""
    return [
        (closing, verdict.measurements, verdict.revisions, verdict.matured, verdict.errors) for closing, verdict in done
    ]


@settings(max_examples=25, deadline=None)
@given(batches, st.integers(2, 7))
def test_verdicts_do_not_depend_on_the_pace(arrivals: list[list[Prediction] | list[Truth]], pace: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = []
        paces = [
            (1, one_by_one, True),
            (pace, at_once, False),
            (pace + 1, one_by_one, True),
            (len(arrivals), at_once, True),
        ]
        for number, (every, calls, tail) in enumerate(paces):
            log = Log(Path(folder) / f"{number}.db", OPTIONS)
            write_reference(log, Path(folder))
            daemon = Daemon(log, calls, tail)
            done: list[tuple[Closing, Verdict]] = []
            for place, batch in enumerate(arrivals, start=1):
                log.accept(batch)
                if place % every == 0:
                    done += daemon.tick()
            done += daemon.tick()
            results.append(facts(iter(done)))
        for other in results[1:]:
            assert other == results[0]
