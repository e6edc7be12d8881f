"""The page: what it holds, that it stands alone, and that a browser shows it without complaint."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from checks.report import compare
from tests.checks.report.tables import NAN, fifty, with_three_wrong
from tests.needs import program

EVIL = "<script>alert(1)</script>\"'&\x1b[31m"
VOID = {"meta", "link", "rect", "line"}


class Page(HTMLParser):
    """The tags, attributes and text of a page, and whether every tag is closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    before, now = fifty(), with_three_wrong(fifty(seed=1))
    now["f03"] += 2
    now["c0"] = EVIL
    before[EVIL], now[EVIL] = before["f00"], now["f00"] + 3
    return compare(before, now, names=(EVIL, "now.csv")).to_html()


def test_the_page_tells_the_verdict_and_every_column(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert "3 of 49 columns drifted" in page.text
    assert html.count('<th scope="row">') == 51
    assert html.count("<article") == 6, "three that drifted, two without values, one with texts among its numbers"
    first = html.partition('<th scope="row">')[2].partition("<")[0]
    assert first in {"c0", "f03", "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp; [31m"}
    assert "held numbers in the reference and holds texts now" in page.text
    assert re.search(r"f03.*% of values now at .* or more, .* before; mean [\d.]+ → [45][\d.]*", page.text, re.S)
    assert NAN in page.text


def test_names_from_data_are_text(html: str) -> None:
    page = Page(html)
    assert not page.named("script")
    assert "\x1b" not in html
    assert page.text.count("<script>alert(1)</script>") >= 4


def test_it_stands_alone(html: str) -> None:
    page = Page(html)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object"})
    links = [value or "" for _, own in page.tags for name, value in own.items() if name in ("href", "src")]
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "url(" not in html
    assert "@import" not in html
    assert not any(name.startswith("on") for _, own in page.tags for name in own)


def test_it_can_be_read_aloud(html: str) -> None:
    page = Page(html)
    assert page.named("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for picture in page.named("svg"):
        assert picture.get("aria-hidden") == "true" or (picture.get("role") == "img" and picture.get("aria-label"))
    assert all(own.get("scope") in ("row", "col") for own in page.named("th"))
    assert "Distribution" not in page.text
    assert page.text.count("in the reference, ") >= 10, "each bar has its tooltip"


def test_text_stands_out_from_its_ground(html: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\}", html)
    for theme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#\w+)", theme))
        for text in ("ink", "soft", "bad", "warn", "good", "wk-text"):
            for ground in ("ground", "raised"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(colours["wk-current"], colours["ground"]) >= 3


def contrast(one: str, other: str) -> float:
    """Ratio of luminances: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_calm_page_shows_what_is_nearest() -> None:
    page = compare(fifty(), fifty(seed=1)).to_html()
    assert "None of 50 columns drifted" in page
    assert page.count("<article") == 12


def test_a_notebook_shows_it_in_a_frame() -> None:
    shown = compare(fifty()[["f00"]], fifty(seed=1)[["f00"]])._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert Page(shown).tags[0][0] == "iframe"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_it_without_complaint(html: str, tmp_path: Path, width: int) -> None:
    file = tmp_path / "report.html"
    measured = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script>"
    policy = "script-src 'unsafe-inline'; style-src"
    file.write_text(html.replace("style-src", policy, 1).replace("</body>", f"{measured}</body>"), "utf-8")
    chromium = program("chromium", "chromium")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    profile = [f"--user-data-dir={tmp_path / 'chromium'}", f"--window-size={width},900"]
    done = subprocess.run(
        [chromium, *flags, *profile, file.as_uri()], capture_output=True, text=True, timeout=100, check=True
    )
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert "3 of 49 columns drifted" in done.stdout
    title = done.stdout.partition("<title>")[2].partition("<")[0]
    wide, room = (int(number) for number in title.split(" of "))
    assert wide <= room, "nothing sticks out at the side"
