"""Files as Slack takes them: announced with their length, posted to an address of their own, then completed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack_refusal import Refusal

UPLOAD = "/upload/v1/"


@dataclass
class File:
    id: str
    filename: str
    length: int
    alt: str
    data: bytes | None = None
    shared: int = 0
    """How often it was shared."""


class Files:
    """What one workspace knows of uploads."""

    def __init__(self) -> None:
        self.known: dict[str, File] = {}

    def expect(self, arguments: dict[str, Any]) -> tuple[str, str]:
        """A file is announced; returns its id and the path to post it to."""
        name, length = str(arguments.get("filename", "")), str(arguments.get("length", ""))
        if not name or not length.isdigit() or int(length) < 1:
            raise Refusal("invalid_arguments")
        id = f"F0{len(self.known):08d}"
        self.known[id] = File(id, name, int(length), str(arguments.get("alt_txt", "")))
        return id, f"{UPLOAD}{id}"

    def take(self, path: str, body: bytes) -> None:
        file = self.known.get(path.removeprefix(UPLOAD))
        if file is None:
            raise Refusal("no_such_upload", 404)
        if len(body) != file.length:
            raise Refusal("length_differs", 400)
        file.data = body

    def complete(self, arguments: dict[str, Any]) -> list[str]:
        """The ids of files that are all there; raises Refusal."""
        try:
            ids = [str(item["id"]) for item in json.loads(arguments.get("files", ""))]
        except (ValueError, TypeError, KeyError):
            raise Refusal("invalid_arguments") from None
        files = [self.known.get(id) for id in ids]
        if not files or any(file is None or file.data is None for file in files):
            raise Refusal("file_not_found")
        for file in files:
            assert file is not None
            file.shared += 1
        return ids
