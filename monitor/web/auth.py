"""Who may do what: Host against DNS rebinding, Origin and Content-Type against other sites' pages, bearer tokens."""

from __future__ import annotations

import base64
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
from monitor.web.connections import TRUSTED
from monitor.web.errors import RefusalReason, Refused

Connection = ASGIConnection[Any, Any, Any, Any]

OPEN = "open"
"""Option of handlers that say whether the process works, to whoever asks."""
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
        self._read = Secret(config.tokens.read, config.tokens.read_file)

    def plain(self, connection: Connection, _: BaseRouteHandler) -> None:
        """Refuse an address with a NUL character, which no database takes."""
        if "\0" in connection.scope["path"] or b"%00" in connection.scope["query_string"]:
            raise Refused(RefusalReason.MALFORMED, "the address holds a NUL character (%00); leave it out")

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

    def read(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Refuse to show anything without tokens.read or tokens.admin, where the config sets tokens.read."""
        if handler.opt.get(OPEN) or connection.scope.get("method") not in ("GET", "HEAD"):
            return
        self.reader(connection)

    def reader(self, connection: Connection) -> None:
        """Refuse whoever may not see a page."""
        if not self._read.newest:
            return
        given = _given(connection) or _password(connection)
        if not _is_one_of(given, self._read, self._admin):
            sentence = "send the token of the config's tokens.read as Authorization: Bearer …, or as a password"
            raise Refused(RefusalReason.UNAUTHORIZED, sentence, basic=True)
        connection.scope["state"][TRUSTED] = True

    def same_origin(self, connection: Connection) -> None:
        """Refuses what a browser sends for a page of another site."""
        headers = connection.headers
        origin = headers.get("origin")
        if origin is not None:
            netloc = _netloc(origin)
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
        connection.scope["state"][TRUSTED] = True

    def _has_token(self, connection: Connection) -> bool:
        """Whether a right token came along: a page that only rebinds a name has none."""
        return _is_one_of(_given(connection), self._ingest, self._admin, self._read)


def _is_one_of(given: bytes, *secrets: Secret) -> bool:
    tokens = [token for secret in secrets if (token := secret.newest)]
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


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _password(connection: Connection) -> bytes:
    """The password of HTTP's Basic authentication, with which browsers ask."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(given.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return host
