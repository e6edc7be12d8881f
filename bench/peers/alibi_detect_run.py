"""Alibi Detect's TabularDrift: Kolmogorov-Smirnov and chi-squared tests, Bonferroni-corrected at 0.05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from alibi_detect.cd import TabularDrift
from measure import run, texts


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    words = texts(reference)
    places = {list(reference.columns).index(name): None for name in words}
    tables = []
    for frame in (reference, current):
        table = np.empty(frame.shape, np.float32)
        for place, name in enumerate(frame.columns):
            if name in words:
                codes = {word: code for code, word in enumerate(sorted(set(reference[name]) | set(current[name])))}
                table[:, place] = frame[name].map(codes)
            else:
                table[:, place] = frame[name]
        tables.append(table)
    detector = TabularDrift(tables[0], p_val=0.05, categories_per_feature=places)
    done = detector.predict(tables[1], drift_type="feature")["data"]

    def answer() -> dict[str, Any]:
        methods = ["chi2" if name in words else "ks" for name in reference.columns]
        return {
            name: {
                "method": methods[place],
                "value": float(done["p_val"][place]),
                "drifted": bool(done["is_drift"][place]),
            }
            for place, name in enumerate(reference.columns)
        }

    return answer


if __name__ == "__main__":
    run(pd.read_parquet, compare)
