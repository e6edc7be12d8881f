"""Hands a config that has been read and checked to a daemon that has no pydantic to check one.

`watchkeeper run` becomes the daemon, and a child of it reads and checks the config and writes it to a pipe; at a reload
the worker reads the file anew. What crosses is JSON, in which a value that JSON has not is an object of one key, the
name of its class.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from monitor.config.errors import ConfigError
from monitor.config.rules_in_force import all_rules
from monitor.lazy_import import PLAIN_SETTINGS
from monitor.settings.root import Config

_OWN = ("alerts.", "monitor.", "checks.")
_PLAIN = (type(None), bool, int, float, str)
_RESTORE: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "Path": Path,
    "SecretStr": SecretStr,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def pack(config: Config) -> str:
    """Return the config as text, its `rules` being all that are in force: a daemon reads no shipped ones."""
    whole = config.model_copy(update={"rules": all_rules(config), "default_rules": False})
    return json.dumps(_flat(whole))


def unpack(text: str) -> Config:
    """Return the config that was packed, whether its classes are pydantic's or plain ones."""
    config: Config = _whole(json.loads(text))
    return config


def read(path: str) -> str | ConfigError:
    """Return the packed config in the file `path`, or what is wrong with it. Runs in the worker."""
    from monitor.config.load import load

    try:
        return pack(load(path))
    except ConfigError as error:
        return error


def take(path: Path) -> Config:
    """Return the config that the process which checked it hands over, or else the one in the file `path`.

    Raises ConfigError. Ends this process where the other one refuses the config: it has said why.
    """
    given = sys._xoptions.get(PLAIN_SETTINGS)
    if given is None:
        from monitor.config.load import load

        return load(path)
    pipe, checking = map(int, str(given).split(","))
    with os.fdopen(pipe, encoding="utf-8") as reading:
        text = reading.read()
    status = os.waitstatus_to_exitcode(os.waitpid(checking, 0)[1])
    if status < 0:
        sys.exit(f"watchkeeper: checking the config was ended by signal {-status}; is there enough memory?")
    if status:
        sys.exit(status)
    return unpack(text)


def _flat(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if type(value) is list:
        return [_flat(item) for item in value]
    name, content = _parts(value)
    return {name: [_flat(item) for item in content] if isinstance(content, list) else content}


def _parts(value: Any) -> tuple[str, Any]:
    """Return the name of the value's class, and what it consists of."""
    match value:
        case BaseModel():
            return _name(value), [value.__getstate__()]
        case Enum():
            return _name(value), [value.value]
        case Path() | SecretStr():
            return ("Path", str(value)) if isinstance(value, Path) else ("SecretStr", value.get_secret_value())
        case dict():
            return "dict", [list(pair) for pair in value.items()]
        case tuple():
            return "tuple", list(value)
        case set():
            return "set", sorted(value)
        case date():
            return type(value).__name__, value.isoformat()
    if not is_dataclass(value):
        raise TypeError(f"a config holds no {type(value).__name__}")
    return _name(value), [getattr(value, field.name) for field in fields(value)]


def _name(value: object) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if not isinstance(value, dict):
        return value
    [(name, content)] = value.items()
    if (restore := _RESTORE.get(name)) is not None:
        return restore(_whole(content))
    kind, parts = _class(name), _whole(content)
    if not issubclass(kind, BaseModel):
        return kind(*parts)
    model = kind.__new__(kind)
    model.__setstate__(*parts)
    return model


def _class(name: str) -> type[Any]:
    module, _, kind = name.partition(":")
    if not module.startswith(_OWN):
        raise ValueError(f"{module} is no module of ours")
    found: type[Any] = getattr(importlib.import_module(module), kind)
    return found
