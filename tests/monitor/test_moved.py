"""What moved in the data goes from the measurement to the incident, and stays there."""

from __future__ import annotations

from pathlib import Path

from alerts.incident import Incident
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
