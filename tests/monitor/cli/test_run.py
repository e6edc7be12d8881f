from __future__ import annotations

import os
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from monitor.cli.run import _without_docstrings
from monitor.config import handover
from tests.monitor.cli.conftest import Command


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the process was replaced by, as its child is still checking."""
    calls: list[list[str]] = []

    def execv(path: str, arguments: list[str]) -> None:
        calls.append([path, *arguments])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(os, "fork", lambda: 4711)
    return calls


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the child that checks would hand over."""
    given: list[str] = []
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr("monitor.cli.run._hand_over", lambda settings, pipe: given.append(handover.pack(settings)))
    return given


def write(text: str) -> None:
    Path("watchkeeper.yaml").write_text(text)


def test_run_becomes_the_daemon(watchkeeper: Command, become: list[list[str]]) -> None:
    watchkeeper("run", "--config", "sub/w.yaml")
    interpreter = [sys.executable, "-P", "-X", "no_debug_ranges", *_without_docstrings()]
    (arguments,) = become
    pipe, _, checking = arguments.pop(-5).removeprefix("plain_settings=").partition(",")
    assert arguments == [sys.executable, *interpreter, "-X", "-m", "monitor.daemon", "--config", "sub/w.yaml"]
    assert os.get_inheritable(int(pipe)) and checking == "4711"
    os.close(int(pipe))


def test_run_upgrades_the_database_and_hands_the_config_over(watchkeeper: Command, checked: list[str]) -> None:
    Path("sub").mkdir()
    Path("sub/w.yaml").write_text("model: delays\nlisten: 127.0.0.1:0\n")
    ran = watchkeeper("run", "--config", "sub/w.yaml")
    assert (ran.status, ran.err) == (0, "")
    assert handover.unpack(checked[0]).models[0].model == "delays"
    tables = {name for (name,) in sqlite3.connect("sub/watchkeeper.db").execute("select name from sqlite_master")}
    assert {"arrivals", "alerts", "alembic_version"} <= tables


def refused(watchkeeper: Command, checked: list[str]) -> str:
    """The one sentence with which `run` refuses to start."""
    ran = watchkeeper("run")
    assert (ran.status, ran.out, checked) == (2, "", [])
    (sentence,) = ran.err.splitlines()
    return sentence


def test_a_missing_config_says_how_to_get_one(watchkeeper: Command, checked: list[str]) -> None:
    assert refused(watchkeeper, checked).startswith("watchkeeper.yaml: there is no such file; `watchkeeper init`")


def test_a_port_that_is_taken(watchkeeper: Command, checked: list[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        write(f"model: delays\nlisten: 127.0.0.1:{port}\n")
        sentence = refused(watchkeeper, checked)
    assert sentence == f"listen: 127.0.0.1:{port} is in use by another process; stop it, or set another port in listen"


def test_an_address_of_another_machine(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nlisten: 192.0.2.1:80\ninsecure: true\n")
    assert refused(watchkeeper, checked).startswith("listen: 192.0.2.1:80 can't be listened on: Cannot assign")


def test_a_slack_channel_without_a_token(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nslack: {channel: '#ml'}\n")
    sentence = refused(watchkeeper, checked)
    assert sentence.startswith("watchkeeper.yaml:2: slack: there is no bot token for channel #ml")
    assert "SLACK_BOT_TOKEN" in sentence


def test_a_reference_without_the_named_columns(watchkeeper: Command, checked: list[str]) -> None:
    Path("r.csv").write_text("a,b\n1,2\n3,4\n")
    write("model: delays\nreference: r.csv\nschema: {target: late}\nlisten: 127.0.0.1:0\n")
    sentence = refused(watchkeeper, checked)
    assert sentence.startswith("model delays: ") and "'late'" in sentence


def test_a_reference_that_does_not_exist(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nreference: r.csv\nlisten: 127.0.0.1:0\n")
    assert "r.csv does not exist" in refused(watchkeeper, checked)


def test_a_database_that_is_none(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nlisten: 127.0.0.1:0\n")
    Path("watchkeeper.db").write_text("this is no database, and it is long enough to be looked at as one" * 20)
    sentence = refused(watchkeeper, checked)
    assert "watchkeeper.db is damaged or not a database" in sentence
    assert "restore a backup" in sentence


def test_a_database_that_is_corrupt_inside(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nlisten: 127.0.0.1:0\n")
    assert watchkeeper("db", "upgrade").status == 0
    connection = sqlite3.connect("watchkeeper.db")
    connection.execute("pragma wal_checkpoint(truncate)")
    size = connection.execute("pragma page_size").fetchone()[0]
    page = connection.execute("select rootpage from sqlite_master where name = 'arrivals_model_seq'").fetchone()[0]
    connection.close()
    with Path("watchkeeper.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x55" * size)
    sentence = refused(watchkeeper, checked)
    assert "watchkeeper.db" in sentence and "damaged" in sentence


def test_a_database_whose_folder_is_not_there(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nlisten: 127.0.0.1:0\ndatabase: sqlite:///no/such/w.db\n")
    sentence = refused(watchkeeper, checked)
    assert "can't be opened" in sentence and "folder must exist" in sentence


def test_a_database_of_an_unknown_kind(watchkeeper: Command, checked: list[str]) -> None:
    write("model: delays\nlisten: 127.0.0.1:0\ndatabase: 'oracel://u:hunter2@h/d'\n")
    sentence = refused(watchkeeper, checked)
    assert "can't be opened" in sentence and "hunter2" not in sentence


def test_a_locked_database(watchkeeper: Command, checked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.engine.BUSY_SECONDS", 0.1)
    write("model: delays\nlisten: 127.0.0.1:0\n")
    watchkeeper("db", "upgrade")
    other = sqlite3.connect("watchkeeper.db", isolation_level=None)
    other.execute("begin immediate")
    try:
        assert "is locked by another process" in refused(watchkeeper, checked)
    finally:
        other.close()


def test_every_problem_is_told_at_once(watchkeeper: Command, checked: list[str]) -> None:
    models = "models:\n- {model: a, reference: a.csv}\n- {model: b, reference: b.csv}\n"
    write(f"{models}listen: 192.0.2.1:80\ninsecure: true\n")
    ran = watchkeeper("run")
    assert (ran.status, len(ran.err.splitlines())) == (2, 3)
