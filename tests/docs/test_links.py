from __future__ import annotations

import pytest

from tests.docs.links import Html, markdown_anchors, markdown_links, outside, well_formed


def test_links_are_found_outside_of_code() -> None:
    text = "a [b](c.md#d) ![e](f.png 'title')\n\n    [no](code.md)\n\n```\n[no](fence.md)\n```\n"
    text += "`[no](span.md)` [g](<h i.md>)\n"
    assert markdown_links(text) == ["c.md#d", "f.png", "h i.md"]


def test_anchors_are_those_of_repository_pages() -> None:
    assert markdown_anchors("# A `b.c` D\n\n## SLO burn rates\n```\n# no\n```\n") == {"a-bc-d", "slo-burn-rates"}


def test_a_page_says_what_it_links_to_and_loads() -> None:
    page = Html('<link href="a.css"><script src="b.js"></script><p id="c"><a href="d.html#e">f</a><img src="g.png">')
    assert (page.ids, page.links, page.loads) == ({"c"}, ["d.html#e"], ["a.css", "b.js", "g.png"])


@pytest.mark.parametrize("link", ["https://", "https:/x.org", "htp://x.org", "mailto:nobody"])
def test_what_is_no_address(link: str) -> None:
    assert outside(link) and not well_formed(link)
