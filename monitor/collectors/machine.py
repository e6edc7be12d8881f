"""Several collectors as one, where they share metrics: a rule's label sets must all be in one sample. Or where one
transaction for both is cheaper than two, and neither can fail."""

from __future__ import annotations

from collections.abc import Sequence

from checks.base import Measurement
from monitor.collectors import Collector


class MachineCollector:
    """The host and the container on it, which differ by the label `scope`; or others that are sampled together."""

    def __init__(self, parts: Sequence[Collector], name: str = "machine") -> None:
        self.name, self._parts = name, list(parts)
        self.metrics = frozenset[str]().union(*(part.metrics for part in self._parts))

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        return [row for part in self._parts for row in part.collect(now, monotonic)]
