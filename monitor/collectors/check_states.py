"""Sample whether the checks of a model fail."""

from __future__ import annotations

from checks.base import Measurement, Window


class CheckStates:
    """Whether each check of a model failed when it last ran, as a metric that a rule can watch."""

    name = "checks"
    metrics = frozenset({"check_failing"})

    def __init__(self) -> None:
        self._failing: dict[str, bool] = {}

    def report(self, check: str, failing: bool) -> None:
        self._failing[check] = failing

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window = Window(now, now)
        return [
            Measurement("check_failing", float(failing), window, (("check", check),))
            for check, failing in sorted(self._failing.items())
        ]
