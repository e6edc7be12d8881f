"""A reference and windows with known properties, for tests of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from checks.base import Measurement, Window, labels
from checks.calibration.build_reference import build_reference
from checks.data.frame import from_reference
from checks.data.schema import SchemaOverrides
from checks.data.schema_inference import infer
from checks.inputs import CheckOptions, WindowData
from checks.performance.scored import scored
from checks.profile import profile
from checks.reference import Reference
from checks.run import CheckOutcome, run_checks

HOUR = 3600.0
START = 388_889 * HOUR
WINDOW = Window(START, START + HOUR)


def table(rows: int, seed: int = 0, hours: float = 48.0, **columns: Any) -> pa.Table:
    """Binary predictions, right in about three of four cases, evenly over `hours`; columns replace the usual ones."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, rows)
    score = np.clip(0.25 + 0.5 * target + rng.normal(0, 0.37, rows), 0, 1)
    usual: dict[str, Any] = {
        "time": START + np.arange(rows) * hours * HOUR / max(rows, 1),
        "amount": rng.normal(100, 15, rows),
        "city": np.array(["Paris", "Rome", "Oslo"])[rng.integers(0, 3, rows)],
        "night": rng.integers(0, 2, rows).astype(bool),
        "target": target,
        "prediction": (score >= 0.5).astype(int),
        "score": score,
    }
    return pa.table({name: pa.array(values) for name, values in (usual | columns).items() if values is not None})


def reference(rows: int = 24_000, **given: Any) -> Reference:
    made = table(rows, **given)
    schema = infer(made, SchemaOverrides())
    return build_reference(from_reference(made, schema), schema, bins=10, every=HOUR)


def measure(
    normal: Reference | None,
    rows: pa.Table,
    options: CheckOptions | None = None,
    provisional: bool = False,
    only: tuple[str, ...] | None = None,
) -> CheckOutcome:
    """Every check over these rows as one window, all of them labelled where there is a target."""
    schema = normal.schema if normal else infer(rows)
    frame = from_reference(rows, schema)
    data = WindowData(
        WINDOW,
        profile(frame, normal.binning) if normal else None,
        frame.num_rows,
        scored(frame, frame["label"], schema) if "label" in frame.column_names else None,
        provisional,
    )
    return run_checks(data, normal, options or CheckOptions(), only=only)


def one(outcome: CheckOutcome, name: str, **pairs: str) -> Measurement:
    """The only measurement of this name with exactly these labels."""
    found = [row for row in outcome.measurements if row.name == name and row.labels == labels(**pairs)]
    assert len(found) == 1, f"{len(found)} of {name} {pairs}"
    return found[0]


def values(outcome: CheckOutcome, name: str) -> Mapping[str, float | None]:
    """Values by feature."""
    return {dict(row.labels)["feature"]: row.value for row in outcome.measurements if row.name == name}
