"""Reports at /reports/{id}: HTML that was made from data, and so is shown in a sandbox: it may run its own script and
reach nothing, neither this page nor any other place. In a tab of its own it could still lead the reader elsewhere, so
browsers get it within a page whose policy keeps the frame here."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter

from monitor.store.results import reports
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused

HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
    "Vary": "Accept-Encoding, Accept, Sec-Fetch-Dest",
}
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report</title>
<style nonce="{nonce}">html, body, iframe {{ margin: 0; border: 0; width: 100%; height: 100%; display: block }}</style>
</head>
<body><iframe sandbox="allow-scripts" title="The report" src="?framed=1"></iframe></body></html>
"""


def handlers(services: WebContext) -> list[HTTPRouteHandler]:
    @get("/reports/{id:str}", sync_to_thread=True, tags=["read"], media_type="text/html")
    def report(
        request: Request[Any, Any, Any],
        id: Annotated[str, PathParameter(max_length=36)],
        framed: FromQuery[bool] = False,
    ) -> Response[bytes]:
        """One report, as HTML; a browser gets it in a frame that can't leave this place."""
        packed = takes_gzip(request.headers.get("accept-encoding", ""))
        found = reports.html(services.engine, id, packed=packed)
        if found is None:
            raise Refused(RefusalReason.NOT_FOUND, "there is no such report, or it is not kept any more")
        if _in_a_tab(request, framed):
            nonce = secrets.token_urlsafe(16)
            policy = f"default-src 'none'; style-src 'nonce-{nonce}'; frame-src 'self'; base-uri 'none'; "
            own = {**HEADERS, "Content-Security-Policy": policy + "form-action 'none'; frame-ancestors 'none'"}
            return Response(_FRAME.format(nonce=nonce).encode(), media_type="text/html", headers=own)
        headers = {**HEADERS, "Content-Encoding": "gzip"} if packed else HEADERS
        return Response(found, media_type="text/html", headers=headers)

    @get("/api/v1/reports", sync_to_thread=True, tags=["read"])
    def listed() -> dict[str, Any]:
        """The newest reports: their model, check, window and address."""
        found = [
            {
                "id": item.id,
                "model": item.model,
                "check": item.check,
                "window_start": item.window_start,
                "window_end": item.window_end,
                "created_at": item.created_at,
                "path": f"/reports/{item.id}",
            }
            for item in reports.recent(services.engine)
        ]
        return {"reports": found}

    return [report, listed]


def _in_a_tab(request: Request[Any, Any, Any], framed: bool) -> bool:
    """Whether a browser would show the answer as a page of its own. Browsers say where they show it only to addresses
    that they trust, such as https and localhost."""
    shown = request.headers.get("sec-fetch-dest")
    if shown is not None:
        return shown == "document"
    return not framed and "text/html" in request.headers.get("accept", "")


def takes_gzip(accepted: str) -> bool:
    """Whether this Accept-Encoding lets a reply be gzipped.

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("identity"), takes_gzip("gzip; q=0")
    (True, False, False)
    """
    for offer in accepted.lower().split(","):
        name, _, quality = offer.replace(" ", "").partition(";")
        if name == "gzip":
            return quality not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
