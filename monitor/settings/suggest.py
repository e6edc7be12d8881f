"""Find the known word that is nearest to a typo."""

from __future__ import annotations

from typing import Any


def likeness(word: str, other: str | None) -> float:
    """From 0, nothing alike (or nothing to compare with), to 1, equal."""
    import difflib  # only for mistakes, of which a daemon has none

    return difflib.SequenceMatcher(None, word, other).ratio() if other else 0.0


def nearest(word: str, known: Any) -> str | None:
    """The known word that `word` most resembles, if it resembles one at all.

    >>> nearest("refernce", ["reference", "rules"])
    'reference'
    """
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
