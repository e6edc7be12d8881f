"""What is wrong with how a section of the config says that requests are sent. Repeats nothing that headers hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.config.urls import ca_problem
from monitor.config.yaml_document import Place
from monitor.settings.server import RequestSettings

Found = Iterator[tuple[Place, str]]
"""Places within the section, and what is wrong there."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_FRAMING = {"connection", "content-length", "transfer-encoding", "accept-encoding", "expect", "upgrade", "te"}


def request_problems(settings: RequestSettings, url: str) -> Found:
    """Find headers that can't be sent, a token that is given twice, and authorities that are for nothing."""
    yield from _header_problems(settings)
    if settings.token is not None:
        if any(name.lower() == "authorization" for name in settings.headers):
            yield ("token",), "give it or the header Authorization, not both"
        if not _VALUE.fullmatch(settings.token.get_secret_value()):
            yield ("token",), "it has characters that a header can't have, such as a line break"
    if settings.ca_file is not None:
        if not url.lower().startswith("https:"):
            yield ("ca_file",), "is for https only, and the url is not"
        elif wrong := ca_problem(settings.ca_file):
            yield ("ca_file",), wrong


def _header_problems(settings: RequestSettings) -> Found:
    for name, value in settings.headers.items():
        if not _TOKEN.fullmatch(name):
            yield ("headers", name), "this is no name of a header"
        elif name.lower() in _FRAMING:
            yield ("headers", name), "this header is Watchkeeper's own to set"
        elif not _VALUE.fullmatch(value.get_secret_value().strip()):
            yield ("headers", name), "its value has characters that a header can't have, such as a line break"
