"""Each kind of rule that Prometheus can express, over samples: what we make of them, and what Prometheus is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.evaluate import States, evaluate
from alerts.state.state import Status
from checks.base import Measurement, NotEnough, Window
from checks.catalog import CATALOG
from tests.alerts.promql.exported import EVERY, rule

NONE, GONE = None, "gone"
"""Measured without a value; not measured any more."""
Sample = float | str | None


@dataclass(frozen=True)
class Case:
    """What one rule sees in consecutive evaluations."""

    rule: Rule
    samples: Sequence[Sample]
    others: dict[str, Sequence[Sample]] = field(default_factory=dict)
    """Of more label sets, by the value of the metric's last label that `match` does not name."""
    rate: Sequence[float | None] = ()
    """request_rate, which a condition may look at."""
    other_rate: Sequence[float | None] = ()
    """That of another model."""
    slow: Sequence[Status | None] = ()
    """The state of the rule `slow`, which a condition may look at."""
    reference: float | None = None


CALM, PENDING, FIRING = Status.INACTIVE, Status.PENDING, Status.FIRING
ON_RATE = {"while": [{"metric": "request_rate", "above": 1}]}
ON_LOW = {"while": [{"metric": "request_rate", "below": 1}]}
ON_SLOW = {"while": [{"rule": "slow"}]}
DISK = {"metric": "disk_utilization_ratio", "match": {"scope": "host"}}
# Windows whose slots are one sample each, so that they end where Prometheus' do.
FAST = {"objective": 0.9, "period": "1h", "burn": [{"long": "10m", "short": "5m", "budget": 0.5}]}
TWO_PAIRS = {
    "objective": 0.99,
    "period": "1h",
    "burn": [{"long": "10m", "short": "5m", "budget": 1}, {"long": "30m", "short": "5m", "budget": 0.5}],
}
ACCURACY: dict[str, Any] = {"metric": "performance", "match": {"metric": "accuracy"}}
KINDS = {
    "above": Case(rule(above=1), [0, 2, 2, 1, 0, 2]),
    "below": Case(rule(below=1), [2, 0, 1, 0.5]),
    "for": Case(rule(above=1, **{"for": "30s"}), [2, 2, 2, 2, 0, 2, 2, 0, 2, 2, 2]),
    "clear": Case(rule(above=1, clear=0.5), [0.7, 2, 0.7, 0.6, 0.4, 0.7, 2, 0.7]),
    "clear below": Case(rule(below=1, clear=1.5), [1.2, 0.5, 1.2, 1.4, 1.6, 1.2, 0.5, 1.2]),
    "clear while pending": Case(rule(above=1, clear=0.5, **{"for": "30s"}), [2, 0.7, 2, 2, 2, 0.7, 0.7, 0.5, 0.7]),
    "keep firing": Case(rule(above=1, keep_firing_for="30s"), [2, 0, 0, 0, 0, 2, 0, 2, 0]),
    "clear and keep": Case(rule(above=1, clear=0.5, keep_firing_for="30s"), [2, 0.7, 0, 0.7, 0, 0, 0, 0]),
    "vanished": Case(rule(above=1), [2, NONE, NONE, 2, 0, 2, GONE, GONE, 2]),
    "bounded": Case(rule(above={"value": 1, "at_least": 3}), [2, 4, 3, 2]),
    "labels": Case(rule(metric="disk_utilization_ratio", match={"path": "/"}, above=0.9), [0.95, 0.1]),
    "label sets": Case(
        rule(metric="disk_utilization_ratio", above=0.9, clear=0.5, **{"for": "15s"}),
        [0.95, 0.95, 0.95, 0.7, 0.7, 0.3],
        others={"/a": [0.1, 0.7, 0.95, 0.95, 0.7, 0.7], "/b": [0.95, 0.95, 0.95, GONE, 0.7, 0.95]},
    ),
    "while a metric": Case(rule(above=1, **ON_RATE), [2, 2, 2, 0, 2, 2, 2], rate=[0, 5, 1, 5, 5, None, 5]),
    "while a metric, for a time": Case(
        rule(above=1, **{"for": "30s"}, **ON_RATE), [2] * 9, rate=[5, 5, 0, 5, 5, 5, 5, 0, 5]
    ),
    "while a metric is low": Case(rule(above=1, **ON_LOW), [2] * 4, rate=[5, 0.5, 1, 0]),
    "while a metric of any model": Case(
        rule(above=1, **ON_RATE), [2] * 5, rate=[0, 5, 5, None, None], other_rate=[0, 0, None, 5, None]
    ),
    "while a metric of any model is low": Case(
        rule(above=1, **ON_LOW), [2] * 5, rate=[5, 0, 0, None, None], other_rate=[5, 5, None, 0, None]
    ),
    "while a rule": Case(
        rule(above=1, **ON_SLOW), [2, 2, 2, 0, 2, 2, 2], slow=[CALM, PENDING, FIRING, FIRING, FIRING, None, FIRING]
    ),
    "while both, cleared and kept": Case(
        rule(above=1, clear=0.5, keep_firing_for="15s", **{"while": [*ON_RATE["while"], *ON_SLOW["while"]]}),
        [2, 2, 0.7, 0.7, 0.7, 0.7, 2, 0.7, 0.3, 0.7],
        rate=[5, 5, 5, 0, 5, 0, 0, 5, 5, 5],
        slow=[CALM, *[FIRING] * 9],
    ),
    "reference": Case(rule(**ACCURACY, below={"reference": -0.05}), [0.9, 0.84, 0.85, 0.8, 0.88], reference=0.9),
    "reference and clear": Case(
        rule(**ACCURACY, below={"reference": -0.05}, clear={"reference": -0.02}),
        [0.86, 0.84, 0.86, 0.87, 0.89, 0.86],
        reference=0.9,
    ),
    "event time": Case(rule(metric="missing_ratio", above=0.1, clear=0.05), [0.05, 0.2, 0.07, 0.01]),
    "no data alerts": Case(rule(above=1, no_data="alert"), [0, GONE, GONE, 0, 2, GONE, 0, NONE, 0]),
    "no data alerts, for a time": Case(
        rule(above=1, no_data="alert", clear=0.5, keep_firing_for="15s", **{"for": "30s"}),
        [0, 2, GONE, 2, 0.7, GONE, 0, 0, 0, GONE, 0, GONE, GONE, GONE, GONE, 0.7, 0.3, 0.3, 0.3],
    ),
    "never any data": Case(rule(above=1, no_data="alert", **{"for": "15s"}), [GONE, GONE, GONE, 0, 2, 2, GONE]),
    "outside": Case(rule(outside={"low": 1, "high": 2}), [1.5, 0.5, 1, 2, 2.5, 0.5, 1.5]),
    "outside, for a time": Case(
        rule(outside={"low": 1, "high": 2}, **{"for": "15s"}), [1.5, 0.5, 2.5, 1.5, 0.5, 0.5, GONE]
    ),
    "absent": Case(rule(absent=True, **{"for": "15s"}), [0, GONE, 0, GONE, GONE, NONE, 0, 0]),
    "a share": Case(
        rule(**DISK, above=0.9, share=0.5),
        [0.1, 0.95, 0.95, 0.95, GONE, GONE],
        others={"/a": [0.1, 0.1, 0.95, 0.95, 0.95, GONE], "/b": [0.1, 0.1, 0.1, 0.95, 0.1, GONE]},
    ),
    "a share outside, kept": Case(
        rule(**DISK, outside={"low": 0.2, "high": 0.9}, share=0.5, keep_firing_for="15s"),
        [0.5, 0.95, 0.95, 0.5, 0.5, 0.5, 0.5],
        others={"/a": [0.5, 0.5, 0.1, 0.5, 0.1, 0.5, 0.5], "/b": [0.5, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]},
    ),
    "overrides": Case(
        rule(
            **DISK,
            above=0.9,
            clear=0.5,
            overrides=[
                {"match": {"path": "/a"}, "above": 0.5, "for": "30s", "severity": "critical"},
                {"match": {"scope": "container"}, "above": 0.1},
                {"match": {"scope": "host", "path": "/b"}, "below": 0.2},
            ],
        ),
        [0.1, 0.95, 0.7, 0.4, 0.95, 0.1],
        others={"/a": [0.6, 0.6, 0.6, 0.6, 0.4, 0.4], "/b": [0.95, 0.95, 0.95, 0.95, 0.1, 0.3]},
    ),
    "burn rate": Case(
        rule(metric="error_ratio", slo=FAST),
        [0.0] * 20 + [1.0] * 30 + [0.0] * 50,
        rate=[2.0] * 100,
    ),
    "burn rate, weighed by requests": Case(
        rule(metric="error_ratio", slo=FAST, min_rows=150),
        [1.0] * 15 + [0.4] * 30 + [GONE] * 25 + [1.0, 0.0] * 20,
        rate=[0.2] * 15 + [2.0, 5.0] * 15 + [0.0] * 25 + [1.0, 9.0] * 20,
    ),
    "burn rate of two pairs": Case(
        rule(metric="error_ratio", slo=TWO_PAIRS, keep_firing_for="1m"),
        ([0.0] * 25 + [0.05] * 40 + [0.0] * 60 + [0.9] * 5) * 2,
        rate=[2.0] * 260,
    ),
    "burn rate of bad samples": Case(
        rule(slo=FAST, above=1, **{"for": "30s"}), [0.0] * 20 + [2, 2, 2, 0] * 12 + [0.0] * 30
    ),
    "burn rate of samples outside": Case(
        rule(slo=FAST, outside={"low": 1, "high": 2}), [1.5] * 20 + [3, 0.5, 3, 1.5] * 12 + [1.5] * 30
    ),
    "burn rate of a plain ratio": Case(
        rule(metric="cpu_throttled_ratio", slo=FAST, min_rows=8), [0.9] * 20 + [0.1] * 30 + [GONE] * 25 + [0.9] * 12
    ),
    "burn rate, while, of what has vanished": Case(
        rule(slo=FAST, above=1, **ON_SLOW), [2.0] * 20 + [GONE] * 20, slow=([FIRING] * 5 + [CALM] * 5) * 4
    ),
    "burn rate, while": Case(rule(slo=FAST, above=1, **ON_SLOW), [2.0] * 40, slow=([CALM] * 5 + [FIRING] * 5) * 4),
    "no data of one label set": Case(
        rule(metric="disk_utilization_ratio", above=0.9, no_data="alert"),
        [0.1, 0.1, 0.1, 0.1],
        others={"/a": [0.1, GONE, 0.1, 0.95]},
    ),
}


