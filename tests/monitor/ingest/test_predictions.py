import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.ingest import predictions
from monitor.ingest.labels import parse_labels
from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, RejectionReason, TooLarge
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings

LIMITS = LimitSettings(string_length=100, features=50, rows=1000)
SPAN = TimeRange(earliest=1_000.0, newest=2_000_000_300.0, received=1_700_000_000.0)
GOOD = {"id": "good", "time": 1_700_000_000, "features": {"a": 1.5, "b": "x"}, "prediction": 1}


def parse(body: Any, span: TimeRange = SPAN, media: str = "application/json") -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_predictions(raw, media, LIMITS, span)


def columns(parsed: Parsed) -> dict[str, Any]:
    return msgspec.msgpack.decode(parsed.payload)


def test_an_array_becomes_columns() -> None:
    second = {"id": "2", "time": 1_700_000_060.5, "features": {"b": "y", "c": True}, "prediction": "late"}
    second |= {
        "probabilities": {"late": 0.75, "on time": 0.25},
        "latency_seconds": 1,
        "version": "v2",
        "tags": {"k": "v"},
    }

    parsed = parse([GOOD, second])

    assert (parsed.n, parsed.t_min, parsed.t_max) == (2, 1_700_000_000.0, 1_700_000_060.5)
    assert columns(parsed) == {
        "id": ["good", "2"],
        "time": [1_700_000_000.0, 1_700_000_060.5],
        "features": {"a": [1.5, None], "b": ["x", "y"], "c": [None, True]},
        "prediction": [1, "late"],
        "probabilities": [None, {"late": 0.75, "on time": 0.25}],
        "latency": [None, 1.0],
        "version": [None, "v2"],
        "tags": [None, {"k": "v"}],
    }
    assert parsed.reply() == {"accepted": 2, "rejected": 0, "errors": [], "warnings": []}


def test_columns_nobody_gave_are_none() -> None:
    payload = columns(parse(GOOD))

    assert {name for name, column in payload.items() if column is None} == {
        "probabilities",
        "latency",
        "version",
        "tags",
    }


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps(GOOD).encode(), "application/json"),
        (b"\xef\xbb\xbf" + json.dumps([GOOD]).encode(), "application/json; charset=utf-8"),
        (json.dumps(GOOD, indent=1).encode(), "APPLICATION/JSON"),
        (json.dumps([GOOD]).encode(), "application/x-ndjson"),
        (b"\n\r\n" + json.dumps(GOOD).encode() + b"\r\n\n", "application/x-ndjson"),
        (b"  [" + json.dumps(GOOD).encode() + b"]", "application/json"),
    ],
)
def test_every_form_of_a_body(body: bytes, media: str) -> None:
    assert columns(parse(body, media=media))["id"] == ["good"]


