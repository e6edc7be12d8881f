"""The distribution as a stranger gets it: sdist, wheel, a fresh environment, the command run from `/`."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent


def run(*command: object, cwd: Path | str = ROOT) -> str:
    result = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, f"{command}: {result.stdout[-2000:]}{result.stderr[-2000:]}"
    return result.stdout


@pytest.mark.release
@pytest.mark.timeout(300)
def test_the_wheel_installs_and_runs_from_the_root_folder(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(("tests/", "bench/", "client/"))]
    assert [name for name in names if name.endswith("share/watchkeeper/config/rules.yaml")]
    assert not [name for name in names if name.startswith("grafana/")], "they are shared data, no package"
    run(sys.executable, "-m", "venv", tmp_path / "fresh")
    python = tmp_path / "fresh/bin/python"
    run(BIN / "uv", "pip", "install", "--quiet", "--python", python, "--constraint", ROOT / "requirements.lock", wheel)
    command = tmp_path / "fresh/bin/watchkeeper"
    assert "0.1.0" in run(command, "version", cwd="/")
    run(command, "dashboards", "export", tmp_path / "boards", cwd="/")
    assert len(list((tmp_path / "boards").glob("watchkeeper-*.json"))) == 5
    config = tmp_path / "watchkeeper.yaml"
    config.write_text("model: delays\n")
    assert "delays" in run(command, "check-config", "--config", config, cwd="/")
