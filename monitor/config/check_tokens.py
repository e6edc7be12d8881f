"""Checks the tokens of a config: long enough, and such as a header can carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.config.secret_values import UNREAD
from monitor.config.yaml_document import Document, Problem
from monitor.settings.root import Config

LEAST = 16
"""Characters of a token."""
_REMEDY = "make one with `openssl rand -hex 32`"
_CARRIED = re.compile(r"[\x21-\x7e]+")


def token_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Find the tokens that are blank, short, or can't be sent."""
    for name in ("ingest", "admin", "read"):
        token = getattr(config.tokens, name)
        if token is None:
            wrong = _blank(document, name)
        elif token is UNREAD:
            wrong = ""
        else:
            wrong = _weak(token.get_secret_value())
        if wrong:
            key = f"{name}_file" if getattr(config.tokens, f"{name}_file") else name
            yield Problem(document.line(("tokens", key)), f"tokens.{name} {wrong}")


def _blank(document: Document, name: str) -> str:
    section = document.value.get("tokens") if isinstance(document.value, dict) else None
    given = section.get(name) if isinstance(section, dict) else None
    written = document.written.get(("tokens", name), "")
    if not isinstance(given, str) or (given == "" and written.endswith(":-}")):
        return ""
    return f"is blank, which would let everybody in; {_REMEDY}, or leave the key out"


def _weak(token: str) -> str:
    if len(token) < LEAST:
        return f"has {len(token)} characters, blanks around it not counted; at least {LEAST} are needed: {_REMEDY}"
    if not _CARRIED.fullmatch(token):
        return f"holds a blank or a character that is not ASCII, which an Authorization header can't carry; {_REMEDY}"
    return ""
