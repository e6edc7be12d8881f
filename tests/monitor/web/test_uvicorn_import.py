"""The daemon's process carries neither uvicorn's command line nor docstrings, and loses nothing by that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from monitor.cli.run import _without_docstrings

ROOT = Path(__file__).parent.parent.parent.parent


def run(program: str, *flags: str) -> str:
    done = subprocess.run([sys.executable, *flags, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_package_is_whole_for_whoever_asks_for_more() -> None:
    program = (
        "import sys, monitor.web.uvicorn_import as lean; before = 'click' in sys.modules;"
        "import uvicorn; print(before, uvicorn.Config is lean.Config, callable(uvicorn.run), 'click' in sys.modules)"
    )
    assert run(program) == "False True True True\n"


SCHEMA = """
import json
from tests.monitor.web.rig import rig
import pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    made = rig(pathlib.Path(folder))
    print(json.dumps(made.client.get("/schema").json(), sort_keys=True))
    made.close()
"""


def test_the_api_is_described_the_same_with_and_without_docstrings() -> None:
    described, bare = run(SCHEMA), run(SCHEMA, "-OO")
    assert json.loads(bare)["paths"]["/api/v1/status"]["get"]["description"].startswith("Models with")
    assert described == bare


def test_docstrings_are_left_out_where_the_bytecode_for_it_is_kept() -> None:
    assert _without_docstrings() in (["-OO"], [])


def test_a_worker_has_its_docstrings() -> None:
    program = (
        "import sys; from monitor.worker.process import WorkerContext;"
        "from tests.monitor.worker.worker_tasks import optimize;"
        "context = WorkerContext(); ours, theirs = context.Pipe();"
        "child = context.Process(target=optimize, args=(theirs,)); child.start();"
        "print(ours.recv(), sys.flags.optimize); child.join()"
    )
    assert run(program, "-OO") == "0 2\n"
