"""The drift methods by the names that config, labels and reports use. A new one is its module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.drift.jensenshannon import jensenshannon
from checks.drift.psi import psi
from checks.limits import Scale


@dataclass(frozen=True, slots=True)
class Method:
    """A distance of counts, over the last axis."""

    distance: Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[np.float64]]
    floor: float
    """The smallest effect worth an alarm, however sure: no calibrated limit lies below."""
    scale: Scale
    """Where it grows like a chi-square over the number of rows, so that it adds up with sampling noise."""


METHODS: dict[str, Method] = {
    "psi": Method(psi, floor=0.1, scale="linear"),
    "jensenshannon": Method(jensenshannon, floor=0.1, scale="square"),
}
