"""The shipped rules on GPUs, over what the collector gives with the stand-in for NVIDIA's library: no GPU is here."""

from __future__ import annotations

import pytest

from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.evaluate import States, evaluate
from alerts.state.state import Status
from checks.base import Measurement, Window
from monitor.config.rules_in_force import default_rules
from tests.fakes.nvml.watch import Watch

RULES = {rule.name: rule for rule in default_rules() if rule.metric.startswith("gpu_")}


class Judged:
    """One rule, stepped over samples of a collector."""

    def __init__(self, watch: Watch, name: str) -> None:
        self.watch, self.rule = watch, RULES[name]
        self.states: States = {}

    def step(self, company: ConditionInputs | None = None) -> Status:
        """The worst status after one more sample."""
        rows = self.watch.rows()
        self.states, _ = evaluate(
            self.rule, self.states, rows, None, self.watch.now, 15.0, company or ConditionInputs()
        )
        return max((state.status for state in self.states.values()), key=list(Status).index, default=Status.INACTIVE)

    def steps(self, count: int, company: ConditionInputs | None = None) -> list[Status]:
        return [self.step(company) for _ in range(count)]


def samples(rule: Rule) -> int:
    """How many samples in a row have to be beyond the level until it fires."""
    return int((rule.for_.seconds or 0) / 15) + 1


@pytest.mark.parametrize(
    ("name", "bad", "well"),
    [
        (
            "gpu-memory-high",
            {"0.memory_used": 16_900 << 20, "0.memory_total": 17_000 << 20},
            {"0.memory_used": 1 << 20},
        ),
        ("gpu-hot", {"0.temperature": 86}, {"0.temperature": 81}),
        ("gpu-throttled", {"0.reasons": 0x80}, {"0.reasons": 0x04}),
        ("gpu-throttled-by-heat", {"0.reasons": 0x20}, {"0.reasons": 0x01}),
        ("gpu-lost", {"generation": 2, "init": 9}, {"init": 0}),
    ],
)
def test_each_fires_on_its_cause_and_ends_with_it(
    watch: Watch, name: str, bad: dict[str, object], well: dict[str, object]
) -> None:
    judged = Judged(watch, name)
    assert judged.steps(3) == [Status.INACTIVE] * 3
    watch.gpus.put(bad)
    needed = samples(judged.rule)
    assert judged.steps(needed) == [Status.PENDING] * (needed - 1) + [Status.FIRING]
    watch.gpus.put(well)
    assert judged.steps(5)[-1] is Status.INACTIVE  # a driver is opened anew after a minute


def test_an_xid_error_fires_for_as_long_as_it_is_recent(watch: Watch) -> None:
    judged = Judged(watch, "gpu-xid")
    judged.step()
    watch.gpus.set(xids="0:79")
    assert judged.steps(60) == [Status.FIRING] * 60
    assert judged.step() is Status.INACTIVE


def test_what_is_said_of_a_lost_gpu_is_its_loss_alone(watch: Watch) -> None:
    hot, lost = Judged(watch, "gpu-hot"), Judged(watch, "gpu-lost")
    watch.gpus.set(_0__temperature=89)
    assert hot.steps(samples(hot.rule))[-1] is Status.FIRING
    watch.gpus.set(_0__lost=1)
    assert hot.step() is Status.INACTIVE
    assert lost.steps(samples(lost.rule))[-1] is Status.FIRING


def test_a_busy_gpu_matters_while_the_server_is_slow(watch: Watch) -> None:
    watch.gpus.set(_0__utilization=99)
    judged = Judged(watch, "gpu-saturated")
    count = samples(judged.rule)
    assert judged.steps(count, _slow(Status.INACTIVE))[-1] is Status.INACTIVE
    assert judged.steps(count, _slow(Status.PENDING))[-1] is Status.FIRING
    assert judged.step(_slow(Status.INACTIVE)) is Status.INACTIVE


def test_an_idle_gpu_matters_while_requests_are_answered(watch: Watch) -> None:
    watch.gpus.set(_0__utilization=3)
    judged = Judged(watch, "gpu-idle")
    count = samples(judged.rule)
    assert judged.steps(count, _rate(0.5))[-1] is Status.INACTIVE
    assert judged.steps(count, _rate(40.0))[-1] is Status.FIRING
    watch.gpus.set(_0__utilization=37)
    assert judged.step(_rate(40.0)) is Status.INACTIVE


def test_every_rule_on_gpus_is_tried_here() -> None:
    assert set(RULES) == {
        "gpu-saturated",
        "gpu-memory-high",
        "gpu-hot",
        "gpu-throttled",
        "gpu-throttled-by-heat",
        "gpu-xid",
        "gpu-lost",
        "gpu-idle",
    }


def _slow(status: Status) -> ConditionInputs:
    return ConditionInputs(statuses={"latency-high": [("delays", status)]})


def _rate(value: float) -> ConditionInputs:
    return ConditionInputs(newest={"request_rate": [Measurement("request_rate", value, Window(0.0, 15.0))]})
