"""Split tests of many seeds: every other case runs by day, all of them for a release."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet


def half(cases: Iterable[object], every: int = 2) -> list[ParameterSet]:
    """Return all cases, with the mark `release` but for every second one, or third …; a tuple is several parameters."""
    each = (case if isinstance(case, tuple) else (case,) for case in cases)
    return [
        pytest.param(*case, marks=[pytest.mark.release] if place % every else []) for place, case in enumerate(each)
    ]
