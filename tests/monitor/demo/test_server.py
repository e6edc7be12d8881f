from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pyarrow as pa
import pytest
import uvicorn
from watchkeeper_client import Client

from monitor.demo.data import FEATURES, MODEL_VERSION, DemoError, between
from monitor.demo.replay import Departures, LabelQueue, Wire
from monitor.demo.server import create_app
from monitor.demo.story import DAY, REPLAY, TRAINING
from monitor.demo.train import Delays
from tests.client.receiver import Answer, Receiver
from tests.e2e.process import wait_for


@dataclass
class Running:
    url: str
    watchkeeper: Receiver


@pytest.fixture(scope="module")
def model(flights: pa.Table) -> Delays:
    return Delays(between(flights, TRAINING[1] - 5 * DAY, TRAINING[1]))


@pytest.fixture
def running(model: Delays, watchkeeper: Receiver) -> Iterator[Running]:
    watch = Client(watchkeeper.url, "delays", flush_seconds=300.0)
    server = uvicorn.Server(uvicorn.Config(create_app(model, watch), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "it is served")
    yield Running(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", watchkeeper)
    server.should_exit = True
    thread.join(30)


def departures(flights: pa.Table, n: int = 20) -> Departures:
    rows = between(flights, REPLAY[0], REPLAY[0] + DAY).slice(0, n).to_pylist()
    sent = [{"id": row["id"], "time": row["time"], "features": {name: row[name] for name in FEATURES}} for row in rows]
    return Departures(REPLAY[0], sent)


def test_predictions_are_served_and_logged_with_the_time_of_departure(running: Running, flights: pa.Table) -> None:
    sent = departures(flights)
    sent.flights[3]["features"]["temp"] = None
    reply = httpx.post(f"{running.url}/predict", json={"flights": sent.flights}).json()
    assert len(reply["predictions"]) == len(reply["probabilities"]) == 20
    assert not running.watchkeeper.requests, "serving does not wait for Watchkeeper"
    flushed = httpx.post(f"{running.url}/flush").json()
    assert flushed == {"flushed": True, "sent": 20, "dropped": {}, "rejected": {}}
    logged = running.watchkeeper.rows()
    assert [row["id"] for row in logged] == [flight["id"] for flight in sent.flights]
    assert [row["time"] for row in logged] == [flight["time"] for flight in sent.flights]
    assert [row["features"] for row in logged] == [flight["features"] for flight in sent.flights]
    assert [row["prediction"] for row in logged] == reply["predictions"]
    assert [row["probabilities"]["1"] for row in logged] == reply["probabilities"]
    assert {row["version"] for row in logged} == {MODEL_VERSION}


def served(running: Running) -> float:
    """How many predictions the server's metrics say it served."""
    text = httpx.get(f"{running.url}/metrics").text
    found = re.search(r'http_requests_total{handler="/predict",method="POST",status="2xx"} (\S+)', text)
    return float(found[1]) if found else 0.0


def test_a_fault_slows_it_down_and_shows_in_its_metrics(running: Running, flights: pa.Table) -> None:
    body = {"flights": departures(flights, 3).flights}
    assert httpx.post(f"{running.url}/fault", json={"delay_seconds": 0.2}).json() == {"delay_seconds": 0.2}
    begun = time.monotonic()
    httpx.post(f"{running.url}/predict", json=body)
    assert time.monotonic() - begun >= 0.2
    httpx.post(f"{running.url}/fault", json={"delay_seconds": 0})
    assert httpx.post(f"{running.url}/fault", json={"delay_seconds": -1}).status_code == 422
    text = httpx.get(f"{running.url}/metrics").text
    assert served(running) == 1
    assert "/fault" not in text
    assert "/flush" not in text


@pytest.mark.parametrize(
    "body", [{}, {"flights": [{"id": "x"}]}, {"flights": [{"id": "x", "time": 1, "features": {"temp": {}}}]}]
)
def test_a_bad_request_is_refused_and_not_logged(running: Running, body: dict[str, object]) -> None:
    assert httpx.post(f"{running.url}/predict", json=body).status_code == 422
    assert httpx.post(f"{running.url}/flush").json()["sent"] == 0


def test_the_wire_returns_once_watchkeeper_has_everything(running: Running, flights: pa.Table) -> None:
    wire = Wire(running.url, running.watchkeeper.url, "delays")
    running.watchkeeper.script = [Answer(lose=True), Answer(503)]
    wire.predict(departures(flights))
    assert len(running.watchkeeper.rows()) == 20
    wire.label(LabelQueue(REPLAY[0] + DAY, [("a", 1), ("b", 0)]))
    assert running.watchkeeper.rows("labels") == [
        {"id": "a", "label": 1, "time": REPLAY[0] + DAY},
        {"id": "b", "label": 0, "time": REPLAY[0] + DAY},
    ]
    wire.close()


def test_a_refusal_stops_the_replay_with_a_reason(running: Running, flights: pa.Table) -> None:
    wire = Wire(running.url, running.watchkeeper.url, "delays")
    running.watchkeeper.script = [Answer(404)]
    with pytest.raises(DemoError, match="unknown_model"):
        wire.predict(departures(flights))
    running.watchkeeper.script = [Answer(401)]
    with pytest.raises(DemoError, match="unauthorized"):
        wire.label(LabelQueue(0.0, [("a", 1)]))
    wire.close()


def test_a_server_that_is_gone_is_said_in_one_sentence(watchkeeper: Receiver, flights: pa.Table) -> None:
    wire = Wire("http://127.0.0.1:9", watchkeeper.url, "delays")
    with pytest.raises(DemoError, match="model server did not answer /predict"):
        wire.predict(departures(flights))
    wire.close()
