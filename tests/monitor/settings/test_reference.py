from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.store.references.plan import LEARN, ReferencePlan

DAY = 86400.0


def read(folder: Path, reference: str, more: str = "") -> ReferencePlan:
    file = folder / "w.yaml"
    file.write_text(f"model: m\nreference: {reference}\n{more}")
    return ReferencePlan.of_model(load(file, {}).models[0])


def test_a_path_alone_is_a_file_for_all_versions(tmp_path: Path) -> None:
    plan = read(tmp_path, "r.csv")
    assert plan == read(tmp_path, "{path: r.csv}") == ReferencePlan("file", str(tmp_path / "r.csv"))
    assert not plan.learns


def test_each_kind(tmp_path: Path) -> None:
    assert read(tmp_path, "{first: 2d}") == ReferencePlan("first", first=2 * DAY)
    assert read(tmp_path, "{window: previous}") == ReferencePlan("previous", first=3600.0, of=3600.0)
    assert read(tmp_path, "{window: previous, of: 1d}") == ReferencePlan("previous", first=DAY, of=DAY)
    bound = read(tmp_path, '{path: r.csv, version: "3"}')
    assert (bound.kind, bound.version, bound.per_version, bound.first) == ("file", "3", True, LEARN)
    assert read(tmp_path, '{path: r.csv, version: "3", first: 1d}').first == DAY
    assert read(tmp_path, "{first: 1d, per_version: true}").per_version


def test_what_is_stored_comes_back_and_does_not_name_the_file(tmp_path: Path) -> None:
    plan = read(tmp_path, '{path: r.csv, version: "3"}')
    assert ReferencePlan.read(plan.text()) == ReferencePlan("file", None, "3", True)
    assert str(tmp_path) not in plan.text()


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("{}", "give one of path, first and window"),
        ("{path: r.csv, first: 1d}", "give one of path, first and window"),
        ("{first: 1d, window: previous}", "give one of path, first and window"),
        ("{first: 1d, of: 1d}", "of goes with window: previous"),
        ('{first: 1d, version: "3"}', "give"),
        ("{path: r.csv, per_version: true}", "version"),
        ("{first: 0s}", "reference.first: must be from 1s to 36525d, and is 0s"),
        ("{window: next}", "previous"),
        ("{frist: 1d}", "first"),
        ("{first: 90m}", "multiple of windows.every, which is 1h"),
        ("{window: previous, of: 30m}", "multiple of windows.every"),
        ("{first: 30d}", "longer than events are kept (retention.events: 14d)"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, reference: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, reference)
    assert text in str(caught.value)
    assert caught.value.line == 2
