"""Takes predictions and labels: parsed, stored, and only then acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, post
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath
from sqlalchemy.exc import DBAPIError

from monitor.ingest.body import MEDIA_TYPES, WHOLE_BYTES, inflate
from monitor.ingest.expected import Expected
from monitor.ingest.labels import fast_labels, parse_labels
from monitor.ingest.predictions import fast_predictions, parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, TooLarge
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings
from monitor.store.engine import explain
from monitor.store.events import Kind, Receipt
from monitor.store.writer import QueueFull
from monitor.web.auth import Auth, need_type
from monitor.web.bodies import BODY_SECONDS, BodyRoom, BookedBody, read
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.openapi import LabelsOperation, PredictionsOperation

log = logging.getLogger("watchkeeper.intake")

AHEAD = 300.0
"""Seconds that an event's time may be ahead of the clock here."""
KEY_LENGTH = 200
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Parser:
    """How one kind of body is parsed: `fast` answers None for what `full` has to look at, which takes longer."""

    fast: Callable[[bytes, str, LimitSettings, TimeRange, Expected], Parsed | None]
    full: Callable[[bytes, str, LimitSettings, TimeRange, Expected], Parsed]


PREDICTIONS = Parser(fast_predictions, parse_predictions)
LABELS = Parser(fast_labels, parse_labels)


