"""The numbers of an Evidently report as measurements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from checks.base import Labels, Measurement, NotEnough, labels
from monitor.worker.evidently.messages import ReportTask

METRIC = "evidently_value"
NUMBERS = 2_000
"""Numbers of one report that become measurements."""
NUMBERS_OF_ONE = 50
"""A metric of more of them, such as the count of each of a thousand categories, gives none: the report shows them."""
_LONGEST = 200


def numbers(snapshot: Any, task: ReportTask, rows: int) -> list[Measurement]:
    """Every number of the report, under names that are distinct: the metric's own, or the long one with its options."""
    found: list[Measurement] = []
    seen: set[Labels] = set()
    for item in snapshot.dict()["metrics"]:
        config = item.get("config") or {}
        column, long = str(config.get("column") or ""), str(item["metric_name"])
        short = long.partition("(")[0]
        values = list(flat(item["value"]))
        if len(values) > NUMBERS_OF_ONE:
            continue
        for stat, value in values:
            own = _labels(task, short, column, stat)
            if own in seen:
                own = _labels(task, long, column, stat)
            if own in seen or len(found) == NUMBERS:
                continue
            seen.add(own)
            found.append(_measured(value, task, own, rows, config if short == "ValueDrift" else {}))
    return found


def failed(bad: Mapping[str, str], of: Mapping[str, list[str]], task: ReportTask) -> Iterator[Measurement]:
    """The columns that Evidently could not take, as series without a value; `of` gives the names of what looked at
    each."""
    for column, text in bad.items():
        for name in dict.fromkeys(of[column]):
            detail = {"error": text}
            own = _labels(task, name, column, "")
            yield Measurement(METRIC, None, task.window, own, reason=NotEnough.ERROR, detail=detail)


def flat(value: Any, stat: str = "") -> Iterable[tuple[str, float]]:
    """(place within the value, number) of all numbers in it."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield stat, float(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{stat}.{key}" if stat else str(key))


def _labels(task: ReportTask, metric: str, column: str, stat: str) -> Labels:
    return labels(check=task.check, metric=metric[:_LONGEST], column=column[:_LONGEST], stat=stat[:_LONGEST])


def _measured(value: float, task: ReportTask, own: Labels, rows: int, drift: dict[str, Any]) -> Measurement:
    if not math.isfinite(value):
        detail = {"error": "Evidently gave no finite number"}
        return Measurement(METRIC, None, task.window, own, n=rows, reason=NotEnough.ERROR, detail=detail)
    made = Measurement(METRIC, value, task.window, own, n=rows)
    threshold = drift.get("threshold")
    if not isinstance(threshold, int | float):
        return made
    method = str(drift.get("method") or "")
    # A p-value tells drift when it is small, a distance when it is large.
    side = "limit_low" if "p_value" in method else "limit_high"
    return replace(made, detail={"method": method}, **{side: float(threshold)})  # type: ignore[arg-type]
