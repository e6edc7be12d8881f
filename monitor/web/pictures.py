"""Pictures at /pictures/{id}.svg and .png: made from data, and so shut in: nothing in them runs or is
fetched."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import PathParameter

from monitor.store.alerts import pictures
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused

TYPES = {"svg": "image/svg+xml", "png": "image/png"}
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=86400",
}


def handlers(services: WebContext) -> list[HTTPRouteHandler]:
    @get("/pictures/{name:str}", sync_to_thread=True, tags=["read"], media_type="image/png")
    def picture(name: Annotated[str, PathParameter(max_length=40)]) -> Response[bytes]:
        """The picture of an incident, by its number and format: `<id>.svg` or `<id>.png`."""
        id, _, kind = name.rpartition(".")
        found = pictures.image(services.engine, id, kind) if kind in TYPES else None
        if found is None:
            raise Refused(
                RefusalReason.NOT_FOUND, "there is no such picture; it is not drawn yet, or not kept any more"
            )
        return Response(found, media_type=TYPES[kind], headers=HEADERS)

    return [picture]
