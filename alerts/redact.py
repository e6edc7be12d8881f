"""Takes secrets out of whatever is shown, whoever repeats them: the last line behind everyone's own care."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

MASK = "****"
SHORT = 6
"""Characters below which a word is found in any text by chance."""
_INNOCENT = {"sslmode", "connect_timeout", "application_name", "target_session_attrs", "timeout", "client_encoding"}
"""What of a URL's query is no secret; of anything else nobody knows."""
_hidden: list[str] = []


def hide(texts: Iterable[str]) -> None:
    """Let this process show these texts no more, the longest first."""
    _hidden[:] = sorted({*_hidden, *(text for text in texts if len(text) >= SHORT)}, key=len, reverse=True)


def redacted(value: Any) -> Any:
    """Return a text, or all texts in a list or dictionary, without what is hidden."""
    if isinstance(value, str):
        return without(value, _hidden)
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list | tuple) else value


def without(text: str, hidden: Iterable[str]) -> str:
    """Return the text without these."""
    for secret in hidden:
        text = text.replace(secret, MASK)
    return text


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without user, password, query and fragment.

    >>> shown_url("postgresql://me:hunter2@db:5432/w?password=hunter3"), shown_url("https://h/health?token=x")
    ('postgresql://db:5432/w', 'https://h/health')
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return MASK if "@" in url or "?" in url else url
    head = re.split(r"[?#]", rest, maxsplit=1)[0]
    if "@" in head:
        return f"{scheme}://{head.rpartition('@')[2]}"
    # A password with an unescaped ? may begin in what looks like the host.
    return f"{scheme}://{MASK}" if "@" in rest and ":" in head.partition("/")[0] else f"{scheme}://{head}"


def url_secrets(url: str) -> set[str]:
    """Return what of a URL is secret: its password, a token in place of a user, and what its query gives."""
    try:
        parts = urlsplit(url)
        user, password, host = parts.username or "", parts.password or "", parts.hostname or ""
    except ValueError:
        return {url.partition("://")[2].rpartition("@")[0].partition(":")[2]}
    found = {password} - {user, host, parts.path.strip("/")}
    if user and not password and parts.scheme in ("http", "https"):
        found.add(user)
    for pair in re.split(r"[&;]", parts.query):
        name, _, value = pair.partition("=")
        found |= set() if name.lower() in _INNOCENT else {value or name}
    return {text for secret in found for text in (secret, unquote(secret))} - {""}


def secrets(config: BaseModel, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return every secret of a config, and of the environment's proxies, that is long enough to be recognised; the
    parts that it is sent in as well; longest first."""
    found: set[str] = set()
    for value in _values(config):
        secret = value.get_secret_value().strip() if isinstance(value, SecretStr) else ""
        found |= {secret, secret.rpartition(" ")[2], unquote(secret)}
        found |= url_secrets(secret or str(value)) if "://" in (secret or str(value)) else set()
    for name, proxy in (environment or {}).items():
        found |= url_secrets(proxy) if name.lower().endswith("_proxy") and "://" in proxy else set()
    return sorted((secret for secret in found if len(secret) >= SHORT), key=len, reverse=True)


def _values(value: Any) -> Iterator[SecretStr | str]:
    if isinstance(value, SecretStr | str):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _values(getattr(value, name))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _values(item)
