"""The demo as its users start it: processes, real flights, real HTTP."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.process import free_port

COMMAND = Path(sys.executable).with_name("watchkeeper")


class Demo:
    """`watchkeeper demo` in `folder`, with what it prints in a file. Its port is its own: several run side by side."""

    def __init__(self, folder: Path, output: Path, *arguments: str, port: int | None = None) -> None:
        self.output = output
        command = [str(COMMAND), "demo", "--dir", str(folder), "--port", str(port or free_port()), *arguments]
        with output.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_for(self, text: str, seconds: float = 180.0) -> None:
        end = time.monotonic() + seconds
        while text not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < end, f"{text!r} was not printed:\n{self.printed}"
            time.sleep(0.1)

    def end(self) -> None:
        """Whatever happened: leaves no process behind."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def played(folder: Path, tmp_path: Path, *arguments: str, seconds: float) -> tuple[dict[str, Any], str]:
    demo = Demo(folder, tmp_path / "out", "--once", "--json", str(tmp_path / "summary.json"), *arguments)
    try:
        assert demo.process.wait(seconds) == 0, demo.printed
    finally:
        demo.end()
    return json.loads((tmp_path / "summary.json").read_text()), demo.printed


@pytest.mark.release
@pytest.mark.timeout(240)
def test_three_days_from_start_to_end(flights_file: Path, tmp_path: Path) -> None:
    summary, printed = played(flights_file.parent, tmp_path, "--days", "3", "--speed", "50", seconds=200)
    assert summary["replay"]["predictions"] > 2_500
    assert 0.8 < summary["replay"]["labels"] / summary["replay"]["predictions"] < 1.0
    assert summary["faults"] == []
    assert summary["url"] in printed
    assert "0 messages were sent to the console" in printed


@pytest.mark.release
@pytest.mark.timeout(240)
def test_ctrl_c_ends_the_demo_and_all_its_processes(flights_file: Path, tmp_path: Path) -> None:
    demo = Demo(flights_file.parent, tmp_path / "out", "--days", "2", "--speed", "50")
    try:
        demo.wait_for("The replay is over; the page stays at")
        children = demo.children()
        assert len(children) >= 2
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(60) == 130, demo.printed
    finally:
        demo.end()
    assert psutil.wait_procs(children, timeout=30)[1] == []
    assert "Traceback" not in demo.printed


@pytest.mark.release
def test_a_second_demo_in_the_same_folder_is_refused(flights_file: Path, tmp_path: Path) -> None:
    first = Demo(flights_file.parent, tmp_path / "first", "--once", "--speed", "1")
    try:
        first.wait_for("Starting the model server")
        second = Demo(flights_file.parent, tmp_path / "second", "--once")
        assert second.process.wait(60) == 1
        assert "another demo runs in" in second.printed
    finally:
        first.end()


def test_a_taken_port_that_was_asked_for_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = Demo(tmp_path, tmp_path / "out", "--once", port=port)
        assert demo.process.wait(60) == 1
    assert f"port {port} is taken" in demo.printed


@pytest.mark.release
@pytest.mark.timeout(900)
def test_the_whole_year_with_its_faults(flights_file: Path, tmp_path: Path) -> None:
    json_file = tmp_path / "summary.json"
    demo = Demo(flights_file.parent, tmp_path / "out", "--speed", "5", "--json", str(json_file))
    try:
        demo.wait_for("messages were sent", seconds=800)
        [daemon] = [child for child in demo.children() if "monitor.daemon" in child.cmdline()]
        maps = Path(f"/proc/{daemon.pid}/maps").read_text()
    finally:
        demo.end()
    assert not re.search(r"/(numpy|pandas|scipy|sklearn|evidently|pyarrow)/", maps), "the daemon stays free of numerics"
    summary = json.loads(json_file.read_text())
    faults = {fault["name"]: fault for fault in summary["faults"]}
    assert list(faults) == ["kilometres", "missing", "slow"]
    for name in ("kilometres", "missing"):
        assert faults[name]["unit"] == "windows"
        assert 0 < faults[name]["to_fire"] <= 2, faults[name]
        assert 0 < faults[name]["to_resolve"] <= 3, faults[name]
    assert faults["slow"]["unit"] == "seconds"
    assert 0 < faults["slow"]["to_fire"] <= 30, faults["slow"]
    summer = [alert for alert in summary["alerts"] if alert["rule"] == "accuracy-low"]
    assert any("2013-06-01" <= alert["fired_at"] < "2013-09-01" for alert in summer)
    assert len(summary["messages"]) <= 30
    assert all(message["reason"] for message in summary["messages"])


@pytest.mark.release
@pytest.mark.timeout(900)
def test_the_whole_year_without_faults_raises_none_of_their_alerts(flights_file: Path, tmp_path: Path) -> None:
    summary, printed = played(flights_file.parent, tmp_path, "--no-faults", "--speed", "10", seconds=800)
    rules = {alert["rule"] for alert in summary["alerts"]}
    assert "accuracy-low" in rules, "the year itself brings change"
    assert rules & {"missing-values", "latency-high"} == set()
    assert not any(alert["labels"].get("feature") == "distance" for alert in summary["alerts"])
    assert "No fault was injected." in printed
