"""A collector on the stand-in, sampled as the daemon does, in a process that loads the stand-in as NVIDIA's library."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from checks.base import Measurement
from checks.catalog import CATALOG
from monitor.collectors.gpu.collector import GpuCollector
from tests.fakes.nvml import VARIABLE, Gpus

Series = dict[str, float]


def load(library: Path, state: Path) -> None:
    """Has this process take `library` for NVIDIA's: one of its name that is loaded already is what is then found."""
    ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    os.environ[VARIABLE] = str(state)


PATIENCE = 30.0


class Watch:
    """Time passes from sample to sample: 15 seconds unless told otherwise."""

    def __init__(self, gpus: Gpus, patience: float = PATIENCE) -> None:
        self.gpus, self.collector, self.now = gpus, GpuCollector(patience=patience), 0.0

    def be_patient(self, seconds: float = PATIENCE) -> None:
        """Has the collector wait so long for the driver from now on: briefly only for one that hangs."""
        self.collector._patience = seconds

    def rows(self, seconds: float = 15.0) -> list[Measurement]:
        self.now += seconds
        rows = self.collector.collect(1e9 + self.now, self.now)
        assert len({(row.name, row.labels) for row in rows}) == len(rows), "a series stands twice"
        for row in rows:
            assert row.name in self.collector.metrics
            # A GPU that was lost before it could name itself has no uuid.
            assert {name for name, _ in row.labels} | {"uuid"} == set(CATALOG[row.name].labels) | {"uuid"}, row
        return rows

    def sample(self, seconds: float = 15.0) -> Series:
        """Values by metric and labels, without those of GPU-0 at 0."""
        return {_shown(row): row.value for row in self.rows(seconds) if row.value is not None}


def _shown(row: Measurement) -> str:
    labels = dict(row.labels)
    if (labels.get("gpu"), labels.get("uuid")) == ("0", "GPU-0"):
        del labels["uuid"], labels["gpu"]
    return row.name + "".join(f" {value}" for value in labels.values())
