"""What a report makes of time: the order of the reference's rows, and its own windows, which set limits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from checks.calibration.reference_windows import ReferenceWindows, cut
from checks.data.arrow import Ints, floats
from checks.data.frame import as_time
from checks.data.schema import SchemaError
from checks.source.columns import LazyTable

SHORTEST = 60.0  # seconds of a part of the reference
PARTS = 12  # as long as the current data, that the reference must hold for its limits to be learned from them
MIN_ROWS = 200  # of a part that limits are learned from, if enough have so many


def order_of(
    reference: LazyTable, current: LazyTable, name: str | None
) -> tuple[ReferenceWindows | None, Ints | None, tuple[str, ...]]:
    """The reference's own windows, as long as the current data if there are enough; its rows in order; notes."""
    if name is None:
        return None, None, (_alone("The reference has no column of times"),)
    try:
        times = as_time(reference[name], name)
        now = _span(as_time(current[name], name)) if name in current.column_names else 0.0
    except (SchemaError, pa.ArrowException, OSError) as error:
        return None, None, (_alone(f"The times of the reference or of the current data can't be read ({error})"),)
    values, present = floats(times)
    order = np.argsort(np.where(present, values, np.inf), kind="stable").astype(np.int64)
    ordered = None if (np.diff(order) == 1).all() else order
    span = _span(times)
    every = max(now or span * current.num_rows / reference.num_rows, SHORTEST)
    blocks = cut(times, every, MIN_ROWS) if every * PARTS <= span else None
    if blocks is None:
        why = f"The reference holds fewer than {PARTS} parts as long as the current data ({_shown(every)})"
        return None, ordered, (_alone(why),)
    return blocks, ordered, ()


def _alone(why: str) -> str:
    return (
        f"{why}, so limits know the chance of sampling alone, not how normal data differ from day to day; expect more "
        "columns to be beyond them."
    )


def _span(times: pa.Array) -> float:
    values, present = floats(times)
    known = values[present & np.isfinite(values)]
    return float(known.max() - known.min()) if len(known) else 0.0


def _shown(seconds: float) -> str:
    """
    >>> _shown(90_000.0), _shown(5_400.0), _shown(120.0)
    ('1 day', '2 hours', '2 minutes')
    """
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
    size, unit = next((pair for pair in units if seconds >= 0.9 * pair[0]), units[-1])
    count = round(seconds / size)
    return f"{count} {unit}{'' if count == 1 else 's'}"
