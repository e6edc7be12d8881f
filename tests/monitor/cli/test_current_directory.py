"""A user's own `checks/`, `monitor.py` and the like in the directory where a command is called."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import util
from pathlib import Path

import pytest

import watchkeeper_cli
from monitor.cli.run import daemon_command
from monitor.worker.process import _interpreter

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that has everything by our names, and two of the standard library's."""
    for name in ("monitor.py", "alerts.py", "signal.py", "logging.py"):
        (tmp_path / name).write_text(f"raise SystemExit('the project has its own {name}')")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "__init__.py").write_text("ours = True")
    (tmp_path / "before.csv").write_text("a,b\n" + "".join(f"{i % 7},{i % 3}\n" for i in range(300)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ["", ".", os.pathsep + "/nowhere"])
def test_the_command_is_the_same_in_a_project_with_such_names(project: Path, path: str) -> None:
    command = [BIN / "watchkeeper", "--version"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["watchkeeper"]), done.stderr


def test_what_the_docs_show_for_such_a_project_works_beside_its_own_checks(project: Path) -> None:
    page = (ROOT / "docs" / "report.md").read_text()
    [code] = [part.partition("```")[0] for part in page.split("```python\n")[1:] if "subprocess" in part]
    code = code.replace("train.parquet", "before.csv").replace("today.parquet", "before.csv")
    (project / "logging.py").unlink()
    (project / "signal.py").unlink()
    (project / "use.py").write_text(f"import checks\nassert checks.ours\n{code}")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "use.py"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_which_entries_of_the_path_are_left_out(project: Path, tmp_path: Path) -> None:
    (tmp_path / "libraries").mkdir()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "alerts.py").touch()
    found = {entry: watchkeeper_cli.is_foreign(entry) for entry in ("", ".", str(project), "libraries", "source")}
    assert found == {"": True, ".": True, str(project): True, "libraries": False, "source": True}
    assert not watchkeeper_cli.is_foreign(str(ROOT)), "where Watchkeeper lies"


def test_every_process_that_is_started_runs_without_the_current_directory() -> None:
    assert "-P" in daemon_command(Path("watchkeeper.yaml"))
    with _interpreter():
        flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
    assert flags.count("-P") == 1
    started = [
        line
        for path in (ROOT / "monitor").rglob("*.py")
        for line in path.read_text().splitlines()
        if "[sys.executable" in line and '"-' in line
    ]
    assert started and [line for line in started if '"-P"' not in line] == []
