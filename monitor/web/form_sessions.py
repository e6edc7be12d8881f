"""Who fills in the page's forms: proof that a form is the page's own, and who has given the admin token.

A visitor is a random cookie, which scripts can't read and other sites' requests don't carry (SameSite=Strict). A form
holds a keyed hash of it: the page of another site can neither read nor make one. Beside that, the gate refuses other
origins. Nothing of it is stored: a restart asks for the token once more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from litestar.datastructures import Cookie

from alerts.secret_file import Secret
from monitor.clock import Clock
from monitor.settings.root import Config
from monitor.web.auth import Connection
from monitor.web.errors import RefusalReason, Refused

COOKIE = "watchkeeper_visitor"
SIGNED_IN_SECONDS = 12 * 3600.0
MOST = 1000
"""Visitors that are signed in at a time."""
_LENGTHS = range(16, 65)


@dataclass(frozen=True, slots=True)
class FormSession:
    """What a visitor's page needs for its forms."""

    visitor: str
    proof: str
    needs_token: bool
    """Whether the admin token is still to be given."""
    signed_in: bool
    fresh: bool
    """Whether the visitor's cookie is still to be set."""


class FormSessions:
    """All visitors of one daemon. Thread-safe."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._token = Secret(config.tokens.admin, config.tokens.admin_file)
        self._secure = config.public_url.startswith("https://")
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._signed_in: OrderedDict[str, float] = OrderedDict()
        """Until when, on the monotonic clock."""

    def of(self, connection: Connection) -> FormSession:
        """The pass of whoever asks; a new one where there is no cookie yet."""
        renewed = connection.scope["state"].get(COOKIE, "")
        given = renewed or connection.cookies.get(COOKIE, "")
        known = len(given) in _LENGTHS and given.isascii()
        visitor = given if known else secrets.token_urlsafe(24)
        signed_in = self._is_in(visitor)
        needs = bool(self._token.newest) and not signed_in
        return FormSession(visitor, self._proof(visitor), needs, signed_in, fresh=bool(renewed) or not known)

    def cookie(self, visitor: str) -> Cookie:
        return Cookie(COOKIE, value=visitor, httponly=True, samesite="strict", secure=self._secure)

    def admit(self, connection: Connection, form: Mapping[str, str]) -> None:
        """Lets a form of our own page through, with the admin token where there is one; who has given it need not
        again for SIGNED_IN_SECONDS. Signing in gives the visitor a new cookie: one that somebody else may have set or
        seen before is worth nothing. Raises Refused."""
        visitor = connection.cookies.get(COOKIE, "")
        if not visitor or not hmac.compare_digest(form.get("proof", "").encode(), self._proof(visitor).encode()):
            raise Refused(
                RefusalReason.FOREIGN_ORIGIN,
                "this form is from before a restart or a sign-in, or cookies are off: send it again",
            )
        token = self._token.newest.encode()
        if not token or self._is_in(visitor):
            return
        if not hmac.compare_digest(form.get("token", "").encode(), token):
            raise Refused(RefusalReason.UNAUTHORIZED, "the admin token is another one: it is the config's tokens.admin")
        visitor = self._renew(connection)
        with self._lock:
            self._signed_in[visitor] = self._clock.monotonic() + SIGNED_IN_SECONDS
            while len(self._signed_in) > MOST:
                self._signed_in.popitem(last=False)

    def forget(self, connection: Connection) -> None:
        """Signs a visitor out, and gives them a new cookie."""
        self._renew(connection)
        with self._lock:
            self._signed_in.pop(connection.cookies.get(COOKIE, ""), None)

    def _renew(self, connection: Connection) -> str:
        """A new visitor's name, which the answer to this request sets as the cookie."""
        name = secrets.token_urlsafe(24)
        connection.scope["state"][COOKIE] = name
        return name

    def _is_in(self, visitor: str) -> bool:
        with self._lock:
            until = self._signed_in.get(visitor)
            if until is not None and until <= self._clock.monotonic():
                del self._signed_in[visitor]
                until = None
        return until is not None

    def _proof(self, visitor: str) -> str:
        return hmac.new(self._key, visitor.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
