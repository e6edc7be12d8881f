"""Which reference judges which window: a function of the window and of what is recorded, never of when one asks."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

from sqlalchemy import Engine, select

from alerts.duration import span
from checks.base import Measurement, NotEnough, Window
from checks.calibration.rebase import rebase
from checks.data.schema import SchemaError
from monitor.clock import Clock, iso
from monitor.store.engine import writing
from monitor.store.references.activations import learning_start, read_activations, record_use
from monitor.store.references.model_versions import MOST_VERSIONS
from monitor.store.references.plan import ReferencePlan
from monitor.store.tables import model_versions, windows
from monitor.worker.messages import ModelOptions, WindowClose
from monitor.worker.process import TryAgain
from monitor.worker.references.from_stream import NotLearned, StreamRange, learn
from monitor.worker.references.segments import keep
from monitor.worker.stored import model_versions as version_counts
from monitor.worker.stored.references import ReferenceSource, StoredReference, insert_reference, load
from monitor.worker.stored.window_reader import WindowReader

log = logging.getLogger("watchkeeper.references")


@dataclass(frozen=True, slots=True)
class ActiveReference:
    """What a window is held against."""

    reference: StoredReference | None
    version: str | None = None
    """Whose rows are judged; None: all."""
    why: str = ""
    """Why there is no reference."""
    rolling: bool = False
    """Whether the reference is this window's alone."""
    number: int = 0
    """Of the reference in force, which the window may hold too little for; 0 where there is none."""

    @property
    def since(self) -> float:
        """From when on the stream is held against it: what was before the rows that are normal is not."""
        return -math.inf if self.reference is None else self.reference.since


