"""Alertmanager: whether each member answers, which release it is, and how its cluster does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from monitor.cli.doctor.finding import Finding, off, ok, problem
from monitor.net.client import Client, Request
from monitor.net.errors import ExchangeError
from monitor.settings.alertmanager import AlertmanagerSettings
from monitor.settings.root import Config

TIMEOUT = 5.0
"""Seconds at most; less if the config says less."""
_MOST = 4 << 20
_STATUS = "/api/v2/status"


def members(config: Config) -> list[tuple[str, str]]:
    """What each member is called, and its address; one without an address where there are none."""
    settings = config.alertmanager
    return [("alertmanager", "")] if settings is None else [(f"alertmanager {_netloc(m)}", m) for m in settings.members]


def alertmanager(settings: AlertmanagerSettings | None, member: str, client: Client) -> Iterator[Finding]:
    if settings is None:
        yield off("", "not configured", "alertmanager: {members: [http://…:9093]}")
        return
    token = settings.token.get_secret_value() if settings.token is not None else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(member.rstrip("/") + _STATUS, headers=headers, ca_file=settings.ca_file)
    try:
        with client.ask(request, min(settings.timeout, TIMEOUT)) as answer:
            if answer.status != 200:
                yield problem("", f"{_STATUS} answers {answer.said}", _advice(answer.status))
                return
            plain = json.loads(answer.read(_MOST))
    except ExchangeError as error:
        yield problem("", str(error), "start it, or set alertmanager.members right")
        return
    except ValueError:
        plain = None
    release, cluster = _part(plain, "versionInfo").get("version"), _part(plain, "cluster")
    if not release:
        yield problem("", "what answers there is no Alertmanager", "set alertmanager.members right")
        return
    peers = cluster.get("peers")
    count = f" of {len(peers)}" if isinstance(peers, list) and len(peers) > 1 else ""
    state = cluster.get("status", "unknown")
    text = f"release {release}, cluster{count} {state}"
    if state in ("ready", "disabled"):
        yield ok("", text)
    else:
        yield problem("", text, "look at its log: it is not settled with its peers")


def _part(plain: Any, key: str) -> dict[str, Any]:
    found = plain.get(key) if isinstance(plain, dict) else None
    return found if isinstance(found, dict) else {}


def _advice(status: int) -> str:
    if status in (401, 403):
        return "set alertmanager.token, or token_file"
    return "look at alertmanager.members: an address has the path's prefix, if there is one, and no /api"


def _netloc(member: str) -> str:
    return urlsplit(member).netloc.rpartition("@")[2]
