"""Fifty columns, and what can be wrong with three of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

EMPTY, NAN, MIXED = "f07", "f11", "f23"
WRONG = {EMPTY, NAN, MIXED}


def fifty(rows: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Forty columns of numbers, ten of categories."""
    rng = np.random.default_rng(seed)
    numbers = {f"f{place:02}": rng.normal(place, 1, rows) for place in range(40)}
    return pd.DataFrame(numbers | {f"c{place}": rng.choice(list("abcdef"), rows) for place in range(10)})


def with_three_wrong(frame: pd.DataFrame) -> pd.DataFrame:
    """One column without a value, one of NaN, one in which texts stand among numbers."""
    wrong: dict[str, Any] = {EMPTY: None, NAN: np.nan}
    changed = frame.assign(**wrong)
    changed[MIXED] = changed[MIXED].astype(object)
    changed.loc[::5, MIXED] = "unknown"
    return changed
