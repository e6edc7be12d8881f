"""What the page's forms do: acknowledge, silence, end a silence. The same as the API's, for people without a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, post
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath, RawBody

from alerts.duration import seconds
from alerts.incidents.matcher import Matcher
from monitor.store.alerts.queries import UnknownIncident, UnknownSilence
from monitor.web.auth import Auth, need_type
from monitor.web.bodies import FORM_BYTES
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.form_sessions import FormSessions
from monitor.web.page import Pages

FORM_TYPE = "application/x-www-form-urlencoded"
Asked = Request[Any, Any, Any]
Form = Mapping[str, str]


def handlers(services: WebContext, gate: Auth, visitors: FormSessions, pages: Pages) -> list[HTTPRouteHandler]:
    def ours(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        gate.same_origin(connection)
        gate.reader(connection)
        need_type(connection, {FORM_TYPE})

    bounded: Any = {"guards": [ours], "request_max_body_size": FORM_BYTES}

    def done(request: Asked, body: bytes, act: Callable[[Form], None], back: str) -> Response[Any]:
        """The page that the form was on, or one that says what is wrong and holds what was filled in."""
        form = _fields(body)
        try:
            visitors.admit(request, form)
            act(form)
        except Refused as error:
            return _again(request, form, error, back)
        visitor = visitors.of(request)
        cookies = [visitors.cookie(visitor.visitor)] if visitor.fresh else []
        return Response(None, status_code=303, headers={"Location": back}, cookies=cookies)

    def _again(request: Asked, form: Form, error: Refused, back: str) -> Response[str]:
        from monitor.web.pages import incident, lists

        if back.startswith("/incidents/"):
            id = back.removeprefix("/incidents/")
            return pages.show(
                request,
                "incident.html",
                lambda: incident.incident(services, id),
                title="Incident",
                given=form,
                problem=error,
            )
        return pages.show(
            request, "incidents.html", lambda: lists.incidents(services), title="Incidents", given=form, problem=error
        )

    @post("/incidents/{incident_id:str}/ack", sync_to_thread=True, include_in_schema=False, **bounded)
    def acknowledge(request: Asked, incident_id: FromPath[str], body: RawBody) -> Response[Any]:
        """Says who is on an incident."""

        def act(form: Form) -> None:
            try:
                held = seconds(form["for"]) if form.get("for") else services.config.acknowledged_for
                services.alerts.acknowledge(incident_id, _name(form), services.clock.time(), held)
            except UnknownIncident as error:
                raise Refused(RefusalReason.NOT_FOUND, str(error)) from None
            except ValueError as error:
                raise Refused(RefusalReason.MALFORMED, str(error)) from None

        return done(request, body, act, f"/incidents/{incident_id}")

    @post("/silences", sync_to_thread=True, include_in_schema=False, **bounded)
    def silence(request: Asked, body: RawBody) -> Response[Any]:
        """Adds a silence from now on."""

        def act(form: Form) -> None:
            now = services.clock.time()
            try:
                matchers = Matcher.parse_all(form.get("matchers", ""))
                end = now + seconds(form.get("for", ""))
                comment = form.get("comment", "")[:1000]
                services.alerts.add_silence(matchers, now, end, by=_name(form), comment=comment, now=now)
            except ValueError as error:
                raise Refused(RefusalReason.MALFORMED, str(error)) from None

        return done(request, body, act, _back(_fields(body)))

    @post("/silences/{silence_id:str}/expire", sync_to_thread=True, include_in_schema=False, **bounded)
    def expire(request: Asked, silence_id: FromPath[str], body: RawBody) -> Response[Any]:
        """Ends a silence now."""

        def act(form: Form) -> None:
            try:
                services.alerts.expire_silence(silence_id, services.clock.time())
            except UnknownSilence as error:
                raise Refused(RefusalReason.NOT_FOUND, str(error)) from None

        return done(request, body, act, "/incidents#silences")

    @post("/sign-out", sync_to_thread=True, include_in_schema=False, **bounded)
    def sign_out(request: Asked, body: RawBody) -> Response[Any]:
        """Asks for the admin token again from here on."""
        return done(request, body, lambda form: visitors.forget(request), "/")

    return [acknowledge, silence, expire, sign_out]


def _fields(body: bytes) -> Form:
    """A form's fields, the first value of each."""
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
        if b"%00" in body or b"\0" in body:
            raise ValueError("NUL")
    except ValueError:
        raise Refused(RefusalReason.MALFORMED, "this is no form") from None
    return {name: values[0].strip() for name, values in found.items()}


def _name(form: Form) -> str:
    name = form.get("by", "")[:200]
    if not name:
        raise ValueError("say who you are, so that others know whom to ask")
    return name


def _back(form: Form) -> str:
    """The page that the form was on: one of ours, whatever the form says."""
    back = form.get("back", "")
    id = back.removeprefix("/incidents/")
    return back if back != id and id.replace("-", "").isalnum() else "/incidents#silences"
