"""Sources of samples: the machine, and what stands on it. One source a module."""

from __future__ import annotations

from typing import Protocol

from checks.base import Measurement


class Collector(Protocol):
    """Samples one source. Lives as long as the daemon, so it may remember its last sample."""

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that `collect` may return: those whose rules are told when it fails."""
        ...

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        """One sample, over the time since the last. `now` stamps it (epoch seconds), `monotonic` measures it.

        What has no value is returned with its reason. Raises when the source as a whole can't be sampled.
        """
        ...
