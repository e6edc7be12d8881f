"""Evidently's DataDriftPreset, with its own choice of methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from measure import run, texts


def load(path: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    # Texts of other types are no categories to it.
    return frame.astype(dict.fromkeys(texts(frame), object))


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    words = texts(reference)
    numbers = [name for name in reference.columns if name not in words]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    given = [Dataset.from_pandas(frame, definition) for frame in (current, reference)]
    done = Report([DataDriftPreset()]).run(*given)
    return lambda: {
        config["column"]: {"method": config["method"], "value": value, "drifted": _drifted(config, value)}
        for config, value in _values(done)
    }


def _values(done: Any) -> list[tuple[dict[str, Any], float]]:
    found = [metric for metric in done.dict()["metrics"] if metric["config"]["type"].endswith(":ValueDrift")]
    return [(metric["config"], float(metric["value"])) for metric in found]


def _drifted(config: dict[str, Any], value: float) -> bool:
    threshold = float(config["threshold"])
    return value < threshold if "p_value" in config["method"] else value >= threshold


if __name__ == "__main__":
    run(load, compare)
