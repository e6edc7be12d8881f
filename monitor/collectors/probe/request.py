"""The request that a probe sends, and how it is shown: without query, headers and body, which may hold secrets."""

from __future__ import annotations

import json

from monitor.collectors.probe.open_inference import infer_url
from monitor.net.client import Request
from monitor.settings.server import ProbeSettings


def request(settings: ProbeSettings, model: str) -> Request:
    """The probe's request, without what AuthorizedClient adds; `model` names the server's model where the URL of an
    open_inference probe does not."""
    body = None if settings.body is None else json.dumps(settings.body, allow_nan=False).encode()
    headers = {"Accept": "*/*" if settings.kind == "http" else "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return Request(
        url=infer_url(settings.url, model) if settings.kind == "open_inference" else settings.url,
        method=settings.method or ("GET" if body is None else "POST"),
        headers=headers,
        body=body,
    )
