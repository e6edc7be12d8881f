import json

import pytest
from sqlalchemy import insert

from alerts.state.state import AlertState
from checks.base import Measurement, Window, labels
from monitor.store.results import measurements
from monitor.store.tables import alerts, progress
from tests.monitor.web.rig import NOW, Rig

HOUR = Window(NOW - 3600.0, NOW)


def measured(rig: Rig, *rows: Measurement) -> None:
    rig.writer.call(lambda connection: measurements.write(connection, "delays", rows))
    rig.services.latest.put("delays", rows)


def test_status_tells_models_windows_values_and_what_is_not_well(rig: Rig) -> None:
    measured(
        rig,
        Measurement("window_rows", 812.0, HOUR, n=812),
        Measurement("feature_drift", 0.4, HOUR, labels(feature="distance", method="psi"), n=812, limit_high=0.1),
    )
    rig.services.latest.put("", [Measurement("cpu_utilization_ratio", 0.2, HOUR, labels(scope="host"))])
    rig.services.health.report("slack", "the token was revoked")
    with rig.engine.begin() as connection:
        row = {"model": "delays", "scanned_seq": 4, "compacted_seq": 0, "newest_time": NOW, "judged_window": NOW}
        connection.execute(insert(progress).values(row))

    status = rig.client.get("/api/v1/status").json()

    delays, past = status["models"]
    assert (status["ready"], status["degraded"]) == (True, {"slack": "the token was revoked"})
    assert delays["window"] == {"start": NOW - 3600.0, "end": NOW}
    assert (delays["newest_event"], delays["judged_until"]) == (NOW, NOW)
    assert {row["name"]: row["value"] for row in delays["values"]} == {"feature_drift": 0.4, "window_rows": 812.0}
    assert delays["values"][0]["limit_high"] == 0.1
    assert (past["window"], past["values"]) == (None, [])
    assert status["host"][0]["labels"] == {"scope": "host"}


def test_measurements_by_model_name_and_time(rig: Rig) -> None:
    windows = [Window(i * 3600.0, (i + 1) * 3600.0) for i in range(4)]
    measured(rig, *[Measurement("window_rows", float(i), window) for i, window in enumerate(windows)])

    def values(**query: str | int) -> list[float]:
        reply = rig.client.get("/api/v1/measurements", params={"model": "delays", **query})
        assert reply.status_code == 200
        return [row["value"] for row in reply.json()["measurements"]]

    assert values() == [3, 2, 1, 0]
    assert values(name="missing_ratio") == []
    assert values(since="1970-01-01T02:00:00Z", until=14400) == [2, 1]
    assert values(limit=1) == [3]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("model=nope", 404, "known: delays, past"),
        ("model=delays&since=yesterday", 400, "since 'yesterday'"),
        ("model=delays&since=nan", 400, "since 'nan'"),
        ("model=delays&until=1e999", 400, "until '1e999'"),
        ("model=delays&since=1_000", 400, "since '1_000'"),
        ("model=delays&limit=0", 400, "limit"),
        ("model=delays&limit=10001", 400, "limit"),
        ("model=delays&limit=many", 400, "limit"),
    ],
)
def test_a_query_without_sense_is_one_sentence(rig: Rig, query: str, status: int, says: str) -> None:
    reply = rig.client.get(f"/api/v1/measurements?{query}")

    assert reply.status_code == status
    assert says in reply.json()["error"]


def test_checks_show_their_newest_run(rig: Rig) -> None:
    for started, error in [(1.0, ""), (2.0, "ValueError: no bins")]:
        rig.writer.call(
            lambda connection, s=started, e=error: measurements.record_run(
                connection, "delays", "drift", window_end=NOW, started_at=s, seconds=0.1, error=e
            )
        )

    (run,) = rig.client.get("/api/v1/checks").json()["checks"]
    assert (run["check_name"], run["outcome"], run["error"]) == ("drift", "failed", "ValueError: no bins")


def test_alerts_by_state(rig: Rig) -> None:
    with rig.engine.begin() as connection:
        for rule, state in [("drift", "firing"), ("volume", "inactive")]:
            row = {"model": "delays", "rule": rule, "fingerprint": rule, "labels": "{}", "state": state}
            memory = json.dumps(AlertState().to_dict())
            connection.execute(insert(alerts).values(**row, memory=memory, updated_at=NOW))

    def rules(query: str = "") -> list[str]:
        return [alert["rule"] for alert in rig.client.get(f"/api/v1/alerts{query}").json()["alerts"]]

    assert rules() == ["drift"]
    assert rules("?state=inactive") == ["volume"]
    assert rules("?model=past") == []
    assert rig.client.get("/api/v1/alerts?state=loud").status_code == 400