def test_lines_are_taken_as_plain_json_too() -> None:
    body = b"\n".join(json.dumps(GOOD | {"id": str(i)}).encode() for i in range(3))

    assert parse(body, media="application/json").n == parse(body, media="application/x-ndjson").n == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, RejectionReason.MISSING_ID),
        ({"id": ""}, RejectionReason.MISSING_ID),
        ({"id": 5}, RejectionReason.INVALID_TYPE),
        ({"id": "x" * 257}, RejectionReason.ID_TOO_LONG),
        ({"id": "a\0b"}, RejectionReason.INVALID_TEXT),
        ({"id": "\ud800"}, RejectionReason.INVALID_TEXT),
        ({"prediction": None}, RejectionReason.MISSING_PREDICTION),
        ({"prediction": [1]}, RejectionReason.INVALID_TYPE),
        ({"prediction": float("nan")}, RejectionReason.NOT_FINITE),
        ({"prediction": float("-inf")}, RejectionReason.NOT_FINITE),
        ({"prediction": "p" * 101}, RejectionReason.STRING_TOO_LONG),
        ({"time": "yesterday"}, RejectionReason.INVALID_TIME),
        ({"time": True}, RejectionReason.INVALID_TYPE),
        ({"time": float("nan")}, RejectionReason.NOT_FINITE),
        ({"time": 1_700_000_000_000}, RejectionReason.INVALID_TIME),
        ({"time": 1e300}, RejectionReason.INVALID_TIME),
        ({"time": 2_000_000_301}, RejectionReason.IN_FUTURE),
        ({"time": "1970-01-01T00:00:01Z"}, RejectionReason.TOO_OLD),
        ({"features": [1, 2]}, RejectionReason.INVALID_TYPE),
        ({"features": {"a": "v" * 101}}, RejectionReason.STRING_TOO_LONG),
        ({"features": {"n" * 201: 1}}, RejectionReason.STRING_TOO_LONG),
        ({"features": {"a": "\udfff"}}, RejectionReason.INVALID_TEXT),
        ({"features": {f"f{i}": 0 for i in range(51)}}, RejectionReason.TOO_MANY_FEATURES),
        ({"tags": {f"t{i}": "" for i in range(65)}}, RejectionReason.TOO_MANY_TAGS),
        ({"tags": {"t": 1}}, RejectionReason.INVALID_TYPE),
        ({"probabilities": [0.5, float("nan")]}, RejectionReason.NOT_FINITE),
        ({"probabilities": {"a": "b"}}, RejectionReason.INVALID_TYPE),
        ({"probabilities": [0.0] * 10_001}, RejectionReason.TOO_MANY_CLASSES),
        ({"latency_seconds": float("inf")}, RejectionReason.NOT_FINITE),
        ({"latency_seconds": -1}, RejectionReason.INVALID_TYPE),
        ({"version": 3}, RejectionReason.INVALID_TYPE),
    ],
)
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
def test_a_bad_row_says_why_and_costs_no_good_one(change: dict[str, Any], reason: RejectionReason, media: str) -> None:
    rows = [GOOD | {"id": "first"}, GOOD | change, GOOD | {"id": "last"}]
    body = json.dumps(rows) if media == "application/json" else "\n".join(map(json.dumps, rows))

    parsed = parse(body.encode(), media=media)

    assert columns(parsed)["id"] == ["first", "last"]
    assert parsed.rejections.counts == {reason: 1}
    (row,) = parsed.rejections.listed
    assert (row.index, row.reason) == (1, reason)
    assert 0 < len(row.detail) < 200


@pytest.mark.parametrize("row", [None, 5, "text", [], True])
def test_a_row_that_is_no_object(row: Any) -> None:
    parsed = parse([row, GOOD])

    assert parsed.n == 1
    assert parsed.rejections.counts == {RejectionReason.INVALID_TYPE: 1}


def test_a_missing_key_is_a_missing_value() -> None:
    parsed = parse([{"prediction": 1}, {"id": "a"}, GOOD])

    assert parsed.n == 1
    assert parsed.rejections.counts == {RejectionReason.MISSING_ID: 1, RejectionReason.MISSING_PREDICTION: 1}


def test_features_that_are_not_finite_are_kept_and_counted() -> None:
    values = [float("nan"), float("inf"), float("-inf"), 10**400]
    parsed = parse([GOOD | {"id": str(i), "features": {"a": value, "b": 1}} for i, value in enumerate(values)])

    column = columns(parsed)["features"]["a"]
    assert column[0] != column[0]
    assert column[1:] == [float("inf"), float("-inf"), float("inf")]
    assert parsed.repaired == {RejectionReason.NOT_FINITE: 4}
    assert parsed.rejected == 0


def test_wide_integers() -> None:
    values = [2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30, -(10**30)]
    parsed = parse([GOOD | {"id": str(v), "features": {"a": v}, "prediction": v} for v in values])

    kept = columns(parsed)["features"]["a"]
    assert kept == [2**53 + 1, 2**63 - 1, -(2**63), float(2**63), float(2**64), 1e30, -1e30]
    assert [type(value) for value in kept] == [int] * 3 + [float] * 4
    assert columns(parsed)["prediction"] == kept


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T22:13:20.250Z", 1_700_000_000.25),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000.0),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        (1_700_000_000.125, 1_700_000_000.125),
        (None, 1_700_000_000.0),
    ],
)
def test_times(stamp: Any, seconds: float) -> None:
    assert columns(parse([GOOD | {"time": stamp}]))["time"] == [seconds]


