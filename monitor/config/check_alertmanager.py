"""What is wrong with the section on Alertmanager although each value is well-formed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from alerts.notify.alertmanager import RESERVED
from alerts.url import url_problem
from monitor.config.urls import ca_problem
from monitor.config.yaml_document import Document, Problem
from monitor.settings.alertmanager import AlertmanagerSettings

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def alertmanager_problems(settings: AlertmanagerSettings, document: Document) -> Iterator[Problem]:
    for index, member in enumerate(settings.members):
        if wrong := _member_problem(member):
            yield Problem(document.line(("alertmanager", "members", index)), f"alertmanager.members: {wrong}")
    names = [urlsplit(member).netloc for member in settings.members]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(document.line(("alertmanager", "members", index)), f"alertmanager.members: {name} twice")
    if settings.ca_file is not None and (trouble := ca_problem(settings.ca_file)):
        yield Problem(document.line(("alertmanager", "ca_file")), f"alertmanager.ca_file: {trouble}")
    for label in settings.labels:
        line = document.line(("alertmanager", "labels", label))
        if label in RESERVED:
            yield Problem(line, f"alertmanager.labels: {label} is set by Watchkeeper itself; choose another name")
        elif not _LABEL.fullmatch(label):
            yield Problem(line, f"alertmanager.labels: {label!r} is no label name; use letters, digits and _")


def _member_problem(member: str) -> str | None:
    if wrong := url_problem(member):
        return wrong.replace(":8080", ":9093")
    parts = urlsplit(member)
    if parts.username or parts.password:
        return "no password in the URL, please: it would be shown; use alertmanager.token or token_file"
    if parts.query or parts.fragment:
        return f"name the address alone, such as {parts.scheme}://{parts.netloc}"
    return None
