"""NannyML's univariate drift with its defaults: Jensen-Shannon, ten chunks, thresholds of three standard deviations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nannyml
import pandas as pd
from measure import run, texts
from nannyml.chunk import CountBasedChunker


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns), treat_as_categorical=texts(reference)
    )
    calculator.fit(reference)
    calculator.chunker = CountBasedChunker(chunk_number=1)  # the window is one chunk
    done = calculator.calculate(current)

    def answer() -> dict[str, Any]:
        table = done.filter(period="analysis").to_df()
        method = "jensen_shannon"
        return {
            name: {
                "method": method,
                "value": float(table[(name, method, "value")].mean()),
                "drifted": bool(table[(name, method, "alert")].any()),
            }
            for name in reference.columns
        }

    return answer


if __name__ == "__main__":
    run(pd.read_parquet, compare)