def test_the_past_needs_times_and_takes_any() -> None:
    replay = TimeRange()
    parsed = parse([GOOD | {"time": "1987-01-01T00:00:00Z"}, GOOD | {"time": None}], replay)

    assert (parsed.n, parsed.t_min) == (1, 536_457_600.0)
    assert parsed.rejections.counts == {RejectionReason.MISSING_TIME: 1}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"5", "must be a JSON array"),
        (b'"text"', "must be a JSON array"),
        (b"[1, 2", "line 1 column"),
        (b'[{"id": "a",}]', "char 12"),
        (b'{"id": "a"', "line 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b'[{"id": "\xff"}]', "byte 9"),
        (b"[{}]]", "Extra data"),
    ],
)
def test_a_body_that_is_not_readable(body: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse(body)


def test_a_broken_line_costs_itself_alone() -> None:
    lines = [json.dumps(GOOD | {"id": "a"}), "{oops", json.dumps(GOOD | {"id": "b"})]
    parsed = parse("\n".join(lines).encode(), media="application/x-ndjson")

    assert columns(parsed)["id"] == ["a", "b"]
    assert [(row.index, row.reason) for row in parsed.rejections.listed] == [(1, RejectionReason.INVALID_JSON)]
    with pytest.raises(Malformed, match="no line"):
        parse(b"{oops\n{again", media="application/x-ndjson")


def test_rejections_are_listed_up_to_a_bound_and_counted_without() -> None:
    parsed = parse([{"id": ""}] * 500)

    assert (parsed.n, parsed.payload) == (0, b"")
    assert parsed.rejected == 500
    assert len(parsed.reply()["errors"]) == 100  # type: ignore[arg-type]


def test_a_body_with_too_many_rows() -> None:
    with pytest.raises(TooLarge, match=r"limits\.rows is 1000"):
        parse([GOOD] * 1001)


def test_feature_names_are_bounded_over_the_whole_body() -> None:
    parsed = parse([GOOD | {"id": str(i), "features": {f"f{i}-{k}": 0 for k in range(20)}} for i in range(4)])

    assert parsed.n == 2
    assert parsed.rejections.counts == {RejectionReason.TOO_MANY_FEATURES: 2}


def test_few_values_under_many_names_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "CELLS", 100)
    with pytest.raises(TooLarge, match="40 distinct feature names"):
        parse([GOOD | {"features": {f"f{i}": 0}} for i in range(40)])


def test_an_empty_array_is_nothing() -> None:
    assert parse([]).reply() == {"accepted": 0, "rejected": 0, "errors": [], "warnings": []}


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=120), st.lists(st.integers(), max_size=1)
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(st.text(max_size=5), scalars),
        "prediction": scalars,
        "time": st.one_of(scalars, st.datetimes().map(lambda stamp: stamp.isoformat())),
        "features": st.one_of(scalars, st.dictionaries(st.text(max_size=3), scalars, max_size=4)),
        "probabilities": st.one_of(scalars, st.lists(st.floats(), max_size=3), st.dictionaries(st.text(), scalars)),
        "latency_seconds": scalars,
        "version": scalars,
        "tags": st.one_of(scalars, st.dictionaries(st.text(max_size=3), scalars, max_size=3)),
        "label": scalars,
    },
)


@given(st.lists(st.one_of(rows, scalars), max_size=4), st.booleans())
def test_whatever_is_sent_each_row_is_kept_or_named(batch: list[Any], lines: bool) -> None:
    """The same rows are kept whether they come alone, together or a line each."""
    if lines:
        assume(batch and isinstance(batch[0], dict))
        body, media = "\n".join(map(json.dumps, batch)), "application/x-ndjson"
    else:
        body, media = json.dumps(batch), "application/json"
    for parse_kind in (parse_predictions, parse_labels):
        parsed = parse_kind(body.encode(), media, LIMITS, SPAN)
        alone = [parse_kind(json.dumps([row]).encode(), "application/json", LIMITS, SPAN) for row in batch]

        assert parsed.n + parsed.rejected == len(batch)
        assert [row.index for row in parsed.rejections.listed] == [i for i, one in enumerate(alone) if one.n == 0]
        kept = [repr(columns(one)["id"][0]) for one in alone if one.n]
        assert kept == (list(map(repr, columns(parsed)["id"])) if parsed.n else [])


@given(st.lists(rows, min_size=1, max_size=3))
def test_the_fast_path_keeps_what_the_careful_one_keeps(batch: list[Any]) -> None:
    body = json.dumps(batch).encode()
    # The escaped NUL in a key that nobody reads sends the body down the careful path.
    careful = json.dumps([row | {"unread": "\0"} for row in batch]).encode()

    fast, slow = parse(body), parse(careful)

    assert (fast.n, fast.t_min, fast.t_max) == (slow.n, slow.t_min, slow.t_max)
    assert repr(fast.payload and columns(fast)) == repr(slow.payload and columns(slow))
    assert fast.rejections == slow.rejections