def label_sets(case: Case) -> list[tuple[dict[str, str], Sequence[Sample]]]:
    """The label sets of the rule's metric, and what is measured of each."""
    names, match = CATALOG[case.rule.metric].labels, case.rule.match
    own = {**dict.fromkeys(names, "x"), **match}
    last = [name for name in names if name not in match][-1:]
    return [(own, case.samples), *(({**own, last[0]: value}, samples) for value, samples in case.others.items())]


def ours(case: Case) -> list[int]:
    """How many alerts fire after each evaluation."""
    states: States = {}
    fired = []
    for index in range(len(case.samples)):
        now = index * EVERY
        window = Window(now, now)
        rows = []
        for labels, samples in label_sets(case):
            value = samples[index]
            if not isinstance(value, str):
                reason = NotEnough.NO_ROWS if value is None else None
                key = tuple(sorted(labels.items()))
                n = round((case.rate[index] or 0) * EVERY) if case.rule.metric == "error_ratio" else 0
                rows.append(
                    Measurement(case.rule.metric, value, window, key, n, reference=case.reference, reason=reason)
                )
        rates = [rate[index] for rate in (case.rate, case.other_rate) if rate]
        slow = case.slow[index] if case.slow else None
        company = ConditionInputs(
            {"request_rate": [Measurement("request_rate", rate, window) for rate in rates if rate is not None]},
            {} if slow is None else {"slow": [("m", slow)]},
        )
        pace = EVERY if CATALOG[case.rule.metric].clock == "wall" else None
        states, _ = evaluate(case.rule, states, rows, None, now, pace, company)
        fired.append(sum(state.status is FIRING for state in states.values()))
    return fired


