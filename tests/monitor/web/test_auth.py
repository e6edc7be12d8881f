"""Who may do what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.web.rig import NOW, Rig
from tests.monitor.web.rig import rig as make

PREDICTIONS = "/v1/models/delays/predictions"
ROW = {"id": "a", "time": NOW, "prediction": 1}
SILENCE = {"matchers": ["rule=x"], "duration": "1h"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Rig]:
    config = {
        "listen": "0.0.0.0:9797",
        "tokens": {"ingest": "in-secret", "admin": "ad-secret"},
        "public_url": "https://watch.example/",
        "allowed_hosts": ["watchkeeper.monitoring.svc"],
    }
    made = make(tmp_path, config)
    yield made
    made.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("host", ["127.0.0.1:9797", "localhost:9797", "LOCALHOST", "[::1]:9797", "10.1.2.3:80"])
def test_own_names_and_addresses_are_taken(rig: Rig, host: str) -> None:
    assert rig.client.post(PREDICTIONS, json=[ROW], headers={"Host": host}).status_code == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9797", "localhost.evil.example", "127.0.0.1.evil.example"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", PREDICTIONS), ("GET", "/"), ("GET", "/api/v1/status")])
def test_a_foreign_host_is_403(rig: Rig, host: str, method: str, path: str) -> None:
    reply = rig.client.request(method, path, headers={"Host": host, "Content-Type": "application/json"}, content=b"[]")

    assert reply.status_code == 403
    assert "`allowed_hosts`" in reply.json()["error"]
    assert rig.metric("watchkeeper_requests_refused_total", reason="foreign_host") == 1


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_what_machines_ask_is_answered_under_any_name(rig: Rig, path: str) -> None:
    assert rig.client.get(path, headers={"Host": "watchkeeper.monitoring.svc"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_is_403(rig: Rig, headers: dict[str, str]) -> None:
    for path, body in [(PREDICTIONS, [ROW]), ("/api/v1/silences", SILENCE)]:
        assert rig.client.post(path, json=body, headers=headers).status_code == 403
    assert rig.client.delete("/api/v1/silences/x", headers=headers).status_code == 403
    assert rig.arrivals() == []


def test_its_own_page_is_taken(rig: Rig) -> None:
    headers = {"Origin": "http://127.0.0.1:9797", "Sec-Fetch-Site": "same-origin"}

    assert rig.client.post(PREDICTIONS, json=[ROW], headers=headers).status_code == 202


@pytest.mark.parametrize(
    "headers", [{}, bearer("wrong"), bearer(""), bearer("ad-secret"), {"Authorization": "Basic in-secret"}, bearer("ü")]
)
def test_without_the_token_401(guarded: Rig, headers: dict[str, str]) -> None:
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    reply = guarded.client.post(PREDICTIONS, json=[ROW], headers=sent)

    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "secret" not in reply.text
    assert guarded.arrivals() == []


def test_each_token_opens_its_own_door(guarded: Rig) -> None:
    client = guarded.client
    assert client.post(PREDICTIONS, json=[ROW], headers=bearer("in-secret")).status_code == 202
    assert client.post("/api/v1/silences", json=SILENCE, headers=bearer("in-secret")).status_code == 401
    assert client.post("/api/v1/silences", json=SILENCE, headers=bearer("ad-secret")).status_code == 201
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("host", ["watchkeeper.monitoring.svc:9797", "watch.example"])
def test_names_from_the_config_are_taken(guarded: Rig, host: str) -> None:
    assert guarded.client.get("/api/v1/status", headers={"Host": host}).status_code == 200


def test_whoever_has_a_token_may_use_any_name(guarded: Rig) -> None:
    headers = {"Host": "sidecar", **bearer("in-secret")}

    assert guarded.client.post(PREDICTIONS, json=[ROW], headers=headers).status_code == 202
    assert guarded.client.post(PREDICTIONS, json=[ROW], headers={"Host": "sidecar"}).status_code == 403


def test_the_public_page_may_post(guarded: Rig) -> None:
    headers = {"Host": "internal:9797", "Origin": "https://watch.example", **bearer("ad-secret")}

    assert guarded.client.post("/api/v1/silences", json=SILENCE, headers=headers).status_code == 201


READ, ADMIN = "a-token-to-read-with", "a-token-to-admin-with"


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Rig]:
    made = make(tmp_path, {"tokens": {"read": READ, "admin": ADMIN, "ingest": "in-secret"}})
    yield made
    made.close()


def test_whoever_reads_needs_the_token_where_there_is_one(private: Rig) -> None:
    paths = [path for route in private.app.routes for path in [route.path] if "{" not in path]
    assert {"/", "/metrics", "/api/v1/status", "/incidents", "/schema"} <= set(paths)
    for path in [*paths, "/reports/x", "/pictures/x.png", "/models/delays", "/alerts/x", "/api/v1/alerts/x/history"]:
        reply = private.client.get(path)
        if path in ("/healthz", "/readyz"):
            assert reply.status_code == 200
        elif reply.status_code != 405:
            assert (path, reply.status_code) == (path, 401)
            assert "tokens.read" in reply.json()["error"]


def test_the_token_to_read_opens_what_is_read_and_nothing_else(private: Rig) -> None:
    client = private.client
    for token in (READ, ADMIN):
        assert client.get("/metrics", headers=bearer(token)).status_code == 200
        assert client.get("/", auth=("anybody", token)).status_code == 200
    for token in ("in-secret", "wrong", ""):
        assert client.get("/metrics", headers=bearer(token)).status_code == 401
    assert client.get("/").headers["www-authenticate"] == 'Basic realm="Watchkeeper", Bearer'
    assert client.post("/api/v1/silences", json=SILENCE, headers=bearer(READ)).status_code == 401
    assert client.post(PREDICTIONS, json=[ROW], headers=bearer(READ)).status_code == 401
    assert client.post(PREDICTIONS, json=[ROW], headers=bearer("in-secret")).status_code == 202
    assert client.post("/incidents/x/ack", data={"by": "eve"}).status_code == 401, "its answer would be a page"


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://a]b"])
def test_an_origin_that_is_no_address_is_another_site(rig: Rig, origin: str) -> None:
    assert rig.client.post(PREDICTIONS, json=[ROW], headers={"Origin": origin}).status_code == 403
