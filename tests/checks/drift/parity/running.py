"""Run a peer over all inputs, in a process of its own: the real library, in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.drift import installed
from checks.drift.presets.compare import METHODS
from checks.inputs import PresetName
from tests.checks.drift.parity.answers import Found
from tests.checks.drift.parity.shapes import ASKED, Shape, inputs, shapes

PEERS = Path(__file__).parent / "peers"


def environment(peer: PresetName) -> Path | str:
    """Return the Python that has the peer, or why there is none."""
    return Path(sys.executable) if peer == "evidently" else installed(peer)


def run(peer: PresetName, python: Path, folder: Path) -> Found:
    """Return what the peer finds in every input; `folder` is empty and holds them for it."""
    names = list(shapes())
    places = {name: str(names.index(name)) if name in names else name for name in inputs()}
    for name, shape in inputs().items():
        _write(folder / places[name], shape)
    listed = {
        "shapes": {
            places[name]: {"kind": shape.kind, "methods": METHODS[peer][shape.kind]} for name, shape in shapes().items()
        },
        **{what: places.get(asked, asked) if isinstance(asked, str) else asked for what, asked in ASKED.items()},
    }
    (folder / "shapes.json").write_text(json.dumps(listed))
    command = [str(python), "-W", "ignore", str(PEERS / f"{peer}_run.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return {name: found.pop(places[name]) for name in names} | found


def _write(folder: Path, shape: Shape) -> None:
    folder.mkdir()
    for side, column in (("reference", shape.reference), ("current", shape.current)):
        pq.write_table(pa.table({"x": column}), folder / f"{side}.parquet")
