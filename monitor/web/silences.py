"""Silences over HTTP: list, add, expire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from alerts.duration import seconds
from alerts.incidents.matcher import Matcher, Op
from alerts.incidents.silence import Silence
from monitor.config.check_matchers import reach
from monitor.ingest.body import ARRAY_TYPE
from monitor.store.alerts.queries import UnknownSilence
from monitor.web.api import moment
from monitor.web.auth import Auth, need_type
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused

_LIST = "Active and coming silences, and past ones if asked for."
WITHOUT_NUL = r"^[^\x00]*$"
Text = Annotated[str, Meta(max_length=1000, pattern=WITHOUT_NUL)]


class MatcherBody(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=WITHOUT_NUL)]
    value: Text
    op: Op = Op.EQUAL


class SilenceBody(msgspec.Struct, forbid_unknown_fields=True):
    """Times are RFC 3339 or epoch seconds; give `ends_at` or a `duration` such as 2h."""

    matchers: Annotated[list[MatcherBody | Text], Meta(min_length=1, max_length=50)]
    starts_at: str | float | None = None
    ends_at: str | float | None = None
    duration: str | float | None = None
    created_by: Annotated[str, Meta(max_length=200, pattern=WITHOUT_NUL)] = ""
    comment: Text = ""

    def span(self, now: float) -> tuple[float, float]:
        """Start and end in epoch seconds. Raises ValueError and Refused."""
        starts_at = moment("starts_at", _text(self.starts_at))
        start = now if starts_at is None else starts_at
        if (self.ends_at is None) == (self.duration is None):
            raise ValueError("give exactly one of ends_at and duration")
        end = moment("ends_at", _text(self.ends_at))
        return start, start + seconds(self.duration) if end is None else end


def plain(silence: Silence, now: float) -> dict[str, Any]:
    return {
        "id": silence.id,
        "matchers": [{"name": m.name, "op": m.op.value, "value": m.value} for m in silence.matchers],
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "comment": silence.comment,
        "active": silence.active(now),
        "problem": silence.problem or None,
    }


def handlers(services: WebContext, gate: Auth) -> list[HTTPRouteHandler]:
    def typed(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        need_type(connection, {ARRAY_TYPE})

    # Described here: where a path has several methods, Litestar shows its own wrapper's docstring for one of them.
    @get(
        "/api/v1/silences", sync_to_thread=True, tags=["silences"], operation_id="ApiV1SilencesList", description=_LIST
    )
    def silences(expired: FromQuery[bool] = False) -> dict[str, Any]:
        """Active and coming silences, and past ones if asked for."""
        now = services.clock.time()
        return {"silences": [plain(silence, now) for silence in services.alerts.list_silences(now, expired)]}

    @post("/api/v1/silences", sync_to_thread=True, guards=[gate.admin, typed], tags=["silences"])
    def add(data: JSONBody[SilenceBody]) -> dict[str, Any]:
        """Silences what all matchers match, such as {"name": "rule", "value": "feature-drift"} or "model=delays".
        `hits` says what each matcher matches now, `warning` why no alert can match all of them."""
        now = services.clock.time()
        try:
            matchers = [matcher for given in data.matchers for matcher in _matchers(given)]
            start, end = data.span(now)
            silence = services.alerts.add_silence(
                matchers, start, end, by=data.created_by, comment=data.comment, now=now
            )
        except ValueError as error:
            raise Refused(RefusalReason.MALFORMED, str(error)) from None
        hit = reach(services.config, services.rules(), services.alerts.alerts(limit=None))
        return {**plain(silence, now), "hits": hit.described(matchers), "warning": hit.problem(matchers) or None}

    @delete(
        "/api/v1/silences/{silence_id:str}",
        status_code=200,
        sync_to_thread=True,
        guards=[gate.admin],
        tags=["silences"],
    )
    def expire(silence_id: FromPath[str]) -> dict[str, Any]:
        """Ends a silence now."""
        now = services.clock.time()
        try:
            return plain(services.alerts.expire_silence(silence_id, now), now)
        except UnknownSilence as error:
            raise Refused(RefusalReason.NOT_FOUND, str(error)) from None

    return [silences, add, expire]


def _matchers(given: MatcherBody | str) -> tuple[Matcher, ...]:
    return Matcher.parse_all(given) if isinstance(given, str) else (Matcher(given.name, given.op, given.value),)


def _text(value: str | float | None) -> str | None:
    return None if value is None else str(value)
