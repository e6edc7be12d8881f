"""One table means one thing, whatever file it stands in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from checks.calibration.build_reference import build_reference
from checks.data.csv_options import CsvOptions
from checks.data.frame_payload import from_payload
from checks.data.schema import Schema, SchemaError
from checks.data.schema_inference import infer
from checks.profile import profile
from checks.reference import Reference
from checks.report import compare
from checks.source import SourceColumns, by_columns, open_source
from checks.source.columns import LazyTable

ROWS = 400
Cell = Any
Row = dict[str, Cell]


def rows(seed: int, shift: float = 0.0) -> list[Row]:
    """Numbers, whole numbers, texts with gaps and with every western letter, codes, flags and times."""
    rng = np.random.default_rng(seed)
    cities = ["Köln", "Málaga", "Paris", None]
    return [
        {
            "price": round(float(rng.normal(1500 + shift, 400)), 2),
            "age": int(rng.integers(18, 90)),
            "city": cities[int(rng.integers(0, 4))],
            "zip": f"{int(rng.integers(0, 40)):05}",
            "vip": bool(rng.integers(0, 2)),
            "gaps": None if place % 7 == 0 else float(round(rng.normal(), 3)),
            "time": f"2026-01-{1 + place // 24:02} {place % 24:02}:00:00",
        }
        for place in range(ROWS)
    ]


def written(
    made: list[Row], path: Path, separator: str, number: Callable[[float], str], encoding: str, gap: str
) -> Path:
    def cell(name: str, value: Cell) -> str:
        if value is None:
            return gap
        shown = number(value) if isinstance(value, float) else str(value)
        return f'"{shown}"' if separator in shown else shown

    lines = [separator.join(made[0]), *(separator.join(cell(*pair) for pair in row.items()) for row in made)]
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def german(value: float) -> str:
    return f"{value:,.3f}".translate(str.maketrans(",.", ".,"))


DIALECTS: dict[str, tuple[str, Callable[[float], str], str, str]] = {
    "plain": (",", str, "utf-8", ""),
    "german": (";", german, "cp1252", "NULL"),
    "tabs": ("\t", str, "utf-16", "NA"),
    "pipes": ("|", lambda value: f"{value:,}", "utf-8-sig", "None"),
    "quoted": (",", lambda value: str(value).replace(".", ","), "latin-1", "n/a"),
}


def table(made: list[Row]) -> pa.Table:
    found = pa.Table.from_pylist(made)
    place = found.schema.get_field_index("time")
    return found.set_column(place, "time", found["time"].cast(pa.timestamp("us")))


def file(kind: str, folder: Path, seed: int = 0, shift: float = 0.0) -> Path:
    made = rows(seed, shift)
    path = folder / f"{kind}-{seed}.{kind}"
    if kind == "parquet":
        pq.write_table(table(made), path)
    elif kind == "arrow":
        pa.feather.write_feather(table(made), str(path))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in made))
    else:
        return written(made, folder / f"{kind}-{seed}.csv", *DIALECTS[kind])
    return path


def learned(path: Path) -> tuple[Schema, Reference]:
    with by_columns(open_source(path)) as source:
        schema = infer(LazyTable(source))
        return schema, build_reference(SourceColumns(source, schema), schema, every=86_400.0, min_rows=10)


def live(reference: Reference) -> bytes:
    """The profile of live rows under the reference's bins: what every live verdict is made of."""
    made = rows(5)
    features = {name: [row[name] for row in made] for name in made[0] if name != "time"}
    payload = {"id": [str(place) for place in range(ROWS)], "time": [0.0] * ROWS, "prediction": [None] * ROWS}
    frame = from_payload(payload | {"features": features}, reference.schema)
    return profile(frame, reference.binning).to_bytes()


@pytest.mark.parametrize("kind", [*DIALECTS, "arrow", "jsonl"])
def test_the_same_table_is_the_same_reference_report_and_live_verdict(kind: str, tmp_path: Path) -> None:
    schema, expected = learned(file("parquet", tmp_path))
    own, made = learned(file(kind, tmp_path))
    assert own == schema
    assert dict(own.features)["zip"] == "categorical"
    assert own.time == "time"
    assert (made.profile.to_bytes(), made.binning) == (expected.profile.to_bytes(), expected.binning)
    assert {key: limit.at(100) for key, limit in made.calibration.limits.items()} == {
        key: limit.at(100) for key, limit in expected.calibration.limits.items()
    }
    assert live(made) == live(expected)
    told = json.loads(compare(file(kind, tmp_path), file(kind, tmp_path, 1, 900.0)).to_json())
    other = json.loads(compare(file("parquet", tmp_path), file("parquet", tmp_path, 1, 900.0)).to_json())
    for report in (told, other):
        del report["reference"]["read"], report["current"]["read"]
    assert told == other
    assert told["drifted"]


