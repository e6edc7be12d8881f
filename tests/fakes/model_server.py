"""A real FastAPI server with the Prometheus instrumentator, whose answers can be slowed or broken from outside."""

from __future__ import annotations

import argparse
import asyncio

import uvicorn
from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
Instrumentator().instrument(app).expose(app)
app.state.delay = 0.0
app.state.broken = False


@app.post("/predict")
async def predict() -> dict[str, int]:
    await asyncio.sleep(app.state.delay)
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
