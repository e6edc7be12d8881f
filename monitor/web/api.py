"""The API that reads: status, checks, measurements, alerts. Handlers run in threads, for they read the database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any

from litestar import get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from alerts.state.state import Status
from checks.base import Labels
from monitor.store.results import measurements
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.overview import overview

LABELS = 50
"""`label=` filters of one query."""
Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]
State = Annotated[Status | None, QueryParameter(name="state")]  # Litestar keeps the bare name for itself


def moment(name: str, text: str | None) -> float | None:
    """Epoch seconds of a query's RFC 3339 stamp or number. Raises Refused."""
    if text is None:
        return None
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        # In a query a plus means a blank, also where it was meant as an offset's sign.
        stamp = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Refused(RefusalReason.MALFORMED, f"{name} {text!r} is neither RFC 3339 nor epoch seconds") from None
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float | None:
    """Return the finite number that a text is in plain digits, or None."""
    with suppress(ValueError):
        if text.isascii() and "_" not in text and isfinite(number := float(text)):
            return number
    return None


def pairs(labels: Sequence[str]) -> Labels:
    """Labels as a query writes them, `name=value`. Raises Refused."""
    if len(labels) > LABELS:
        raise Refused(
            RefusalReason.MALFORMED, f"{len(labels)} labels are asked for at once; at most {LABELS} are taken"
        )
    found = []
    for text in labels:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Refused(
                RefusalReason.MALFORMED, f"label {text!r} is no label; write name=value, such as segment=country=DE"
            )
        found.append((name, value))
    return tuple(found)


def handlers(services: WebContext) -> list[HTTPRouteHandler]:
    known = {model.model for model in services.config.models} | {""}

    def check_model(model: str | None) -> None:
        if model is not None and model not in known:
            names = ", ".join(sorted(known - {""}))
            raise Refused(RefusalReason.UNKNOWN_MODEL, f"no model of this name is watched here; known: {names}")

    @get("/api/v1/status", sync_to_thread=True, tags=["read"])
    def status() -> dict[str, Any]:
        """Models with their newest windows and values, the machine, and what is not well."""
        return overview(services).plain()

    @get("/api/v1/checks", sync_to_thread=True, tags=["read"])
    def checks() -> dict[str, Any]:
        """The newest run of every check: when, how long, on which window, and its error if it failed."""
        return {"checks": measurements.last_runs(services.engine)}

    @get("/api/v1/measurements", sync_to_thread=True, tags=["read"])
    def history(
        model: FromQuery[str] = "",
        name: FromQuery[str | None] = None,
        since: FromQuery[str | None] = None,
        until: FromQuery[str | None] = None,
        limit: Limit = 1000,
        label: FromQuery[list[str] | None] = None,
    ) -> dict[str, Any]:
        """Measurements of a model's windows that end in [since, until), newest first; times in RFC 3339 or epoch
        seconds. Without a model, those of the machine. `label`, once or more, asks for those with each of these labels,
        such as label=segment=country=DE; label=segment= are those of all rows."""
        check_model(model)
        start, end = moment("since", since), moment("until", until)
        found = measurements.read(services.engine, model, name, start, end, limit, pairs(label or ()))
        return {"measurements": found}

    @get("/api/v1/alerts", sync_to_thread=True, tags=["read"])
    def alerts(model: FromQuery[str | None] = None, state_: State = None, limit: Limit = 1000) -> dict[str, Any]:
        """Alerts (pending and firing unless a state is named), the newest incidents and changes of state."""
        check_model(model)
        states: Sequence[Status] = (Status.PENDING, Status.FIRING) if state_ is None else (state_,)
        return {
            "alerts": services.alerts.alerts(model, states, limit),
            "incidents": [_with_paths(item) for item in services.alerts.incidents(model, limit=min(limit, 100))],
            "transitions": services.alerts.transitions(model, limit=limit),
        }

    return [status, checks, history, alerts]


def _with_paths(incident: dict[str, Any]) -> dict[str, Any]:
    """The incident with where its reports are."""
    links = incident.get("reports") or []
    return {**incident, "reports": [{**link, "path": f"/reports/{link['id']}"} for link in links]}
