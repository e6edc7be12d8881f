"""Every bad input that is to be survived, against the real application on a real database."""

import asyncio
import gzip
import json
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from monitor.web.errors import Refused
from monitor.web.ingest import PREDICTIONS as PARSER
from monitor.web.ingest import IngestApi, Parser
from tests.monitor.web.rig import NOW, Rig
from tests.monitor.web.rig import rig as make

PREDICTIONS = "/v1/models/delays/predictions"
LABELS = "/v1/models/delays/labels"
GOOD = {"id": "good", "time": NOW, "features": {"distance": 733.0, "carrier": "UA"}, "prediction": 1}
JSON = {"Content-Type": "application/json"}


def kept(rig: Rig) -> list[str]:
    return [id for row in rig.arrivals() for id in msgspec.msgpack.decode(row.payload)["id"]]


def test_predictions_are_on_disk_when_they_are_acknowledged(rig: Rig) -> None:
    reply = rig.client.post(PREDICTIONS, json=[GOOD, GOOD | {"id": "two"}])

    assert reply.status_code == 202
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {"accepted": 2, "rejected": 0, "errors": [], "warnings": []}
    (row,) = rig.arrivals()
    assert (row.model, row.kind, row.n, row.t_max) == ("delays", "predictions", 2, NOW)
    assert rig.metric("watchkeeper_events_ingested_total", model="delays", kind="predictions") == 2


def test_labels_for_ids_that_nobody_predicted_are_kept(rig: Rig) -> None:
    reply = rig.client.post(LABELS, json=[{"id": "unknown", "label": "late"}, {"id": "unknown", "label": 1}])

    assert reply.json()["accepted"] == 2
    assert [row.kind for row in rig.arrivals()] == ["labels"]


@pytest.mark.parametrize(
    ("headers", "encode"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, lambda rows: json.dumps(rows).encode()),
        ({"Content-Type": "application/x-ndjson"}, lambda rows: "\n".join(map(json.dumps, rows)).encode()),
        (JSON | {"Content-Encoding": "gzip"}, lambda rows: gzip.compress(json.dumps(rows).encode())),
    ],
)
def test_every_form_of_a_body(rig: Rig, headers: dict[str, str], encode: Callable[[Any], bytes]) -> None:
    reply = rig.client.post(PREDICTIONS, content=encode([GOOD, GOOD | {"id": "two"}]), headers=headers)

    assert (reply.status_code, reply.json()["accepted"]) == (202, 2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"id": None}, "missing_id"),
        ({"id": 17}, "invalid_type"),
        ({"prediction": {"class": 1}}, "invalid_type"),
        ({"prediction": float("nan")}, "not_finite"),
        ({"time": float("inf")}, "not_finite"),
        ({"time": "2093-01-01T00:00:00Z"}, "in_future"),
        ({"time": NOW + 301}, "in_future"),
        ({"time": "2013-01-01T00:00:00Z"}, "too_old"),
        ({"features": {"note": "x" * 10_000_000}}, "string_too_long"),
        ({"features": {f"f{i}": 1 for i in range(10_000)}}, "too_many_features"),
    ],
)
def test_a_bad_row_is_named_and_counted_and_costs_no_good_one(rig: Rig, bad: dict[str, Any], reason: str) -> None:
    reply = rig.client.post(PREDICTIONS, content=json.dumps([GOOD, GOOD | bad, GOOD | {"id": "last"}]), headers=JSON)

    assert reply.status_code == 202
    answer = reply.json()
    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    assert [(row["index"], row["reason"]) for row in answer["errors"]] == [(1, reason)]
    assert kept(rig) == ["good", "last"]
    assert rig.metric("watchkeeper_events_rejected_total", model="delays", reason=reason) == 1


def test_a_nan_in_a_feature_is_kept_and_counted(rig: Rig) -> None:
    rows = [GOOD | {"features": {"distance": float("nan"), "wind": float("-inf")}}]
    reply = rig.client.post(PREDICTIONS, content=json.dumps(rows), headers=JSON)

    assert reply.json()["accepted"] == 1
    assert rig.metric("watchkeeper_events_repaired_total", model="delays", reason="not_finite") == 2


