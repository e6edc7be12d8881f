"""Find the known word that is nearest to a typo."""

from __future__ import annotations

from collections.abc import Iterable


def likeness(word: str, other: str | None) -> float:
    """Return how alike two words are, from 0, nothing alike (or nothing to compare with), to 1, equal."""
    import difflib  # only for mistakes, of which a daemon has none

    return difflib.SequenceMatcher(None, word, other).ratio() if other else 0.0


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known word that `word` most resembles, if it resembles one at all.

    >>> nearest("refernce", ["reference", "rules"])
    'reference'
    """
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the end of a sentence about an unknown word: the nearest known one, or what to say if there is none.

    >>> did_you_mean("refernce", ["reference", "rules"]), did_you_mean("x", ["rules"], "known are rules")
    ("; did you mean 'reference'?", '; known are rules')
    """
    close = nearest(word, known)
    return f"; did you mean {close!r}?" if close else otherwise and f"; {otherwise}"
