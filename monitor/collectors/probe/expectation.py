"""Whether an answer is the expected one. Pure."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import NamedTuple

from monitor.collectors.probe.json_match import difference
from monitor.collectors.probe.open_inference import output_difference
from monitor.net.errors import FailureKind
from monitor.settings.server import ProbeSettings

MATCHED = 64 << 10
"""Characters of an answer in which `matches` is looked for: a search may take the square of their number."""


class Unmet(NamedTuple):
    failure: FailureKind
    message: str


def status_unmet(settings: ProbeSettings, status: int) -> Unmet | None:
    """Why this HTTP status is not the one expected, if it is not."""
    if status in settings.status:
        return None
    phrase = next((f" {known.phrase}" for known in HTTPStatus if known == status), "")
    wanted = " or ".join(str(known) for known in settings.status)
    redirect = ", a redirect, which is not followed," if 300 <= status < 400 and status != 304 else ""
    return Unmet(FailureKind.STATUS, f"answered {status}{phrase}{redirect} instead of {wanted}")


def body_unmet(settings: ProbeSettings, body: bytes) -> Unmet | None:
    """Why this body is not the one expected, if it is not."""
    if settings.matches is not None:
        text = body.decode("utf-8", "replace")
        if not re.search(settings.matches, text[:MATCHED]):
            within = f"the first {MATCHED >> 10} KiB of " if len(text) > MATCHED else ""
            return Unmet(FailureKind.BODY, f"nothing in {within}the answer matches {settings.matches!r}")
    return None if settings.kind == "http" else _json_unmet(settings, body)


def _json_unmet(settings: ProbeSettings, body: bytes) -> Unmet | None:
    try:
        got = json.loads(body)
    except (ValueError, RecursionError):  # ValueError is of bytes that are no text, too
        return Unmet(FailureKind.BODY, "the answer is not JSON")
    if settings.kind == "open_inference":
        found = output_difference(settings.answer, got, settings.tolerance)
    elif settings.answer is None:
        found = None
    else:
        found = difference(settings.answer, got, settings.tolerance)
    return Unmet(FailureKind.ANSWER, found) if found else None
