"""What moved in the data goes from the measurement to the incident, and stays there."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.incidents.incident import Incident
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.worker.messages import ModelOptions
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, world

MOVED = "distance: 90 % of values now at 1087 or more, 30 % before"


def test_an_incident_says_what_moved_and_goes_on_saying_so(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        it.window(3.2, 1, detail={"why": MOVED})
        it.window(3.2, 2, detail={"why": MOVED})
        (alert,) = it.store.alerts()
        assert alert["moved"] == [MOVED]
        it.window(9.9, 3)
        it.window(0.0, 4)
        (plain,) = it.store.incidents()
        ended = Incident.from_dict(plain)
        assert ended.resolved
        assert ended.moved == (MOVED,)


def test_a_count_of_features_names_the_first_of_them(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        it.window(3.2, 1, detail={"why": [MOVED, "temp: missing 0 → 12 %"]})
        it.window(3.2, 2, detail={"why": [MOVED, "temp: missing 0 → 12 %"]})
        assert it.store.alerts()[0]["moved"] == [MOVED, "temp: missing 0 → 12 %"]


def test_the_config_says_how_much_features_matter(tmp_path: Path) -> None:
    file = tmp_path / "watchkeeper.yaml"
    file.write_text("model: m\nchecks: {drift: {importance: {temp: 0.4, wind: 2}}}\n")
    (model,) = load(file).models
    assert ModelOptions.of(model).checks.importance == {"temp": 0.4, "wind": 2.0}
    file.write_text("model: m\nchecks: {drift: {importance: {temp: -1}}}\n")
    with pytest.raises(ConfigError, match=r"importance\.temp"):
        load(file)
