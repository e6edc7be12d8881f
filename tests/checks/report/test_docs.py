"""The example in docs/report.md runs, and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs" / "report.md"


def test_the_example_runs_and_prints_what_it_says() -> None:
    code, _ = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    drifted, moved = done.stdout.splitlines()
    assert f"# {drifted}" in code
    assert f"\n# {moved}\n" in code
