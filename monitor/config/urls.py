"""Addresses in a config: what they mean, and what is wrong with one or with what it is trusted by."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from alerts.url import url_problem
from monitor.config.text_file import TextFileError, read_bytes
from monitor.net.dns import ip_address

if TYPE_CHECKING:
    from monitor.settings.root import Config

_PORT = re.compile(r"[0-9]{1,5}")


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
        text = read_bytes(file)
    except FileNotFoundError:
        return f"{file} can't be read: No such file or directory"
    except TextFileError as error:
        return f"{file}: {error}"
    return None if b"-----BEGIN " in text else f"{file} has no certificates in PEM form"


def address(config: Config) -> tuple[str, int]:
    """Host and port of `listen`. Raises ValueError with a sentence."""
    host, colon, port = config.listen.rpartition(":")
    if not colon or not host or not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError(f"listen: {config.listen!r} is no address; write host:port, such as 127.0.0.1:9797")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    found = ip_address(host)
    return found.is_loopback if found else host == "localhost"
