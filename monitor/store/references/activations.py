"""What is normal from when on: the recorded decisions, and which of them covers a window. Light: the daemon reads it.

A decision is recorded as of the last window that was judged, and holds for those that end later. So no window is ever
judged anew because of one, and which reference judges a window follows from what is recorded alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, func, insert, select

from monitor.store.engine import WRITES
from monitor.store.references.plan import ReferencePlan
from monitor.store.tables import progress, reference_uses, windows

Action = Literal["configured", "learned", "built", "accepted", "used"]
NOW = math.inf
"""As the end of a window: one that is still to come."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One decision: from the window that ends after `after` on, this reference is normal for the version."""

    id: int
    version: str
    reference_id: int | None
    after: float | None
    action: str
    plan: str
    recorded_at: float
    recorded_by: str
    comment: str

    @property
    def is_anew(self) -> bool:
        """Whether all versions begin to learn with it."""
        return self.action == "configured" and self.reference_id is None

    def covers(self, end: float) -> bool:
        """Whether it holds for a window that ends then."""
        return self.after is None or self.after < end


class Activations:
    """All decisions on one model, in the order in which they were made."""

    def __init__(self, rows: Sequence[Activation]) -> None:
        self.rows = rows

    @property
    def newest(self) -> int:
        """Number of the last one; 0 where there are none."""
        return self.rows[-1].id if self.rows else 0

    def configured(self, end: float = NOW) -> Activation | None:
        """What the config said last, for a window that ends then."""
        return next((use for use in reversed(self.rows) if use.action == "configured" and use.covers(end)), None)

    def plan(self, end: float = NOW) -> ReferencePlan:
        """Where references come from, for a window that ends then."""
        use = self.configured(end)
        return ReferencePlan() if use is None else ReferencePlan.read(use.plan)

    def of(self, end: float = NOW, version: str = "") -> Activation | None:
        """The decision that covers a window that ends then, and rows of this version. Where versions are not told
        apart, all rows are those of version ''."""
        key = version if self.plan(end).per_version else ""
        held = (use for use in reversed(self.rows) if use.covers(end) and (use.version == key or use.is_anew))
        return next(held, None)

    def versions(self, end: float = NOW) -> set[str]:
        """Those that have a reference for a window that ends then."""
        uses = {name: self.of(end, name) for name in {use.version for use in self.rows}}
        return {name for name, use in uses.items() if use is not None and use.reference_id is not None}

    def after(self, seen: int, end: float) -> bool:
        """Whether a decision later than number `seen` covers a window that ends then."""
        return any(use.id > seen and use.covers(end) for use in self.rows)

    def with_(self, use: Activation) -> Activations:
        """These and one more."""
        return Activations([*self.rows, use])


def read_activations(connection: Connection, model: str) -> Activations:
    columns = [column for column in reference_uses.c if column.name != "model"]
    rows = connection.execute(
        select(*columns).where(reference_uses.c.model == model).order_by(reference_uses.c.id)
    ).all()
    return Activations([Activation(**row._mapping) for row in rows])


def judged(connection: Connection, model: str) -> float | None:
    """End of the last window that was judged. Inside a transaction that writes, no other is judged before it ends."""
    query = select(progress.c.judged_window).where(progress.c.model == model)
    if WRITES in connection.get_execution_options():
        query = query.with_for_update()
    return connection.scalar(query)


def record_use(
    connection: Connection,
    model: str,
    action: Action,
    reference_id: int | None,
    *,
    after: float | None,
    now: float,
    by: str,
    version: str = "",
    plan: ReferencePlan | None = None,
    comment: str = "",
) -> Activation:
    """Stores a decision."""
    values = {
        "version": version,
        "reference_id": reference_id,
        "after": after,
        "action": action,
        "plan": "" if plan is None else plan.text(),
        "recorded_at": now,
        "recorded_by": by,
        "comment": comment,
    }
    query = insert(reference_uses).values(model=model, **values).returning(reference_uses.c.id)
    return Activation(connection.execute(query).scalar_one(), **values)  # type: ignore[arg-type]


def configure(connection: Connection, model: str, plan: ReferencePlan, now: float) -> bool:
    """Records a plan that learns, unless it is the one in force; whether it was new. From the next window on there is
    no reference then until one is learned."""
    use = read_activations(connection, model).configured()
    if use is not None and use.plan == plan.text():
        return False
    record_use(connection, model, "configured", None, after=judged(connection, model), now=now, by="config", plan=plan)
    return True


def learning_start(
    connection: Connection, model: str, uses: Activations, first_seen: float | None, end: float = NOW
) -> float | None:
    """Start of the first window that is learned from, as decided for a window that ends at `end`; None before it.
    `first_seen` is that of the version's first rows, where versions have references of their own."""
    use = uses.configured(end)
    after = None if use is None else use.after
    if uses.plan(end).per_version:
        return first_seen if first_seen is None or after is None else max(first_seen, after)
    query = select(func.min(windows.c.start)).where(windows.c.model == model)
    start: float | None = connection.scalar(query if after is None else query.where(windows.c.end > after))
    return start