class IngestApi:
    """One model's batches after the other's, whichever kind."""

    def __init__(self, services: WebContext, patience: float = BODY_SECONDS) -> None:
        self._services, self._patience = services, patience
        self._limits = services.config.limits
        self._replays = {model.model: model.time == "replay" for model in services.config.models}
        self.room = BodyRoom(max(self._limits.queue_bytes, self._limits.body_bytes))
        # What is parsed takes many times its bytes, and two at once would share one core's time anyway. A small body
        # does not wait for a large one.
        self._large, self._small = asyncio.Lock(), asyncio.Lock()
        self._broken = False

    async def take(self, request: Request[Any, Any, Any], model: str, kind: Kind, parser: Parser) -> Response[bytes]:
        """Replies 202 once the batch is on disk. Raises Refused."""
        replay = self._replays.get(model)
        if replay is None:
            known = ", ".join(sorted(self._replays))
            raise Refused(RefusalReason.UNKNOWN_MODEL, f"no model of this name is watched here; known: {known}")
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= KEY_LENGTH:
            raise Refused(RefusalReason.MALFORMED, f"Idempotency-Key must have 1 to {KEY_LENGTH} characters")
        expected = self._services.expected(model)
        with BookedBody(self.room) as booked:
            body = await read(request, self._limits.body_bytes, self._patience, booked.book, "limits.body_bytes")
            parsed, digest = await self._parsed(request, body, parser, self._span(replay), expected)
            receipt = await self._stored(model, kind, parsed, key, digest)
        if receipt.differs:
            sentence = "this Idempotency-Key was used for another body before; send each batch under a key of its own"
            raise Refused(RefusalReason.KEY_REUSED, sentence)
        self._count(model, kind, parsed, receipt)
        return Response(receipt.reply, status_code=202, media_type="application/json")

    def _span(self, replay: bool) -> TimeRange:
        now = self._services.clock.time()
        if replay:
            # However old, but never ahead: one row dated 2199 would close every window up to then.
            return TimeRange(newest=now + AHEAD)
        return TimeRange(earliest=now - self._services.config.retention.events, newest=now + AHEAD, received=now)

    async def _parsed(
        self, request: Request[Any, Any, Any], body: bytes, parser: Parser, span: TimeRange, expected: Expected
    ) -> tuple[Parsed, str]:
        """And the digest of the body without its encoding: times may be filled in, and one batch gzips in many ways."""
        encoding = request.headers.get("content-encoding", "").strip().lower()
        content_type = request.headers.get("content-type", "")

        digest = _digest if "idempotency-key" in request.headers else _no_digest

        def small() -> bytes | None:
            """The plain body, or None when it is large."""
            if len(body) > WHOLE_BYTES:
                return None
            try:
                return inflate(body, encoding, min(WHOLE_BYTES, self._limits.body_bytes))
            except TooLarge:
                return None

        def full(plain: bytes | None) -> tuple[Parsed, str]:
            plain = inflate(body, encoding, self._limits.body_bytes) if plain is None else plain
            return parser.full(plain, content_type, self._limits, span, expected), digest(plain)

        try:
            plain = small()
            if plain is not None:
                parsed = parser.fast(plain, content_type, self._limits, span, expected)
                if parsed is not None:
                    return parsed, digest(plain)
            async with self._large if plain is None else self._small:
                return await asyncio.to_thread(full, plain)
        except Malformed as error:
            raise Refused(RefusalReason.MALFORMED, str(error)) from None
        except TooLarge as error:
            raise Refused(RefusalReason.TOO_LARGE, str(error)) from None

    async def _stored(self, model: str, kind: Kind, parsed: Parsed, key: str | None, digest: str) -> Receipt:
        try:
            receipt = await asyncio.wrap_future(self._services.events.submit(model, kind, parsed, key, digest))
        except QueueFull as error:
            raise Refused(RefusalReason.OVER_CAPACITY, str(error), error.retry_after) from None
        except DBAPIError as error:
            sentence = explain(error, self._services.config.database)
            self._report(sentence)
            raise Refused(RefusalReason.UNAVAILABLE, sentence, RETRY_SECONDS) from None
        if self._broken:
            self._report(None)
        return receipt

    async def recovered(self, timeout: float = 2.0) -> bool:
        """After a failure: whether the database can be written again, tried by writing."""
        if not self._broken:
            return True
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._services.events.probe()), timeout)
        except (DBAPIError, QueueFull, TimeoutError):
            return False
        self._report(None)
        return True

    def _report(self, problem: str | None) -> None:
        if problem and not self._broken:
            log.error("batches can't be stored: %s", problem)
        self._broken = problem is not None
        self._services.health.report("database", problem)
        self._services.health.ingest(problem)

    def _count(self, model: str, kind: Kind, parsed: Parsed, receipt: Receipt) -> None:
        meters = self._services.meters
        if receipt.repeated:
            meters.batches_repeated.labels(model=model, kind=kind).inc()
            return
        if parsed.n:
            meters.events_ingested.labels(model=model, kind=kind).inc(parsed.n)
        for reason, count in parsed.rejections.counts.items():
            meters.events_rejected.labels(model=model, reason=reason.value).inc(count)
        for reason, count in parsed.repaired.items():
            meters.events_repaired.labels(model=model, reason=reason.value).inc(count)
        found = parsed.warnings
        for warning, count in found.counts.items():
            meters.events_warned.labels(model=model, kind=warning.value).inc(count)
        for warning in self._services.data_warnings.add(model, kind, parsed.n, found):
            log.warning("%s: %s: %s (further ones are counted only)", model, warning.value, found.examples[warning])


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _no_digest(_: bytes) -> str:
    return ""


def handlers(intake: IngestApi, gate: Auth) -> list[HTTPRouteHandler]:
    def typed(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        need_type(connection, MEDIA_TYPES)

    guards = [gate.ingest, typed]

    @post(
        "/v1/models/{model:str}/predictions",
        status_code=202,
        guards=guards,
        operation_class=PredictionsOperation,
        tags=["ingest"],
    )
    async def predictions(request: Request[Any, Any, Any], model: FromPath[str]) -> Response[bytes]:
        """Takes served predictions; the reply comes after they are on disk."""
        return await intake.take(request, model, "predictions", PREDICTIONS)

    @post(
        "/v1/models/{model:str}/labels",
        status_code=202,
        guards=guards,
        operation_class=LabelsOperation,
        tags=["ingest"],
    )
    async def labels(request: Request[Any, Any, Any], model: FromPath[str]) -> Response[bytes]:
        """Takes labels, the truth of predictions by their ids; the reply comes after they are on disk."""
        return await intake.take(request, model, "labels", LABELS)

    return [predictions, labels]
