"""Measures everything that has a budget and writes docs/benchmarks.md.

python -m bench [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from bench import drift, footprint, scrape, windows
from bench.table import Row, markdown

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs, to see that it works; writes nothing")
    quick = parser.parse_args().quick
    rows = [
        *ingest("3" if quick else "15"),
        *scrape.measure(),
        *windows.rows(*((50,) if quick else (50, 1000))),
        *footprint.measure(10.0 if quick else 180.0),
        *drift.measure(quick),
    ]
    print(markdown(rows))
    if not quick:
        PAGE.write_text(page(rows))
        print(f"\nwritten to {PAGE}")
    return 0


def ingest(seconds: str) -> list[Row]:
    """Throughput and acknowledgement, alone, beside compaction, and for labels; each beside the naive design."""
    alone, naive = run(seconds)
    [busy] = run(seconds, "--designs", "watchkeeper", "--during", f"{sys.executable} -m bench.compacting {{url}}")
    labels, naive_labels = run(seconds, "--kind", "labels")
    return [
        rate("ingest, durable, 100 × 20 a batch, one core", alone, 60_000),
        Row("… the same, one row an event (ratio)", ratio(alone, naive), "a peer", None),
        p99("p99 acknowledge at half that load", alone),
        rate("ingest while compaction runs on the other core", busy, 60_000),
        p99("p99 acknowledge at half that load, while compaction runs", busy),
        Row("labels, random ids, 100 a batch", f"{labels['rows_per_second']:,}/s", "reported", None),
        Row("… the same, one row a label (ratio)", ratio(labels, naive_labels), "a peer", None),
        p99("p99 acknowledge of labels at half that load", labels),
    ]


def run(seconds: str, *more: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.ingest", "--json", "--seconds", seconds, *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def rate(what: str, result: dict[str, Any], budget: int) -> Row:
    value = result["rows_per_second"]
    return Row(what, f"{value:,} predictions/s", f"≥ {budget:,}", value >= budget)


def p99(what: str, result: dict[str, Any]) -> Row:
    return Row(what, f"{result['p99_ms']} ms (p50 {result['p50_ms']} ms)", "≤ 100 ms", result["p99_ms"] <= 100)


def ratio(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    return f"{peer['rows_per_second']:,}/s; ours is {ours['rows_per_second'] / peer['rows_per_second']:.1f} ×"


def page(rows: list[Row]) -> str:
    memory = psutil.virtual_memory().total / 2**30
    missed = [row for row in rows if row.met is False]
    verdict = (
        "Every budget is met."
        if not missed
        else "Missed: " + "; ".join(f"{row.what} ({row.figure}, budget {row.budget})" for row in missed) + "."
    )
    return f"""# Benchmarks

Written by `make bench` (`python -m bench`), on {os.cpu_count()} cores of {platform.machine()} with {memory:.0f} GiB,
Python {platform.python_version()}. Budgets are the design's; a peer runs in the same run on the same data. One run on
a shared machine: expect the figures to move by a fifth, the ratios by less.

{markdown(rows)}

{verdict}

## The commands behind the rows
- ingest: `python -m bench.ingest --seconds 15`. The server is pinned to one core and syncs every commit
  (`synchronous=FULL`); 32 connections load it from the other. Latency counts from when a request was due.
- beside compaction: `python -m bench.ingest --designs watchkeeper --during 'python -m bench.compacting {{url}}'`.
  Compaction and the load share the other core.
- labels: `python -m bench.ingest --kind labels`. Their ids are random UUIDs.
- scrape: `python -m bench.scrape`.
- drift: `python -m bench.drift`. Peers run in environments of their own, on the same frames; a peer's seconds are
  without reading the files, ours with it unless the row says otherwise.
- longer windows: `python -m bench.windows`. Both windows are measured from the store's roll-ups, no row is read.
- footprint: `python -m bench.footprint --seconds 180`. `watchkeeper run` beside a real FastAPI server, one model,
  default intervals; CPU over 180 s, after a backlog of 12,000 rows is worked through and the idle worker has gone.
"""


if __name__ == "__main__":
    sys.exit(main())
