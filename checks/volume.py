"""How many predictions a window holds, and where event time stands."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference


def volume(data: WindowData, _reference: Reference | None, _options: CheckOptions) -> list[Measurement]:
    """`window_rows` and `window_end_timestamp_seconds`; an empty window has 0 rows, which is a fact, not a gap."""
    rows = data.n if data.total is None else data.total
    return [
        Measurement("window_rows", float(rows), data.window, n=rows),
        Measurement("window_end_timestamp_seconds", data.window.end, data.window, n=rows),
    ]
