"""Runs each peer once over all shapes, in a process of its own, however many processes the tests run in."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.drift import installed
from checks.drift.presets.compare import METHODS
from checks.inputs import PresetName
from tests.checks.drift.parity.shapes import Shape, shapes

PEERS = Path(__file__).parent / "peers"
DATASET = ("skewed", "two humps", "counts", "heavy tails")
"""Columns that one data set is made of, each cut to as many rows as the shortest has."""
CHUNKS = "small, shifted"
EMPTY = "window all missing"
INFINITE = "infinite and shifted"

Found = dict[str, Any]


@pytest.fixture(scope="session")
def all_shapes() -> dict[str, Shape]:
    return shapes()


@pytest.fixture(scope="session")
def by_evidently(all_shapes: dict[str, Shape], tmp_path_factory: pytest.TempPathFactory) -> Found:
    return _once(Path(sys.executable), "evidently", all_shapes, tmp_path_factory)


@pytest.fixture(scope="session")
def by_nannyml(all_shapes: dict[str, Shape], tmp_path_factory: pytest.TempPathFactory) -> Found:
    return _once(_environment("nannyml"), "nannyml", all_shapes, tmp_path_factory)


def cut_to_one_length(columns: list[Shape]) -> list[Shape]:
    before = min(len(shape.reference) for shape in columns)
    now = min(len(shape.current) for shape in columns)
    return [Shape(shape.kind, shape.reference.slice(0, before), shape.current.slice(0, now)) for shape in columns]


def _once(python: Path, peer: PresetName, columns: dict[str, Shape], temporary: pytest.TempPathFactory) -> Found:
    """What the peer found; whichever process of the tests asks first runs it, and the others wait for it."""
    own = temporary.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    found = common / f"{peer}.json"
    with (common / f"{peer}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            done = json.dumps(_run(python, peer, columns, temporary.mktemp(peer)))
            found.write_text(done)
    read: Found = json.loads(found.read_text())
    return read


def _run(python: Path, peer: PresetName, columns: dict[str, Shape], folder: Path) -> Found:
    listed: dict[str, Any] = {}
    for place, shape in enumerate(columns.values()):
        _write(folder / str(place), shape)
        listed[str(place)] = {"kind": shape.kind, "methods": METHODS[peer][shape.kind]}
    together = cut_to_one_length([columns[name] for name in DATASET])
    for name, shape in zip(DATASET, together, strict=True):
        _write(folder / name, shape)
    places = {name: str(list(columns).index(name)) for name in (CHUNKS, EMPTY, INFINITE)}
    text = json.dumps(
        {
            "shapes": listed,
            "dataset": DATASET,
            "chunks": places[CHUNKS],
            "empty": places[EMPTY],
            "infinite": places[INFINITE],
        }
    )
    (folder / "shapes.json").write_text(text)
    command = [str(python), "-W", "ignore", str(PEERS / f"{peer}_run.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr[-2000:]
    found: Found = json.loads(done.stdout[done.stdout.index("{") :])
    return {name: found.pop(str(place)) for place, name in enumerate(columns)} | found


def _write(folder: Path, shape: Shape) -> None:
    folder.mkdir()
    for side, column in (("reference", shape.reference), ("current", shape.current)):
        pq.write_table(pa.table({"x": column}), folder / f"{side}.parquet")


def _environment(peer: str) -> Path:
    """The Python of the peer's own environment, which the benchmarks use, too. Without it the tests are left out, or
    fail where CI is set."""
    found = installed(peer)
    if isinstance(found, Path):
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{peer}: {found}")
    pytest.skip(f"{peer}: {found}")
