"""The benchmark of judging, over few rules."""

from __future__ import annotations

import pytest

from bench import rules


@pytest.mark.release
def test_every_state_of_the_rules_is_measured_in_memory_and_by_the_judge() -> None:
    rows = rules.measure(10, 5)
    assert len({row.what for row in rows}) == 6
    assert [row.met for row in rows] == [True, True, None] * 2
