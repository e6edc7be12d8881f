"""Several distributions as one SVG that stands alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from checks.pictures.sheet import sheet
from tests.checks.pictures.test_pictures import EVIL, NOTHING, NUMBERS, SPACE, WORDS


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_each_has_its_place_its_name_and_both_sides(count: int) -> None:
    shown = [NUMBERS, WORDS, NOTHING, NUMBERS][:count]
    root = ET.fromstring(sheet(shown))
    inner = root.findall(f"{SPACE}svg")
    places = {(one.get("x"), one.get("y")) for one in inner}
    assert len(inner) == len(places) == count
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for one in inner:
        assert float(one.get("x", "0")) + float(one.get("width", "0")) <= width
        assert float(one.get("y", "0")) + float(one.get("height", "0")) <= height
        assert {bar.get("class") for bar in one.iter(f"{SPACE}rect")} == {"wk-reference", "wk-current"}
    words = [element.text for element in root.findall(f"{SPACE}text")]
    assert words[:3] == ["reference", "now", "temp"]


def test_it_follows_the_readers_scheme_and_fetches_nothing() -> None:
    document = sheet([NUMBERS, WORDS])
    assert "prefers-color-scheme: dark" in document
    assert EVIL not in document
    assert "<b>" not in document
    for way in ("<script", "href", "url(", "@import", "on" + "load"):
        assert way not in document


def test_without_a_distribution_there_is_no_picture() -> None:
    with pytest.raises(ValueError, match="no distribution"):
        sheet([])
