"""An hour of predictions and labels, and what the worker makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checks.base import Measurement, Window
from monitor.worker.messages import WindowClose, WindowResult
from monitor.worker.tasks import compact, measure
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth

WRONG = {"yes": "no", "no": "yes"}


def hour(start: float, count: int, name: str = "p", **more: Any) -> list[Prediction]:
    """Predictions spread over the hour from `start` hours on: named p0.0, p0.1, …; every other one says yes."""
    return [
        Prediction(
            f"{name}{start:g}.{number}",
            START + (start + number / count) * HOUR,
            prediction="yes" if number % 2 else "no",
            score=0.8 if number % 2 else 0.2,
            **more,
        )
        for number in range(count)
    ]


def answers(predictions: Iterable[Prediction], right: bool = True) -> list[Truth]:
    return [
        Truth(prediction.id, prediction.prediction if right else WRONG[prediction.prediction], prediction.time + HOUR)
        for prediction in predictions
    ]


def closings(log: Log) -> list[WindowClose]:
    """What is to be judged, with the log compacted so far."""
    log.scan()
    found = log.closings()
    compact(log.url, log.model, found[-1].close_seq if found else 0, log.options)
    return found


def judge(log: Log) -> list[WindowResult]:
    """Verdicts on all closings to come, recorded as the daemon does."""
    done = []
    for closing in closings(log):
        done.append(measure(log.url, log.model, closing, log.options))
        log.record(closing, [window for window, _ in done[-1].matured])
    return done


def value(rows: Sequence[Measurement], name: str, window: Window, **labels: str) -> float | None:
    return one(rows, name, window, **labels).value


def one(rows: Sequence[Measurement], name: str, window: Window, **labels: str) -> Measurement:
    wanted = set(labels.items())
    (found,) = [row for row in rows if row.name == name and row.window == window and wanted <= set(row.labels)]
    return found


def names(rows: Sequence[Measurement]) -> set[tuple[str, Window]]:
    return {(row.name, row.window) for row in rows}
