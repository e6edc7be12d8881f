"""What pages link to: links and anchors of Markdown as repository pages have them, and of HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from docs.make.configuration import slug

_FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n)+")
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\((?:<([^>]*)>|([^)\s]+))[^)]*\)")
_HEADING = re.compile(r"^#+ +(.+?) *#*$", re.M)


def markdown_links(text: str) -> list[str]:
    """Targets of links and images that stand outside of code."""
    text = _INDENTED.sub("", _FENCE.sub("", text))
    return [angled or bare for angled, bare in _LINK.findall(_CODE.sub("", text))]


def markdown_anchors(text: str) -> set[str]:
    """Anchors of the headings, of several of one name the first's."""
    return {slug(heading) for heading in _HEADING.findall(_FENCE.sub("", text))}


@dataclass
class Html(HTMLParser):
    """A page's ids, what it links to, and what a browser loads with it."""

    text: str
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        loaded = given.get("src") or (given.get("href") if tag == "link" else None)
        if loaded:
            self.loads.append(loaded)
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


def outside(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def well_formed(link: str) -> bool:
    """Whether an address outside looks like one; it is not asked, so that tests need no network."""
    parts = urlsplit(link)
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme in ("http", "https") and bool(re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc)) and " " not in link


def path_and_anchor(link: str) -> tuple[str, str]:
    parts = urlsplit(link)
    return unquote(parts.path), unquote(parts.fragment)
