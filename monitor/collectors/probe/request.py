"""The request that a probe sends, and how it is shown: without query, headers and body, which may hold secrets."""

from __future__ import annotations

import json

from monitor.collectors.probe.open_inference import infer_url
from monitor.net.client import Request
from monitor.settings.server import ProbeSettings

_MASK = "****"
_SHORT = 6
"""Characters below which a header's value is no secret worth blotting out of every text."""


def request(settings: ProbeSettings, model: str) -> Request:
    """The probe's request; `model` names the server's model where the URL of an open_inference probe does not."""
    body = None if settings.body is None else json.dumps(settings.body, allow_nan=False).encode()
    headers = {"Accept": "*/*" if settings.kind == "http" else "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    # Names of headers know no case, and an empty value, as ${NAME:-} gives it, means none.
    given = {name: value.get_secret_value().strip() for name, value in settings.headers.items()}
    own = {name: value for name, value in headers.items() if name.lower() not in {key.lower() for key in given}}
    return Request(
        url=infer_url(settings.url, model) if settings.kind == "open_inference" else settings.url,
        method=settings.method or ("GET" if body is None else "POST"),
        headers={**own, **{name: value for name, value in given.items() if value}},
        body=body,
        ca_file=settings.ca_file,
    )


def without_secrets(text: str, settings: ProbeSettings) -> str:
    """The text without what the probe's headers hold, should a server repeat it."""
    for value in settings.headers.values():
        whole = value.get_secret_value().strip()
        # And what comes after the scheme in Authorization, by itself.
        for part in (whole, whole.rpartition(" ")[2]):
            if len(part) >= _SHORT:
                text = text.replace(part, _MASK)
    return text
