"""Kept answers are noticed to be old, and the peers themselves give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.drift.presets.compare import METHODS
from checks.inputs import PresetName
from tests.checks.drift.parity import answers
from tests.checks.drift.parity.running import environment, run
from tests.needs import absent


@pytest.mark.release
@pytest.mark.timeout(900)
@pytest.mark.parametrize("peer", METHODS)
def test_the_peer_itself_answers_so(peer: PresetName, tmp_path: Path) -> None:
    python = environment(peer)
    if isinstance(python, str):
        absent(f"{peer}: {python}")
    assert answers.differences(answers.load(peer), run(peer, python, tmp_path)) == {}, answers.ANEW


@pytest.mark.parametrize("peer", METHODS)
def test_answers_of_other_versions_are_refused(peer: PresetName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "versions", lambda peer: [f"{peer}==99"])
    with pytest.raises(LookupError, match=rf"not \['{peer}==99'\]: `make parity`"):
        answers.load(peer)


def test_a_changed_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = answers.inputs()
    changed["counts"], changed["booleans"] = changed["skewed"], changed["booleans, small"]
    monkeypatch.setattr(answers, "inputs", lambda: changed)
    with pytest.raises(LookupError, match="inputs than booleans, counts: `make parity`"):
        answers.load("evidently")


def test_answers_differ_by_more_than_noise() -> None:
    def answer(drifted: bool, value: float, last: float) -> answers.Found:
        return {"a": {"hellinger": {"value": value, "drifted": drifted}}, "z": [0.1, last]}

    kept = answer(True, 0.5, 0.2)
    assert answers.differences(kept, answer(True, 0.5 + 1e-12, 0.2)) == {}
    found = answers.differences(kept, answer(False, 0.5, 0.3))
    assert found == {"a": {"hellinger": {"drifted": (True, False)}}, "z": [(0.2, 0.3)]}
    assert answers.differences({"a": {"error": "x"}}, {"a": {"value": 1.0}}) != {}
