"""The servers that bench.ingest loads; prints its port, then serves until terminated.

python -m bench.ingest_server watchkeeper|naive CORE DATABASE
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, post
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, text

from monitor.clock import SystemClock
from monitor.config.reload import Reloaded
from monitor.settings.root import Config
from monitor.store.alerts.queries import AlertStore
from monitor.store.engine import open_engine, writing
from monitor.store.events import EventStore
from monitor.store.tables import metadata
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.server import Server


def main(design: str, core: str, database: str) -> int:
    os.sched_setaffinity(0, {int(core)})
    config = Config.model_validate({"model": "bench", "database": f"sqlite:///{database}"})
    engine = open_engine(config.database)
    with writing(engine).begin() as connection:
        metadata.create_all(connection)
    writer = Writer(engine, max_bytes=config.limits.queue_bytes)
    writer.start()
    if design == "naive":
        app = naive(writer)
    else:
        registry = CollectorRegistry()
        clock, latest, alerts = SystemClock(), Latest(), AlertStore(engine, writer)
        registry.register(LatestCollector(latest, alerts))
        services = WebContext(
            config=config,
            clock=clock,
            engine=engine,
            events=EventStore(writer, engine, clock),
            alerts=alerts,
            latest=latest,
            health=Health(),
            meters=Meters(registry),
            registry=registry,
            rules=tuple,
            reload=lambda: Reloaded(0, False, ()),
        )
        app = create_app(services)
    server = Server("127.0.0.1:0", app)
    gc.collect()
    gc.freeze()
    print(server.address[1], flush=True)
    server.run()
    writer.stop()
    return 0


def naive(writer: Writer) -> Litestar:
    """One row an event, in the same group commit: the id indexed for labels to find, the features as JSON."""

    def create(connection: Connection) -> None:
        connection.execute(
            text("CREATE TABLE events (id TEXT PRIMARY KEY, time REAL, features TEXT, prediction TEXT, rest TEXT)")
        )
        connection.execute(text("CREATE INDEX events_time ON events (time)"))
        connection.execute(text("CREATE TABLE truths (id TEXT PRIMARY KEY, time REAL, label TEXT)"))

    writer.call(create)
    predictions = msgspec.json.Decoder(list[dict[str, Any]])
    encode = msgspec.json.Encoder().encode

    async def store(sql: str, rows: list[tuple[Any, ...]], size: int) -> Response[dict[str, int]]:
        await asyncio.wrap_future(
            writer.submit(lambda connection: connection.exec_driver_sql(sql, rows).rowcount, size)
        )
        return Response({"accepted": len(rows), "rejected": 0}, status_code=202)

    @post("/naive/predictions", status_code=202)
    async def take_predictions(request: Request[Any, Any, Any]) -> Response[dict[str, int]]:
        body = await request.body()
        rows = [
            (
                row["id"],
                row["time"],
                encode(row["features"]).decode(),
                encode(row["prediction"]).decode(),
                encode([row.get("probabilities"), row.get("latency_seconds")]).decode(),
            )
            for row in predictions.decode(body)
        ]
        return await store("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)", rows, len(body))

    @post("/naive/labels", status_code=202)
    async def take_labels(request: Request[Any, Any, Any]) -> Response[dict[str, int]]:
        body = await request.body()
        rows = [(row["id"], row["time"], str(row["label"])) for row in predictions.decode(body)]
        return await store("INSERT OR REPLACE INTO truths VALUES (?, ?, ?)", rows, len(body))

    return Litestar([take_predictions, take_labels], openapi_config=None, request_max_body_size=16 << 20)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
