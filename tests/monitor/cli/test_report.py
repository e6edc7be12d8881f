"""`watchkeeper report`: what it prints and writes, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.checks.report.tables import MIXED, WRONG, fifty, with_three_wrong
from tests.e2e.process import COMMAND
from tests.monitor.cli.conftest import Command, Ran

KINDS = ("csv", "parquet", "arrow")


def write(frame: object, name: str) -> str:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if name.endswith(".csv"):
        csv.write_csv(table, name)
    elif name.endswith(".parquet"):
        pq.write_table(table, name)
    else:
        feather.write_feather(table, name)
    return name


@pytest.fixture
def files(watchkeeper: Command) -> list[str]:
    """--reference and --current, where `f03` has moved by two standard deviations."""
    moved = fifty(1_000, seed=1)
    moved["f03"] += 2
    return ["--reference", write(fifty(), "before.parquet"), "--current", write(moved, "now.csv")]


def parsed(ran: Ran) -> dict[str, dict[str, object]]:
    return {column["name"]: column for column in json.loads(ran.out)["columns"]}


@pytest.mark.parametrize("kind", KINDS)
def test_three_wrong_columns_cost_no_other(watchkeeper: Command, kind: str) -> None:
    wrong = with_three_wrong(fifty(seed=1))
    wrong["f23"] = [str(value) for value in wrong["f23"]]
    now = write(wrong, f"now.{kind}")
    ran = watchkeeper("report", "--reference", write(fifty(), f"before.{kind}"), "--current", now, "--json")
    assert (ran.status, ran.err) == (0, "")
    columns = parsed(ran)
    failed = {name: str(column["error"]) for name, column in columns.items() if column["error"]}
    assert (len(columns), set(failed)) == (50, WRONG - {MIXED})
    assert all(reason.startswith("has no value") for reason in failed.values())
    mismatch: Any = columns[MIXED]["quality"]
    assert mismatch["type_mismatch_ratio"]["value"] == 0.2


def test_drift_is_told_and_fails_only_where_asked_to(watchkeeper: Command, files: list[str]) -> None:
    told = watchkeeper("report", *files)
    assert told.status == 0
    assert "f03     drifted   psi" in told.out.splitlines()[1]
    assert told.out.splitlines()[-1].startswith("1 of 50 columns drifted (calibrated limits)")
    assert watchkeeper("report", *files, "--fail-on-drift").status == 3
    assert watchkeeper("report", *files, "--fail-on-drift", "--ignore", "f03").status == 0
    plain = json.loads(watchkeeper("report", *files, "--json").out)
    assert (plain["drifted"], plain["drifted_columns"]) == (True, 1)
    assert plain["reference"] == {"name": "before.parquet", "rows": 2000, "read": []}


def test_what_can_not_be_compared_fails_only_where_asked_to(watchkeeper: Command) -> None:
    ends = [
        "--reference",
        write(fifty(), "a.parquet"),
        "--current",
        write(fifty(seed=1).drop(columns="f01"), "b.parquet"),
    ]
    assert watchkeeper("report", *ends, "--fail-on-drift").status == 0
    assert watchkeeper("report", *ends, "--fail-on-quality").status == 3


@pytest.mark.parametrize("preset", ["evidently", "nannyml"])
def test_exact_presets(watchkeeper: Command, files: list[str], preset: str) -> None:
    columns = parsed(watchkeeper("report", *files, "--preset", preset, "--json"))
    assert columns["f03"]["drifted"] is True
    assert columns["f03"]["method"] == {"evidently": "wasserstein", "nannyml": "jensen_shannon"}[preset]


def test_outputs_may_be_combined(watchkeeper: Command, files: list[str]) -> None:
    ran = watchkeeper("report", *files, "--json", "--html", "report.html", "--png", "report.png")
    assert ran.status == 0
    assert ran.err == "written to report.html\nwritten to report.png\n"
    assert json.loads(ran.out)["drifted"] is True
    assert Path("report.html").read_text("utf-8").startswith("<!doctype html>")
    with Image.open("report.png") as image:
        assert image.format == "PNG"


def test_a_page_or_a_picture_may_go_to_stdout(watchkeeper: Command, files: list[str]) -> None:
    page = watchkeeper("report", *files, "--html", "-")
    assert (page.status, page.out.startswith("<!doctype html>")) == (0, True)
    # As a process of its own: its standard output takes bytes.
    drawn = subprocess.run([COMMAND, "report", *files, "--png", "-"], capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.format == "PNG"
    ran = watchkeeper("report", *files, "--html", "-", "--json")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "only one of --json, --html - and --png - can go to stdout\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reference", "before.parquet"], "give both --reference FILE and --current FILE"),
        (["--reference", "gone.csv", "--current", "now.csv"], "the reference gone.csv does not exist; give the path"),
        (
            ["--reference", "now.csv", "--current", "gone.csv"],
            "the current file gone.csv does not exist; give the path",
        ),
        (["--reference", "now.csv", "--current", "broken.parquet"], "the current file broken.parquet can't be read ("),
        (["--reference", "now.csv", "--current", "now.xls"], "now.xls is of no known kind; give a .parquet, .csv"),
        (["--reference", "now.csv", "--current", "empty.csv"], "empty.csv holds no rows, so there is nothing to"),
        (["--reference", "now.csv", "--current", "now.csv", "--preset", "mine"], "there is no preset 'mine'; take one"),
        (["--reference", "now.csv", "--current", "now.csv", "--columns", "f_03"], "did you mean 'f03'?"),
        (
            ["--reference", "now.csv", "--current", "now.csv", "--html", "no/where.html"],
            "no/where.html can't be written",
        ),
        (["--reference", "now.csv", "--current", "now.csv", "--model", "m"], "give --config FILE too"),
    ],
)
def test_what_can_not_run_is_one_sentence(
    watchkeeper: Command, files: list[str], arguments: list[str], said: str
) -> None:
    Path("broken.parquet").write_bytes(b"PAR1 nothing")
    Path("now.xls").write_bytes(b"x")
    Path("empty.csv").write_text("f03,f04\n")
    ran = watchkeeper("report", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_config_gives_reference_schema_and_ignored_columns(watchkeeper: Command, files: list[str]) -> None:
    Path("watchkeeper.yaml").write_text(
        "model: m\nreference: before.parquet\nschema: {target: c0, features: {f03: numeric}, ignore: [f05]}\n"
        "checks: {drift: {ignore: [f04], importance: weights.json}}\n"
    )
    Path("weights.json").write_text('{"f03": 2.5}')
    ran = watchkeeper("report", "--config", "watchkeeper.yaml", *files[2:], "--json")
    assert ran.status == 0
    columns = parsed(ran)
    assert columns["c0"]["role"] == "target"
    assert {"f04", "f05"}.isdisjoint(columns)
    assert (columns["f03"]["drifted"], columns["f03"]["importance"]) == (True, 2.5)
    assert columns["f06"]["importance"] is None


def test_names_from_data_are_no_markup_on_the_terminal(watchkeeper: Command) -> None:
    frame = fifty()[["f00"]].set_axis(["[red]x[/red]\x1b[31m"], axis=1)
    ran = watchkeeper("report", "--reference", write(frame, "a.parquet"), "--current", write(frame, "b.parquet"))
    assert "[red]x[/red] [31m" in ran.out
    assert "\x1b" not in ran.out


def test_it_needs_neither_evidently_nor_a_database(files: list[str]) -> None:
    program = (
        "import sys; sys.argv = ['watchkeeper', 'report', *sys.argv[1:]]\n"
        "from monitor.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sorted({'evidently', 'alembic', 'litestar', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", program, *files, "--json"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_names_with_commas_and_how_files_are_written_can_be_said(watchkeeper: Command) -> None:
    rows = "".join(f"{place % 9},5;{place % 7};x\n" for place in range(300))
    Path("a.csv").write_text("price, EUR;k;b\n" + rows)
    ends = ["--reference", "a.csv", "--current", "a.csv", "--json", "--fail-on-drift", "--fail-on-quality"]
    whole = parsed(watchkeeper("report", *ends, "--columns", "price, EUR,k"))
    assert set(whole) == {"price, EUR", "k"}
    assert set(parsed(watchkeeper("report", *ends, "--ignore", '"price, EUR",b'))) == {"k"}
    assert set(parsed(watchkeeper("report", *ends, "--columns", "k", "--columns", "b"))) == {"k", "b"}
    assert whole["price, EUR"]["type"] == "numeric"
    assert parsed(watchkeeper("report", *ends, "--decimal", "."))["price, EUR"]["type"] == "categorical"
    read = json.loads(watchkeeper("report", *ends).out)["reference"]["read"]
    assert read == ["read as CSV with separator ';', encoding utf-8, decimal mark ','"]
    refused = watchkeeper("report", *ends, "--encoding", "klingon")
    assert (refused.status, refused.out) == (2, "")
    assert "there is no encoding 'klingon'" in refused.err


def test_what_was_decided_of_the_reference_s_file_is_shown_and_can_be_stated(watchkeeper: Command) -> None:
    odd = ["-" if place == 50 else f"{place},25" for place in range(300)]
    Path("rows.csv").write_bytes("".join(["preis;größe\n", *(f"{cell};groß\n" for cell in odd)]).encode("latin-1"))
    Path("wk.yaml").write_text("model: m\nreference: {path: rows.csv}\ncollect: {gpu: false}\n")
    told = watchkeeper("check-config", "--config", "wk.yaml").out
    assert "separator ';', encoding cp1252 (not utf-8: byte 0xF6 in line 1), decimal mark ','" in told
    assert "column 'preis': numbers, but 1 cell is none, of 300 ('-')" in told
    assert watchkeeper("reference", "build", "--config", "wk.yaml").status == 0
    shown = watchkeeper("reference", "show", "--config", "wk.yaml").out
    assert "column 'preis': numbers, but 1 cell is none, of 300 ('-')" in shown
    Path("wk.yaml").write_text('model: m\nreference: {path: rows.csv, csv: {decimal: "."}}\ncollect: {gpu: false}\n')
    assert "decimal mark '.'" in watchkeeper("check-config", "--config", "wk.yaml").out
    assert "1 categorical" in watchkeeper("check-config", "--config", "wk.yaml").out
