"""`watchkeeper doctor` beside real servers, and without any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import COMMAND, free_port, wait_for
from tests.e2e.test_slack import ask
from tests.fakes.slack import TOKEN, FakeSlack
from tests.servers.alertmanager import Alertmanager

from .conftest import Command, Ran
from .test_setup import REFERENCE, write


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
    assert "There is no watchkeeper.yaml here" in ran.out
    assert "gpu" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 100


def test_a_config_that_is_named_must_be_there(watchkeeper: Command) -> None:
    ran = watchkeeper("doctor", "--config", "other.yaml")
    assert (ran.status, "there is no such file" in ran.err) == (2, True)


def test_all_is_found_where_all_is_there(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("reference.csv").write_text(REFERENCE)
    with FakeSlack() as slack, Alertmanager(tmp_path / "alertmanager") as alertmanager:
        write(f"""
model: delays
reference: reference.csv
server: {{url: "{server}"}}
probes:
  - {{name: metrics, url: "{server}/metrics"}}
  - {{name: teapot, url: "{server}/nothing"}}
slack: {{channel: "#ml-oncall", api_url: "{slack.api_url}", direct: true}}
alertmanager: {{members: ["{alertmanager.url}"]}}
""")
        # As a process of its own: the server may not be one of its children.
        environment = {**os.environ, "SLACK_BOT_TOKEN": TOKEN}
        command = [COMMAND, "doctor", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        ran = Ran(done.returncode, done.stdout, done.stderr)
        found = findings(ran)
        assert found["delays: reference"][0] == "ok", found
        assert found["delays: server"][0] == "ok", found
        assert found["delays: process"][0] == "ok", found
        assert found["delays: probe metrics"] == ("ok", "answered as expected")
        assert found["delays: probe teapot"][0] == "problem"
        assert "404" in found["delays: probe teapot"][1]
        assert found["slack"][0] == "ok", found
        assert found[f"alertmanager {alertmanager.url.removeprefix('http://')}"][0] == "ok", found
        assert found["daemon"][0] == "missing"
        assert (ran.status, "1 problem found" in ran.err) == (1, True)
        assert TOKEN not in ran.out + ran.err
        assert slack.posts() == [], "nobody is told"


def test_a_scope_that_is_missing_is_named(watchkeeper: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    with FakeSlack() as slack:
        write(f'model: delays\nslack: {{channel: "#ml-oncall", api_url: "{slack.api_url}"}}\n')
        slack.scopes = ["channels:read"]
        status, text = findings(watchkeeper("doctor", "--json"))["slack"]
        assert (status, "scope chat:write is missing" in text) == ("problem", True)
        slack.scopes = ["chat:write"]
        status, text = findings(watchkeeper("doctor", "--json"))["slack"]
        assert (status, "chat:write.public" in text) == ("missing", True)


def test_a_refused_token_is_a_problem_and_shown_nowhere(watchkeeper: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong-one")
    with FakeSlack() as slack:
        write(f'model: delays\nslack: {{channel: "#ml-oncall", api_url: "{slack.api_url}"}}\n')
        ran = watchkeeper("doctor", "--json")
        assert findings(ran)["slack"] == ("problem", "refuses the token: invalid_auth")
        assert "wrong-one" not in ran.out + ran.err


def test_what_is_not_there_is_said_with_what_to_do(watchkeeper: Command) -> None:
    write(f"""
model: delays
server: {{url: "http://127.0.0.1:{free_port()}"}}
alertmanager: {{members: ["http://127.0.0.1:{free_port()}"]}}
database: sqlite:///nowhere/w.db
""")
    ran = watchkeeper("doctor")
    assert ran.status == 1
    for text in ("connection refused", "start it", "the folder", "is not there"):
        assert text in " ".join(ran.out.split()), ran.out
    assert not Path("nowhere").exists(), "nothing is changed"
