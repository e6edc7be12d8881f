"""One alert: why it fires or does not, and all that happened to it; over the API and as a page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from monitor.alerting.explain import Explainer, Question, UnknownRule
from monitor.store.alerts.history import UnknownAlert, history
from monitor.web.api import Limit, pairs
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.page import Pages

EVENTS_SHOWN = 200


def handlers(services: WebContext, pages: Pages) -> list[HTTPRouteHandler]:
    def explained(question: Question) -> list[dict[str, Any]]:
        explainer = Explainer(
            services.engine,
            services.alerts,
            services.rules(),
            services.latest.snapshot(),
            services.config.inhibitions,
        )
        return explainer.answer(question, services.clock.time())

    def known(fingerprint: str, limit: int) -> dict[str, Any]:
        try:
            return history(services.engine, fingerprint, limit)
        except UnknownAlert as error:
            raise Refused(RefusalReason.NOT_FOUND, str(error)) from None

    @get("/api/v1/alerts/{alert_id:str}/history", sync_to_thread=True, tags=["alerts"])
    def past(alert_id: FromPath[str], limit: Limit = 1000) -> dict[str, Any]:
        """All that happened to the alert of a fingerprint, newest first: changes of its state with their reason, its
        incidents, silences; who, what and when."""
        return known(alert_id, limit)

    @get("/api/v1/alerts/explain", sync_to_thread=True, tags=["alerts"])
    def explain(
        fingerprint: FromQuery[str] = "",
        rule: FromQuery[str] = "",
        model: FromQuery[str | None] = None,
        label: FromQuery[list[str] | None] = None,
    ) -> dict[str, Any]:
        """Why alerts fire, or do not: that of a fingerprint, or those of a rule, on a model and with labels
        (`label=name=value`, also several)."""
        labels = dict(pairs(label or ()))
        try:
            return {"alerts": explained(Question(fingerprint, rule, model, labels))}
        except UnknownRule as error:
            raise Refused(RefusalReason.NOT_FOUND, str(error)) from None

    @get("/alerts/{alert_id:str}", sync_to_thread=True, include_in_schema=False)
    def page(request: Request[Any, Any, Any], alert_id: FromPath[str], refresh: FromQuery[str] = "on") -> Response[str]:
        """One alert's page."""

        def gather() -> dict[str, Any]:
            found = known(alert_id, EVENTS_SHOWN)
            try:
                facts = explained(Question(fingerprint=alert_id))[0]["facts"]
            except UnknownRule:
                facts = [{"about": "state", "found": "inactive: its label set is not judged any more"}]
            unit = next((rule.unit or rule.metric for rule in services.rules() if rule.name == found["rule"]), "")
            return {"past": found, "facts": facts, "unit": unit}

        return pages.show(request, "alert.html", gather, title="Alert", refresh=refresh)

    return [past, explain, page]
