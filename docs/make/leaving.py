"""A hook of MkDocs for links that leave docs/, such as ../config/rules.yaml, so that they work in the repository and on
the site: what they lead to is taken into the site. A page of Markdown becomes a page, any other file is copied to
source/, and of a folder a page lists the files.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<=\]\()(?P<path>\.\.?/[^)#\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for page in list(files.documentation_pages()):
        for path in _outside(page.content_string, page.src_uri):
            target = ROOT / path
            _take(target, path, files, config)
            if target.is_dir():
                for child in _children(target):
                    _take(child, f"{path}/{child.name}", files, config)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    def taken(match: re.Match[str]) -> str:
        path = _outside_path(match["path"], page.file.src_uri)
        if path is None:
            return match["path"]
        return os.path.relpath(_uri(ROOT / path, path), posixpath.dirname(page.file.src_uri) or ".")

    return LINK.sub(taken, markdown)


def _outside(markdown: str, page: str) -> Iterator[str]:
    """The paths, from the repository's root on, that a page of docs/ links to outside of it."""
    for match in LINK.finditer(markdown):
        if (path := _outside_path(match["path"], page)) is not None:
            yield path


def _outside_path(link: str, page: str) -> str | None:
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    inside = path == "docs" or path.startswith("docs/")
    return None if inside or not (ROOT / path).exists() else path


def _uri(target: Path, path: str) -> str:
    if target.is_dir():
        return f"source/{path}.md"
    return path if target.suffix == ".md" else f"source/{path}"


def _take(target: Path, path: str, files: Files, config: MkDocsConfig) -> None:
    uri = _uri(target, path)
    if files.get_file_from_path(uri) is not None:
        return
    content = _listing(target, path) if target.is_dir() else target.read_text("utf-8")
    files.append(File.generated(config, uri, content=content, inclusion=InclusionLevel.NOT_IN_NAV))


def _children(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_file())


def _listing(folder: Path, path: str) -> str:
    links = "\n".join(f"- [{child.name}]({folder.name}/{child.name})" for child in _children(folder))
    return f"# {path}\n\n{links}\n"
