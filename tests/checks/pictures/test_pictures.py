"""Pictures of distributions: sound SVG and PNG, bounded, whatever the names."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from itertools import pairwise
from math import inf

import pytest
from PIL import Image

from checks.pictures.distribution import Distribution
from checks.pictures.png import MOST_BYTES, picture
from checks.pictures.svg import CHARACTER, WIDTH, svg

EVIL = "<b>$\\frac$ & \"'\x00\ud800\x1b" + "w" * 600
NUMBERS = Distribution(
    "temp", True, ("below 1", "1 – 2", "above 2"), (0.0, 1.0, 0.0), (0.1, 0.2, 0.7), (-inf, 1.0, 2.0, inf), "moved"
)
WORDS = Distribution(EVIL, False, (EVIL, "(new)"), (1.0, 0.0), (0.25, 0.75), (), EVIL)
NOTHING = Distribution("empty", True, ("above 0",), (0.0,), (0.0,), (0.0, inf))
SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("shown", [NUMBERS, WORDS, NOTHING], ids=["numbers", "words", "nothing"])
def test_the_svg_is_sound_and_has_two_bars_and_a_tooltip_a_bin(shown: Distribution) -> None:
    drawn = ET.fromstring(svg(shown).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))
    bins = list(drawn.iter(f"{SPACE}g"))
    assert len(bins) == len(shown.bins)
    for element in bins:
        bars = element.findall(f"{SPACE}rect")
        assert [bar.get("class") for bar in bars] == ["wk-reference", "wk-current"]
        assert all(float(bar.get(size, "-1")) >= 0 for bar in bars for size in ("width", "height"))
        assert " in the reference, " in (element.findtext(f"{SPACE}title") or "")
    assert drawn.get("role") == "img"
    assert len(svg(shown)) < 6_000


def test_bars_are_as_long_as_their_shares() -> None:
    drawn = ET.fromstring(svg(NUMBERS).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))
    heights = [float(bar.get("height", "0")) for bar in drawn.iter(f"{SPACE}rect")]
    assert [height / heights[2] for height in heights] == pytest.approx([0, 0.1, 1, 0.2, 0, 0.7], abs=0.01)


def test_names_along_the_axis_stand_beside_each_other_within_the_picture() -> None:
    bounds = (-inf, *(1_000.0 * 7**place for place in range(9)), inf)
    shares = (0.1,) * (len(bounds) - 1)
    shown = Distribution("money", True, tuple(f"bin {place}" for place in range(10)), shares, shares, bounds)
    drawn = ET.fromstring(svg(shown).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))
    names = [text for text in drawn.iter(f"{SPACE}text") if text.get("text-anchor") == "middle"]
    assert len(names) > 3
    ends = [(float(text.get("x", "")), CHARACTER * len(text.text or "") / 2) for text in names]
    assert all(x - half >= 0 and x + half <= WIDTH + 0.1 for x, half in ends)
    assert all(x + half <= after - wide for (x, half), (after, wide) in pairwise(ends))


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_the_png_is_bounded(count: int) -> None:
    many = Distribution("many", False, tuple(f"{place} {EVIL}" for place in range(99)), (1 / 99,) * 99, (0.0,) * 99)
    data = picture([NUMBERS, WORDS, NOTHING, *[many] * 9][:count], title=EVIL)
    assert len(data) <= MOST_BYTES
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        assert 300 <= image.width <= 1_000
        assert len(image.getcolors() or []) > 4, "something is drawn"


def test_the_bound_costs_size_not_the_picture() -> None:
    large, small = picture([NUMBERS, WORDS]), picture([NUMBERS, WORDS], most_bytes=4_000)
    assert len(small) <= 4_000 < len(large)
    with pytest.raises(ValueError, match="no distribution"):
        picture([])
