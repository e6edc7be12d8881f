"""deploy/compose/compose.yaml as a test sees it: its services, what they mount, and the example's secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "compose"
SPEC: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = SPEC["services"]
_ASKED = re.compile(r"\$\{(\w+):\?[^}]*\}")


@dataclass(frozen=True, slots=True)
class Mount:
    """`source` is a path of the repository, or the name of a volume."""

    source: Path | str
    target: str
    writable: bool


def mounts(service: str) -> list[Mount]:
    found = []
    for text in SERVICES[service].get("volumes", ()):
        source, target, *mode = text.split(":")
        own = (FOLDER / source).resolve() if source.startswith(".") else source
        found.append(Mount(own, target, mode != ["ro"]))
    return found


def secrets() -> dict[str, str]:
    """What example.env says, each changed as it asks for: the example's own are too short to be taken."""
    lines = (FOLDER / "example.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: f"{value}-changed" for name, value in pairs}


def environment(service: str) -> dict[str, str]:
    """The service's environment with the example's secrets in it. Raises KeyError for one that the example lacks."""
    said = SERVICES[service].get("environment", {})
    known = secrets()
    return {name: _ASKED.sub(lambda asked: known[asked[1]], value) for name, value in said.items()}
