"""What is wrong with an address in a config, or with what it is trusted by."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit


def url_problem(url: str) -> str | None:
    """Why `url` is not the address of a server, in a sentence that does not repeat it; None if it is one."""
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


def base_problem(url: str) -> str | None:
    """Why paths can't be put behind `url`, in a sentence that does not repeat it; None if they can."""
    if wrong := url_problem(url):
        return wrong
    if "?" in url or "#" in url or any(character.isspace() or character in "<>|" for character in url):
        return "this is more than an address; leave out what begins with ? or #, spaces and <, > and |"
    return None


def ca_problem(file: Path) -> str | None:
    """Why the file does not say which certificates to trust, in a sentence; None if it may."""
    try:
        text = file.read_bytes()
    except OSError as error:
        return f"{file} can't be read: {error.strerror}"
    return None if b"-----BEGIN " in text else f"{file} has no certificates in PEM form"
