"""Keep the peers' answers as files: what each library said of each input, for which of its versions."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.inputs import PresetName
from tests.checks.drift.parity.shapes import ASKED, Shape, inputs

Found = dict[str, Any]
ROOT = Path(__file__).parents[4]
FOLDER = Path(__file__).parent / "answers"
NEAR = 1e-9
ROOTS = {"jensenshannon", "jensen_shannon", "hellinger"}
ANEW = "`make parity` asks the peers anew"


def load(peer: PresetName) -> Found:
    """Return the peer's answers. Raise LookupError where they are those of other versions or other inputs."""
    kept = json.loads((FOLDER / f"{peer}.json").read_text())
    if kept["versions"] != versions(peer):
        raise LookupError(f"the answers of {peer} are of {kept['versions']}, not {versions(peer)}: {ANEW}")
    if changed := sorted(name for name, key in digests().items() if kept["inputs"].get(name) != key):
        raise LookupError(f"{peer} was asked of other inputs than {', '.join(changed)}: {ANEW}")
    found: Found = kept["answers"]
    return found


def save(peer: PresetName, found: Found) -> None:
    """Write the peer's answers, a line for each."""
    kept = {"versions": versions(peer), "inputs": digests(), "answers": found}
    (FOLDER / f"{peer}.json").write_text(_lines(kept, 3) + "\n")


def versions(peer: PresetName) -> list[str]:
    """Return the pins that the peer's answers depend on."""
    if peer == "nannyml":
        return (ROOT / "bench/peers/nannyml.txt").read_text().split()
    pins = (ROOT / "requirements.lock").read_text()
    return re.findall(r"^(?:evidently|numpy|pandas|scipy)==.*$", pins, re.MULTILINE)


def digests() -> dict[str, str]:
    """Return a key for each input, which changes with it."""
    asked = hashlib.sha256(json.dumps(ASKED).encode()).hexdigest()[:12]
    return {name: _digest(shape) for name, shape in inputs().items()} | {"what else is asked": asked}


def differences(kept: Any, found: Any, method: str = "") -> Any:
    """Return where answers differ by more than a peer's own do from run to run; nothing where they agree."""
    if isinstance(kept, dict) and isinstance(found, dict):
        if "error" in kept and "error" in found:
            return {}
        each = {key: differences(kept.get(key), found.get(key), method or key) for key in kept.keys() | found.keys()}
        return {key: one for key, one in each.items() if one}
    if isinstance(kept, float) and isinstance(found, float):
        return {} if near(method, found, kept) else (kept, found)
    if isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        return [pair for pair in zip(kept, found, strict=True) if differences(*pair, method)]
    return {} if kept == found else (kept, found)


def near(method: str, ours: float | None, theirs: float | None) -> bool:
    """Return whether both are within 1e-9, relative where numbers are large. Next to 0 a root is only as sure as the
    sum below it, which peers add in an order that changes from run to run."""
    if ours is None or theirs is None:
        return ours is theirs
    apart = abs(ours - theirs) <= NEAR * max(1.0, abs(theirs))
    return apart or (method in ROOTS and abs(ours**2 - theirs**2) <= 1e-14)


def _digest(shape: Shape) -> str:
    sides = (_bytes(shape.reference), _bytes(shape.current))
    return hashlib.sha256(b"\0\0".join((shape.kind.encode(), *sides))).hexdigest()[:12]


def _bytes(column: pa.Array) -> bytes:
    if not pa.types.is_floating(column.type):
        return "\0".join(map(repr, column.to_pylist())).encode()
    return bytes(pc.is_valid(column).to_numpy(zero_copy_only=False).tobytes() + _rounded(column))


def _rounded(column: pa.Array) -> bytes:
    """To nine digits: the last ones are another processor's."""
    mantissa, exponent = np.frexp(pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False))
    return bytes(mantissa.round(9).tobytes() + exponent.tobytes())


def _lines(value: Any, depth: int) -> str:
    """JSON with a line for each entry, down to this depth."""
    if not depth or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    each = ",\n".join(f"{json.dumps(key, ensure_ascii=False)}: {_lines(one, depth - 1)}" for key, one in value.items())
    return f"{{\n{each}\n}}"
