from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings.shipped_files import _folders, dashboard_files, shared_file


def test_a_checkout_has_it_beside_the_code() -> None:
    assert shared_file("rules.yaml") == Path(__file__).resolve().parents[3] / "config" / "rules.yaml"


def test_dashboards_are_beside_the_code_that_makes_them() -> None:
    assert "watchkeeper-model.json" in {path.name for path in dashboard_files()}


def test_what_is_not_shipped_is_said() -> None:
    with pytest.raises(FileNotFoundError, match=r"config/none\.yaml is missing from this installation"):
        shared_file("none.yaml")


@pytest.mark.parametrize(
    ("packages", "data"),
    [
        ("venv/lib/python3.11/site-packages", "venv"),
        ("home/.local/lib/python3.11/site-packages", "home/.local"),  # pip install --user
        ("target", "target"),  # pip install --target
    ],
)
def test_an_installation_has_it_in_share(tmp_path: Path, packages: str, data: str) -> None:
    root = tmp_path / packages
    root.mkdir(parents=True)
    found = _folders("config", root, Path("/elsewhere"))
    assert tmp_path / data / "share/watchkeeper/config" in found
    assert root / "config" not in found, "site-packages may hold somebody else's config"
    assert Path("/elsewhere/share/watchkeeper/config") in found
