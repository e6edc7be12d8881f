"""How long /metrics takes with a thousand features, two drift methods and five quality measures each.

python -m bench.scrape
"""

from __future__ import annotations

import statistics
import tempfile
import time

from prometheus_client import CollectorRegistry, generate_latest

from bench.table import Row, markdown
from checks.base import Measurement, Window, labels
from monitor.store.alerts.queries import AlertStore
from monitor.store.engine import open_engine
from monitor.store.tables import metadata
from monitor.store.writer import Writer
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.telemetry.prometheus_text import render

FEATURES = 1000
QUALITY = ("missing_ratio", "non_finite_ratio", "out_of_range_ratio", "new_category_ratio", "type_mismatch_ratio")


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.db")
        metadata.create_all(engine)
        registry, latest = CollectorRegistry(), Latest()
        Meters(registry)
        registry.register(LatestCollector(latest, AlertStore(engine, Writer(engine))))
        latest.put("wide", _series())
        ours = _median(lambda: render(registry, "text/plain"))
        theirs = _median(lambda: generate_latest(registry))
    return [
        Row("/metrics with 1,000 features (9,000 series)", f"{ours:.0f} ms", "≤ 50 ms", ours <= 50),
        Row("… the same by prometheus_client alone (ratio)", f"{theirs:.0f} ms; {theirs / ours:.1f} ×", "a peer", None),
    ]


def _series() -> list[Measurement]:
    window = Window(0.0, 3600.0)
    rows = []
    for index in range(FEATURES):
        name = f"feature_{index}"
        for method in ("psi", "jensenshannon"):
            rows.append(Measurement("feature_drift", 0.1, window, labels(feature=name, method=method), limit_high=0.2))
        rows += [Measurement(quality, 0.01, window, labels(feature=name)) for quality in QUALITY]
    return rows


def _median(call: object, times: int = 15) -> float:
    assert callable(call)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    print(markdown(measure()))
