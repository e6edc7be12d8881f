from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from grafana.__main__ import files
from tests.monitor.cli.conftest import Command


def page(board: dict[str, Any]) -> str:
    (found,) = [variable for variable in board["templating"]["list"] if variable["name"] == "page"]
    assert found["current"]["value"] == found["query"]
    return str(found["query"])


def test_they_are_written_as_they_are_shipped(watchkeeper: Command) -> None:
    ran = watchkeeper("dashboards", "export", "boards/watchkeeper")
    assert (ran.status, ran.out, ran.err) == (0, "", "5 dashboards written to boards/watchkeeper\n")
    written = {path.name: path.read_text(encoding="utf-8") for path in Path("boards/watchkeeper").iterdir()}
    assert written == files()


def test_links_go_to_the_page_that_is_named(watchkeeper: Command) -> None:
    assert watchkeeper("dashboards", "export", "boards", "--page", "https://watch.example.com/ml/").status == 0
    for path in Path("boards").iterdir():
        assert page(json.loads(path.read_text(encoding="utf-8"))) == "https://watch.example.com/ml"
    ran = watchkeeper("dashboards", "export", "boards", "--page", "watch.example.com")
    assert (ran.status, ran.err) == (2, "--page: this is no URL of a server; write http://127.0.0.1:8080\n")


def test_config_maps_are_small_enough_for_kubectl_apply(watchkeeper: Command) -> None:
    assert watchkeeper("dashboards", "export", "maps", "--kubernetes").status == 0
    for path in Path("maps").iterdir():
        text = path.read_text(encoding="utf-8")
        whole = yaml.safe_load(text)
        assert whole["metadata"]["labels"]["grafana_dashboard"] == "1"
        (board,) = whole["data"].values()
        assert json.loads(board)["uid"] == whole["metadata"]["name"]
        assert len(json.dumps(whole)) < 200_000


def test_a_place_that_can_t_be_written_to_is_named(watchkeeper: Command) -> None:
    Path("file").write_text("")
    ran = watchkeeper("dashboards", "export", "file")
    assert (ran.status, ran.err) == (1, "file can't be written: File exists\n")
