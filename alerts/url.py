"""Addresses of servers, as people write them in a config."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_problem(url: str) -> str | None:
    """Return why `url` is not the address of a server, in a sentence that does not repeat it; None if it is one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is no URL; write http://127.0.0.1:8080"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "this is no URL of a server; write http://127.0.0.1:8080"
    if parts.username or parts.password:
        return "user name and password can't stand in the URL"
    return None
