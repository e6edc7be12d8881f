"""Has NannyML measure the columns of a folder: run in an environment of its own, it prints what it found as JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml as nml
import numpy as np
import pandas as pd
from nannyml.chunk import CountBasedChunker


def main(folder: Path) -> dict[str, Any]:
    listed = json.loads((folder / "shapes.json").read_text())
    found: dict[str, Any] = {name: _column(folder / name, **shape) for name, shape in listed["shapes"].items()}
    found["chunks"] = _by_chunk(folder / listed["chunks"])
    return found


def _column(path: Path, kind: str, methods: list[str]) -> dict[str, Any]:
    reference, current = (pd.read_parquet(path / f"{side}.parquet") for side in ("reference", "current"))
    return {method: _tried(reference, current, kind, method) for method in methods}


def _tried(reference: pd.DataFrame, current: pd.DataFrame, kind: str, method: str) -> dict[str, Any]:
    try:
        calculator = _calculator(kind, method).fit(reference)
        calculator.chunker = CountBasedChunker(chunk_number=1)  # the window is one chunk
        row = calculator.calculate(current).filter(period="analysis").data["x"][method].iloc[0]
    except Exception as error:  # noqa: BLE001 - what it can't measure is a finding
        return {"error": f"{type(error).__name__}: {error}"}
    if not np.isfinite(row["value"]):
        return {"error": f"value {row['value']}"}
    threshold = row["upper_threshold"]
    return {
        "method": method,
        "value": float(row["value"]),
        "threshold": None if threshold is None or np.isnan(threshold) else float(threshold),
        "drifted": bool(row["alert"]),
    }


def _by_chunk(path: Path) -> dict[str, Any]:
    """The default way: the window in ten chunks, too."""
    reference, current = (pd.read_parquet(path / f"{side}.parquet") for side in ("reference", "current"))
    rows = _calculator("numeric", "jensen_shannon").fit(reference).calculate(current).filter(period="analysis").data
    return {
        "values": [float(value) for value in rows["x"]["jensen_shannon"]["value"]],
        "drifted": [bool(alert) for alert in rows["x"]["jensen_shannon"]["alert"]],
    }


def _calculator(kind: str, method: str) -> nml.UnivariateDriftCalculator:
    if kind == "numeric":
        return nml.UnivariateDriftCalculator(["x"], treat_as_numerical=["x"], continuous_methods=[method])
    return nml.UnivariateDriftCalculator(["x"], treat_as_categorical=["x"], categorical_methods=[method])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    np.seterr(all="ignore")
    json.dump(main(Path(sys.argv[1])), sys.stdout)
