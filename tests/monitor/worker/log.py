"""A small arrival log for tests: what the daemon writes (arrivals, windows, progress), on a real SQLite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, insert, select, update

from checks.base import Window
from monitor.pipeline.watermark import Arrival, Position, advance
from monitor.store.engine import open_engine, writing
from monitor.store.references.model_versions import note_versions
from monitor.store.tables import arrivals, progress, windows
from monitor.worker.messages import ModelOptions, WindowClose
from tests.database import tables_in

HOUR = 3600.0
START = 1_700_000_000.0 // HOUR * HOUR


@dataclass(frozen=True)
class Prediction:
    id: str
    time: float
    features: Mapping[str, Any] = field(default_factory=lambda: {"distance": 1.0, "carrier": "UA"})
    prediction: Any = "no"
    score: float | None = 0.25
    tags: Mapping[str, str] | None = None
    version: str | None = None


@dataclass(frozen=True)
class Truth:
    id: str
    label: Any
    time: float


class Log:
    """One model's log, in a fresh database or in one that is there."""

    def __init__(self, path: Path, options: ModelOptions, *, fresh: bool = True) -> None:
        self.url, self.options, self.model = tables_in(path), options, options.model
        self.engine: Engine = open_engine(self.url)
        if not fresh:
            return
        self.write(insert(progress).values(model=self.model, scanned_seq=0, compacted_seq=0))

    def write(self, statement: Any) -> Any:
        with writing(self.engine).begin() as connection:
            return connection.execute(statement)

    def rows(self, statement: Any) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def accept(self, batch: Sequence[Prediction] | Sequence[Truth]) -> int:
        """Accepts a batch of either kind."""
        if isinstance(batch[0], Prediction):
            return self.predict(*batch)  # type: ignore[arg-type]
        return self.label(*batch)  # type: ignore[arg-type]

    def predict(self, *predictions: Prediction) -> int:
        """Accepts a batch; returns its position."""
        names = dict.fromkeys(name for prediction in predictions for name in prediction.features)
        payload = {
            "id": [prediction.id for prediction in predictions],
            "time": [prediction.time for prediction in predictions],
            "features": {name: [prediction.features.get(name) for prediction in predictions] for name in names},
            "prediction": [prediction.prediction for prediction in predictions],
            "probabilities": [prediction.score for prediction in predictions],
            "latency": None,
            "version": [prediction.version for prediction in predictions],
            "tags": [prediction.tags for prediction in predictions] if any(p.tags for p in predictions) else None,
        }
        return self.arrive("predictions", [prediction.time for prediction in predictions], payload)

    def label(self, *truths: Truth) -> int:
        payload = {
            "id": [truth.id for truth in truths],
            "label": [truth.label for truth in truths],
            "time": [truth.time for truth in truths],
        }
        return self.arrive("labels", [truth.time for truth in truths], payload)

    def arrive(self, kind: str, times: Sequence[float], payload: Mapping[str, Any]) -> int:
        values = {
            "model": self.model,
            "kind": kind,
            "received_at": 1_800_000_000.0,
            "t_min": min(times),
            "t_max": max(times),
            "n": len(times),
            "codec": "msgpack-columns/1",
            "payload": msgspec.msgpack.encode(payload),
        }
        seq: int = self.write(insert(arrivals).values(values)).inserted_primary_key[0]
        return seq

    def scan(self) -> None:
        """Reads the log for closings, as the daemon's tick does."""
        here = progress.c.model == self.model
        row = self.rows(select(progress).where(here))[0]
        fresh = self.rows(select(arrivals).where(arrivals.c.seq > row.scanned_seq).order_by(arrivals.c.seq))
        position = Position(row.scanned_seq, row.newest_time, row.next_window)
        batches = [Arrival(item.seq, item.t_min, item.t_max) for item in fresh if item.kind == "predictions"]
        position, closed = advance(
            position, batches, every=self.options.every, allowed_lateness=self.options.allowed_lateness
        )
        for item in closed:
            window = {"start": item.window.start, "end": item.window.end, "close_seq": item.close_seq}
            self.write(insert(windows).values(model=self.model, **window))
        if fresh:
            self.write(
                update(progress)
                .where(here)
                .values(scanned_seq=fresh[-1].seq, newest_time=position.newest_time, next_window=position.next_start)
            )

    def closings(self) -> list[WindowClose]:
        """Those without a verdict, oldest first."""
        judged = self.rows(select(progress.c.judged_window).where(progress.c.model == self.model))[0][0]
        found, previous = [], 0
        for row in self.rows(select(windows).where(windows.c.model == self.model).order_by(windows.c.start)):
            if judged is None or row.end > judged:
                found.append(WindowClose(Window(row.start, row.end), row.close_seq, previous))
            previous = row.close_seq
        return found

    def record(
        self, closing: WindowClose, matured: Sequence[Window], versions: Mapping[str, int] | None = None
    ) -> None:
        """What the daemon's verdict transaction stores and later closings read."""
        with writing(self.engine).begin() as connection:
            list(note_versions(connection, self.model, closing.window, versions or {}))
        for window in matured:
            self.write(
                update(windows)
                .where(windows.c.model == self.model, windows.c.start == window.start)
                .values(mature_at=closing.window.end)
            )
        here = progress.c.model == self.model
        self.write(update(progress).where(here).values(judged_window=closing.window.end))
