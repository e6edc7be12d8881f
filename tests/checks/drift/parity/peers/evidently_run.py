"""Has Evidently measure the columns of a folder: run by its own process, it prints what it found as JSON."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations import stattests
from evidently.legacy.calculations.stattests.jensenshannon import _jensenshannon
from evidently.legacy.calculations.stattests.psi import _psi
from evidently.legacy.calculations.stattests.z_stattest import proportions_diff_z_stat_ind
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

NAMES = {
    "K-S p_value": "ks",
    "Wasserstein distance (normed)": "wasserstein",
    "chi-square p_value": "chisquare",
    "Z-test p_value": "z",
    "Jensen-Shannon distance": "jensenshannon",
}


def main(folder: Path) -> dict[str, Any]:
    listed = json.loads((folder / "shapes.json").read_text())
    found: dict[str, Any] = {name: _column(folder / name, **shape) for name, shape in listed["shapes"].items()}
    columns = [folder / name for name in listed["dataset"]]
    found["dataset"] = _dataset(columns)
    found["with an empty column"] = _tried(lambda: _dataset([*columns, folder / listed["empty"]]))
    found["profiles"] = _profiles(**{key: listed[key] for key in ("counts", "ones")})
    found["infinite"] = _tried(lambda: _dataset([folder / listed["infinite"]]))
    return found


def _column(path: Path, kind: str, methods: list[str]) -> dict[str, Any]:
    reference, current = (_read(path, side, kind) for side in ("reference", "current"))
    found: dict[str, Any] = {"default": _tried(lambda: _report(reference, current, kind))}
    for method in methods:
        found[method] = _tried(lambda method=method: _test(reference["x"], current["x"], kind, method))
    return found


def _read(path: Path, side: str, kind: str) -> pd.DataFrame:
    frame = pd.read_parquet(path / f"{side}.parquet")
    # Evidently takes texts as objects alone for categories.
    return frame if kind == "numeric" else frame.astype(object)


def _report(reference: pd.DataFrame, current: pd.DataFrame, kind: str) -> dict[str, Any]:
    columns = list(reference.columns)
    definition = DataDefinition(
        numerical_columns=columns if kind == "numeric" else [], categorical_columns=[] if kind == "numeric" else columns
    )
    sides = [Dataset.from_pandas(side, definition) for side in (current, reference)]
    made = Report([DataDriftPreset()], include_tests=True).run(*sides).dict()
    drift = next(metric for metric in made["metrics"] if metric["config"]["type"].endswith(":ValueDrift"))
    test = next(test for test in made["tests"] if test["id"] == "drift")
    return {
        "method": NAMES[drift["config"]["method"]],
        "value": float(drift["value"]),
        "threshold": drift["config"]["threshold"],
        "drifted": str(test["status"]).endswith("FAIL"),
    }


def _test(reference: pd.Series, current: pd.Series, kind: str, method: str) -> dict[str, Any]:
    """The test by name, over what its callers leave of the columns."""
    type_ = ColumnType.Numerical if kind == "numeric" else ColumnType.Categorical
    sides = [side.replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, current)]
    if any(side.empty for side in sides):
        raise ValueError("empty")
    result = stattests.get_stattest(*sides, type_, method)(*sides, type_, None)
    return {
        "method": method,
        "value": float(result.drift_score),
        "threshold": result.actual_threshold,
        "drifted": bool(result.drifted),
    }


def _dataset(paths: list[Path]) -> dict[str, Any]:
    """Several columns of numbers at once."""
    sides = [
        pd.DataFrame({str(place): pd.read_parquet(path / f"{side}.parquet")["x"] for place, path in enumerate(paths)})
        for side in ("current", "reference")
    ]
    definition = DataDefinition(numerical_columns=list(sides[0].columns), categorical_columns=[])
    made = Report([DataDriftPreset()], include_tests=True)
    found = made.run(*(Dataset.from_pandas(side, definition) for side in sides)).dict()
    count = next(metric for metric in found["metrics"] if metric["config"]["type"].endswith(":DriftedColumnsCount"))
    test = next(test for test in found["tests"] if test["id"] == "lt")
    return {"value": count["value"]["count"], "drifted": str(test["status"]).endswith("FAIL")}


def _profiles(counts: list[list[list[int]]], ones: list[list[int]]) -> dict[str, list[float]]:
    """What is made of counts alone. On few distinct values Evidently bins by value."""
    few = [[pd.Series(np.repeat(np.arange(len(side)), side)) for side in sides] for sides in counts]
    flags = [[pd.Series([1] * n + [0] * (80 + 40 * side - n)) for side, n in enumerate(sides)] for sides in ones]
    return {
        "psi": [float(_psi(*sides, ColumnType.Categorical, 0.1)[0]) for sides in few],
        "jensenshannon": [float(_jensenshannon(*sides, ColumnType.Categorical, 0.1)[0]) for sides in few],
        "z": [float(proportions_diff_z_stat_ind(*sides)) for sides in flags],
    }


def _tried(run: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = run()
    except Exception as error:  # noqa: BLE001 - what it can't measure is a finding
        return {"error": f"{type(error).__name__}: {error}"}
    return found if np.isfinite(found["value"]) else {"error": f"value {found['value']}"}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    json.dump(main(Path(sys.argv[1])), sys.stdout)