def exposed(case: Case) -> list[dict[str, str]]:
    """The same as promtool's input series."""
    ranks: dict[Any, float | None] = {None: None, CALM: 0, PENDING: 1, FIRING: 2}
    count = len(case.samples)
    rows: list[tuple[str, dict[str, str], Sequence[Sample]]] = [
        *((case.rule.metric, {"model": "m", **labels}, samples) for labels, samples in label_sets(case)),
        ("build_info", {"version": "1"}, [1.0] * count),
        ("request_rate", {"model": "m"}, case.rate),
        ("request_rate", {"model": "n"}, case.other_rate),
        ("alert_state", {"rule": "slow", "model": "m"}, [ranks[status] for status in case.slow]),
        ("performance_reference", {"model": "m", **label_sets(case)[0][0]}, [case.reference] * count),
    ]
    return [
        {
            "series": f"watchkeeper_{name}{{{_pairs({'instance': 'i', 'job': 'j', 'cluster': 'c', **labels})}}}",
            "values": " ".join(
                "stale" if isinstance(value, str) or value is None else str(float(value)) for value in values
            ),
        }
        for name, labels, values in rows
        if values and any(value is not None for value in values)
    ]


def _pairs(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


def firing(counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """That so many alerts fire after an evaluation, by its number, as promtool's tests."""
    return [
        {
            "expr": 'count(ALERTS{alertstate="firing"}) or vector(0)',
            "eval_time": f"{index * 15}s",
            "exp_samples": [{"labels": "{}", "value": count}],
        }
        for index, count in counts.items()
    ]
