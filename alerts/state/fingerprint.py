"""The 64-bit name of a label set, equal to the one Prometheus and Alertmanager compute."""

from __future__ import annotations

from checks.base import Labels

_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = (1 << 64) - 1


def fnv1a64(data: bytes) -> int:
    """FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).

    >>> f"{fnv1a64(b'a'):x}"
    'af63dc4c8601ec8c'
    """
    value = _OFFSET
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def fingerprint(labels: Labels) -> str:
    """16 hex digits: FNV-1a-64 over name, 0xFF, value, 0xFF of the labels in order of their names; a label with an
    empty value is no label."""
    data = bytearray()
    for name, value in sorted(labels):
        if value:
            data += name.encode() + b"\xff" + value.encode() + b"\xff"
    return f"{fnv1a64(bytes(data)):016x}"


def alert_fingerprint(rule: str, model: str, labels: Labels) -> str:
    """The fingerprint of one alert. The severity is not part of it: a rule made more severe goes on with its alerts."""
    return fingerprint((*labels, ("alertname", rule), ("model", model)))
