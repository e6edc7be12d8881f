import json
from typing import Any

import msgspec
import pytest

from monitor.ingest.labels import parse_labels
from monitor.ingest.rejection import RejectionReason
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings

LIMITS = LimitSettings(string_length=100)
SPAN = TimeRange(earliest=0.0, newest=2_000_000_000.0, received=1_700_000_000.0)


@pytest.mark.parametrize("label", ["late", 1, 0.5, True])
def test_labels_become_columns(label: Any) -> None:
    rows = [{"id": "a", "label": label, "time": 5}, {"id": "b", "label": label}]
    parsed = parse_labels(json.dumps(rows).encode(), "application/json", LIMITS, SPAN)

    assert msgspec.msgpack.decode(parsed.payload) == {
        "id": ["a", "b"],
        "label": [label, label],
        "time": [5.0, 1_700_000_000.0],
    }
    assert (parsed.n, parsed.t_min, parsed.t_max) == (2, 5.0, 1_700_000_000.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"label": 1}, RejectionReason.MISSING_ID),
        ({"id": 7, "label": 1}, RejectionReason.INVALID_TYPE),
        ({"id": "x" * 300, "label": 1}, RejectionReason.ID_TOO_LONG),
        ({"id": "a"}, RejectionReason.MISSING_LABEL),
        ({"id": "a", "label": None}, RejectionReason.MISSING_LABEL),
        ({"id": "a", "label": [1]}, RejectionReason.INVALID_TYPE),
        ({"id": "a", "label": float("nan")}, RejectionReason.NOT_FINITE),
        ({"id": "a", "label": "l" * 101}, RejectionReason.STRING_TOO_LONG),
        ({"id": "a", "label": "a\0"}, RejectionReason.INVALID_TEXT),
        ({"id": "a", "label": 1, "time": "noon"}, RejectionReason.INVALID_TIME),
        ({"id": "a", "label": 1, "time": -5}, RejectionReason.TOO_OLD),
        ({"id": "a", "label": 1, "time": 3_000_000_000}, RejectionReason.IN_FUTURE),
        ("a", RejectionReason.INVALID_TYPE),
    ],
)
def test_a_bad_label_says_why_and_costs_no_good_one(row: Any, reason: RejectionReason) -> None:
    body = json.dumps([row, {"id": "good", "label": 1}]).encode()
    parsed = parse_labels(body, "application/json", LIMITS, SPAN)

    assert msgspec.msgpack.decode(parsed.payload)["id"] == ["good"]
    assert [(bad.index, bad.reason) for bad in parsed.rejections.listed] == [(0, reason)]
