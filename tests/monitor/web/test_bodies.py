"""Bodies that are packed in parts, damaged, or hold what no text can; and small ones beside large ones."""

import asyncio
import gzip
import json
import threading
from typing import Any

import pytest

from monitor.web.ingest import PREDICTIONS as PARSER
from monitor.web.ingest import IngestApi, Parser
from tests.monitor.web.rig import NOW, Rig

PREDICTIONS = "/v1/models/delays/predictions"
LABELS = "/v1/models/delays/labels"
GOOD = {"id": "good", "time": NOW, "features": {"distance": 733.0, "carrier": "UA"}, "prediction": 1}
JSON = {"Content-Type": "application/json"}
PACKED = JSON | {"Content-Encoding": "gzip"}
MEMBER = gzip.compress(json.dumps(GOOD).encode() + b"\n", mtime=0)


@pytest.mark.parametrize(
    ("body", "accepted"),
    [
        (MEMBER * 2, 2),
        (MEMBER * 3 + b"\0" * 512, 3),
        (gzip.compress(b"") + MEMBER + gzip.compress(b"\n"), 1),
        (gzip.compress(json.dumps(GOOD).encode()[:20]) + gzip.compress(json.dumps(GOOD).encode()[20:]), 1),
        (MEMBER * 40 + gzip.compress(b" " * 300_000) + MEMBER, 41),
    ],
    ids=["two", "padded", "empty members", "within a row", "large"],
)
def test_every_member_of_a_gzip_body_is_read(rig: Rig, body: bytes, accepted: int) -> None:
    reply = rig.client.post(PREDICTIONS, content=body, headers=PACKED | {"Content-Type": "application/x-ndjson"})
    assert (reply.status_code, reply.json()["accepted"]) == (202, accepted)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (MEMBER + b"garbage", 400, f"at byte {len(MEMBER)}, stands what is no gzip"),
        (MEMBER + b"\0\0" + MEMBER, 400, "stands what is no gzip"),
        (MEMBER * 2 + MEMBER[:-4], 400, "the gzip body ends too early"),
        (MEMBER + MEMBER[:3], 400, "the gzip body ends too early"),
        (MEMBER[:-8] + b"abcd" + MEMBER[-4:], 400, "incorrect data check"),
        (gzip.compress(b" " * (9 << 20)) * 2, 413, "limits.body_bytes"),
        (gzip.compress(b"") * 10_001, 413, "over 10000 members"),
    ],
    ids=["garbage", "zeros between", "truncated", "truncated head", "damaged", "over the limit together", "members"],
)
def test_a_gzip_body_that_is_not_whole_is_refused(rig: Rig, body: bytes, status: int, says: str) -> None:
    reply = rig.client.post(PREDICTIONS, content=body, headers=PACKED)
    assert (reply.status_code, says in reply.json()["error"]) == (status, True), reply.text
    assert rig.arrivals() == []


@pytest.mark.parametrize("kind", [JSON, {"Content-Type": "application/x-ndjson"}], ids=["array", "lines"])
@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ('{"id":"H","prediction":1}', "id"),
        ('{"id":"b","prediction":"H"}', "prediction"),
        ('{"id":"b","prediction":1,"time":"H"}', "'time'"),
        ('{"id":"b","prediction":1,"version":"H"}', "version"),
        ('{"id":"b","prediction":1,"latency_seconds":"H"}', "'latency_seconds'"),
        ('{"id":"b","prediction":1,"features":{"x":"H"}}', "feature 'x'"),
        ('{"id":"b","prediction":1,"features":{"H":1}}', "a feature's name"),
        ('{"id":"b","prediction":1,"features":"H"}', "'features'"),
        ('{"id":"b","prediction":1,"probabilities":{"a":"H"}}', "'probabilities'"),
        ('{"id":"b","prediction":1,"H":1}', "the key '\\ud800'"),
    ],
)
def test_half_a_surrogate_pair_costs_its_row(rig: Rig, bad: str, place: str, kind: dict[str, str]) -> None:
    rows = [json.dumps(GOOD), bad.replace("H", "\\ud800"), json.dumps(GOOD)]
    body = "\n".join(rows) if kind is not JSON else f"[{','.join(rows)}]"
    reply = rig.client.post(PREDICTIONS, content=body, headers=kind)
    assert (reply.status_code, reply.json()["accepted"]) == (202, 2)
    (error,) = reply.json()["errors"]
    assert (error["index"], error["reason"]) == (1, "invalid_text")
    assert error["detail"] == f"{place} holds half of a surrogate pair"


@pytest.mark.parametrize("bad", ['{"id":"b","label":"H"}', '{"id":"H","label":1}', '{"id":"b","label":1,"time":"H"}'])
def test_half_a_surrogate_pair_costs_its_label(rig: Rig, bad: str) -> None:
    body = f'[{{"id":"a","label":1}},{bad}]'.replace("H", "\\udfff")
    reply = rig.client.post(LABELS, content=body, headers=JSON).json()
    assert (reply["accepted"], reply["errors"][0]["index"], reply["errors"][0]["reason"]) == (1, 1, "invalid_text")


def test_a_small_batch_does_not_wait_for_a_large_one(rig: Rig) -> None:
    class Given:
        def __init__(self, rows: list[Any]) -> None:
            self.headers, self._body = JSON | {"content-type": "application/json"}, json.dumps(rows).encode()

        async def receive(self) -> Any:
            return {"type": "http.request", "body": self._body, "more_body": False}

    go, busy = threading.Event(), threading.Event()

    def full(body: bytes, *given: Any) -> Any:
        if len(body) > 100_000:
            busy.set()
            assert go.wait(60)
        return PARSER.full(body, *given)

    async def take() -> list[int | None]:
        intake = IngestApi(rig.services)
        parser = Parser(PARSER.fast, full)
        large = asyncio.create_task(
            intake.take(Given([GOOD] * 5000), "delays", "predictions", parser)  # type: ignore[arg-type]
        )
        await asyncio.to_thread(busy.wait, 60)
        odd = [GOOD | {"features": {"x": float("nan")}}] * 10
        small = await intake.take(Given(odd), "delays", "predictions", parser)  # type: ignore[arg-type]
        assert not large.done()
        go.set()
        return [small.status_code, (await large).status_code]

    assert asyncio.run(take()) == [202, 202]
