"""One closing's checks, each window held against the reference that judges it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from checks.base import Measurement, NotEnough, Window
from checks.pictures.drawn import Drawn
from monitor.worker.evaluate.checks import WindowChecks
from monitor.worker.references.resolve import ActiveReference
from monitor.worker.stored.window_reader import WindowReader


class ChecksByReference:
    """Evidence and checks by window. What two windows are held against may differ: one may have closed before another
    reference was decided on, or hold rows of another version of the model."""

    def __init__(
        self,
        standard_of: Callable[[Window], ActiveReference],
        evidence_on: Callable[[ActiveReference], WindowReader],
        checks_over: Callable[[WindowReader], WindowChecks],
    ) -> None:
        self._standard_of, self._evidence_on, self._checks_over = standard_of, evidence_on, checks_over
        self._standard: dict[Window, ActiveReference] = {}
        self._evidence: dict[tuple[int, str | None, Window | None], WindowReader] = {}
        self._checking: dict[int, WindowChecks] = {}
        self.errors: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def standard(self, window: Window) -> ActiveReference:
        """What the window is held against."""
        if window not in self._standard:
            self._standard[window] = self._standard_of(window)
        return self._standard[window]

    def evidence(self, window: Window) -> WindowReader:
        """What is known of the window as of the closing."""
        standard = self.standard(window)
        number = standard.reference.number if standard.reference else 0
        key = (number, standard.version, window if standard.rolling else None)
        if key not in self._evidence:
            self._evidence[key] = self._evidence_on(standard)
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
            checking = self._checks_over(evidence)
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
