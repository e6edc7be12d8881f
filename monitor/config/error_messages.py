"""Turns what pydantic says about a config into sentences with a line, none of which shows a secret."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from checks.suggest import did_you_mean
from monitor.config.known_keys import keys, suggest
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.model import ModelSettings

_KINDS = {
    "string_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a section with keys of its own",
    "model_type": "a section with keys of its own",
    "model_attributes_type": "a section with keys of its own",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def problems(error: ValidationError, document: Document) -> list[Problem]:
    """One problem for each place in the file that pydantic complains about, in the order of the file."""
    grouped: dict[Place, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        place = _in_file(detail["loc"], document.value)
        if detail["type"] != "missing":
            # A union complains once for each of its members, at places that are not in the file.
            place = _existing(place, document.value)
        grouped.setdefault(place, []).append(detail)
    for place in [place for place, details in grouped.items() if all(detail["type"] in _KINDS for detail in details)]:
        # The members of a union that were not meant: another one understood more.
        if any(other[: len(place)] == place != other for other in grouped):
            del grouped[place]
    typos = {place: _misspelt(place) for place, details in grouped.items() if details[0]["type"] == "extra_forbidden"}
    found = []
    for place, details in grouped.items():
        if details[0]["type"] == "missing" and any(
            typo[:-1] == place[:-1] and meant == place[-1] for typo, meant in typos.items()
        ):
            continue
        found.append(Problem(document.line(place), _hidden(_sentence(place, details, document.value), place, document)))
    return sorted(found, key=lambda problem: problem.line or 0)


def place_text(place: Place, value: Any = None) -> str:
    """A place as people write it: server.interval, rule 'cpu-high': for, models[1].windows."""
    head = ""
    if len(place) > 1 and place[0] == "rules" and isinstance(place[1], int):
        name = _at(place, value, 2, "name")
        if isinstance(name, str):
            head, place = f"rule {name!r}" + (": " if place[2:] else ""), place[2:]
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return head + text


def _sentence(place: Place, details: list[ErrorDetails], value: Any) -> str:
    kind = details[0]["type"]
    context = details[0].get("ctx", {})
    where = place_text(place, value)
    if kind == "extra_forbidden" and len(place) == 1 and place[0] in keys(ModelSettings):
        return f"key {place[0]!r} belongs to a model; write it inside an entry of models"
    if kind == "extra_forbidden":
        return f"unknown key {str(place[-1])!r}{_inside(place, value)}; {suggest(str(place[-1]), place[:-1])}"
    if kind == "missing":
        if place == ("model",):
            return "no model is named; write model: <name>"
        return f"{str(place[-1])!r} is missing{_inside(place, value)}"
    if kind == "value_error":
        # A rule names itself.
        message = str(context["error"]).removeprefix(f"{where}: ")
        return f"{where}: {message}" if where else message
    if kind == "literal_error":
        given = details[0]["input"]
        hint = did_you_mean(given, context["expected"].split("'")[1::2]) if isinstance(given, str) else ""
        return f"{where} must be {context['expected']}{hint}"
    if kind == "string_pattern_mismatch":
        return f"{where} must be at most 100 letters, digits, '_', '.' or '-', and begin with a letter or digit"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{where} must be {words} {context[key]:g}"
    wanted = dict.fromkeys(_KINDS.get(detail["type"], "") for detail in details)
    if all(wanted):
        return f"{where or 'the file'} must be {' or '.join(wanted)}"
    return f"{where}: {details[0]['msg'][:1].lower()}{details[0]['msg'][1:]}"


def _hidden(sentence: str, place: Place, document: Document) -> str:
    """The sentence with a value that came from the environment replaced by the variable's name."""
    written = document.written.get(place)
    value = _at(place, document.value, len(place))
    return sentence.replace(str(value), written) if written and value else sentence


def _inside(place: Place, value: Any) -> str:
    return f" in {place_text(place[:-1], value)}" if place[:-1] else ""


def _in_file(place: tuple[int | str, ...], value: Any) -> Place:
    """pydantic's place as the file has it: the short form has its one model at the top."""
    if isinstance(value, dict) and "models" not in value and place[:1] == ("models",):
        return place[2:] or ("model",)
    return place


def _existing(place: Place, value: Any) -> Place:
    """The part of the place that the file has. The name of a union's member, amid a place, is passed over."""
    for index, part in enumerate(place):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return (*place[:index], *(_existing(place[index + 1 :], value) if place[index + 1 :] else ()))
    return place


def _misspelt(place: Place) -> str | None:
    hint = suggest(str(place[-1]), place[:-1])
    return hint.split("'")[1] if hint.startswith("did you mean") and " under " not in hint else None


def _at(place: Place, value: Any, length: int, *more: str) -> Any:
    for part in (*place[:length], *more):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
