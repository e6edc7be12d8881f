"""How long a browser waits for the page with 50 models of 50 features each: Debian's Chromium, on loopback.

    python -m bench.page [--loads 9]

First contentful paint, as the browser itself reports it, of pages that were looked at once before; and the daemon's
part of it, from the request to the last byte. Each model has two days of hours in its history.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from statistics import median

from sqlalchemy import update

from bench.table import Row, markdown
from checks.base import Measurement, Window, labels
from monitor.store.engine import open_engine, writing
from monitor.store.results import measurements
from monitor.store.tables import progress
from tests.e2e.process import Daemon
from tests.e2e.stream import HOUR, START
from tests.servers.browser import chromium, opened

MODELS, FEATURES, HOURS = 50, 50, 48
BUDGET = 300.0
"""Milliseconds, which the design aims at."""
PAINT = """() => new Promise(done => new PerformanceObserver(seen => {
  const paint = seen.getEntriesByName("first-contentful-paint")[0];
  const [load] = performance.getEntriesByType("navigation");
  if (paint) done([paint.startTime, load.responseEnd - load.requestStart, load.decodedBodySize]);
}).observe({ type: "paint", buffered: true }))"""


def measure(loads: int = 9) -> list[Row]:
    """The figures, with the aim of each."""
    models = "".join(f"  - {{model: m{place}, time: replay}}\n" for place in range(MODELS))
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(Path(folder), f"models:\n{models}collect: {{gpu: false}}\nconsole: false\n")
        with daemon:
            pass  # which makes the tables
        fill(f"sqlite:///{folder}/watchkeeper.db")
        with daemon:
            return [
                row
                for what, path in (("overview", "/"), ("one model", "/models/m7"))
                for row in _page(daemon.url + path, what, loads)
            ]


def fill(url: str) -> None:
    """Two days of hours of every model, drift in some."""
    engine = open_engine(url)
    for place in range(MODELS):
        with writing(engine).begin() as connection:
            for hour in range(HOURS):
                measurements.write(connection, f"m{place}", _window(place, hour))
            connection.execute(
                update(progress).where(progress.c.model == f"m{place}").values(judged_window=START + HOURS * HOUR)
            )
    engine.dispose()


def _window(place: int, hour: int) -> list[Measurement]:
    window = Window(START + hour * HOUR, START + (hour + 1) * HOUR)
    wave = 1 + 0.5 * math.sin(hour / 4 + place)
    rows = [
        Measurement("window_rows", round(900 * wave), window, n=900),
        Measurement("drifted_features", float(hour % 5), window, n=900),
        Measurement("prediction_drift", 0.05 * wave, window, labels(method="psi"), limit_high=0.1),
        Measurement("label_coverage_ratio", 0.97, window),
    ]
    for metric in ("accuracy", "precision", "recall", "f1", "roc_auc"):
        value, of = 0.85 - 0.05 * wave, labels(metric=metric)
        low, high = value - 0.03, value + 0.03
        rows.append(Measurement("performance", value, window, of, 870, None, low, high, 0.83, 0.7))
    for feature in range(FEATURES):
        name, drift = f"feature_{feature}", 0.06 * wave * (1 + feature / 25)
        for method in ("psi", "jensenshannon"):
            of = labels(feature=name, method=method)
            rows.append(Measurement("feature_drift", drift, window, of, 900, limit_high=0.15))
        rows.append(Measurement("missing_ratio", feature / 5000, window, labels(feature=name), limit_high=0.05))
    return rows


def _page(url: str, what: str, loads: int) -> list[Row]:
    with chromium() as browser, opened(browser) as page:
        page.goto(url)  # the first look has the templates compiled
        found = []
        for _ in range(loads):
            page.goto(url)
            found.append(page.evaluate(PAINT))
    paint, served, size = (median(column) for column in zip(*found, strict=True))
    figure = f"{paint:.0f} ms ({served:.0f} ms of it the daemon's; {size / 1024:.0f} KiB)"
    return [Row(f"{what}, first paint, {MODELS} models × {FEATURES} features", figure, "≤ 300 ms", paint <= BUDGET)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=9)
    print(markdown(measure(parser.parse_args().loads)))
