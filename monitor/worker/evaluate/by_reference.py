"""One closing's checks, each window held against the reference that judges it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Engine

from checks.base import Measurement, NotEnough, Window
from checks.pictures.drawn import Drawn
from monitor.clock import Clock
from monitor.worker.evaluate.checks import WindowChecks
from monitor.worker.evaluate.raw_rows import ReferenceRows
from monitor.worker.evaluate.segments import SegmentChecks
from monitor.worker.messages import ModelOptions, WindowClose
from monitor.worker.references.resolve import ActiveReference, ActiveReferences
from monitor.worker.references.segments import learned
from monitor.worker.stored.references import StoredReference
from monitor.worker.stored.segments import Segments, load
from monitor.worker.stored.window_reader import WindowReader


class CheckSetup:
    """Set up readers and checks of one model, and keep what closings share: the segments and rows of references."""

    def __init__(self, engine: Engine, model: str, options: ModelOptions, clock: Clock, oldest: float | None) -> None:
        """`oldest` is the start of the first window of which there are rows."""
        self._engine, self._model, self._options, self._clock = engine, model, options, clock
        self._oldest = oldest
        self._segments: dict[int, list[Segments]] = {}
        self._rows: dict[int, ReferenceRows] = {}

    def reader(self, standard: ActiveReference, closing: WindowClose) -> WindowReader:
        reference = standard.reference
        told_apart = {one.column for one in self._parts(reference)} if reference else set()
        return WindowReader(
            self._engine, self._model, reference, closing.close_seq, self._options, told_apart, version=standard.version
        )

    def checks(self, evidence: WindowReader, closing: WindowClose) -> WindowChecks:
        reference, parts, rows = evidence.reference, list[Segments](), None
        if reference is not None:
            parts = [self._frozen(one, closing, evidence) for one in self._parts(reference)]
            self._segments[reference.number] = parts
            rows = self._rows.setdefault(reference.number, ReferenceRows(self._engine, reference, self._options))
        segments = SegmentChecks(evidence, parts, self._options, self._clock)
        return WindowChecks(evidence, segments, self._options, self._clock, rows)

    def _parts(self, reference: StoredReference) -> list[Segments]:
        """The config's dimensions under this reference."""
        if reference.number not in self._segments:
            with self._engine.connect() as connection:
                self._segments[reference.number] = load(connection, reference, self._options)
        return self._segments[reference.number]

    def _frozen(self, one: Segments, closing: WindowClose, evidence: WindowReader) -> Segments:
        """The dimension with its values. Those of a tag that the reference lacks are learned from the newest windows
        up to this closing."""
        reference = evidence.reference
        if one.segmentation is not None or reference is None:
            return one
        before = (evidence.frames(window, {"id", one.column}) for window in self._back(closing.window))
        return learned(self._engine, reference, one, before, closing.close_seq, self._model)

    def _back(self, window: Window) -> Iterator[Window]:
        """The window and those before it, as far back as there are events."""
        while self._oldest is not None and window.start >= self._oldest:
            yield window
            window = Window(window.start - window.seconds, window.start)


class ChecksByReference:
    """Evidence and checks by window. What two windows are held against may differ: one may have closed before another
    reference was decided on, or hold rows of another version of the model."""

    def __init__(self, references: ActiveReferences, setup: CheckSetup, closing: WindowClose) -> None:
        self._references, self._setup, self._closing = references, setup, closing
        self._standard: dict[Window, ActiveReference] = {}
        self._evidence: dict[tuple[int, str | None, Window | None], WindowReader] = {}
        self._checking: dict[int, WindowChecks] = {}
        self.errors: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def standard(self, window: Window) -> ActiveReference:
        """What the window is held against."""
        if window not in self._standard:
            self._standard[window] = self._references.of(window, self._closing.close_seq)
        return self._standard[window]

    def evidence(self, window: Window) -> WindowReader:
        """What is known of the window as of the closing."""
        standard = self.standard(window)
        number = standard.reference.number if standard.reference else 0
        key = (number, standard.version, window if standard.rolling else None)
        if key not in self._evidence:
            self._evidence[key] = self._setup.reader(standard, self._closing)
        return self._evidence[key]

    def every(self, window: Window, *, mature: bool) -> list[Measurement]:
        """Everything there is to measure of a window."""
        return self._told(window, self._of(window).every(window, mature=mature))

    def performance(self, window: Window, *, mature: bool) -> list[Measurement]:
        """What more labels or their maturity change."""
        return self._told(window, self._of(window).performance(window, mature=mature))

    def trailing(self, window: Window, since: float) -> list[Measurement]:
        """Drift over the longer windows that end with it, as far as they begin at `since` or later."""
        return self._told(window, self._of(window).trailing(window, since))

    def drawn(self, window: Window) -> tuple[Drawn, ...]:
        """The columns of the window, and of its segments, that moved most."""
        return self._of(window).drawn(window)

    def _of(self, window: Window) -> WindowChecks:
        evidence = self.evidence(window)
        if id(evidence) not in self._checking:
            checking = self._setup.checks(evidence, self._closing)
            checking.errors, checking.failed, checking.seconds = self.errors, self.failed, self.seconds
            self._checking[id(evidence)] = checking
        return self._checking[id(evidence)]

    def _told(self, window: Window, rows: list[Measurement]) -> list[Measurement]:
        """With the reference in force, and why there is none where there is none."""
        standard = self.standard(window)
        return [
            replace(row, reference_id=standard.number, detail={**row.detail, "why": standard.why})
            if standard.why and row.reason is NotEnough.NO_REFERENCE
            else replace(row, reference_id=standard.number)
            for row in rows
        ]
