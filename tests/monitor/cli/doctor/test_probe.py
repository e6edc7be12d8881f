from __future__ import annotations

from typing import Any

import pytest

from monitor.cli.doctor import probe as probe_checks
from monitor.cli.doctor.finding import Finding
from monitor.clock import SystemClock
from monitor.settings.model import ModelSettings
from monitor.settings.server import CollectSettings, ProbeSettings
from tests.fakes.peer import Peer, says_json
from tests.monitor.cli.doctor.conftest import only


def run(**settings: Any) -> Finding:
    probe = ProbeSettings.model_validate({"name": "p", **settings})
    return only(probe_checks.probe(probe, ModelSettings(model="m"), CollectSettings(), SystemClock()))


def test_an_answer_that_is_right_and_one_that_is_not() -> None:
    with Peer(says_json({"prediction": 1})) as peer:
        found = run(url=f"{peer.url}/p?key=hunter2", kind="json", body={}, answer={"prediction": 1})
        assert (found.status.value, found.found.split(": ")[0]) == ("ok", f"POST {peer.url}/p")
        found = run(url=peer.url, kind="json", body={}, answer={"prediction": 2})
        assert (found.status.value, "1 instead of 2" in found.found) == ("problem", True)
        assert "answer" in found.todo


def test_one_that_may_take_longer_than_the_doctor_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_checks, "SECONDS", 0.1)
    with Peer(says_json({})) as peer:
        peer.answer = peer.hang
        found = run(url=peer.url, timeout=60.0)
        assert (found.status.value, found.todo) == ("missing", "the daemon waits 60 s for it")
        assert run(url=peer.url, timeout=0.1).status.value == "problem"
