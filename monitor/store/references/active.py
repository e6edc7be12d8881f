"""What is normal for a model now: references in force and those being learned, for the page, commands and metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from monitor.store.references.activations import Activation, judged, learning_start, read_activations
from monitor.store.tables import model_versions, references


@dataclass(frozen=True, slots=True)
class CandidateReference:
    """A reference that the next window may be held against; times are epoch seconds."""

    version: str | None
    """Of the model; None where it holds for all."""
    id: int
    kind: str
    source: str
    rows: int
    created_at: float
    since: float | None
    """It holds for windows that end after; None: for all."""
    action: str
    by: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PendingReference:
    """A reference that is missing until enough of the stream has been seen."""

    version: str | None
    since: float | None
    """Start of the first window that is learned from; None before it."""
    until: float | None
    share: float
    """Of the event time, 0 … 1."""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReferenceStatus:
    """Of one model."""

    plan: str
    rolling: bool
    """Counts are those before each window; the reference in force lends its bins and limits."""
    in_force: list[CandidateReference]
    learning: list[PendingReference]

    def plain(self) -> dict[str, Any]:
        return {
            "plan": self.plan,
            "rolling": self.rolling,
            "in_force": [one.plain() for one in self.in_force],
            "learning": [one.plain() for one in self.learning],
        }


def reference_status(connection: Connection, model: str) -> ReferenceStatus:
    """Reads it."""
    uses = read_activations(connection, model)
    plan = uses.plan()
    first: dict[str, float] = {"": 0.0}
    if plan.per_version:
        query = select(model_versions.c.version, model_versions.c.first_window)
        rows = connection.execute(query.where(model_versions.c.model == model)).all()
        first = {row.version: row.first_window for row in rows}
    versions = sorted({*first, *(use.version for use in uses.rows if plan.per_version and use.reference_id)})
    now = judged(connection, model)
    found, learning = [], []
    for name in versions:
        told, use = name if plan.per_version else None, uses.of(version=name)
        if use is not None and use.reference_id is not None:
            found.append(_in_force(connection, told, use))
        elif plan.learns:
            start = learning_start(connection, model, uses, first.get(name))
            learning.append(_learning(told, start, plan.first, now))
    return ReferenceStatus(plan.described(), plan.kind == "previous", found, learning)


def _in_force(connection: Connection, version: str | None, use: Activation) -> CandidateReference:
    columns = (references.c.id, references.c.kind, references.c.source, references.c.n, references.c.created_at)
    row = connection.execute(select(*columns).where(references.c.id == use.reference_id)).one()
    return CandidateReference(
        version, row.id, row.kind, row.source, row.n, row.created_at, use.after, use.action, use.recorded_by
    )


def _learning(version: str | None, start: float | None, length: float, now: float | None) -> PendingReference:
    if start is None:
        return PendingReference(version, None, None, 0.0)
    share = 0.0 if now is None else min(max((now - start) / length, 0.0), 1.0)
    return PendingReference(version, start, start + length, share)
