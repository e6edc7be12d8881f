"""What the daemon says and takes while its database can't be used, and that it says no more of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy.exc import OperationalError

from monitor.alerting.outage import CALM
from monitor.daemon.daemon import Daemon
from monitor.web.app import create_app
from tests.alerts.builders import FakeClock
from tests.monitor.daemon.test_jobs import built

CONFIG = "model: delays\nconsole: false\nevaluate: 1s\n"
BATCHES = "/v1/models/delays/labels"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with built(tmp_path, CONFIG, FakeClock()) as daemon:
        daemon.health.ingest(None)
        yield daemon


@pytest.fixture
def client(daemon: Daemon) -> TestClient[Litestar]:
    return TestClient(create_app(daemon._services()), base_url="http://127.0.0.1:9797")


def label(daemon: Daemon) -> list[dict[str, object]]:
    return [{"id": "a", "label": 1, "time": daemon.clock.time()}]


def test_of_a_deleted_database_no_batch_is_acknowledged_and_each_is_told_why(
    daemon: Daemon, client: TestClient[Litestar], tmp_path: Path
) -> None:
    assert client.post(BATCHES, json=label(daemon)).status_code == 202
    file = tmp_path / "watchkeeper.db"
    kept = file.rename(tmp_path / "kept.db")
    answers = [client.post(BATCHES, json=label(daemon)) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {503}
    sentence = answers[0].json()["error"]
    assert sentence.startswith("database sqlite:///") and "its file was deleted or moved away" in sentence
    assert client.get("/readyz").json()["reason"] == sentence
    assert not file.exists(), "neither reading nor looking made an empty one"
    kept.rename(file)
    assert client.get("/readyz").status_code == 200, "without a restart, and without a batch"
    assert client.post(BATCHES, json=label(daemon)).status_code == 202


def test_of_a_damaged_database_nothing_more_is_acknowledged(daemon: Daemon, client: TestClient[Litestar]) -> None:
    daemon.guard.damaged("database disk image is malformed")
    answer = client.post(BATCHES, json=label(daemon))
    assert answer.status_code == 503
    assert "is damaged or not a database" in answer.json()["error"]
    assert client.get("/readyz").status_code == 503


def test_an_error_is_reported_no_longer_once_its_cause_is_gone_even_if_nobody_asks(daemon: Daemon) -> None:
    """No batch comes, /readyz is not asked for, and there is nobody to notify."""
    locked = OperationalError("INSERT INTO secret", {"x": "secret"}, Exception("database is locked"))
    daemon.health.database("the database is locked")
    assert daemon.outage.refused(locked) is not None
    assert set(daemon.health.degraded()) == {"database", "storage"} and daemon.health.not_ready()
    assert "secret" not in str(daemon.health.degraded())
    daemon.jobs.remind()
    assert set(daemon.health.degraded()) == {"storage"} and daemon.health.not_ready() is None
    assert isinstance(daemon.clock, FakeClock)
    daemon.clock.forward(CALM)
    daemon.jobs.remind()
    assert daemon.health.degraded() == {}


@pytest.mark.parametrize("state", ["starting", "stopping"])
def test_a_database_that_is_well_makes_no_daemon_ready(daemon: Daemon, state: str) -> None:
    daemon.health.ingest(state)
    daemon.jobs.remind()
    assert daemon.health.not_ready() == state


def test_a_mistake_of_ours_is_no_outage(daemon: Daemon) -> None:
    with pytest.raises(OperationalError) as caught, daemon.engine.connect() as connection:
        connection.exec_driver_sql("select * from missing")
    assert daemon.outage.refused(caught.value) is None
    assert daemon.health.degraded() == {}
