"""A daemon with something to look at: thirty hours, ten of them with a fault that still fires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import HOUR, START, batches, write_reference

HOURS = 30
CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {every: 1h, allowed_lateness: 5m, min_rows: 50}
labels: {maturity: 6h}
evaluate: 500ms
collect: {gpu: false}
segments: [{tag: shop}]
"""


@contextmanager
def watching(folder: Path, more: str = "") -> Iterator[Daemon]:
    """The fault lasts to the end, so its incident is open."""
    write_reference(folder / "reference.csv")
    with Daemon(folder, CONFIG + more) as daemon:
        for kind, rows in batches(hours=HOURS, fault=range(18, HOURS)):
            assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202
        last = START + (HOURS - 1) * HOUR
        judged = "select judged_window from progress"
        wait_for(lambda: (daemon.rows(judged) or [(0,)])[0][0] == last, "every window is judged", 60)
        yield daemon
