"""Runs the checks over windows of one closing, and keeps their errors and how long they took."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import msgspec

from alerts.duration import span
from checks.base import Measurement, NotEnough, Window
from checks.drift.picture_data import drawn
from checks.inputs import WindowData
from checks.pictures.drawn import Drawn
from checks.run import PERFORMANCE, CheckOutcome, run_checks
from checks.run_trailing import no_trailing_drift, trailing_drift
from monitor.clock import Clock, iso
from monitor.worker.evaluate.raw_rows import ReferenceRows
from monitor.worker.evaluate.segments import SegmentChecks
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.window_reader import WindowReader

OF_SEGMENTS = 12
"""Columns of segments, in all, that are kept for pictures of a window."""


class WindowChecks:
    """Checks by the catalogue's names: `drift` for `drift.feature` and `drift.prediction`, and so on."""

    def __init__(
        self,
        evidence: WindowReader,
        segments: SegmentChecks,
        options: ModelOptions,
        clock: Clock,
        exact: ReferenceRows | None = None,
    ) -> None:
        """`exact` are the reference's rows, which a preset of drift compares with."""
        self._evidence, self._segments, self._clock, self._lookback = evidence, segments, clock, options.lookback
        self._maturity = options.maturity
        self._exact = exact if options.checks.drift and options.checks.preset else None
        self._options = options.checks
        self.errors: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._drawn: dict[Window, list[Drawn]] = {}

    def drawn(self, window: Window) -> tuple[Drawn, ...]:
        """The columns that moved most in a window that `every` has measured, those of all rows first."""
        return (*self._drawn.get(window, ()), *self._segments.drawn.get(window, ())[:OF_SEGMENTS])

    def every(self, window: Window, *, mature: bool) -> list[Measurement]:
        """Everything there is to measure of a window."""
        evidence = self._evidence
        data = replace(
            self._data(window, mature),
            profile=evidence.profile(window),
            exact=self._exact.beside(evidence, window) if self._exact else None,
            total=evidence.total(window),
        )
        found = self._run(data, None) + self._segments.left_out(window)
        reference = evidence.reference
        self._drawn[window] = drawn(found, data, reference.reference if reference else None, self._options.importance)
        return found + self._parts(window, mature, None)

    def performance(self, window: Window, *, mature: bool) -> list[Measurement]:
        """What more labels or their maturity change: performance and coverage alone."""
        return self._run(self._data(window, mature), PERFORMANCE) + self._parts(window, mature, PERFORMANCE)

    def _data(self, window: Window, mature: bool) -> WindowData:
        """The window without what only some checks read."""
        evidence = self._evidence
        return WindowData(
            window,
            None,
            evidence.rows(window),
            evidence.scored(window),
            provisional=not mature,
            invalid_labels=evidence.labelled(window).invalid,
            unmatched_labels=evidence.has_unmatched_labels(window, self._maturity),
        )

    def _parts(self, window: Window, mature: bool, only: Collection[str] | None) -> list[Measurement]:
        found: list[Measurement] = []
        for outcome in self._segments.every(window, mature=mature, only=only):
            found += self._kept(outcome, window)
        return found

    def trailing(self, window: Window, since: float) -> list[Measurement]:
        """Drift over the longer windows that end with this one, in a stream whose first window begins at `since`."""
        reference = self._evidence.reference
        if reference is None or not self._options.drift:
            return []
        found: list[Measurement] = []
        for seconds in self._lookback:
            longer, over = Window(window.end - seconds, window.end), span(seconds)
            profile = self._evidence.trailing(longer) if longer.start >= since else None
            if profile is None:
                reason = NotEnough.SHORT_HISTORY if longer.start < since else NotEnough.NOT_PROFILED
                found.append(no_trailing_drift(over, longer, reason))
                continue
            data, clock = WindowData(longer, profile, profile.n), self._clock.monotonic
            outcome = trailing_drift(over, data, reference.reference, self._options, monotonic=clock)
            found += self._kept(outcome, longer)
        return found

    def _run(self, data: WindowData, only: Collection[str] | None) -> list[Measurement]:
        reference = self._evidence.reference
        outcome = run_checks(
            data,
            reference.reference if reference else None,
            self._options,
            only=only,
            monotonic=self._clock.monotonic,
        )
        return self._kept(outcome, data.window)

    def _kept(self, outcome: CheckOutcome, window: Window) -> list[Measurement]:
        """What was measured; errors and time are remembered."""
        for name, text in outcome.errors.items():
            told = f"{text} (window ending {iso(window.end)})"
            self.errors.setdefault(_group(name), told)
        for name, text in outcome.failed.items():
            self.failed.setdefault(name, text)
        for name, seconds in outcome.seconds.items():
            self.seconds[_group(name)] = self.seconds.get(_group(name), 0.0) + seconds
        return [_plain(measurement) for measurement in outcome.measurements]


def _group(name: str) -> str:
    return name.partition(".")[0]


def _plain(row: Measurement) -> Measurement:
    """The measurement without numpy's numbers, whose arrival would load numpy into the daemon."""
    return replace(
        row,
        value=_float(row.value),
        n=int(row.n),
        low=_float(row.low),
        high=_float(row.high),
        reference=_float(row.reference),
        limit_low=_float(row.limit_low),
        limit_high=_float(row.limit_high),
        detail=msgspec.json.decode(msgspec.json.encode(row.detail)),
    )


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)
