"""The demo's model server: FastAPI, the usual metrics, and one line a prediction for Watchkeeper.

Run as a process of its own: ``python -m monitor.demo.server --flights FILE --watchkeeper URL --port N``. The token that
Watchkeeper may want is read from WATCHKEEPER_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel, Field
from watchkeeper_client import Client

from monitor.demo.data import FEATURES, MODEL_VERSION, between, prepare
from monitor.demo.story import TRAINING
from monitor.demo.train import THRESHOLD, Delays

FLUSH_SECONDS = 60.0
DEMO_ONLY = ["/fault", "/flush"]


class Flight(BaseModel):
    id: str
    time: float
    """Scheduled departure, epoch seconds."""
    features: dict[str, float | str | None]


class Flights(BaseModel):
    flights: list[Flight] = Field(max_length=10_000)


class FlightPredictions(BaseModel):
    predictions: list[int]
    """1: more than 15 minutes late."""
    probabilities: list[float]


class ServerFault(BaseModel):
    delay_seconds: float = Field(ge=0, le=60)


class Flushed(BaseModel):
    flushed: bool
    sent: int
    dropped: dict[str, int]
    rejected: dict[str, int]


def create_app(model: Delays, watch: Client) -> FastAPI:
    """The server around a trained model; `watch` is told of each prediction."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        watch.close()

    app = FastAPI(title="Flight delays", version=MODEL_VERSION, lifespan=lifespan)
    # A registry of its own: in the process-wide one the counters of a second app would stay silent.
    hidden = ["/metrics", "/healthz", *DEMO_ONLY]
    Instrumentator(excluded_handlers=hidden, registry=CollectorRegistry()).instrument(app).expose(app)
    fault = ServerFault(delay_seconds=0)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict")
    def predict(request: Flights) -> FlightPredictions:
        begun = time.perf_counter()
        flights = request.flights
        columns: dict[str, list[Any]] = {name: [flight.features.get(name) for flight in flights] for name in FEATURES}
        scores = model.scores(columns, len(flights)).tolist()
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        predictions = [int(score > THRESHOLD) for score in scores]
        latency = time.perf_counter() - begun
        for flight, prediction, score in zip(flights, predictions, scores, strict=True):
            watch.log(
                flight.id,
                flight.features,
                prediction,
                time=flight.time,
                probabilities={"0": 1.0 - score, "1": score},
                latency_seconds=latency,
                version=MODEL_VERSION,
            )
        return FlightPredictions(predictions=predictions, probabilities=scores)

    @app.post("/fault")
    def set_fault(request: Request, wanted: ServerFault) -> ServerFault:
        """Slows the server down, for the demo's story."""
        _own_machine_only(request)
        fault.delay_seconds = wanted.delay_seconds
        return fault

    @app.post("/flush")
    def flush(request: Request) -> Flushed:
        """Waits until Watchkeeper has all predictions so far, so that a replay arrives in one order at any speed."""
        _own_machine_only(request)
        done = watch.flush(FLUSH_SECONDS)
        return Flushed(flushed=done, sent=watch.sent, dropped=watch.dropped, rejected=watch.rejected)

    return app


def _own_machine_only(request: Request) -> None:
    if request.client is None or request.client.host not in ("127.0.0.1", "::1"):
        raise HTTPException(403, "only from this machine")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m monitor.demo.server")
    parser.add_argument("--flights", type=Path, required=True, help="what monitor.demo.data made, or its folder")
    parser.add_argument("--watchkeeper", required=True, help="Watchkeeper's address")
    parser.add_argument("--model", default="delays")
    parser.add_argument("--host", default="127.0.0.1", help="to listen on")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    flights = prepare(options.flights) if options.flights.is_dir() else options.flights
    model = Delays(between(pq.read_table(flights), *TRAINING))
    print(f"trained {MODEL_VERSION} in {time.perf_counter() - begun:.1f} s", flush=True)
    # The thread's own timer would split a batch by chance; /flush decides instead.
    token = os.environ.get("WATCHKEEPER_TOKEN")
    watch = Client(options.watchkeeper, options.model, token=token, batch_rows=1_000, flush_seconds=30.0)
    uvicorn.run(create_app(model, watch), host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
