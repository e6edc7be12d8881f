"""Who may do what: Host against DNS rebinding, Origin and Content-Type against other sites' pages, bearer tokens."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from alerts.secret_file import Secret
from monitor.config.urls import address
from monitor.ingest.body import media_type
from monitor.net.dns import ip_address
from monitor.settings.root import Config
from monitor.web.errors import RefusalReason, Refused

Connection = ASGIConnection[Any, Any, Any, Any]

ANY_HOST = "any_host"
"""Option of handlers that Prometheus and Kubernetes call by whatever name they have."""


class Auth:
    """The guards of every handler, for one config."""

    def __init__(self, config: Config) -> None:
        listen, _ = address(config)
        public = urlsplit(config.public_url)
        names = {"localhost", listen, socket.gethostname(), public.hostname or "", *config.allowed_hosts}
        self._hosts = {name.lower() for name in names if name}
        self._public = public.netloc.lower()
        self._ingest = Secret(config.tokens.ingest, config.tokens.ingest_file)
        self._admin = Secret(config.tokens.admin, config.tokens.admin_file)

    def host(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Refuses names that are not ours: a page of another site may have its own name point here."""
        if handler.opt.get(ANY_HOST) or self._has_token(connection):
            return
        given = connection.headers.get("host", "")
        name = _hostname(given)
        if name and name not in self._hosts and not ip_address(name):
            raise Refused(
                RefusalReason.FOREIGN_HOST,
                f"Host {name!r} is not known here; add it to `allowed_hosts` in the config, or use the IP address",
            )

    def ingest(self, connection: Connection, _: BaseRouteHandler) -> None:
        self.same_origin(connection)
        self._token(connection, self._ingest, "tokens.ingest")

    def admin(self, connection: Connection, _: BaseRouteHandler) -> None:
        self.same_origin(connection)
        self._token(connection, self._admin, "tokens.admin")

    def same_origin(self, connection: Connection) -> None:
        """Refuses what a browser sends for a page of another site."""
        headers = connection.headers
        origin = headers.get("origin")
        if origin is not None:
            netloc = urlsplit(origin).netloc.lower()
            if not netloc or netloc not in (headers.get("host", "").lower(), self._public):
                raise Refused(RefusalReason.FOREIGN_ORIGIN, "requests from pages of another site are refused (Origin)")
        elif headers.get("sec-fetch-site") == "cross-site":
            raise Refused(
                RefusalReason.FOREIGN_ORIGIN, "requests from pages of another site are refused (Sec-Fetch-Site)"
            )

    def _token(self, connection: Connection, wanted: Secret, name: str) -> None:
        if not (token := wanted.newest):
            return
        if not hmac.compare_digest(_given(connection), token.encode()):
            raise Refused(
                RefusalReason.UNAUTHORIZED, f"send the token of the config's {name} as Authorization: Bearer …"
            )

    def _has_token(self, connection: Connection) -> bool:
        """Whether a right token came along: a page that only rebinds a name has none."""
        given = _given(connection)
        tokens = [token for token in (self._ingest.newest, self._admin.newest) if token]
        return any(hmac.compare_digest(given, token.encode()) for token in tokens)


def need_type(connection: Connection, types: Collection[str]) -> None:
    """Refuses other media types, the ones a form or a plain script can send among them."""
    given = media_type(connection.headers.get("content-type", ""))
    if given not in types:
        raise Refused(
            RefusalReason.CONTENT_TYPE, f"Content-Type {given!r} is not taken; send {' or '.join(sorted(types))}"
        )


def _given(connection: Connection) -> bytes:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip().encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return host
