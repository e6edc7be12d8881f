from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.monitor.cli.conftest import Command

BASH = """
eval "$(watchkeeper --show-completion)"
COMP_WORDS=(watchkeeper check) COMP_CWORD=1
_watchkeeper_completion watchkeeper
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("asked", ["version", "--version"])
def test_the_version_is_printed(watchkeeper: Command, asked: str) -> None:
    done = watchkeeper(asked)
    assert (done.status, done.out) == (0, f"watchkeeper {version('watchkeeper')}\n")


def test_bash_completes_a_command(watchkeeper: Command) -> None:
    assert "--install-completion" in watchkeeper("--help").out
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", BASH], env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("check-config\n", "")