def test_a_replay_takes_the_past_however_old_and_nothing_ahead_of_the_clock(rig: Rig) -> None:
    rows = [GOOD | {"time": "2013-01-01T05:00:00Z"}, GOOD | {"id": "later", "time": NOW + 86400}]
    reply = rig.client.post("/v1/models/past/predictions", json=rows).json()

    assert (reply["accepted"], reply["errors"][0]["reason"]) == (1, "in_future")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"{", "line 1 column 2"),
        (b'[{"id": "a", "prediction": 1},]', "line 1 column"),
        (b"[1, 2", "char 5"),
        (b"null", "must be a JSON array"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_malformed_body_is_400_and_says_where(rig: Rig, body: bytes, says: str) -> None:
    reply = rig.client.post(PREDICTIONS, content=body, headers=JSON)

    assert reply.status_code == 400
    assert says in reply.json()["error"]
    assert rig.metric("watchkeeper_requests_refused_total", reason="malformed") == 1
    assert rig.arrivals() == []


@pytest.mark.parametrize("path", ["/v1/models/arrivals/predictions", "/v1/models/arrivals/labels"])
def test_an_unknown_model_is_404_and_names_the_known(rig: Rig, path: str) -> None:
    reply = rig.client.post(path, json=[GOOD])

    assert reply.status_code == 404
    assert "delays, past" in reply.json()["error"]
    assert rig.metric("watchkeeper_requests_refused_total", reason="unknown_model") == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_what_a_web_page_can_post_is_415(rig: Rig, content_type: str) -> None:
    reply = rig.client.post(PREDICTIONS, content=json.dumps([GOOD]), headers={"Content-Type": content_type})

    assert reply.status_code == 415
    assert rig.arrivals() == []


def test_a_body_over_the_limit_is_413(tmp_path: Path) -> None:
    rig = make(tmp_path, {"limits": {"body_bytes": 10_000}})
    try:
        big = json.dumps([GOOD | {"features": {"note": "x" * 20_000}}]).encode()
        for headers, body in [(JSON, big), (JSON | {"Content-Encoding": "gzip"}, gzip.compress(big))]:
            reply = rig.client.post(PREDICTIONS, content=body, headers=headers)
            assert reply.status_code == 413
            assert "limits.body_bytes (10000 bytes)" in reply.json()["error"]
        assert rig.metric("watchkeeper_requests_refused_total", reason="too_large") == 2
    finally:
        rig.close()


def test_too_many_rows_are_413(tmp_path: Path) -> None:
    rig = make(tmp_path, {"limits": {"rows": 2}})
    try:
        reply = rig.client.post(PREDICTIONS, json=[GOOD] * 3)
        assert (reply.status_code, rig.arrivals()) == (413, [])
    finally:
        rig.close()


def test_over_capacity_is_429_with_retry_after(tmp_path: Path) -> None:
    rig = make(tmp_path, queue_bytes=1000)
    go = threading.Event()
    try:
        rig.writer.submit(lambda connection: go.wait(60), size=900)
        reply = rig.client.post(PREDICTIONS, json=[GOOD])
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) >= 1
        go.set()
        rig.writer.call(lambda connection: None)
        assert rig.client.post(PREDICTIONS, json=[GOOD]).status_code == 202
    finally:
        go.set()
        rig.close()


def test_bodies_being_taken_are_bounded_too(tmp_path: Path) -> None:
    rig = make(tmp_path, {"limits": {"queue_bytes": 1 << 20, "body_bytes": 1 << 20}})
    go, busy = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        busy.set()
        go.wait(60)

    body = json.dumps([GOOD | {"features": {"note": "x" * 4000}}] * 150).encode()
    try:
        rig.writer.submit(hold)
        assert busy.wait(30)
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(rig.client.post, PREDICTIONS, content=body, headers=JSON) for _ in range(4)]
            # Whoever came first waits for the writer; the others are turned away at once.
            early = [future.result(30).status_code for _, future in zip(range(3), as_completed(sent), strict=False)]
            go.set()
        assert early == [429, 429, 429]
        assert sorted(future.result().status_code for future in sent) == [202, 429, 429, 429]
        assert rig.client.post(PREDICTIONS, content=body, headers=JSON).status_code == 202
    finally:
        go.set()
        rig.close()


def test_a_body_that_does_not_arrive_gives_its_room_back(rig: Rig) -> None:
    class Trickle:
        """A request whose body never ends."""

        headers: ClassVar = {"content-length": "100"}

        async def receive(self) -> Any:
            return await asyncio.get_running_loop().create_future()

    async def take() -> None:
        intake = IngestApi(rig.services, patience=0.01)
        with pytest.raises(Refused) as refused:
            await intake.take(Trickle(), "delays", "predictions", PARSER)  # type: ignore[arg-type]
        assert refused.value.status == 408
        assert intake.room.held == 0

    asyncio.run(take())


def test_a_batch_retried_after_a_lost_reply_is_stored_once(rig: Rig) -> None:
    key = {"Idempotency-Key": "a4c1"}
    first = rig.client.post(PREDICTIONS, json=[GOOD, {}], headers=key)
    again = rig.client.post(PREDICTIONS, json=[GOOD, {}], headers=key)

    assert first.json()["accepted"] == 1
    assert (again.status_code, again.content) == (202, first.content)
    assert kept(rig) == ["good"]
    assert rig.metric("watchkeeper_events_ingested_total", model="delays", kind="predictions") == 1
    assert rig.metric("watchkeeper_batches_repeated_total", model="delays", kind="predictions") == 1


