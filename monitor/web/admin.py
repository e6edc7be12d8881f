"""What operators do over HTTP: have the config read again."""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.handlers.http_handlers import HTTPRouteHandler

from monitor.config.errors import ConfigError
from monitor.web.auth import Auth
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused


def handlers(services: WebContext, gate: Auth) -> list[HTTPRouteHandler]:
    @post("/-/reload", status_code=200, sync_to_thread=True, guards=[gate.admin], tags=["admin"])
    def reload() -> dict[str, Any]:
        """Reads the config file again and puts its rules in force; a wrong one changes nothing. `restart` names keys
        that changed and need a restart."""
        try:
            done = services.reload()
        except ConfigError as error:
            raise Refused(RefusalReason.MALFORMED, str(error)) from None
        return {"rules": done.rules, "changed": done.changed, "restart": list(done.restart)}

    return [reload]
