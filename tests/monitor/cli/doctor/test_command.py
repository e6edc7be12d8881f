"""`watchkeeper doctor` beside real servers, and without any."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli.doctor.finding import Finding, FindingStatus, ok
from monitor.cli.doctor.lines import WIDTH, lines
from tests.e2e.process import COMMAND, Daemon, free_port, wait_for
from tests.e2e.serving import ask
from tests.fakes.slack import TOKEN, FakeSlack
from tests.monitor.cli.conftest import Command, Ran
from tests.monitor.cli.test_setup import REFERENCE, write
from tests.servers.alertmanager import Alertmanager


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)])
    try:
        wait_for(lambda: ask(f"{url}/metrics") == 200, "the model server answers")
        yield url
    finally:
        process.terminate()
        process.wait()


def findings(ran: Ran) -> dict[str, tuple[str, str]]:
    plain = json.loads(ran.out)
    return {item["name"]: (item["status"], item["found"]) for item in plain["findings"]}


def test_without_a_config_the_machine_is_looked_at(watchkeeper: Command) -> None:
    ran = watchkeeper("doctor")
    assert "there is no watchkeeper.yaml here: only the machine is looked at" in " ".join(ran.out.split())
    assert (ran.status, ran.err) == (0, "")
    found = json.loads(watchkeeper("doctor", "--json").out)
    assert (found["config"], found["problems"]) == (None, 0)
    assert {"watchkeeper", "config", "limits", "gpu", "container", "clock"} == {
        item["name"] for item in found["findings"]
    }


def test_a_config_that_is_named_must_be_there(watchkeeper: Command) -> None:
    ran = watchkeeper("doctor", "--config", "other.yaml")
    assert (ran.status, "there is no such file" in ran.err) == (2, True)


def test_all_is_found_where_all_is_there(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("reference.csv").write_text(REFERENCE)
    with FakeSlack() as slack, Alertmanager(tmp_path / "alertmanager") as alertmanager:
        write(f"""
model: delays
listen: 127.0.0.1:{free_port()}
reference: reference.csv
server: {{url: "{server}"}}
probes:
  - {{name: metrics, url: "{server}/metrics"}}
  - {{name: teapot, url: "{server}/nothing"}}
slack: {{channel: "#ml-oncall", api_url: "{slack.api_url}", also_direct: true}}
alertmanager: {{members: ["{alertmanager.url}"]}}
""")
        # As a process of its own: the server may not be one of its children.
        environment = {**os.environ, "SLACK_BOT_TOKEN": TOKEN}
        done = subprocess.run(
            [COMMAND, "doctor", "--json"], env=environment, capture_output=True, text=True, check=False
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        found = findings(ran)
        assert found["delays: reference"][0] == "ok", found
        assert found["delays: server"][0] == "ok", found
        assert found["delays: process"][0] == "ok", found
        assert found["delays: probe metrics"][0] == "ok", found
        assert found["delays: probe teapot"][0] == "problem"
        assert "404" in found["delays: probe teapot"][1]
        assert (found["slack"][0], "chat:write.public" in found["slack"][1]) == ("missing", True), found
        assert found[f"alertmanager {alertmanager.url.removeprefix('http://')}"][0] == "ok", found
        assert found["daemon"][0] == "missing"
        assert (ran.status, "1 problem found" in ran.err) == (1, True)
        assert TOKEN not in ran.out + ran.err
        assert slack.posts() == [], "nobody is told"
        assert server.removeprefix("http://") in found["clock"][1], "clocks are held against each other"


def test_what_is_not_there_is_said_with_what_to_do(watchkeeper: Command) -> None:
    write(f"""
model: delays
server: {{url: "http://127.0.0.1:{free_port()}"}}
alertmanager: {{members: ["http://127.0.0.1:{free_port()}"]}}
database: sqlite:///nowhere/w.db
""")
    ran = watchkeeper("doctor")
    assert (ran.status, ran.err) == (1, "3 problems found\n")
    assert max(len(line) for line in ran.out.splitlines()) <= 100
    for text in ("connection refused", "start it", "the folder", "is not there"):
        assert text in " ".join(ran.out.split()), ran.out
    assert not Path("nowhere").exists(), "nothing is changed"


def test_beside_a_running_daemon(tmp_path: Path, watchkeeper: Command) -> None:
    with Daemon(tmp_path, f'model: delays\nserver: {{url: "http://127.0.0.1:{free_port()}"}}\n') as daemon:
        found = findings(watchkeeper("doctor", "--json"))
        assert found["daemon"][1] == f"runs on 127.0.0.1:{daemon.port} (pid {daemon.pid}), takes data"
        assert found["database"][0] == "ok", found


def test_data_can_neither_paint_nor_break_the_page() -> None:
    found = [
        Finding("a" * 90, FindingStatus.PROBLEM, "x [bold red]not markup[/] \x1b[31mred " + "y" * 300, "do\nthis"),
        ok("", ""),
    ]
    text = [line for _, line in lines(found)]
    assert max(len(line) for line in text) <= WIDTH
    assert "[bold red]not markup[/]" in " ".join(text)
    assert not any("\x1b" in line or "\n" in line for line in text)
    assert max(len(line) for _, line in lines(found, 20)) <= 80, "on a narrow terminal the names stay whole"


def test_a_terminal_is_given_colours_and_a_pipe_is_not(tmp_path: Path) -> None:
    reading, writing = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    done = subprocess.Popen([COMMAND, "doctor"], cwd=tmp_path, stdout=writing, env=environment)
    os.close(writing)
    seen = b""
    with contextlib.suppress(OSError):  # a terminal whose other side has gone
        while piece := os.read(reading, 1 << 16):
            seen += piece
    os.close(reading)
    assert done.wait() == 0
    assert b"\x1b[32mok" in seen
    plain = subprocess.run([COMMAND, "doctor"], cwd=tmp_path, capture_output=True, env=environment, check=True).stdout
    assert b"\x1b" not in plain
