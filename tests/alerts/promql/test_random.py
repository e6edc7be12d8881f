"""Every kind of rule over series that nobody chose: Prometheus' own rule engine fires and resolves with ours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from monitor.cli.rules import render
from tests.alerts.promql.cases import GONE, KINDS, Case, Sample, exposed, firing, ours
from tests.alerts.promql.exported import EVERY, passes

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


@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_fires_and_resolves_with_us(kind: str, tmp_path: Path) -> None:
    cases = [at_random(KINDS[kind], seed) for seed in SEEDS]
    expected = [ours(case) for case in cases]
    changes = sum(before != after for counts in expected for before, after in pairwise(counts))
    assert changes >= 4, "they fire and resolve several times"
    text, refused = render([cases[0].rule], EVERY)
    assert not refused
    tests: list[dict[str, Any]] = [
        {"name": f"seed {seed}", "input_series": exposed(case), "promql_expr_test": firing(dict(enumerate(counts)))}
        for seed, case, counts in zip(SEEDS, cases, expected, strict=True)
    ]
    passes(tmp_path, text, *tests)
