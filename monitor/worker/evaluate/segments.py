"""Runs the checks over the segments of one closing's windows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from checks.base import Measurement, Window
from checks.drift.picture_data import drawn
from checks.drift.ranking import excess
from checks.inputs import WindowData
from checks.pictures.drawn import Drawn
from checks.run import CheckOutcome
from checks.segments.measure import run_segment
from monitor.clock import Clock
from monitor.worker.evaluate.segment_reader import parts
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.segments import Segments, methods_of, planned
from monitor.worker.stored.window_reader import WindowReader


class SegmentChecks:
    """All that is measured of segments as of one position; nothing where the config names none."""

    def __init__(
        self, evidence: WindowReader, segments: Sequence[Segments], options: ModelOptions, clock: Clock
    ) -> None:
        self._evidence, self._clock = evidence, clock
        self._segments = segments
        self._options = replace(options.checks, preset=None, methods=methods_of(options))
        reference = evidence.reference
        values = [None if (made := one.as_of(evidence.seq)) is None else len(made.dimension.values) for one in segments]
        self.drawn: dict[Window, list[Drawn]] = {}
        """By window: of each segment the columns that moved most."""
        self._plan = planned(options, reference.reference.schema, values) if reference and segments else None

    def every(self, window: Window, *, mature: bool, only: Collection[str] | None = None) -> Iterator[CheckOutcome]:
        """What the checks (or, of them, `only` these) give for each segment that is frozen."""
        for one in self._segments if self._plan else ():
            made = one.as_of(self._evidence.seq)
            wanted = self._plan.checks(one.column) if self._plan else ()
            if made is None or not wanted:
                continue
            options = replace(self._options, min_rows=one.options.min_rows)
            for part in parts(self._evidence, window, made.dimension):
                data = WindowData(
                    window,
                    part.profile,
                    part.profile.n,
                    part.scored,
                    provisional=not mature,
                    invalid_labels=self._evidence.labelled(window).invalid,
                )
                reference = made.references.get(part.segment)
                outcome = run_segment(
                    part.segment, data, reference, options, wanted, only=only, monotonic=self._clock.monotonic
                )
                moved = [row for row in outcome.measurements if excess(row) > 0]
                self.drawn.setdefault(window, []).extend(drawn(moved, data, reference, options.importance))
                yield outcome

    def left_out(self, window: Window) -> list[Measurement]:
        """How much the bound on measurements costs."""
        if self._plan is None:
            return []
        return [Measurement("segment_measurements_cut", float(self._plan.left_out), window)]
