"""What machines ask: /metrics, /healthz, /readyz."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler

from monitor.telemetry.prometheus_text import render
from monitor.web.auth import ANY_HOST, OPEN
from monitor.web.context import WebContext
from monitor.web.ingest import IngestApi


def handlers(services: WebContext, intake: IngestApi) -> list[HTTPRouteHandler]:
    @get("/metrics", sync_to_thread=True, opt={ANY_HOST: True}, include_in_schema=False)
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Everything Watchkeeper knows now, in Prometheus' text format or OpenMetrics."""
        services.meters.show_degraded(services.health.degraded())
        services.meters.outbox_pending.set(sum(services.alerts.pending().values()))
        body, content_type = render(services.registry, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    @get("/healthz", opt={ANY_HOST: True, OPEN: True}, tags=["probes"])
    async def healthz() -> dict[str, str]:
        """200 while the process answers at all."""
        return {"status": "ok"}

    @get("/readyz", opt={ANY_HOST: True, OPEN: True}, tags=["probes"])
    async def readyz() -> Response[dict[str, Any]]:
        """503 only while predictions and labels can't be taken; what else is not well is named in a 200."""
        await intake.recovered()
        degraded = services.health.degraded()
        problem = services.health.not_ready()
        if problem is not None:
            return Response({"status": "unavailable", "reason": problem, "degraded": degraded}, status_code=503)
        said: dict[str, Any] = {"status": "degraded" if degraded else "ready", "degraded": degraded}
        warnings = services.data_warnings.counts()
        return Response({**said, "warnings": warnings} if warnings else said)

    return [metrics, healthz, readyz]
