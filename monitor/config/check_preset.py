"""What is wrong with a server's preset: its name, or the file of the user's own."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from checks.suggest import did_you_mean
from monitor.collectors.server.preset import KEYS, Preset, shipped_presets
from monitor.config.error_messages import place_text
from monitor.config.text_file import TextFileError, read_text
from monitor.config.yaml_document import Problem, parse

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a section with keys of its own",
}


def preset_problem(preset: str | Path) -> str | None:
    """Return what is wrong with a preset; of a file with its line and key."""
    if isinstance(preset, Path):
        found = _file_problem(preset)
        return found and f"{preset}{f':{found.line}' if found.line else ''}: {found.message}"
    if preset in (names := shipped_presets()):
        return None
    return f"there is no preset {preset!r}{did_you_mean(preset, names)}; there are {', '.join(names)}, or ./own.yaml"


def _file_problem(path: Path) -> Problem | None:
    try:
        document = parse(read_text(path), {})
    except FileNotFoundError:
        return Problem(None, "the file can't be read: No such file or directory")
    except TextFileError as error:
        return Problem(None, str(error))
    if document.problems:
        return document.problems[0]
    try:
        msgspec.convert(document.value, Preset)
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at ")
        place = tuple(int(index) if index else key for key, index in _STEP.findall(at))
        if unknown := re.search("unknown field `(.+)`", said):
            place += (unknown[1],)
        return Problem(document.line(place), _sentence(said, place))
    return None


def _sentence(said: str, place: tuple[str | int, ...]) -> str:
    """Return what msgspec says of a place, in the words of the config's other errors."""
    if "unknown field" in said:
        return f"unknown key {place[-1]!r}{_inside(place[:-1])}{did_you_mean(str(place[-1]), KEYS)}"
    if missing := re.fullmatch("Object missing required field `(.+)`", said):
        return f"{missing[1]!r} is missing{_inside(place)}"
    plain = re.sub(r"`(\w+)`", lambda match: _WORDS.get(match[1], match[1]), said)
    return f"{place_text(place) or 'the file'}: {plain[:1].lower()}{plain[1:]}"


def _inside(place: tuple[str | int, ...]) -> str:
    return f" in {place_text(place)}" if place else ""
