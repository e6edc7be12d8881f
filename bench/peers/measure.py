"""What the scripts share: their arguments, the clock, the peak, and the answer. Standard library only."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


def run(load: Callable[[str], Any], compare: Callable[[Any, Any], Callable[[], dict[str, Any]]]) -> None:
    """`load` reads a file; `compare` works on the two and returns what reads the answer, outside the clock."""
    reference, current = load(sys.argv[1]), load(sys.argv[2])
    began = time.perf_counter()
    answer = compare(reference, current)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "columns": answer()}))


def texts(frame: Any) -> list[str]:
    """The columns of a pandas frame that hold text."""
    return [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
