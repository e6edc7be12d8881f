"""One incident's life, told to Slack, by processes that end at the k-th effect.

Effects are what the outside can see: a transaction's commit and a call of Slack's API. Before and after each the
process counts, and at K it is gone at once (`os._exit`). The next one goes on from what is stored, as a daemon would
after its restart. Time is injected: nothing waits.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alerts.notify.slack.notifier import Slack, SlackOptions
from tests.alerts.builders import HOUR, START, FakeClock, rule
from tests.alerts.world import world
from tests.database import tables_in
from tests.fakes.slack import TOKEN

GONE = 77
STORY = [3.2, 20.0, 0.0]
"""It fires, gets worse, and is over."""


class Fuse:
    """Ends the process at the k-th count."""

    def __init__(self, at: int) -> None:
        self.at, self.count, self.armed = at, 0, False

    def burn(self) -> None:
        if self.armed:
            self.count += 1
            if self.count == self.at:
                os._exit(GONE)


def wrap(owner: Any, name: str, fuse: Fuse) -> None:
    whole = getattr(owner, name)

    def wrapped(*args: Any, **keys: Any) -> Any:
        fuse.burn()
        result = whole(*args, **keys)
        fuse.burn()
        return result

    setattr(owner, name, wrapped)


def life(folder: Path, url: str, channel: str, at: int) -> int:
    """The whole story, or what is left of it; returns how often it counted."""
    fuse = Fuse(at)
    wrap(Slack, "_call", fuse)
    slack = Slack(SlackOptions(channel, SecretStr(TOKEN), None, url, 2.0))
    slack.pace = 0.0  # type: ignore[misc]
    rules = [rule(), rule(name="severe", above=9.0, severity="critical", group="drift")]
    # Each run starts an hour later, so that whatever was to wait has waited.
    runs = folder / "runs"
    run = len(runs.read_text()) if runs.exists() else 0
    runs.write_text("x" * (run + 1))
    with world(folder, rules, slack, clock=FakeClock(1_700_000_000.0 + 3600.0 * run)) as it:
        wrap(it.engine.dialect, "do_commit", fuse)
        fuse.armed = True
        judged = max((row["window_end"] for row in it.store.transitions()), default=0.0)
        for hour, value in enumerate(STORY, 1):
            # As the daemon's progress does: a window is judged once.
            if START + hour * HOUR > judged:
                it.window(value, hour)
            for _ in range(3):
                it.deliver(30.0)  # within the skew that is allowed between our clock and the stand-in's
        assert it.store.pending() == {}
    return fuse.count


def apart(folder: Path, url: str, channel: str, at: int) -> int:
    """Lives in a process of its own; returns its exit status, or with K = -1 the count."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            count = life(folder, url, channel, max(at, 0))
            status = count if at < 0 else 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, url: str) -> None:
    """Kills a life at every point and lets it be lived to its end; prints the number of points."""
    tables_in(folder / "warm.db")  # once for all children
    points = apart(_made(folder / "whole"), url, "#point-0", -1)
    for point in range(1, points + 1):
        own, channel = _made(folder / str(point)), f"#point-{point}"
        assert apart(own, url, channel, point) == GONE, point
        assert apart(own, url, channel, 0) == 0, point
    print(points)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
