"""Requests that go out as a section of the config says: with its headers, its token, and the authorities it trusts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from alerts.secret_file import Secret
from monitor.net.client import Answer, Client, Request
from monitor.settings.server import RequestSettings

_MASK = "****"
_SHORT = 6
"""Characters below which a header's value is no secret worth blotting out of every text."""


class AuthorizedClient:
    """A client for one server. It sends the token that the token's file holds now; where that is refused, and the file
    holds another one by then, the request is sent once more with that."""

    def __init__(self, client: Client, settings: RequestSettings) -> None:
        self._client, self._settings = client, settings
        # An empty value, as ${NAME:-} gives it, means none.
        self._given = {name: value.get_secret_value().strip() for name, value in settings.headers.items()}
        self._token = Secret(settings.token, settings.token_file)

    @contextmanager
    def ask(self, request: Request, timeout: float) -> Iterator[Answer]:
        """Send the request and give the head of its answer; all is over `timeout` seconds from now.

        Raises ExchangeError, also for what goes wrong while the answer is read inside the `with`.
        """
        end = self._client.monotonic() + timeout
        with self._client.ask(self._with_own(request), timeout) as answer:
            if answer.status not in (401, 403) or not self._token.read_again():
                yield answer
                return
        with self._client.ask(self._with_own(request), max(0.0, end - self._client.monotonic())) as answer:
            yield answer

    def without_secrets(self, text: str) -> str:
        """Return the text without what the headers and the token hold, should a server repeat it."""
        for value in (*self._given.values(), self._token.text):
            # And what comes after the scheme in Authorization, by itself.
            for part in (value, value.rpartition(" ")[2]):
                if len(part) >= _SHORT:
                    text = text.replace(part, _MASK)
        return text

    def _with_own(self, request: Request) -> Request:
        given = dict(self._given)
        if token := self._token.newest:
            given["Authorization"] = f"Bearer {token}"
        return replace(request, headers=_merged(request.headers, given), ca_file=self._settings.ca_file)


def _merged(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return all headers, given ones instead of our own of the same name, of which case is no part."""
    names = {name.lower() for name in given}
    kept = {name: value for name, value in own.items() if name.lower() not in names}
    return {**kept, **{name: value for name, value in given.items() if value}}