def test_a_key_used_for_another_body_is_422_and_loses_nothing_silently(rig: Rig) -> None:
    key = {"Idempotency-Key": "a4c1"}
    assert rig.client.post(PREDICTIONS, json=[GOOD], headers=key).status_code == 202
    other = rig.client.post(PREDICTIONS, json=[GOOD | {"id": "other"}], headers=key)

    assert other.status_code == 422
    assert "used for another body" in other.json()["error"]
    assert rig.metric("watchkeeper_requests_refused_total", reason="key_reused") == 1
    assert kept(rig) == ["good"]


def test_a_retry_is_known_though_its_time_is_filled_in_and_its_gzip_differs(rig: Rig) -> None:
    row = json.dumps([{"id": "a", "prediction": 1}]).encode()
    for level in (1, 9):
        headers = JSON | {"Idempotency-Key": "k", "Content-Encoding": "gzip"}
        reply = rig.client.post(PREDICTIONS, content=gzip.compress(row, level, mtime=level), headers=headers)
        rig.clock.now += 1.0
        assert (reply.status_code, reply.json()["accepted"]) == (202, 1)
    assert kept(rig) == ["a"]


def test_the_same_key_at_the_same_time_is_stored_once(rig: Rig) -> None:
    def send(_: int) -> bytes:
        reply = rig.client.post(PREDICTIONS, json=[GOOD], headers={"Idempotency-Key": "k"})
        assert reply.status_code == 202
        return reply.content

    with ThreadPoolExecutor(8) as pool:
        replies = set(pool.map(send, range(16)))

    assert len(replies) == 1
    assert kept(rig) == ["good"]


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_that_can_not_be_stored(rig: Rig, key: str) -> None:
    assert rig.client.post(PREDICTIONS, json=[GOOD], headers={"Idempotency-Key": key}).status_code == 400


def test_ids_twice_in_one_batch_are_left_to_compaction(rig: Rig) -> None:
    rig.client.post(PREDICTIONS, json=[GOOD, GOOD])

    assert kept(rig) == ["good", "good"]


def test_a_database_that_fails_is_said_and_forgotten_once_it_works(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(rig.services.events._insert, "run", full)
        patch.setattr(rig.services.events, "probe", lambda: rig.writer.submit(full))
        reply = rig.client.post(PREDICTIONS, json=[GOOD])
        assert reply.status_code == 503
        assert "disk is full" in reply.json()["error"]
        assert "retry-after" in reply.headers
        ready = rig.client.get("/readyz")
        assert ready.status_code == 503
        assert "disk is full" in ready.json()["reason"]

    assert rig.client.get("/readyz").json() == {"status": "ready", "degraded": {}}
    assert rig.client.post(PREDICTIONS, json=[GOOD]).status_code == 202


def test_objects_are_not_built_beyond_the_rows_that_are_taken(tmp_path: Path) -> None:
    """4 MB of empty objects take 100 MB when all are built before they are counted."""
    rig = make(tmp_path)
    bomb = b"[" + b"{}," * 1_400_000 + b"{}]"
    try:
        for headers, body in [(JSON, bomb), (JSON | {"Content-Encoding": "gzip"}, gzip.compress(bomb, 1))]:
            tracemalloc.start()
            reply = rig.client.post(PREDICTIONS, content=body, headers=headers)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert reply.status_code == 413
            assert "limits.rows is 100000" in reply.json()["error"]
            assert peak < 40e6
    finally:
        rig.close()


def test_large_bodies_are_inflated_and_parsed_one_at_a_time(rig: Rig) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def full(*given: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        parsed = PARSER.full(*given)
        with lock:
            running -= 1
        return parsed

    class Given:
        def __init__(self, body: bytes, headers: dict[str, str]) -> None:
            self.headers, self._body = headers, body

        async def receive(self) -> Any:
            return {"type": "http.request", "body": self._body, "more_body": False}

    rows = json.dumps([GOOD | {"id": str(i)} for i in range(10_000)]).encode()
    packed = Given(gzip.compress(rows), {"content-encoding": "gzip", "content-type": "application/json"})
    plain = Given(rows, {"content-type": "application/json"})

    async def take() -> list[int | None]:
        intake = IngestApi(rig.services)
        parser = Parser(PARSER.fast, full)
        taken = [intake.take(given, "delays", "predictions", parser) for given in (packed, plain) * 2]  # type: ignore[arg-type]
        return [reply.status_code for reply in await asyncio.gather(*taken)]

    assert asyncio.run(take()) == [202] * 4
    assert most == 1
