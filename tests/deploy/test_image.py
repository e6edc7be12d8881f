"""The image's steps, run as they stand in deploy/Dockerfile, but in folders of the test's own: no container engine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.process import free_port, wait_for

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
HOME = "/opt/watchkeeper"


def build_stage(dockerfile: str = DOCKERFILE) -> list[tuple[str, str]]:
    """The first stage's instructions after FROM, as (word, rest)."""
    stage = dockerfile.split("\nFROM ")[1]
    lines = [line for line in stage.splitlines()[1:] if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_everything_that_is_copied_is_there_and_let_through() -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    for word, rest in build_stage():
        for source in shlex.split(rest)[:-1] if word == "COPY" else ():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored


def build(steps: list[tuple[str, str]], source: Path, home: Path) -> None:
    """Runs the stage's COPY and RUN, in `source` and for an installation in `home`; users are left as they are."""
    source.mkdir()
    writing = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for word, rest in steps:
        *sources, target = shlex.split(rest)
        if word == "COPY":
            for name in sources:
                if (ROOT / name).is_dir():
                    ignore = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / name, source / target, ignore=ignore, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / name, source)
        elif word == "RUN" and not rest.startswith("useradd"):
            command = re.sub(r"\bpython -m venv", f"{sys.executable} -m venv", rest).replace(HOME, str(home))
            subprocess.run(["sh", "-ec", command], cwd=source, env=writing, check=True, timeout=500)


@pytest.mark.release
@pytest.mark.timeout(600)
def test_the_demo_s_image_has_what_its_parts_need(tmp_path: Path) -> None:
    """It prepares the demo; tests/deploy/test_stack.py runs every part."""
    dockerfile = (ROOT / "deploy" / "compose" / "Dockerfile").read_text()
    build(build_stage(dockerfile), tmp_path / "src", tmp_path / "opt")
    entry = [str(tmp_path / "opt" / "bin" / "python"), "-P", "-m"]
    made = [*entry, "monitor.demo.parts", "prepare", "--dir", str(tmp_path / "demo")]
    subprocess.run(made, cwd=tmp_path, check=True, timeout=200)
    subprocess.run([*entry, "monitor.demo.server", "--help"], cwd=tmp_path, check=True, timeout=60)


@pytest.mark.release
@pytest.mark.timeout(600)
def test_the_build_steps_make_an_installation_that_serves_without_writing_to_itself(tmp_path: Path) -> None:
    home = tmp_path / "opt"
    build(build_stage(), tmp_path / "src", home)
    before = {path for path in home.rglob("*") if "uv" not in path.parts}

    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    (data / "watchkeeper.yaml").write_text(f"model: delays\nlisten: 127.0.0.1:{port}\n")
    environment = {"PATH": f"{home}/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(data)}
    command = [str(home / "bin" / "watchkeeper"), "run", "--config", str(data / "watchkeeper.yaml")]
    daemon = subprocess.Popen(command, cwd=data, env=environment)
    try:
        url = f"http://127.0.0.1:{port}/readyz"
        health = [str(home / "bin" / "python"), "-c", f"import urllib.request as r; r.urlopen('{url}', timeout=3)"]
        wait_for(lambda: not subprocess.run(health, stderr=subprocess.DEVNULL, check=False).returncode, "it is ready")
        assert "-OO" in psutil.Process(daemon.pid).cmdline(), "its bytecode without docstrings was made"
    finally:
        daemon.terminate()
        assert daemon.wait(60) == 0
    assert {path for path in home.rglob("*") if "uv" not in path.parts} == before, "the root can be read-only"
