"""Scenario 1: kill -9 at every point between decide and record. Nothing is lost, and nothing is told twice but where
nobody can know that it was told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.slack import Channel, FakeSlack

ROOT = Path(__file__).parent.parent.parent
MOST = 60


@pytest.mark.parametrize(
    ("scopes", "most"), [(["chat:write", "channels:history", "channels:read"], 0), (["chat:write"], 1)]
)
def test_survives_kill_9_at_every_point(tmp_path: Path, scopes: list[str], most: int) -> None:
    with FakeSlack() as slack:
        slack.scopes = scopes
        slack.channels += [Channel(f"C{point:04}", f"point-{point}") for point in range(MOST)]
        command = [sys.executable, "-P", "-m", "tests.survive.killed", str(tmp_path), slack.api_url]
        done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        points = int(done.stdout)
        assert 20 < points < MOST
        twice = {}
        for point in range(points + 1):
            posts = [post for post in slack.posts() if post.channel == f"C{point:04}"]
            assert posts and "RESOLVED" in posts[-1].text, f"lost when killed at {point}"
            ends = [item for post in posts for item in slack.replies(post.ts) if "Resolved" in item.text]
            assert ends, f"its end was not said when killed at {point}"
            twice[point] = len(posts) - 1 + len(ends) - 1
    assert max(twice.values()) <= most, twice
