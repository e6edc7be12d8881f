"""The command behind the figures of docs/segments.md runs and measures what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.release
def test_the_cost_of_segments_is_measured() -> None:
    command = [sys.executable, "-m", "bench.segments", "--rows", "400", "--columns", "6", "--hours", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[3:]]
    assert [line[:2] for line in lines] == [["0", "0"], ["1", "11"], ["3", "29"]]
    measurements = [int(line[6]) for line in lines]
    assert measurements == sorted(measurements)
    assert measurements[-1] > 29
