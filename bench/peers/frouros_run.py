"""Frouros, column by column: Kolmogorov-Smirnov for numbers, chi-squared for categories, both at 0.05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest
from measure import run, texts


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    words, found = texts(reference), {}
    for name in reference.columns:
        detector = ChiSquareTest() if name in words else KSTest()
        _ = detector.fit(X=reference[name].to_numpy())
        result, _ = detector.compare(X=current[name].to_numpy())
        p_value = float(result.p_value)
        found[name] = {"method": "chi2" if name in words else "ks", "value": p_value, "drifted": p_value < 0.05}
    return lambda: found


if __name__ == "__main__":
    run(pd.read_parquet, compare)
