"""What a closing finds: the window's measurements, revisions of earlier ones, and whose labels are mature.

All is taken as of the closing's position in the arrival log, so it does not matter when, or how often, it is asked.
"""

from __future__ import annotations

from itertools import islice

from sqlalchemy import Engine, Table, and_, exists, func, select

from checks.base import Measurement, Window
from monitor.clock import Clock
from monitor.store.tables import chunks, labels, progress, windows
from monitor.worker.evaluate.by_reference import ChecksByReference, CheckSetup
from monitor.worker.messages import ModelOptions, WindowClose, WindowResult
from monitor.worker.references.resolve import ActiveReferences

OVERTAKEN = 3
"""So many later windows with all their labels, and one that lacks some waits no longer."""
LOOK_AHEAD = 12
"""Later windows that are looked at for that."""


class NotCompacted(Exception):
    """Arrivals that a closing rests on are not in chunks yet."""


class WindowEvaluator:
    """Verdicts on consecutive closings of one model, the last of which is `last`."""

    def __init__(self, engine: Engine, model: str, last: WindowClose, options: ModelOptions, clock: Clock) -> None:
        self._engine, self._model, self._options = engine, model, options
        self._standards = ActiveReferences(engine, model, options, clock)
        with engine.connect() as connection:
            compacted = connection.scalar(select(progress.c.compacted_seq).where(progress.c.model == model))
            if compacted is None or compacted < last.close_seq:
                raise NotCompacted(
                    f"the arrivals of {model!r} are compacted up to {compacted}, but the window ending at "
                    f"{last.window.end:g} closed at {last.close_seq}; compact them first"
                )
            first = connection.scalar(select(func.min(windows.c.start)).where(windows.c.model == model))
            self._first = last.window.start if first is None else first
            self._oldest = connection.scalar(select(func.min(chunks.c.window_start)).where(chunks.c.model == model))
            self._setup = CheckSetup(engine, model, options, clock, self._oldest)
            immature = connection.execute(
                select(windows.c.start, windows.c.end)
                .where(windows.c.model == model, windows.c.mature_at.is_(None), windows.c.end <= last.window.end)
                .order_by(windows.c.start)
            )
            self._immature = dict.fromkeys(Window(row.start, row.end) for row in immature)

    def of(self, closing: WindowClose) -> WindowResult:
        """The verdict on one closing; they are to be asked for in order."""
        seen = self._standards.uses.newest
        versions = self._standards.enter(closing)
        bench = ChecksByReference(self._standards, self._setup, closing)
        matured = [(window, bench.performance(window, mature=True)) for window in self._matured(closing, bench)]
        standard = bench.standard(closing.window)
        return WindowResult(
            measurements=[
                *bench.every(closing.window, mature=closing.window not in self._immature),
                *bench.trailing(closing.window, max(self._first, standard.since)),
                *self._standards.unreferenced(versions, closing.window),
            ],
            revisions=self._revisions(closing, bench),
            matured=matured,
            errors=bench.errors,
            seconds=bench.seconds,
            failed=bench.failed,
            drawn=bench.drawn(closing.window),
            reference=standard.reference.number if standard.reference else None,
            version=standard.version,
            versions=versions,
            uses=seen,
        )

    def _matured(self, closing: WindowClose, bench: ChecksByReference) -> list[Window]:
        """The windows whose labels are mature now: from the oldest on, up to the first that still waits for its own. So
        no window's labels are judged before those of the window before."""
        ripe: list[Window] = []
        for window in self._immature:
            if window.end > closing.window.end or not self._is_mature(window, closing, bench):
                break
            ripe.append(window)
        for window in ripe:
            del self._immature[window]
        return ripe

    def _is_mature(self, window: Window, closing: WindowClose, bench: ChecksByReference) -> bool:
        if window.end + self._options.maturity <= closing.window.end or not bench.evidence(window).rows(window):
            return True
        if self._is_covered(window, bench):
            return True
        # Where later windows have their labels, what this one lacks is missing, not late: it must not hold them up.
        later = (other for other in self._immature if window.end < other.end <= closing.window.end)
        return sum(self._is_covered(other, bench) for other in islice(later, LOOK_AHEAD)) >= OVERTAKEN

    def _is_covered(self, window: Window, bench: ChecksByReference) -> bool:
        """Whether it has rows, and enough of them their labels."""
        enough, evidence = self._options.coverage, bench.evidence(window)
        return evidence.rows(window) > 0 and evidence.coverage(window, enough) >= enough

    def _revisions(self, closing: WindowClose, bench: ChecksByReference) -> list[Measurement]:
        """Earlier windows anew: everything of those that events have reached, performance of those that labels have."""
        revised: list[Measurement] = []
        with_events = self._reached(closing, chunks)
        for window in with_events:
            revised += bench.every(window, mature=window not in self._immature)
        for window in self._reached(closing, labels):
            if window not in with_events and self._is_relabelled(window, closing, bench):
                revised += bench.performance(window, mature=window not in self._immature)
        return revised

    def _is_relabelled(self, window: Window, closing: WindowClose, bench: ChecksByReference) -> bool:
        """Whether a new label has met its prediction. One whose prediction comes after the closing, but is compacted
        already, has not."""
        return bench.evidence(window).labelled(window).newest > closing.previous_seq

    def _reached(self, closing: WindowClose, table: Table) -> list[Window]:
        """Windows closed before, whose events are still here, that have rows of the table since the last closing."""
        if self._oldest is None or closing.previous_seq == closing.close_seq:
            return []
        rows = and_(
            table.c.model == windows.c.model,
            table.c.window_start == windows.c.start,
            table.c.seq > closing.previous_seq,
            table.c.seq <= closing.close_seq,
        )
        query = (
            select(windows.c.start, windows.c.end)
            .where(
                windows.c.model == self._model,
                windows.c.start >= self._oldest,
                windows.c.start < closing.window.start,
                exists().where(rows),
            )
            .order_by(windows.c.start)
        )
        with self._engine.connect() as connection:
            return [Window(row.start, row.end) for row in connection.execute(query)]
