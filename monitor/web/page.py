"""The pages: what is watched, what was found, who was told. Rendered here; one small script of our own keeps them
fresh, and all works without it. What they show is gathered by `monitor.web.pages`, loaded when somebody looks."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from alerts.duration import span
from alerts.state.state import Status
from alerts.wording import clean, number, quantity, stamp
from monitor.telemetry.metrics import release
from monitor.web.context import WebContext
from monitor.web.errors import Refused
from monitor.web.form_sessions import FormSessions

REFRESH_SECONDS = 15
Asked = Request[Any, Any, Any]
Gather = Callable[[], dict[str, Any]]


class Pages:
    """Renders pages for whoever asks."""

    def __init__(self, services: WebContext, visitors: FormSessions) -> None:
        self._services, self._visitors = services, visitors
        self._templates = environment()

    def show(
        self,
        request: Asked,
        template: str,
        gather: Gather,
        *,
        here: str = "",
        title: str = "",
        query: Mapping[str, str] | None = None,
        refresh: str | None = None,
        given: Mapping[str, str] | None = None,
        notice: str = "",
        problem: Refused | None = None,
    ) -> Response[str]:
        """A page of what `gather` finds; one that says what is wrong where it raises Refused. `refresh` is on, off, or
        None for a page that does not refresh itself; `given` is what a form that failed for `problem` held."""
        values: dict[str, Any] = {"title": title, "refreshable": refresh is not None}
        try:
            values |= gather()
        except Refused as error:
            template, problem = "problem.html", error
            values |= {"heading": "There is no such page"}
        nonce, visitor = secrets.token_urlsafe(16), self._visitors.of(request)
        values |= {
            "pass": visitor,
            "nonce": nonce,
            # Parts of it are asked for by the script, whose page has the style already.
            "part": "x-part" in request.headers,
            "here": here,
            "now": self._services.clock.time(),
            "firing": len(self._services.alerts.alerts(states=[Status.FIRING])),
            "degraded": bool(self._services.health.not_ready() or self._services.health.degraded()),
            "release": release(),
            "refresh": REFRESH_SECONDS if refresh not in (None, "off") and problem is None else None,
            "query": _query(query or {}),
            "given": given or {},
            "notice": notice,
            "problem": str(problem) if problem else "",
        }
        # Compiled when somebody looks: some MB that a sidecar whose page nobody opens does without.
        html = self._templates.get_template(template).render(values)
        cookies = [self._visitors.cookie(visitor.visitor)] if visitor.fresh else []
        status = problem.status if problem else 200
        return Response(html, media_type="text/html", headers=headers(nonce), cookies=cookies, status_code=status)


def handlers(services: WebContext, pages: Pages) -> list[HTTPRouteHandler]:
    @get("/", sync_to_thread=True, include_in_schema=False)
    def page(request: Asked, refresh: FromQuery[str] = "on") -> Response[str]:
        """The overview."""
        from monitor.web.pages.home import home

        return pages.show(request, "home.html", lambda: home(services), here="/", refresh=refresh)

    @get("/models/{model_name:str}", sync_to_thread=True, include_in_schema=False)
    def model(
        request: Asked,
        model_name: FromPath[str],
        windows: FromQuery[int] = 48,
        until: FromQuery[float | None] = None,
        feature: FromQuery[str] = "",
        refresh: FromQuery[str] = "on",
    ) -> Response[str]:
        """One model over time, and one of its features in full."""
        from monitor.web.pages import model as model_page

        asked = {"windows": f"{windows}", "until": "" if until is None else f"{until:f}", "feature": feature}
        return pages.show(
            request,
            "model.html",
            lambda: model_page.model(services, model_name, windows, until, feature),
            title=model_name,
            query=asked,
            refresh=refresh,
        )

    @get("/incidents", sync_to_thread=True, include_in_schema=False)
    def incidents(request: Asked, refresh: FromQuery[str] = "on") -> Response[str]:
        """Incidents, alerts and silences."""
        from monitor.web.pages import lists

        return pages.show(
            request,
            "incidents.html",
            lambda: lists.incidents(services),
            here="/incidents",
            title="Incidents",
            refresh=refresh,
        )

    @get("/incidents/{incident_id:str}", sync_to_thread=True, include_in_schema=False)
    def incident(request: Asked, incident_id: FromPath[str], refresh: FromQuery[str] = "on") -> Response[str]:
        """One incident, its life and what can be done."""
        from monitor.web.pages import incident as incident_page

        return pages.show(
            request,
            "incident.html",
            lambda: incident_page.incident(services, incident_id),
            title="Incident",
            refresh=refresh,
        )

    @get("/checks", sync_to_thread=True, include_in_schema=False)
    def checks(request: Asked, refresh: FromQuery[str] = "on") -> Response[str]:
        """The newest run of every check."""
        from monitor.web.pages import lists

        return pages.show(
            request, "checks.html", lambda: lists.checks(services), here="/checks", title="Checks", refresh=refresh
        )

    @get("/reports", sync_to_thread=True, include_in_schema=False)
    def reports(request: Asked, refresh: FromQuery[str] = "on") -> Response[str]:
        """The newest reports."""
        from monitor.web.pages import lists

        return pages.show(
            request, "reports.html", lambda: lists.reported(services), here="/reports", title="Reports", refresh=refresh
        )

    return [page, model, incidents, incident, checks, reports]


def headers(nonce: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # Not no-referrer: with that, browsers send forms with the Origin null.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def environment() -> Environment:
    """Jinja with escaping everywhere, without control characters in anything shown, and words for numbers."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "quantity": lambda value, metric: quantity(metric, value),
        "number": number,
        "stamp": stamp,
        "span": span,
        "words": lambda name: str(name).removesuffix("_seconds").removesuffix("_ratio").replace("_", " "),
        "short": _short,
        "spark": _spark,
        "line": _line,
        "strip": _strip,
    }
    return made


def _short(seconds: float) -> str:
    from monitor.web.pages.shared import short

    return short(seconds)


def _spark(series: Any, since: float, until: float) -> Markup:
    from monitor.web.charts import spark

    return spark(series, since, until)


def _line(series: Any, since: float, until: float) -> Markup:
    from monitor.web.charts import line

    return line(series, since, until, _short)


def _strip(series: Any, since: float, until: float, every: float) -> Markup:
    from monitor.web.charts import strip

    return strip(series, since, until, every, _short)


def _query(values: Mapping[str, str]) -> str:
    """The part of an address that says what is looked at, to be followed by more."""
    found = urlencode({name: value for name, value in values.items() if value})
    return f"{found}&" if found else ""


def _shown(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return "" if value is None else value
