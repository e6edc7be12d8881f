"""The same arrivals give the same verdicts, however they are portioned into ticks, compactions and calls."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checks.inputs import CheckOptions
from checks.segments.parts import PARTS
from monitor.store.engine import writing
from monitor.store.references.activations import configure
from monitor.store.references.plan import ReferencePlan
from monitor.worker.messages import ModelOptions, SegmentOptions, WindowClose, WindowResult
from monitor.worker.references import segments
from monitor.worker.tasks import compact, measure, measure_many
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth
from tests.monitor.worker.sample import write_reference
from tests.seeds import half

SEGMENTS = (
    SegmentOptions("carrier", top=1, min_rows=2, checks=tuple(PARTS)),
    SegmentOptions("country", "tag", top=2, min_rows=2),
)
OPTIONS = ModelOptions(
    "delays",
    every=HOUR,
    allowed_lateness=600.0,
    checks=CheckOptions(min_rows=2),
    maturity=3 * HOUR,
    coverage=0.8,
    segments=SEGMENTS,
)
ARRIVALS = 40
HOURS = 10


def traffic(random: Random, versions: Sequence[str | None] = (None,)) -> Iterator[list[Prediction] | list[Truth]]:
    """Ten hours of a model's life: mostly in order, with late rows, repeated ids, labels before and after their
    predictions, corrected, of the wrong type, or for nobody."""
    ids = [f"id{number}" for number in range(3 * ARRIVALS)]
    for place in range(ARRIVALS):
        now = HOURS * place / ARRIVALS
        near = ids[max(0, 3 * place - 12) : 3 * place + 6]
        if random.random() < 0.45:
            values = random.choices(["yes", "no", 7], [5, 5, 1], k=random.randint(1, 12))
            yield [Truth(random.choice(near), value, START + now * HOUR) for value in values]
            continue
        late = random.choice([0, 0, 0, 1, 3])
        yield [
            Prediction(
                id=random.choice(near),
                time=START + max(0.0, now - late - random.random()) * HOUR,
                features={
                    "distance": random.choice([None, 1.0, 2.5, 900.0, -4.0]),
                    "carrier": random.choice(["UA", "AA", "?", None]),
                },
                prediction=random.choice(["yes", "no"]),
                score=random.choice([0.1, 0.4, 0.6, 0.9, None]),
                tags=random.choice([None, {}, {"country": "DE"}, {"country": "FR"}, {"country": "AT", "x": "y"}]),
                version=versions[int(len(versions) * place / ARRIVALS) - random.choice([0, 0, 0, 1])],
            )
            for _ in range(random.randint(1, 8))
        ]


@dataclass
class Daemon:
    """Follows a log as the daemon does, at some pace."""

    log: Log
    calls: Callable[[Log, Sequence[WindowClose]], list[WindowResult]]
    tail: bool

    def tick(self) -> list[tuple[WindowClose, WindowResult]]:
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


def at_once(log: Log, closings: Sequence[WindowClose]) -> list[WindowResult]:
    verdicts = measure_many(log.url, log.model, closings, log.options)
    for closing, verdict in zip(closings, verdicts, strict=True):
        log.record(closing, [window for window, _ in verdict.matured], verdict.versions)
    return verdicts


def one_by_one(log: Log, closings: Sequence[WindowClose]) -> list[WindowResult]:
    verdicts = []
    for closing in closings:
        verdicts.append(measure(log.url, log.model, closing, log.options))
        log.record(closing, [window for window, _ in verdicts[-1].matured], verdicts[-1].versions)
    return verdicts


def facts(done: Sequence[tuple[WindowClose, WindowResult]]) -> list[object]:
    """All of the verdicts but how long they took."""
    return [
        (
            closing,
            verdict.measurements,
            verdict.revisions,
            verdict.matured,
            verdict.errors,
            verdict.reference,
            verdict.version,
            verdict.versions,
        )
        for closing, verdict in done
    ]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds a reference and no arrivals."""
    folder = tmp_path_factory.mktemp("replay")
    log = Log(folder / "template.db", OPTIONS)
    write_reference(log, folder)
    log.engine.dispose()
    return folder / "template.db"


def replayed(
    template: Path, tmp_path: Path, options: ModelOptions, random: Random, arrivals: Sequence[Sequence[Any]]
) -> list[tuple[WindowClose, WindowResult]]:
    """The verdicts, which are the same at four paces."""
    paces = [
        (1, one_by_one, True),
        (random.randint(2, 5), at_once, False),
        (random.randint(5, 12), one_by_one, True),
        (ARRIVALS, at_once, True),
    ]
    results = []
    for number, (every, calls, tail) in enumerate(paces):
        path = tmp_path / f"{number}.db"
        shutil.copy(template, path)
        daemon = Daemon(Log(path, options, fresh=False), calls, tail)
        if options.plan.learns:
            with writing(daemon.log.engine).begin() as connection:
                configure(connection, options.model, options.plan, 0.0)
        done: list[tuple[WindowClose, WindowResult]] = []
        for place, batch in enumerate(arrivals, start=1):
            daemon.log.accept(batch)
            if place % every == 0:
                done += daemon.tick()
        done += daemon.tick()
        results.append(facts(done))
    for other in results[1:]:
        assert other == results[0]
    return done


@pytest.mark.parametrize("seed", half(range(6), every=3))
def test_verdicts_do_not_depend_on_the_pace(
    template: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FREEZE_ROWS", 30)
    random = Random(seed)
    verdicts = [verdict for _, verdict in replayed(template, tmp_path, OPTIONS, random, list(traffic(random)))]
    assert len(verdicts) >= 7
    assert sum(bool(verdict.revisions) for verdict in verdicts) >= 3
    named = [{dict(row.labels).get("segment", "") for row in verdict.measurements} for verdict in verdicts]
    assert {"carrier=(other)"} < named[0]
    learned = [any(name.startswith("country=") for name in names) for names in named]
    assert not learned[0], "the tag's values are learned from the stream"
    assert learned[-1]
    assert any("segment" in dict(row.labels) for verdict in verdicts for row in verdict.revisions if row.value)
    assert any(row.value is not None for verdict in verdicts for _, rows in verdict.matured for row in rows)


PLANS = {
    "learned": ReferencePlan("first", first=3 * HOUR),
    "rolling": ReferencePlan("previous", first=2 * HOUR, of=2 * HOUR),
    "of versions": ReferencePlan("first", first=2 * HOUR, per_version=True),
    "of a file's version": ReferencePlan("file", None, "1", per_version=True, first=2 * HOUR),
}


@pytest.mark.parametrize(("plan", "seed"), half(product(PLANS, range(3)), every=3))
def test_what_is_learned_does_not_either(template: Path, tmp_path: Path, plan: str, seed: int) -> None:
    random = Random(100 + seed)
    options = replace(OPTIONS, plan=PLANS[plan])
    done = replayed(template, tmp_path, options, random, list(traffic(random, ["1", "1", "2", None])))
    judged = {verdict.reference for _, verdict in done}
    assert None in judged and len(judged) > 1, judged
    if options.plan.per_version:
        assert len({verdict.version for _, verdict in done}) > 1
    reasons = [row.detail["why"] for _, verdict in done for row in verdict.measurements if "why" in row.detail]
    assert any("learning until 2023-11-1" in why for why in reasons), reasons
