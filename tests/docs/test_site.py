"""Every link of the pages, in the repository and on the site, leads somewhere; and the site asks nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.docs.links import Html, markdown_anchors, markdown_links, outside, path_and_anchor, well_formed

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_in_the_repository(page: Path) -> None:
    wrong = []
    for link in markdown_links(page.read_text("utf-8")):
        if outside(link):
            wrong += [] if well_formed(link) else [link]
            continue
        path, anchor = path_and_anchor(link)
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in markdown_anchors(target.read_text("utf-8"))):
            wrong.append(link)
    assert not wrong, f"{page} links to what is not there"


def test_links_of_the_site(site: Path) -> None:
    @cache
    def read(file: Path) -> Html:
        return Html(file.read_text("utf-8"))

    wrong, seen = [], 0
    for file in sorted(site.rglob("*.html")):
        if file.name == "404.html":  # is served from any depth, and so has addresses from the site's root on
            continue
        page = read(file)
        for link in [*page.links, *page.loads]:
            seen += 1
            if outside(link):
                wrong += [] if well_formed(link) else [f"{file}: {link}"]
                continue
            path, anchor = path_and_anchor(link)
            target = (file.parent / path).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and target.suffix == ".html" and anchor not in read(target).ids):
                wrong.append(f"{file}: {link}")
    assert not wrong
    assert seen > 1000


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*.html"):
        assert not [link for link in Html(file.read_text("utf-8")).loads if outside(link)], file
    for file in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", file.read_text("utf-8")), file


def test_the_repository_stays_the_source_of_what_the_site_takes_from_it(site: Path) -> None:
    assert (site / "source/config/example.yaml").read_bytes() == (ROOT / "config/example.yaml").read_bytes()
    assert not (site / "make").exists(), "what makes pages is none"
