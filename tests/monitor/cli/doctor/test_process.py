from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from monitor.cli.doctor.process import process
from monitor.settings.server import CollectSettings, ProcessSettings, ServerSettings
from tests.e2e.process import free_port
from tests.monitor.cli.doctor.conftest import only, shown
from tests.monitor.collectors.as_nobody import as_nobody

COLLECT = CollectSettings()


def named(**how: object) -> ServerSettings:
    return ServerSettings(url="http://127.0.0.1:1", process=ProcessSettings.model_validate(how))


def test_the_process_is_named_with_the_reason() -> None:
    found = only(process(named(parent=True), COLLECT))
    assert found.status.value == "ok"
    assert found.found.startswith(f"pid {os.getppid()} (")
    assert "the process that started Watchkeeper" in found.found and "files open" in found.found


def test_one_that_is_asked_for_must_be_there() -> None:
    port = free_port()
    found = only(process(named(port=port), COLLECT))
    assert (found.status.value, found.found) == ("problem", f"nothing listens on port {port}")
    found = only(process(ServerSettings(url=f"http://127.0.0.1:{port}"), COLLECT))
    assert (found.status.value, "shareProcessNamespace" in found.todo) == ("missing", True)
    found = only(process(ServerSettings(url="http://192.0.2.1:80"), COLLECT))
    assert (found.status.value, found.found) == ("missing", "192.0.2.1 is not this machine")


def test_off_none_and_without_proc(tmp_path: Path) -> None:
    assert shown(process(None, COLLECT)) == ["off: no server is named"]
    assert shown(process(ServerSettings(url="http://h", process=False), COLLECT)) == ["off: server.process is false"]
    assert shown(process(named(pid=1), COLLECT, tmp_path)) == [f"problem: this system has no {tmp_path}"]


def test_one_that_may_not_be_looked_into_is_told_with_what_to_do() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        try:
            said = as_nobody(
                lambda: "\n".join(item.found + " " + item.todo for item in process(named(pid=other.pid), COLLECT))
            )
        finally:
            other.kill()
    assert "its container's limits can't be seen: Permission denied" in said, said
    assert "CAP_SYS_PTRACE" in said
