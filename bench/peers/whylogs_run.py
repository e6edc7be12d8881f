"""whylogs: a profile of each frame, compared by Hellinger distance at its threshold of 0.7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import whylogs
from measure import run
from whylogs.viz.drift.column_drift_algorithms import Hellinger, calculate_drift_scores


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    before, now = (whylogs.log(frame).view() for frame in (reference, current))
    scores = calculate_drift_scores(
        target_view=now,
        reference_view=before,
        drift_map={name: Hellinger() for name in reference.columns},
        with_thresholds=True,
    )

    def answer() -> dict[str, Any]:
        return {
            name: {
                "method": "hellinger",
                "value": float(score["statistic"]),
                "drifted": str(score.get("drift_category")) == "DriftCategory.DRIFT",
            }
            for name, score in scores.items()
            if score
        }

    return answer


if __name__ == "__main__":
    run(pd.read_parquet, compare)
