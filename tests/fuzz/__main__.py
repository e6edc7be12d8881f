"""Feeds broken input to everything that reads some, within 15 minutes; says how many inputs were tried, and exits with
status 1 where one was answered with anything but the documented error, hung, or made memory grow."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import inputs
from tests.fuzz.counts import HEAD, Counts

SECONDS = 14 * 60.0
"""Of all parts together."""


class Timed(NamedTuple):
    """A part: `run` takes a seed, seconds and a folder for inputs that fail; of the time it gets its `share`."""

    share: float
    run: Callable[[int, float, Path], Counts]


PARTS: Mapping[str, Timed] = {
    "config": Timed(0.22, partial(inputs.run, "tests.fuzz.config_files")),
    "exposition": Timed(0.08, partial(inputs.run, "tests.fuzz.exposition_texts")),
    "reference": Timed(0.15, partial(inputs.run, "tests.fuzz.reference_files")),
    "openapi": Timed(0.2, partial(inputs.run, "tests.fuzz.api_requests")),
    "ingest": Timed(0.35, partial(inputs.run, "tests.fuzz.ingest_bodies")),
}
"""Every part, in the order in which they run. One whose inputs are bytes is a module with a `PART`, which
tests/fuzz/inputs.py runs; any other is a function that returns its `Counts`."""


def main() -> int:
    """Run the parts that were asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    parser.add_argument("--seed", type=int, default=None, help="as an earlier run printed it; else another each time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for all parts together ({SECONDS:g})")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for inputs that fail; else a temporary one")
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    seed = random.randrange(1 << 16) if options.seed is None else options.seed
    keep = options.keep or Path(tempfile.gettempdir()) / f"watchkeeper-fuzz-{seed}-{time.time_ns()}"
    chosen = {name: PARTS[name] for name in options.parts or PARTS}
    print(f"seed {seed}, {options.seconds:g} s\n\n{HEAD}", flush=True)
    found, began = [], time.monotonic()
    for name, part in chosen.items():
        found.append(part.run(seed, _seconds(name, chosen, options.seconds - (time.monotonic() - began)), keep))
        print(found[-1].row, flush=True)
    return report(found, keep)


def _seconds(name: str, chosen: Mapping[str, Timed], left: float) -> float:
    """Return the part's share of the time that is left, which is more where parts before it needed less."""
    names = list(chosen)
    following = sum(chosen[other].share for other in names[names.index(name) :])
    return max(0.0, left * chosen[name].share / following)


def report(found: list[Counts], keep: Path) -> int:
    """Print what failed; return the exit status."""
    for counts in found:
        for kind, times in counts.failures.most_common():
            print(f"{counts.part}: {times:,} × {kind}")
        if not counts.is_flat:
            first, last = counts.memory
            print(f"{counts.part}: memory grew by {(last - first) >> 20} MiB")
        if not counts.tried:
            print(f"{counts.part}: nothing was tried")
    if any(counts.kept for counts in found):
        print(f"inputs that failed are in {keep}")
    return 0 if all(counts.is_well for counts in found) else 1


if __name__ == "__main__":
    sys.exit(main())
