"""The HTTP application: ingest, API, /metrics, probes and the page, as one lean Litestar app."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from sqlalchemy.exc import DBAPIError

from monitor.store.engine import explain
from monitor.web import admin, alerts, api, forms, incidents, ingest, openapi, page, pictures, probes, reports, silences
from monitor.web.auth import Auth
from monitor.web.bodies import API_BYTES, ROOM, BoundedRequest
from monitor.web.context import WebContext
from monitor.web.errors import STATUS, RefusalReason, Refused
from monitor.web.form_sessions import FormSessions

log = logging.getLogger("watchkeeper.web")


class _Lean(Litestar):
    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Without the pydantic plugin, which imports pydantic.v1: 9 MB that nothing here uses (a test watches it)."""
        return [*plugins, MsgspecDIPlugin()]


def create_app(services: WebContext) -> Litestar:
    """The application; starts nothing and opens nothing."""
    gate = Auth(services.config)
    taking = ingest.IngestApi(services)
    answer = _Answer(services)
    visitors = FormSessions(services.config, services.clock)
    pages = page.Pages(services, visitors)
    handlers = [
        *ingest.handlers(taking, gate),
        *probes.handlers(services, taking),
        *api.handlers(services),
        *silences.handlers(services, gate),
        *incidents.handlers(services, gate),
        *reports.handlers(services),
        *pictures.handlers(services),
        *page.handlers(services, pages),
        *forms.handlers(services, gate, visitors, pages),
        *alerts.handlers(services, pages),
        *admin.handlers(services, gate),
    ]
    return _Lean(
        route_handlers=handlers,
        guards=[gate.plain, gate.host, gate.read],
        exception_handlers={
            Refused: answer.refused,
            HTTPException: answer.http,
            DBAPIError: answer.database,
            Exception: answer.failed,
        },
        request_class=BoundedRequest,
        state=State({ROOM: taking.room}),
        request_max_body_size=API_BYTES,
        openapi_config=openapi.config(handlers),
        logging_config=None,
        debug=False,
    )


class _Answer:
    """Turns what went wrong into `{"error": sentence}`, and counts it."""

    def __init__(self, services: WebContext) -> None:
        self._services = services

    def refused(self, _: Request[Any, Any, Any], error: Refused) -> Response[dict[str, str]]:
        self._services.meters.requests_refused.labels(reason=error.why.value).inc()
        return Response({"error": str(error)}, status_code=error.status, headers=error.headers)

    def http(self, request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
        why = next((why for why, status in STATUS.items() if status == error.status_code), RefusalReason.FAILED)
        if why is RefusalReason.UNKNOWN_MODEL or error.status_code == 404:
            return self.refused(request, Refused(RefusalReason.NOT_FOUND, f"there is nothing at {request.url.path}"))
        return self.refused(request, Refused(why, _sentence(error)))

    def database(self, request: Request[Any, Any, Any], error: DBAPIError) -> Response[dict[str, str]]:
        sentence = explain(error, self._services.config.database)
        log.error("%s %s: %s", request.method, request.url.path, sentence)
        return self.refused(request, Refused(RefusalReason.UNAVAILABLE, sentence, retry_after=5.0))

    def failed(self, request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return self.refused(request, Refused(RefusalReason.FAILED, "this failed inside Watchkeeper; its log says why"))


def _sentence(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    found = [f"{item.get('key', 'body')}: {item.get('message', '')}" for item in extra if isinstance(item, dict)]
    return "; ".join(found) or error.detail
