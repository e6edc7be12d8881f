"""Every kind of rule over series that nobody chose: Prometheus' own rule engine fires and resolves with ours."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from monitor.cli.rules import render
from tests.alerts.promql.cases import GONE, KINDS, Case, Sample, exposed, firing, ours
from tests.alerts.promql.exported import EVERY, Trial, tried

SEEDS = range(3)
LENGTH = 120
T = TypeVar("T")


def drawn(rng: random.Random, pool: Sequence[T]) -> list[T]:
    """LENGTH values of those in the pool, each for a while: 1 to 8 evaluations."""
    out: list[T] = []
    while len(out) < LENGTH:
        out += [rng.choice(pool)] * rng.choice([1, 1, 2, 3, 5, 8])
    return out[:LENGTH]


def some(rng: random.Random, samples: Sequence[Sample]) -> list[Sample]:
    """Of the kind's own values, which lie about its levels, and series that vanish now and then."""
    return drawn(
        rng, [*samples, *samples, GONE] if len(set(samples)) > 3 else [*dict.fromkeys(samples), GONE, *samples]
    )


def at_random(case: Case, seed: int) -> Case:
    """The same rule over other series."""
    rng = random.Random(f"{case.rule.metric} {case.rule.bounds} {seed}")
    samples = some(rng, case.samples)
    if case.rule.slo is not None and not case.rule.bounds:
        # Sums of ratios that meet the level to the last digit depend on the order in which they are added.
        samples = [value * rng.uniform(0.9, 1) if isinstance(value, float) else value for value in samples]
    return replace(
        case,
        samples=samples,
        others={value: some(rng, of) for value, of in case.others.items()},
        rate=drawn(rng, case.rate) if case.rate else (),
        other_rate=drawn(rng, case.other_rate) if case.other_rate else (),
        slow=drawn(rng, case.slow) if case.slow else (),
    )


@dataclass(frozen=True)
class Drawn:
    """A kind of rule over other series, one for each seed."""

    refused: Mapping[str, str]
    expected: list[list[int]]
    """How many alerts fire after each evaluation."""
    told: str
    """What promtool says."""


@pytest.fixture(scope="module")
def all_drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    cases = {kind: [at_random(case, seed) for seed in SEEDS] for kind, case in KINDS.items()}
    expected = {kind: [ours(case) for case in series] for kind, series in cases.items()}
    rendered = {kind: render([case.rule], EVERY) for kind, case in KINDS.items()}
    trials = {kind: Trial(rendered[kind][0], _tests(cases[kind], expected[kind])) for kind in KINDS}
    told = tried(tmp_path_factory.mktemp("random"), trials)
    return {kind: Drawn(rendered[kind][1], expected[kind], told[kind]) for kind in KINDS}


def _tests(cases: Sequence[Case], expected: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    return [
        {"name": f"seed {seed}", "input_series": exposed(case), "promql_expr_test": firing(dict(enumerate(counts)))}
        for seed, case, counts in zip(SEEDS, cases, expected, strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_fires_and_resolves_with_us(kind: str, all_drawn: dict[str, Drawn]) -> None:
    drawn = all_drawn[kind]
    changes = sum(before != after for counts in drawn.expected for before, after in pairwise(counts))
    assert changes >= 4, "they fire and resolve several times"
    assert not drawn.refused
    assert drawn.told == "SUCCESS"