def read(path: Path, text: str | bytes, **given: Any) -> tuple[pa.Table, tuple[str, ...]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    source = open_source(path, CsvOptions(**given))
    with by_columns(source) as whole:
        found: pa.Table = whole.read(0, whole.schema.names)
        again = pa.concat_tables(source.batches())  # type: ignore[union-attr]
        assert again.equals(found), "written at once, and read piece by piece"
        return found, whole.notes  # type: ignore[attr-defined]


CELLS: list[tuple[str, str, dict[str, Any], list[Any]]] = [
    ("an empty text is missing", "a,b\nx,1\n,2\n", {}, ["x", None]),
    ("an empty text in quotes, too", 'a,b\nx,1\n"",2\n', {}, ["x", None]),
    ("words for missing", "a\nx\nNULL\nNA\nnan\n", {}, ["x", None, None, None]),
    ("Namibia", "a\nNA\nDE\nFR\n", {}, ["NA", "DE", "FR"]),
    ("nulls as they are stated", "a\nx\nNULL\n?\n", {"nulls": ("?",)}, ["x", "NULL", None]),
    ("numbers with words for missing", "a\n1.5\nNA\n?\n", {"nulls": ("?", "NA")}, [1.5, None, None]),
    ("decimal commas", "a;b\n1,5;x\n-2,25;y\n", {}, [1.5, -2.25]),
    ("decimal commas and thousands", "a;b\n1.234,5;x\n2.000;y\n", {}, [1234.5, 2000.0]),
    ("thousands", 'a,b\n"1,234.5",x\n"12",y\n', {}, [1234.5, 12.0]),
    ("thousands between blanks", "a;b\n1 234,5;x\n12,25;y\n", {}, [1234.5, 12.25]),
    ("thousands of Switzerland", "a;b\n1'234.5;x\n12;y\n", {}, [1234.5, 12.0]),
    ("a comma of which nobody can tell", 'a,b\n"1,234",x\n"2,345",y\n', {}, [1234.0, 2345.0]),
    ("the same, as stated", 'a,b\n"1,234",x\n"2,345",y\n', {"decimal": ","}, [1.234, 2.345]),
    ("codes keep their zeros", "a,b\n01234,1\n99999,2\n", {}, ["01234", "99999"]),
    ("codes in quotes", 'a,b\n"007",1\n"12",2\n', {}, ["007", "12"]),
    ("times of the day are texts", "a\n08:30\n09:30\n", {}, ["08:30", "09:30"]),
    ("Excel's first line", "sep=;\na;b\n1;2\n3;4\n", {}, [1, 3]),
    ("blanks around a name", " a , b\n1, x\n2, y\n", {}, [1, 2]),
    ("a separator at each line's end", "a;b;\n1;x;\n2;y;\n", {}, [1, 2]),
    ("late numbers after an empty beginning", "a,b\n" + ",1\n" * 3 + "2.5,1\n", {}, [None, None, None, 2.5]),
]


@pytest.mark.parametrize(("text", "given", "expected"), [case[1:] for case in CELLS], ids=[case[0] for case in CELLS])
def test_cells_are_read_as_they_are_meant(
    text: str, given: dict[str, Any], expected: list[Any], tmp_path: Path
) -> None:
    found, _ = read(tmp_path / "rows.csv", text, **given)
    assert found["a"].to_pylist() == expected


@pytest.mark.parametrize(
    ("cells", "given", "day"),
    [
        (["13/02/2026", "01/03/2026"], {}, "2026-03-01"),
        (["02/13/2026", "03/01/2026"], {}, "2026-03-01"),
        (["2026/02/13", "2026/03/01"], {}, "2026-03-01"),
        (["02.03.2026", "01.03.2026"], {}, "2026-03-01"),
        (["02.01.2026", "01.03.2026"], {"dates": "month-first"}, "2026-01-03"),
        (["13/02/2026 10:00", "01/03/2026 11:30"], {}, "2026-03-01T11:30:00"),
    ],
)
def test_dates_are_read_in_the_order_that_fits_all(
    cells: list[str], given: dict[str, Any], day: str, tmp_path: Path
) -> None:
    found, notes = read(tmp_path / "rows.csv", "time,b\n" + "".join(f"{cell},1\n" for cell in cells), **given)
    assert found["time"][1].as_py().isoformat() == day
    assert any("dates" in note for note in notes)
    assert infer(found).time == "time"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_letters_and_names_are_read_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    found, notes = read(tmp_path / "rows.csv", "größe,stadt\n1,Köln\n2,Málaga\n".encode(encoding))
    assert found.to_pydict() == {"größe": [1, 2], "stadt": ["Köln", "Málaga"]}
    assert ("byte 0x" in notes[0]) == (encoding in ("latin-1", "cp1252"))


def test_a_late_letter_that_is_not_utf_8_changes_the_encoding_of_all(tmp_path: Path) -> None:
    text = b"a,b\n" + b"word,1\n" * 200_000 + "Köln,2\n".encode("latin-1")
    found, notes = read(tmp_path / "rows.csv", text)
    assert found["a"][-1].as_py() == "Köln"
    assert "byte 0xF6 in line 200,002" in notes[0]


def test_a_stated_encoding_that_is_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises((SchemaError, UnicodeError), match="utf-8"):
        read(tmp_path / "rows.csv", "a\nKöln\n".encode("latin-1"), encoding="utf-8")


@pytest.mark.parametrize("odd", ["-", "unknown", "12a", "1.2.3"])
def test_one_odd_cell_among_numbers_is_of_another_type(odd: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [str(place / 4) for place in range(2_000)]
    path.write_text("\n".join(["price,k", *(f"{line},1" for line in [*lines[:900], odd, *lines[900:]])]))
    _, reference = learned(path)
    assert dict(reference.schema.features)["price"] == "numeric"
    assert reference.profile.columns["f:price"].mismatched == 1
    moved = tmp_path / "now.csv"
    moved.write_text("\n".join(["price,k", *(f"{place + 5_000},1" for place in range(500)), f"{odd},1"]))
    report = compare(path, moved)
    assert report.columns[0].drifted
    assert report.columns[0].quality["type_mismatch_ratio"]["value"] == pytest.approx(1 / 501)
    assert repr(odd) in report.reference.read[1]


def test_texts_that_come_again_and_again_among_few_numbers_are_names(tmp_path: Path) -> None:
    found, _ = read(tmp_path / "rows.csv", "a,b\n" + "1,x\n2,x\n3,x\n" * 31 + "A,x\n" * 5)
    assert dict(infer(found).features)["a"] == "categorical"


def test_a_column_of_numbers_that_became_texts_is_drift(tmp_path: Path) -> None:
    before, now = tmp_path / "before.csv", tmp_path / "now.csv"
    before.write_text("a,b\n" + "".join(f"{place / 3},{place % 9}\n" for place in range(500)))
    now.write_text("a,b\n" + "".join(f"word,{place % 9}\n" for place in range(500)))
    report = compare(before, now)
    assert (report.drifted, report.columns[0].drifted, report.worse) == (True, True, True)
    assert "holds numbers in the reference, and texts in the current data" in str(report.columns[0].error)


@pytest.mark.parametrize("count", [1, 5, 100])
def test_a_table_compared_with_itself_is_neither_drift_nor_worse(count: int) -> None:
    half = [1.0, None] * count
    itself = pa.table(
        {
            "x": [float(place) for place in range(2 * count)],
            "half": half,
            "empty": pa.nulls(2 * count, pa.float64()),
            "nothing": pa.nulls(2 * count),
            "lists": [[1], [2]] * count,
            "same": ["a"] * (2 * count),
            "odd": pa.array([float("nan"), float("inf")] * count),
        }
    )
    report = compare(itself, itself)
    assert not report.drifted
    assert not report.worse, [(one.name, one.error, one.breaches) for one in report.columns]
    assert dict(report.excluded)["empty"] == "empty in both"


def test_a_name_that_stands_twice_is_said_of_its_table(tmp_path: Path) -> None:
    once, twice = tmp_path / "once.csv", tmp_path / "twice.csv"
    once.write_text("a,b\n" + "1,2\n" * 50)
    twice.write_text("a, a,b\n" + "1,2,3\n" * 50)
    with pytest.raises(SchemaError, match="'a' stands twice in the current data"):
        compare(once, twice)
    with pytest.raises(SchemaError, match="'a' stands twice in the reference"):
        compare(twice, once)


def test_integer_categories_of_pandas_are_categories(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"grade": pd.Categorical([1, 2, 3, None] * 20), "x": range(80)})
    frame.to_parquet(tmp_path / "rows.parquet")
    schema, reference = learned(tmp_path / "rows.parquet")
    assert dict(schema.features)["grade"] == "categorical"
    assert reference.binning.columns["f:grade"].own == ("1", "2", "3")
    assert not compare(tmp_path / "rows.parquet", frame).worse


def test_json_lines_with_one_odd_value_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"a": "-" if place == 9 else place, "b": "x"}) + "\n" for place in range(200)))
    schema, reference = learned(path)
    assert dict(schema.features)["a"] == "numeric"
    assert reference.profile.columns["f:a"].mismatched == 1
    path.write_text('{"a": 1}\n[1]\n')
    with pytest.raises(pa.ArrowInvalid, match="line 2 is no JSON object"):
        open_source(path).schema  # noqa: B018
