"""Reading the config again while the daemon runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.config.reload import PART, Reloader
from monitor.settings.root import Config
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters
from tests.alerts.builders import FakeClock

RULE = "rules:\n  - {name: busy, metric: load1_ratio, above: %s}\n"


class Rig:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "watchkeeper.yaml"
        self.write("model: delays\n" + RULE % 2)
        self.applied: list[Config] = []
        self.clock, self.health, self.registry = FakeClock(), Health(), CollectorRegistry()
        meters = Meters(self.registry)
        self.reloader = Reloader(load, self.path, load(self.path), self.apply, self.clock, self.health, meters)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def apply(self, config: Config) -> int:
        self.applied.append(config)
        return len(config.rules)

    @property
    def shown(self) -> tuple[float | None, float | None]:
        """(successful, seconds since the clock began at the last success)"""
        name = "watchkeeper_config_last_reload_success"
        when = self.registry.get_sample_value(f"{name}_timestamp_seconds")
        return self.registry.get_sample_value(f"{name}ful"), None if when is None else when - 1_700_000_000.0


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_rules_are_taken_over_and_what_needs_a_restart_is_named(rig: Rig) -> None:
    rig.clock.forward(60)
    rig.write("model: delays\nevaluate: 5s\nlisten: 127.0.0.1:9798\n" + RULE % 3)
    done = rig.reloader.reload()
    assert (done.changed, done.restart) == (True, ("listen", "evaluate"))
    assert done.description == "1 rules are in force; restart Watchkeeper for what else changed: listen, evaluate"
    assert [rule.above and rule.above.value for rule in rig.applied[0].rules] == [3.0]
    assert rig.shown == (1.0, 60.0)
    again = rig.reloader.reload()
    assert (again.changed, again.restart) == (False, ("listen", "evaluate")), "that is still to be restarted for"


def test_a_bad_file_keeps_the_old_rules_and_says_so(rig: Rig) -> None:
    rig.clock.forward(60)
    rig.write("model: delays\n" + RULE % "much")
    with pytest.raises(ConfigError, match="'much' is no level"):
        rig.reloader.reload()
    assert (rig.applied, rig.shown) == ([], (0.0, 0.0))
    assert "the old rules stay in force" in rig.health.degraded()[PART]
    rig.path.unlink()
    with pytest.raises(ConfigError):
        rig.reloader.reload()
    rig.write("model: delays\n" + RULE % 2)
    rig.reloader.reload()
    assert (rig.shown, rig.health.degraded()) == ((1.0, 60.0), {})


def test_rules_that_can_not_be_put_in_force_are_no_success(rig: Rig) -> None:
    def locked(_: Config) -> int:
        raise RuntimeError("the database is locked")

    rig.reloader._apply = locked
    with pytest.raises(RuntimeError):
        rig.reloader.reload()
    assert rig.shown[0] == 0.0
    assert "locked" in rig.health.degraded()[PART]
