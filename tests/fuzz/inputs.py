"""Runs a part whose inputs are bytes made from a seed, in a child that is started again where it ended or hung."""

from __future__ import annotations

import importlib
import multiprocessing
import random
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psutil

from tests.fuzz.counts import Counts

HANG = 1.0
"""Seconds of processor time after which an input counts as one that hangs."""
WAIT = 5
"""How many times as long it may take on a clock, for the machine may be busy with something else."""
WARM = 200
"""Inputs after which a child's memory is measured for the first time: imports and caches are filled then."""
_LOOK = 0.2


@dataclass(frozen=True)
class Part:
    """A kind of input. `make` writes one from a random number generator; `take` reads it, with a folder for files of
    its own, and raises one of `documented` to refuse it. An assertion of `take` is a failure like any exception. One
    input may stand for up to `holds`; `take` then returns how many of them were accepted and refused."""

    name: str
    aim: int
    make: Callable[[random.Random], bytes]
    take: Callable[[bytes, Path], tuple[int, int] | None]
    documented: tuple[type[Exception], ...]
    patience: float = 15.0
    """Seconds after which a child is ended that does not come back from an input."""
    holds: int = 1
    limit: float = HANG
    """Seconds of processor time that `take` may need; of time on a clock five times as much."""


def content(part: Part, seed: int, index: int) -> bytes:
    """Return input `index`, which is the same whenever it is made."""
    return part.make(random.Random(f"{seed}:{part.name}:{index}"))


def run(module: str, seed: int, seconds: float, keep: Path) -> Counts:
    """Try the inputs of the part `PART` of a module, until its aim is reached or the time is over."""
    part: Part = importlib.import_module(module).PART
    counts, began = Counts(part.name, part.aim * part.holds), time.monotonic()
    context = multiprocessing.get_context("spawn")
    first = 0
    while first < part.aim and (left := seconds - (time.monotonic() - began)) > 0:
        at: Synchronized[int] = context.Value("q", first)
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_try_all, args=(module, seed, first, left, at, theirs), daemon=True)
        child.start()
        theirs.close()
        first = _watch(child, ours, at, part, seed, counts, keep)
    counts.seconds = time.monotonic() - began
    return counts


def _watch(
    child: SpawnProcess,
    heard: Connection,
    at: Synchronized[int],
    part: Part,
    seed: int,
    counts: Counts,
    keep: Path,
) -> int:
    """Listen to a child until it ends; return the input to go on with."""
    stood, since, done = -1, time.monotonic(), False
    while True:
        try:
            while heard.poll(_LOOK):
                match heard.recv():
                    case ("failed", index, kind, said):
                        counts.fail(kind, content(part, seed, index), keep, said)
                    case ("counted", tried, accepted, refused):
                        counts.tried, counts.accepted = counts.tried + tried, counts.accepted + accepted
                        counts.refused += refused
                    case ("memory", before, after, ended):
                        counts.grew(before, after)
                        done = ended
        except (EOFError, OSError):
            child.join()
            if not done:
                counts.fail(f"the process ended with {child.exitcode}", content(part, seed, at.value), keep)
            return part.aim if done else at.value + 1
        now = time.monotonic()
        if at.value != stood:
            stood, since = at.value, now
        elif now - since > part.patience and stood >= 0 and child.pid is not None:
            child.kill()
            child.join()
            counts.fail("hangs", content(part, seed, stood), keep, f"no end within {part.patience:g} s")
            return stood + 1


def _try_all(module: str, seed: int, first: int, seconds: float, at: Synchronized[int], said: Connection) -> None:
    """Try inputs from `first` on; runs in the child."""
    part: Part = importlib.import_module(module).PART
    end, process, before = time.monotonic() + seconds, psutil.Process(), 0
    with tempfile.TemporaryDirectory(prefix="watchkeeper-fuzz-") as folder:
        for index in range(first, part.aim):
            if time.monotonic() >= end:
                break
            at.value = index
            given = content(part, seed, index)
            accepted, refused = _try(part, index, given, Path(folder), said)
            said.send(("counted", max(1, accepted + refused), accepted, refused))
            if index == first + WARM:
                before = process.memory_info().rss
        after = process.memory_info().rss
        said.send(("memory", before or after, after, True))


def _try(part: Part, index: int, given: bytes, folder: Path, said: Connection) -> tuple[int, int]:
    """Try one input; return how many were accepted and refused."""
    clock, processor = time.monotonic(), time.process_time()
    accepted = refused = 0
    try:
        accepted, refused = part.take(given, folder) or (1, 0)
    except part.documented:
        refused = 1
    except Exception as error:  # noqa: BLE001 - what no caller would expect is what is looked for
        said.send(("failed", index, _kind(error), traceback.format_exc()))
    took, worked = time.monotonic() - clock, time.process_time() - processor
    if worked > part.limit or took > WAIT * part.limit:
        said.send(("failed", index, "hangs", f"{took:.1f} s, {worked:.1f} s of them on the processor"))
    return accepted, refused


def _kind(error: Exception) -> str:
    """Name an exception by its class and the place that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
