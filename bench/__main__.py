"""Measures what has a budget and writes docs/benchmarks.md.

    python -m bench [--quick] [PART ...]

Without parts, all of them. The page keeps the rows of parts that were not measured again, with the day they were.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from bench import drift, footprint, rules, scrape, windows
from bench import page as bench_page
from bench.table import Row, markdown

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
KEPT = Path(__file__).parent / "results.json"
"""By part: the day, and the rows of the last run."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs, to see that it works; writes nothing")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; all by default")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in options.parts or PARTS:
        rows = PARTS[name].measure(options.quick)
        print(f"{markdown(rows)}\n", flush=True)
        if not options.quick:
            kept[name] = {"on": f"{datetime.now(UTC):%Y-%m-%d}", "rows": [row._asdict() for row in rows]}
            KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
            PAGE.write_text(page(kept))
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


def page(kept: dict[str, Any]) -> str:
    memory = psutil.virtual_memory().total / 2**30
    missed = [row for part in kept.values() for row in part["rows"] if row["met"] is False]
    verdict = (
        "Every budget is met."
        if not missed
        else "Missed: " + "; ".join(f"{row['what']} ({row['figure']}, budget {row['budget']})" for row in missed) + "."
    )
    parts = "\n\n".join(section(part, kept[name]) for name, part in PARTS.items() if name in kept)
    return f"""# Benchmarks

Written by `make bench` (`python -m bench`), on {os.cpu_count()} cores of {platform.machine()} with {memory:.0f} GiB,
Python {platform.python_version()}. Budgets are the design's; a peer runs in the same run on the same data. One run on
a shared machine: expect the figures to move by a fifth, the ratios by less.

{verdict}

{parts}
"""


def section(part: Part, kept: dict[str, Any]) -> str:
    rows = markdown([Row(**row) for row in kept["rows"]])
    how = textwrap.fill(f"{part.command} Measured on {kept['on']}.", 120, break_on_hyphens=False)
    return f"## {part.title}\n{how}\n\n{rows}"


class Part(NamedTuple):
    title: str
    command: str
    """What is run, and how it is counted."""
    measure: Callable[[bool], list[Row]]
    """Takes whether to be quick."""


PARTS = {
    "ingest": Part(
        "Taking predictions and labels",
        "`python -m bench.ingest --seconds 15`: the server is pinned to one core and syncs every commit "
        "(`synchronous=FULL`); 32 connections load it from the other. Latency counts from when a request was "
        "due. Labels (`--kind labels`) have random UUIDs. Beside compaction (`--designs watchkeeper --during "
        "'python -m bench.compacting {url}'`) both share the other core.",
        lambda quick: ingest("3" if quick else "15"),
    ),
    "scrape": Part("Being scraped", "`python -m bench.scrape`.", lambda quick: scrape.measure()),
    "rules": Part(
        "Judging",
        "`python -m bench.rules`, pinned to one core: one evaluation of rules of every plain kind, the median of five; "
        "the budget is on CPU time. In memory it is `evaluate`, which steps each series' alert. By the judge it is all "
        "that the daemon does: every state is read from SQLite, what changed is written, with transitions, incidents "
        "and what receivers are owed, and the transaction is committed; waiting for the disk is not in it, nor is "
        "sending.",
        lambda quick: rules.measure(100 if quick else rules.RULES),
    ),
    "page": Part(
        "Looking at the page",
        "`python -m bench.page`: first contentful paint, as Debian's Chromium reports it, on loopback, the median of "
        "nine loads of pages that were looked at once before; each model has two days of hours in its history.",
        lambda quick: bench_page.measure(3 if quick else 9),
    ),
    "footprint": Part(
        "What the sidecar costs",
        "`python -m bench.footprint --seconds 60`: `watchkeeper run` beside a real FastAPI server that is asked once a "
        "second, one model, default intervals, every collector on (two GPUs by a stand-in for NVIDIA's library), a "
        "probe, a real Alertmanager and a check of "
        "`type: evidently`; memory and CPU after a backlog of 12,000 rows is worked through and the idle worker has "
        "gone. Where Python may not write bytecode (`PYTHONDONTWRITEBYTECODE`), the start takes 4 s.",
        lambda quick: footprint.measure(10.0 if quick else 60.0),
    ),
    "drift": Part(
        "Drift of whole tables",
        "`python -m bench.drift`: peers run in environments of their own on the same frames; a peer's seconds are "
        "without reading the files, ours with it unless the row says otherwise.",
        drift.measure,
    ),
    "windows": Part(
        "Longer windows",
        "`python -m bench.windows`: the newest hour and the seven days before, each from its profile in the store to "
        "the drift of all columns; both are merged from roll-ups, and no row is read.",
        lambda quick: windows.rows(*((50,) if quick else (50, 1000))),
    ),
}
"""In the page's order."""


if __name__ == "__main__":
    sys.exit(main())
