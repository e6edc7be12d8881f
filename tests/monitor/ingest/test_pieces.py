"""Large bodies, read in slabs: as if they were read at once, and with little built at a time."""

import json
import random
from typing import Any

import msgspec
import pytest

from monitor.ingest import body
from monitor.ingest.labels import parse_labels
from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, TooLarge
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings

KINDS: list[dict[str, Any]] = [
    {},
    {"features": {"a": 1.5, "text": "}, {"}},
    {"features": {"a": float("nan"), "b": '\\"},{'}},
    {"extra": [{"x": 1}, {"x": 2}, {"nested": [{}, {}]}]},
    {"features": {"a": {"b": 1}}},
    {"prediction": None},
    {"time": float("inf")},
    {"version": "ü😀},\n{" * 9},
    {"id": "nul\0"},
    {"features": {"a": 2**70}},
]
TYPES = {"array": "application/json", "lines": "application/x-ndjson"}


def _written(rows: list[Any], form: str, chance: random.Random) -> bytes:
    texts = [json.dumps(row, ensure_ascii=chance.random() < 0.5) for row in rows]
    if form == "lines":
        return "\n".join(texts).encode()
    joint = chance.choice([",", ", ", " ,\n\t", ",\r\n  "])
    return f"{chance.choice(['[', ' [ '])}{joint.join(texts)}{chance.choice([']', ' ] '])}".encode()


def _seen(parsed: Parsed) -> Any:
    columns = repr(msgspec.msgpack.decode(parsed.payload)) if parsed.payload else None
    return parsed.n, columns, parsed.reply(), parsed.repaired


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize("seed", range(40))
def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch, seed: int, form: str) -> None:
    chance = random.Random(seed)
    few = chance.sample(KINDS, 3)
    rows = [{"id": str(i), "time": 5.0, "prediction": 1, "label": 2} | chance.choice(few) for i in range(60)]
    if seed % 4 == 0:
        rows.insert(30, chance.choice([1, None, "},{", [{}, {}], [[1], {"a": []}]]))
    sent = _written(rows, form, chance)
    for parse in (parse_predictions, parse_labels):
        whole = _seen(parse(sent, TYPES[form], LimitSettings(), TimeRange()))
        with monkeypatch.context() as patch:
            patch.setattr(body, "WHOLE_BYTES", 0)
            patch.setattr(body, "SLAB_BYTES", chance.choice([1, 40, 500]))
            patch.setattr(body, "ROW_BYTES", chance.choice([100, 2000]))
            assert _seen(parse(sent, TYPES[form], LimitSettings(), TimeRange())) == whole


@pytest.mark.parametrize(
    "cut",
    ["{", ",", "[{}, {}", "]", "}", '"', "x", ",,", "] {}"],
)
def test_what_is_wrong_in_a_large_body_is_found_at_its_place(monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    row = '{"id": "ü", "time": 1, "prediction": 1}'
    sent = f"[{row},\n{row}, {row}{cut}, {row}, {row}]"
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(sent)
    monkeypatch.setattr(body, "WHOLE_BYTES", 0)
    monkeypatch.setattr(body, "SLAB_BYTES", 20)
    with pytest.raises(Malformed) as found:
        parse_predictions(sent.encode(), "application/json", LimitSettings(), TimeRange())
    error = expected.value
    assert f"line {error.lineno} column {error.colno} (char {error.pos})" in str(found.value)


@pytest.mark.parametrize(
    "row",
    [
        b'{"id":"a","prediction":1,"features":[' + b"{}," * 1_000_000 + b"{}]}",
        b"[" + b"1," * 1_000_000 + b"1]",
        b'{"id":"a","prediction":1,"features":{' + b",".join(b'"%d":1' % i for i in range(300_000)) + b"}}",
    ],
)
@pytest.mark.parametrize("form", ["[%b]", "[{},%b,{}]", "%b"])
def test_a_row_of_millions_of_values_is_refused_before_it_is_built(
    monkeypatch: pytest.MonkeyPatch, row: bytes, form: str
) -> None:
    monkeypatch.setattr(body, "_raw_decode", _small)
    sent = form.encode() % (row if row[:1] == b"{" or form != "%b" else b"[%b]" % row)
    with pytest.raises(TooLarge, match="a row of the body has over 200000 values"):
        parse_predictions(sent, "application/json", LimitSettings(), TimeRange())


def _small(text: str, at: int) -> Any:
    assert len(text) <= body.ROW_BYTES + 1
    return json.JSONDecoder().raw_decode(text, at)


def test_an_unclosed_string_of_quotes_costs_one_look() -> None:
    sent = b'[{"id": "' + rb"\"" * 2_000_000
    with pytest.raises(Malformed, match="Unterminated string"):
        parse_predictions(sent, "application/json", LimitSettings(), TimeRange())


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c", "\xa0", "\u3000"])
def test_only_lf_ends_a_row_and_a_line_of_odd_blanks_is_a_bad_one(odd: str) -> None:
    row = {"id": f"a{odd}b", "prediction": 1, "time": 5.0}
    sent = f"{json.dumps(row, ensure_ascii=False)}\n \t\r\n{odd}\n"
    parsed = parse_predictions(sent.encode(), TYPES["lines"], LimitSettings(), TimeRange())
    assert (parsed.n, parsed.reply()["rejected"]) == (1, 1)
    assert msgspec.msgpack.decode(parsed.payload)["id"] == [row["id"]]
