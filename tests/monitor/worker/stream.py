"""A model's log, judged window by window, for tests of what its windows are held against."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import update

from checks.base import Measurement
from monitor.store.engine import writing
from monitor.store.references.activations import configure
from monitor.store.tables import windows
from monitor.worker.messages import ModelOptions, WindowClose, WindowResult
from monitor.worker.tasks import compact, measure
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth


def hour(
    number: int,
    *,
    shift: float = 0.0,
    version: str | None = None,
    rows: int = 300,
    carrier: str = "",
    countries: str = "",
) -> list[Prediction]:
    """One hour of flights, the same at every call; tagged with these countries in turn."""
    rng = random.Random(f"{number}{shift}{version}")
    tags = [{"country": name} for name in countries.split()]
    return [
        Prediction(
            id=f"{number}-{version}-{row}",
            time=START + (number + row / rows) * HOUR,
            features={"distance": rng.gauss(2.0 + shift, 1.0), "carrier": carrier or rng.choice(["UA", "AA", "DL"])},
            prediction=rng.choice(["yes", "no"]),
            score=rng.random(),
            version=version,
            tags=tags[row % len(tags)] if tags else None,
        )
        for row in range(rows)
    ]


class Stream:
    """A log that is judged window by window."""

    def __init__(self, folder: Path, options: ModelOptions) -> None:
        self.log = Log(folder / "w.db", options)
        self.options = options
        with writing(self.log.engine).begin() as connection:
            configure(connection, options.model, options.plan, 0.0)

    def send(self, *batches: Sequence[Prediction] | Sequence[Truth]) -> list[tuple[WindowClose, WindowResult]]:
        log = self.log
        for batch in batches:
            log.accept(batch)
        log.scan()
        found = []
        for closing in log.closings():
            compact(log.url, log.model, closing.close_seq, self.options)
            verdict = measure(log.url, log.model, closing, self.options)
            log.record(closing, [window for window, _ in verdict.matured], verdict.versions)
            log.write(
                update(windows)
                .where(windows.c.start == closing.window.start)
                .values(reference_id=verdict.reference, version=verdict.version)
            )
            found.append((closing, verdict))
        return found


def drift(verdict: WindowResult, feature: str = "distance") -> Measurement:
    (row,) = [
        row
        for row in verdict.measurements
        if row.name == "feature_drift" and row.labels == (("feature", feature), ("method", "psi"))
    ]
    return row


def is_over(row: Measurement) -> bool:
    assert row.value is not None and row.limit_high is not None, row
    return row.value > max(row.limit_high, 0.1)
