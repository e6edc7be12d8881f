"""Weights of features from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.importance_file import ImportanceError, read_importance
from monitor.config.load import load
from monitor.worker.messages import ModelOptions

WEIGHTS = {"temp": 0.4, "wind": 2.0}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.json", '{\n\t"temp": 0.4,\n\t"wind": 2\n}'),
        ("w.yaml", "temp: 0.4\nwind: 2\n"),
        ("w.yml", "# as of March\n'temp': 4e-1\nwind: 2\n"),
        ("w.csv", "temp,0.4\nwind,2\n"),
        ("w.csv", "feature,importance\r\ntemp,0.4\r\n\r\nwind, 2\r\n"),
        ("w.csv", ",0\ntemp,0.4\nwind,2.0\n"),
        ("W.CSV", '\ufeff"temp",0.4\n"wind",2'),
    ],
)
def test_each_kind_of_file(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8", newline="")
    assert read_importance(tmp_path / name) == WEIGHTS


def test_names_may_be_any_text(tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text('"a, b",1\n"two\nlines",2\n7,3\n', "utf-8")
    assert read_importance(file) == {"a, b": 1.0, "two\nlines": 2.0, "7": 3.0}
    (tmp_path / "w.yaml").write_text('7: 3\n"yes": 1\n', "utf-8")
    assert read_importance(tmp_path / "w.yaml") == {"7": 3.0, "yes": 1.0}


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("w.json", '{"temp": 0.4,\n "wind": }', 2, "not valid JSON: Expecting value"),
        ("w.json", '{"temp": 0.4,\n "wind": -1}', 2, "the weight of 'wind' is '-1'; give a feature and its weight"),
        ("w.json", '{"temp": 1,\n\n "temp": 2}', 3, "key 'temp' stands twice; it is already on line 1"),
        ("w.json", "[1, 2]", 1, "holds a list or a single value"),
        ("w.json", '{"temp": true}', 1, "the weight of 'temp' is 'True'"),
        ("w.json", '{"temp": NaN}', 1, "the weight of 'temp' is 'NaN'"),
        ("w.json", "{}", None, "names no feature"),
        ("w.yaml", "", None, "names no feature"),
        ("w.yaml", "temp: 1\nwind: [1\n", 3, "not valid YAML"),
        ("w.yaml", "temp: 1\nwind: {gain: 3}\n", 2, "the weight of 'wind' is"),
        ("w.yaml", "temp: 1\non: 3\n", 2, "True is no feature's name; put it in quotes"),
        ("w.csv", "feature,importance\n", None, "names no feature"),
        ("w.csv", "feature,importance\ntemp,1\nwind,x\n", 3, "the weight of 'wind' is 'x'"),
        ("w.csv", "temp,1\nwind,inf\n", 2, "the weight of 'wind' is 'inf'"),
        ("w.csv", "temp,1\nwind,1,3\n", 2, "has 3 columns; give a feature and its weight"),
        ("w.csv", "temp;1\n", 1, "has 1 column;"),
        ("w.csv", "temp,1\n\n,2\n", 3, "has a weight without a feature"),
        ("w.csv", "a,1\nb,2\na,3\n", 3, "feature 'a' stands twice; it is already on line 1"),
        ("w.csv", 'a,"1"x\n', 1, "not valid CSV"),
        ("w.parquet", "", None, "is of no known kind; give .json, .yaml, .yml or .csv"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(name: str, text: str, line: int | None, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ImportanceError) as error:
        read_importance(tmp_path / name)
    assert error.value.line == line
    assert said in str(error.value)


def test_a_file_that_is_no_text_or_no_file(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_bytes(b"temp,\xff\n")
    (tmp_path / "w.json").mkdir()
    for name, said in (
        ("w.csv", r"not UTF-8 text \(byte 5\)"),
        ("w.json", "can't be read"),
        ("no.csv", "no such file"),
    ):
        with pytest.raises(ImportanceError, match=said):
            read_importance(tmp_path / name)


def test_the_config_s_folder_is_where_it_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("temp,0.4\nwind,2\n")
    file = tmp_path / "watchkeeper.yaml"
    file.write_text("model: m\nchecks: {drift: {importance: w.csv}}\n")
    (model,) = load(file).models
    assert ModelOptions.of(model).checks.importance == {"temp": 0.4, "wind": 2.0}


def test_errors_name_the_file_and_both_lines(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("temp,0.4\nwind,strong\n")
    file = tmp_path / "watchkeeper.yaml"
    file.write_text(
        "models:\n- model: a\n- model: m\n  checks:\n    drift:\n      importance: w.csv\n- model: n\n"
        "  checks: {drift: {importance: gone.json}}\n"
    )
    with pytest.raises(ConfigError) as error:
        load(file)
    first, second = str(error.value).splitlines()
    assert first.startswith(f"{file}:6: checks.drift.importance: w.csv:2: the weight of 'wind' is 'strong'; give a")
    assert second == f"{file}:8: checks.drift.importance: gone.json: there is no such file"


def test_what_is_neither_weights_nor_a_path(tmp_path: Path) -> None:
    file = tmp_path / "watchkeeper.yaml"
    file.write_text("model: m\nchecks: {drift: {importance: 7}}\n")
    with pytest.raises(ConfigError, match=r"importance must be a section with keys of its own or a path"):
        load(file)
