"""Which label sets a rule's or a condition's `match` is for."""

from __future__ import annotations

from collections.abc import Mapping

ANY = "*"
"""Any value, as long as there is one."""


def fits(wanted: str, value: str) -> bool:
    """Whether a label has the value that is wanted; one that is absent has the value ``""``, as in Prometheus.

    >>> fits("UA", "UA"), fits("*", "UA"), fits("*", ""), fits("", "")
    (True, True, False, True)
    """
    return bool(value) if wanted == ANY else value == wanted


def both(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str] | None:
    """What matches where both do; None where no labels could.

    >>> both({"method": "psi", "feature": "*"}, {"feature": "temp"}), both({"method": "psi"}, {"method": "ks"})
    ({'method': 'psi', 'feature': 'temp'}, None)
    """
    found = dict(one)
    for name, wanted in other.items():
        known = found.get(name, wanted)
        if known == ANY and wanted:
            known = wanted
        if not (wanted == known or (wanted == ANY and known)):
            return None
        found[name] = known
    return found


def matched(match: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every label that `match` names has the value that it wants."""
    return all(fits(wanted, labels.get(name, "")) for name, wanted in match.items())