def test_a_silence_is_added_listed_and_expired(rig: Rig) -> None:
    body = {
        "matchers": ["model=delays", {"name": "feature", "op": "=~", "value": "temp|wind.*"}],
        "duration": "2h",
        "created_by": "ada",
        "comment": "known",
    }
    added = rig.client.post("/api/v1/silences", json=body)
    assert added.status_code == 201
    silence = added.json()
    assert silence.pop("hits")[0].startswith('model="delays": ')
    assert silence.pop("warning") is None
    assert (silence["starts_at"], silence["ends_at"], silence["active"]) == (NOW, NOW + 7200, True)
    assert rig.client.get("/api/v1/silences").json()["silences"] == [silence]

    expired = rig.client.delete(f"/api/v1/silences/{silence['id']}")
    assert (expired.status_code, expired.json()["active"]) == (200, False)
    assert rig.client.get("/api/v1/silences").json()["silences"] == []
    assert len(rig.client.get("/api/v1/silences?expired=true").json()["silences"]) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": ["nonsense"]}, "no matcher"),
        ({"matchers": [{"name": "a", "op": "=~", "value": "("}]}, "regular expression"),
        ({"duration": "soon"}, "duration"),
        ({"ends_at": NOW + 5}, "exactly one"),
        ({"duration": None, "ends_at": NOW - 5}, "past"),
        ({"duration": None, "ends_at": "later"}, "ends_at 'later'"),
        ({"who": "ada"}, "who"),
    ],
)
def test_a_silence_without_sense_is_one_sentence(rig: Rig, change: dict[str, object], says: str) -> None:
    reply = rig.client.post("/api/v1/silences", json={"matchers": ["rule=x"], "duration": "1h"} | change)

    assert reply.status_code == 400
    assert says in reply.json()["error"]


def test_an_unknown_silence_is_404(rig: Rig) -> None:
    assert rig.client.delete("/api/v1/silences/nope").status_code == 404


def test_the_schema_describes_every_endpoint_and_what_is_posted(rig: Rig) -> None:
    schema = rig.client.get("/schema").json()

    assert {"/v1/models/{model}/predictions", "/v1/models/{model}/labels", "/api/v1/status"} <= schema["paths"].keys()
    posted = schema["paths"]["/v1/models/{model}/predictions"]["post"]["requestBody"]["content"]
    assert posted["application/x-ndjson"]["schema"]["required"] == ["id", "prediction"]


def test_readyz_names_degraded_parts_and_stays_200(rig: Rig) -> None:
    rig.services.health.report("slack", "the token was revoked")

    reply = rig.client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json() == {"status": "degraded", "degraded": {"slack": "the token was revoked"}}
    assert 'watchkeeper_degraded{part="slack"} 1' in rig.client.get("/metrics").text


def test_readyz_is_503_while_nothing_can_be_taken(rig: Rig) -> None:
    rig.services.health.ingest("starting")

    assert rig.client.get("/readyz").status_code == 503
    assert rig.client.get("/healthz").status_code == 200


def test_what_is_not_there_and_what_is_not_allowed(rig: Rig) -> None:
    assert rig.client.get("/nothing").json() == {"error": "there is nothing at /nothing"}
    assert rig.client.put("/healthz").status_code == 405


def test_a_failure_inside_says_no_more_than_that(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(rig.services.alerts, "list_silences", broken)
    reply = rig.client.get("/api/v1/silences")

    assert reply.status_code == 500
    assert "hunter2" not in reply.text


def test_measurements_by_label(rig: Rig) -> None:
    measured(
        rig,
        Measurement("window_rows", 9.0, HOUR),
        Measurement("window_rows", 4.0, HOUR, labels(segment="country=DE & AT")),
    )

    def values(*label: str) -> list[float]:
        reply = rig.client.get("/api/v1/measurements", params={"model": "delays", "label": list(label)})
        assert reply.status_code == 200
        return [row["value"] for row in reply.json()["measurements"]]

    assert values("segment=country=DE & AT") == [4.0]
    assert values("segment=") == [9.0]
    assert values("segment=country=DE & AT", "feature=x") == []
    refused = rig.client.get("/api/v1/measurements", params={"model": "delays", "label": "segment"})
    assert refused.status_code == 400
    assert "write name=value" in refused.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/measurements?" + "&".join(f"label=a{i}=b" for i in range(2000)),
        "/api/v1/alerts/explain?rule=x&" + "label=a=b&" * 51,
        "/api/v1/alerts/explain?rule=x&label=a",
        "/api/v1/measurements?since=nan",
        "/api/v1/measurements?until=-inf",
        "/api/v1/measurements?name=%00",
        "/reports/%00",
    ],
)
def test_a_question_that_makes_no_sense_is_400(rig: Rig, path: str) -> None:
    assert rig.client.get(path).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/silences", "/api/v1/alerts/x/ack"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"by":' * 40_000, "nested too deeply"),
        (b'{"comment":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
        (b'{"by":"\xff"}', "not UTF-8"),
        (b'{"by":"\\ud800"}', ""),
        (b'{"by":"\\u0000","created_by":"\\u0000"}', ""),
    ],
)
def test_json_that_cant_be_read_is_400(rig: Rig, path: str, body: bytes, says: str) -> None:
    reply = rig.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, says in reply.json()["error"]) == (400, True), reply.text


def test_a_body_of_the_api_is_bounded(rig: Rig) -> None:
    headers = {"Content-Type": "application/json"}
    reply = rig.client.post("/api/v1/silences", content=b" " * (300 << 10), headers=headers)
    assert (reply.status_code, "over 262144 bytes" in reply.json()["error"]) == (413, True)
