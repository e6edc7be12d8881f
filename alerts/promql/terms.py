"""Numbers, times and signs as PromQL writes them."""

from __future__ import annotations

import math

SIGNS = {"above": ">", "below": "<"}
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


class Inexpressible(Exception):
    """Prometheus can't judge by this rule; the text says why."""


def number_of(value: float) -> str:
    """A number in PromQL.

    >>> number_of(3.0), number_of(-0.05), number_of(float("inf"))
    ('3', '-0.05', 'Inf')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def span_of(seconds: float) -> str:
    """A time in PromQL.

    >>> span_of(5400), span_of(299.999)
    ('1h30m', '4m59s999ms')
    """
    left, parts = round(seconds * 1000), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
