"""Names from data on one line: what can't be in them, and that nothing else changes."""

from __future__ import annotations

import json
import unicodedata

import pytest

from checks.one_line import escaped, escaped_lines, one_line

BREAKS = [chr(code) for code in range(0x10000) if len(f"a{chr(code)}b".splitlines()) > 1]
BIDI = ("AL", "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
MARKS = [
    chr(code)
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp", "Cs")
    or (unicodedata.category(chr(code)) == "Cf" and unicodedata.bidirectional(chr(code)) in (*BIDI, "L", "R"))
]


@pytest.mark.parametrize("characters", [BREAKS, MARKS], ids=["every line break", "controls and bidi marks"])
def test_no_such_character_is_left(characters: list[str]) -> None:
    kept = [character for character in characters if character not in _LETTERS_LIKE]
    assert len(kept) >= 10
    for character in kept:
        assert character not in escaped(f"a{character}b"), hex(ord(character))
        assert one_line(f"a{character}b", 9) == "a b", hex(ord(character))


_LETTERS_LIKE = {
    c for c in MARKS if unicodedata.category(c) == "Cf" and not "\u200e" <= c <= "\u2069" and c != "\u061c"
}
"""Signs of a script or of music, which are shown, and reorder nothing."""


@pytest.mark.parametrize(
    "name", ["", "Größe in m²", "naïve – “quoted”", "价格", "السعر", "می‌خواهم", "👩‍🔬 a\\n", "1 000"]
)
def test_what_people_write_stays_as_it_is(name: str) -> None:
    assert escaped(name) == one_line(name, 100) == name


def test_a_line_break_is_seen_and_two_names_stay_two() -> None:
    assert escaped("x\r\n\u2028\x1b[2J\u202e") == "x\\r\\n\\u2028\\u001b[2J\\u202e"
    assert escaped("a\nb") != escaped("a\tb")
    assert escaped_lines("one\u0085\ntwo\x0c") == "one\\u0085\ntwo\\u000c"


def test_json_of_the_same_meaning_comes_out() -> None:
    plain = {"a\u202eb\x85": ["\ud83d", "\U000e0001", "\x7f"]}
    assert json.loads(escaped_lines(json.dumps(plain, ensure_ascii=False, indent=2))) == plain
