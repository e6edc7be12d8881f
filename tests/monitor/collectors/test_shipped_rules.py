"""The shipped rules on containers and on the server's process, over what the collectors really give."""

from __future__ import annotations

from pathlib import Path

from alerts.rules.rule import Rule
from alerts.state.evaluate import States, evaluate
from alerts.state.state import Status
from checks.base import Measurement
from monitor.collectors.process.collector import ProcessCollector
from monitor.collectors.process.finder import finder
from monitor.config.rules_in_force import default_rules
from monitor.settings.server import ProcessSettings
from tests.fakes.process_tree import ProcessTree
from tests.monitor.collectors.container.test_collector import Box

RULES = {rule.name: rule for rule in default_rules()}


class Judged:
    """One rule, stepped over samples."""

    def __init__(self, name: str) -> None:
        self.rule: Rule = RULES[name]
        self.states: States = {}

    def status(self, rows: list[Measurement], now: float) -> Status:
        self.states, _ = evaluate(self.rule, self.states, rows, None, now, 15.0)
        (state,) = self.states.values()
        return state.status


def test_a_container_that_is_throttled_killed_in_full_and_pressed(tmp_path: Path) -> None:
    box = Box(tmp_path)
    names = ("container-throttled", "container-oom", "container-memory-high", "memory-pressure")
    rules = {name: Judged(name) for name in names}

    def step() -> dict[str, Status]:
        rows = list(box.sample(15.0).values())
        return {name: rule.status(rows, box.now) for name, rule in rules.items()}

    step()
    assert set(step().values()) == {Status.INACTIVE}
    box.write("memory.current", ("", str(15782272 + 250_000_000)))
    box.write("memory.events", ("oom_kill ", "oom_kill 1"))
    seen = []
    for number in range(1, 42):
        box.write("cpu.stat", ("nr_periods", f"nr_periods {2000 + 150 * number}"))
        box.write("cpu.stat", ("nr_throttled", f"nr_throttled {100 + 60 * number}"))
        box.write("memory.pressure", ("full", f"full avg10=0 avg60=0 avg300=0 total={1500000 + 3000000 * number}"))
        seen.append(step())
    assert seen[0] == {**dict.fromkeys(names, Status.PENDING), "container-oom": Status.FIRING}
    assert seen[4]["container-memory-high"] is Status.FIRING
    assert (seen[7]["memory-pressure"], seen[8]["memory-pressure"]) == (Status.PENDING, Status.FIRING)
    assert (seen[39]["container-throttled"], seen[40]["container-throttled"]) == (Status.PENDING, Status.FIRING)
    # An idle container is not throttled.
    assert step()["container-throttled"] is Status.INACTIVE


def test_a_server_that_is_gone_and_one_that_begins_again_and_again() -> None:
    gone, again, files = Judged("server-process-gone"), Judged("server-restarting"), Judged("server-fds-high")
    now, port = 0.0, 0
    with ProcessTree() as server:
        port = server.port
    collector = ProcessCollector(finder(ProcessSettings(port=port), own=1 << 30), "delays")
    for number in range(4):
        with ProcessTree(port):
            now += 15.0
            rows = collector.collect(now, now)
            assert gone.status(rows, now) is Status.INACTIVE
            assert again.status(rows, now) is (Status.FIRING if number == 3 else Status.INACTIVE)
            assert files.status(rows, now) is Status.INACTIVE
    statuses = []
    for _ in range(5):
        now += 15.0
        rows = collector.collect(now, now)
        statuses.append(gone.status(rows, now))
        assert again.status(rows, now) is Status.FIRING
    assert statuses == [Status.PENDING] * 4 + [Status.FIRING]