class ActiveReferences:
    """Of one model, for consecutive closings; learns what they complete."""

    def __init__(self, engine: Engine, model: str, options: ModelOptions, clock: Clock) -> None:
        self._engine, self._model, self._options, self._clock = engine, model, options, clock
        self._loaded: dict[tuple[int, str | None], StoredReference] = {}
        with engine.connect() as connection:
            self.uses = read_activations(connection, model)
            query = select(model_versions.c.version, model_versions.c.first_window)
            rows = connection.execute(query.where(model_versions.c.model == model)).all()
        self._first = {row.version: float(row.first_window) for row in rows}

    def enter(self, closing: WindowClose) -> dict[str, int]:
        """Takes note of the closing: learns what it completes, and returns the window's rows of each version, where
        versions are told apart. To be called once for each closing, in order."""
        plan, end = self.uses.plan(closing.window.end), closing.window.end
        counts: dict[str, int] = {}
        if plan.per_version:
            counts = version_counts.count(self._engine, self._model, closing.window, closing.close_seq)
            for name in sorted(counts):
                if name in self._first or len(self._first) < MOST_VERSIONS:
                    self._first.setdefault(name, closing.window.start)
        if plan.learns:
            for name in sorted(self._first) if plan.per_version else [""]:
                use = self.uses.of(end, name)
                if use is None or use.reference_id is None:
                    self._learn(plan, name, closing)
        return counts

    def of(self, window: Window, seq: int) -> ActiveReference:
        """What judges the window, for what is known as of position `seq`."""
        plan = self.uses.plan(window.end)
        version = self._version(window) if plan.per_version else None
        use = self.uses.of(window.end, version or "")
        if use is None or use.reference_id is None:
            return ActiveReference(None, version, self._why(plan, version, window.end))
        found = self._load(use.reference_id, version)
        if plan.kind == "previous":
            return self._rolled(found, plan, window, seq)
        return ActiveReference(found, version, number=found.number)

    def unreferenced(self, counts: dict[str, int], window: Window) -> list[Measurement]:
        """How many of the window's rows, by version, are of one without a reference. While no version has one, none is
        lacking: the first is being learned."""
        rows, name = sum(counts.values()), "unreferenced_rows_ratio"
        if not rows:
            return []
        known = self.uses.versions(window.end)
        if not known:
            reason = NotEnough.NO_REFERENCE
            return [Measurement(name, None, window, n=rows, reason=reason, detail={"rows": counts})]
        lacking = {version: count for version, count in counts.items() if version not in known}
        detail = {"rows": counts, "without": sorted(lacking)} if lacking else {"rows": counts}
        share = sum(lacking.values()) / rows
        return [Measurement(name, share, window, n=rows, detail=detail)]

    def _version(self, window: Window) -> str | None:
        """The version whose rows the window is judged by: decided as of its closing: late rows change nothing."""
        with self._engine.connect() as connection:
            seq = connection.scalar(
                select(windows.c.close_seq).where(windows.c.model == self._model, windows.c.start == window.start)
            )
        counts = version_counts.count(self._engine, self._model, window, seq or 0)
        return version_counts.main_of(counts) if counts else self._last_version(window.end)

    def _last_version(self, end: float) -> str:
        """For a window without rows: the version that was decided on last."""
        return next((use.version for use in reversed(self.uses.rows) if use.reference_id and use.covers(end)), "")

    def _load(self, number: int, version: str | None) -> StoredReference:
        key = (number, version)
        if key not in self._loaded:
            with self._engine.connect() as connection:
                self._loaded[key] = load(connection, number, version)
        return self._loaded[key]

    def _rolled(self, base: StoredReference, plan: ReferencePlan, window: Window, seq: int) -> ActiveReference:
        """The reference with the counts of the rows before the window."""
        evidence = WindowReader(self._engine, self._model, base, seq, self._options)
        before = Window(window.start - plan.of, window.start)
        profile = evidence.profile(before)
        if profile is None or profile.n < self._options.checks.min_rows:
            rows = 0 if profile is None else profile.n
            why = f"the {span(plan.of)} before the window hold {rows} rows, {self._options.checks.min_rows} are needed"
            return ActiveReference(None, base.version, why, number=base.number)
        rolled = replace(base, reference=rebase(base.reference, profile))
        return ActiveReference(rolled, base.version, rolling=True, number=base.number)

    def _start(self, version: str, end: float) -> float | None:
        with self._engine.connect() as connection:
            return learning_start(connection, self._model, self.uses, self._first.get(version), end)

    def _learn(self, plan: ReferencePlan, version: str, closing: WindowClose) -> None:
        end = closing.window.end
        start = self._start(version, end)
        if start is None or end < start + plan.first:
            return
        taught_by = StreamRange(Window(start, end), closing.close_seq, version if plan.per_version else None)
        try:
            made = learn(self._engine, taught_by, self._options)
        except (NotLearned, SchemaError) as error:
            log.warning("%s: no reference is learned yet: %s", self._model, error)
            return
        source = ReferenceSource(
            "learned",
            taught_by.description,
            version=version,
            window=taught_by.window,
            seq=taught_by.seq,
            by="watchkeeper",
        )
        now = self._clock.time()
        with writing(self._engine).begin() as connection:
            if read_activations(connection, self._model).newest != self.uses.newest:
                raise ReferenceChanged(
                    f"what is normal for {self._model!r} was decided on meanwhile; the window is measured anew"
                )
            number = insert_reference(connection, self._model, made.reference, source, now)
            keep(connection, number, made.segments, self._options)
            use = record_use(
                connection, self._model, "learned", number, after=end, now=now, by="watchkeeper", version=version
            )
        self.uses = self.uses.with_(use)
        log.info(
            "%s: reference %d learned from %d rows, %s", self._model, number, made.reference.n, taught_by.description
        )

    def _why(self, plan: ReferencePlan, version: str | None, end: float) -> str:
        if not plan.learns:
            return "the model has no reference"
        name = "" if version is None else f"version {version or '(none)'}: "
        start = self._start(version or "", end)
        if start is None:
            return (
                f"{name}nothing to learn from yet" if len(self._first) < MOST_VERSIONS else f"{name}too many versions"
            )
        if end <= start + plan.first:
            return f"{name}learning until {iso(start + plan.first)}"
        return f"{name}learning until there are enough rows"


class ReferenceChanged(TryAgain):
    """Raised when somebody has decided on the model's reference while a window was measured."""
