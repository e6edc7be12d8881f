"""Incidents over HTTP: acknowledging one, and its life."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from alerts.duration import seconds
from monitor.ingest.body import ARRAY_TYPE
from monitor.store.alerts.queries import UnknownIncident
from monitor.web.auth import Auth, need_type
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.silences import WITHOUT_NUL


class AckBody(msgspec.Struct, forbid_unknown_fields=True):
    """`by` names who is on it; `for_` (in JSON `for`) is how long that holds, such as 4h."""

    by: Annotated[str, Meta(min_length=1, max_length=200, pattern=WITHOUT_NUL)]
    for_: str | float | None = msgspec.field(name="for", default=None)


def handlers(services: WebContext, gate: Auth) -> list[HTTPRouteHandler]:
    def typed(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        need_type(connection, {ARRAY_TYPE})

    @post(
        "/api/v1/alerts/{alert_id:str}/ack",
        status_code=200,
        sync_to_thread=True,
        guards=[gate.admin, typed],
        tags=["alerts"],
    )
    def acknowledge(alert_id: FromPath[str], data: JSONBody[AckBody]) -> dict[str, Any]:
        """Says that somebody is on an open incident, named by its id or by the fingerprint of one of its alerts: it is
        not told again until that runs out, or it becomes more severe."""
        try:
            held = services.config.acknowledged_for if data.for_ is None else seconds(data.for_)
            return services.alerts.acknowledge(alert_id, data.by, services.clock.time(), held)
        except UnknownIncident as error:
            raise Refused(RefusalReason.NOT_FOUND, str(error)) from None
        except ValueError as error:
            raise Refused(RefusalReason.MALFORMED, str(error)) from None

    @get("/api/v1/incidents/{incident_id:str}/timeline", sync_to_thread=True, tags=["read"])
    def timeline(incident_id: FromPath[str]) -> dict[str, Any]:
        """What happened to an incident, oldest first: opened, told to whom, acknowledged by whom, resolved."""
        return {"timeline": services.alerts.timeline(incident_id)}

    return [acknowledge, timeline]
