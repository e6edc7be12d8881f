"""What the scripts share: their arguments, the clock, the peak, and the answer. Standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run(load: Callable[[str], Any], compare: Callable[[Any, Any], Callable[[], dict[str, Any]]]) -> None:
    """`load` reads a file; `compare` works on the two and returns what reads the answer, outside the clock."""
    reference, current = load(sys.argv[1]), load(sys.argv[2])
    began = time.perf_counter()
    answer = compare(reference, current)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "columns": answer()}))


def peak_mb() -> float:
    """The process's largest RSS. Not `ru_maxrss`, which counts the parent's until the program was loaded."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak) * 1024 / 1e6


def texts(frame: Any) -> list[str]:
    """The columns of a pandas frame that hold text."""
    return [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
