"""A real FastAPI server with the Prometheus instrumentator, whose answers can be slowed or broken from outside. Its
metrics show as latency what it was slowed by, and not what a busy machine adds."""

from __future__ import annotations

import argparse
import asyncio

import uvicorn
from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator, middleware

app = FastAPI()
Instrumentator().instrument(app).expose(app)
app.state.delay = 0.0
app.state.passed = 0.0
middleware.default_timer = lambda: app.state.passed
app.state.broken = False


@app.post("/predict")
async def predict() -> dict[str, int]:
    delay = app.state.delay
    await asyncio.sleep(delay)
    app.state.passed += delay
    if app.state.broken:
        raise HTTPException(500)
    return {"prediction": 1}


@app.post("/fault")
async def fault(delay: float = 0.0, broken: bool = False) -> None:
    app.state.delay, app.state.broken = delay, broken


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")
