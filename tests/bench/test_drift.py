"""The benchmark of drift runs, and what it compares agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.drift import Result, own
from bench.frames import write


@pytest.mark.release
def test_profile_and_exact_mode_see_the_columns_that_moved(tmp_path: Path) -> None:
    write(tmp_path / "reference.parquet", 4_000, 11, seed=1, current=False)
    write(tmp_path / "current.parquet", 4_000, 11, seed=2, current=True)
    assert own("build", tmp_path, 1).seconds > 0
    profile, exact = own("profile", tmp_path, 1), own("evidently", tmp_path, 1)
    assert isinstance(profile, Result)
    assert "uniform_3" in profile.drifted and "uniform_3" in exact.drifted
    assert profile.columns.keys() == exact.columns.keys()
    assert profile.peak_mb > 0
