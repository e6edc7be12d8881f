"""Takes a config's secrets out of what is shown, whoever repeats them: the last line behind everyone's own care."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from monitor.cli.doctor.finding import Finding
from monitor.settings.root import Config

MASK = "****"
SHORT = 6
"""Characters below which a word is found in any text by chance."""


def secrets(config: Config) -> list[str]:
    """Every secret of the config that is long enough to be told, and the parts that it is sent in; longest first."""
    found = set()
    for value in _values(config):
        secret = value.get_secret_value().strip() if isinstance(value, SecretStr) else _password(value)
        found |= {secret, secret.rpartition(" ")[2], unquote(secret)}
    return sorted((secret for secret in found if len(secret) >= SHORT), key=len, reverse=True)


def redacted(finding: Finding, hidden: list[str]) -> Finding:
    """The finding without these texts."""
    return Finding(finding.name, finding.status, _without(finding.found, hidden), _without(finding.todo, hidden))


def _without(text: str, hidden: list[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, MASK)
    return text


def _values(value: Any) -> Iterator[SecretStr | str]:
    if isinstance(value, SecretStr | str):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _values(getattr(value, name))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _values(item)


def _password(text: str) -> str:
    """That of a URL."""
    try:
        return urlsplit(text).password or "" if "://" in text else ""
    except ValueError:
        return ""
