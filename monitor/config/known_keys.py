"""The sections and keys that a config may have, read off the settings' own models; and the nearest one to a typo."""

from __future__ import annotations

import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from checks.suggest import likeness, nearest
from monitor.config.alertmanager_keys import advice
from monitor.config.renamed import new_key
from monitor.config.yaml_document import Place
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config


def keys(model: type[BaseModel]) -> dict[str, Any]:
    """The keys of a section as a file spells them, with their annotations."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def top_keys() -> dict[str, Any]:
    """What may stand at the top of a file: Watchkeeper's own keys, and one model's."""
    return {**keys(Config), **keys(ModelSettings)}


def section(place: Place) -> type[BaseModel] | None:
    """The settings class of the section at `place` (() is the whole file), or None where keys are free."""
    annotation: Any = Config
    for index, part in enumerate(place):
        model = _model(annotation)
        if isinstance(part, int):
            annotation = (get_args(_plain(annotation)) or (None,))[0]
        elif model is None:
            return None
        else:
            annotation = (top_keys() if index == 0 else keys(model)).get(part, _of_free_keys(model))
    return _model(annotation)


def _of_free_keys(model: type[BaseModel]) -> Any:
    """What stands under keys that people choose, such as a check's name, where a section has such."""
    held = get_type_hints(model).get("__pydantic_extra__")
    return get_args(held)[1] if get_origin(held) is dict else None


def suggest(key: str, place: Place) -> str:
    """Return what to say about an unknown `key` in the section at `place`: its new name, a misspelling, a misplacement,
    or what is known."""
    if renamed := new_key(key, place):
        return f"it is now called {renamed!r}"
    if instead := advice(key, place):
        return instead
    known, homes = _known(place), _homes()
    here, anywhere = nearest(key, known), nearest(key, homes)
    if here and likeness(key, here) > likeness(key, anywhere) - 0.15:
        return f"did you mean {here!r}?"
    if anywhere == key:
        return f"it belongs {_under(homes[key])}"
    if anywhere:
        return f"did you mean {anywhere!r} {_under(homes[anywhere])}?"
    return f"known here: {', '.join(sorted(known))}"


def _known(place: Place) -> list[str]:
    if not place:
        return list(top_keys())
    model = section(place)
    return list(keys(model)) if model else []


@cache
def _homes() -> dict[str, list[str]]:
    """Every key and the sections that have it, outermost first."""
    homes: dict[str, list[str]] = {}
    for home, key in sorted(_walk("", top_keys()), key=lambda item: item[0].count(".")):
        homes.setdefault(key, []).append(home)
    return homes


def _walk(home: str, fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, annotation in fields.items():
        yield home, key
        inner = _model(annotation)
        if inner is None and get_origin(_plain(annotation)) is list:
            inner = _model(get_args(_plain(annotation))[0])
        if inner is not None and inner is not ModelSettings:
            yield from _walk(f"{home}.{key}" if home else key, keys(inner))


def _under(homes: list[str]) -> str:
    return " or ".join(f"under {home!r}" if home else "at the top of the file" for home in homes[:3])


def _plain(annotation: Any) -> Any:
    """The annotation without Annotated and None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        choices = [choice for choice in get_args(annotation) if choice is not type(None)]
        return _plain(choices[0])
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    plain = _plain(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None
