"""One round: a daemon, its surroundings, so many kills, and the account at the end."""

from __future__ import annotations

import contextlib
import random
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monitor.clock import SystemClock
from tests.chaos.account import Account, account
from tests.chaos.faults import Faults
from tests.chaos.server import watched
from tests.chaos.slack import BusySlack
from tests.chaos.story import Book, Part
from tests.e2e.process import Daemon, wait_for
from tests.fakes.slack import CHANNEL, TOKEN
from tests.servers.alertmanager import Alertmanager, hook

PARTS = [f"part-{number}" for number in range(6)]
DRAIN = 60.0
"""Seconds in which all that is owed must be told once everything is well, besides two for each message that is owed:
Slack takes one a second."""


@dataclass
class Round:
    account: Account
    kills: int
    seconds: float
    episodes: int
    unnoticed: int
    faults: Counter[str]
    pages: int = 0
    """What Alertmanager passed on."""
    hanging: list[str] = field(default_factory=list)
    """Alerts that Alertmanager was not told the end of, or that it never heard of."""

    @property
    def is_bad(self) -> bool:
        return bool(self.account.lost or self.account.outside or self.unnoticed or self.hanging)


def config(slack: BusySlack, server: str, alertmanager: Alertmanager | None) -> str:
    lines = [
        "model: chaos",
        "collect: {host: false, container: false, gpu: false}",
        "evaluate: 500ms",
        "default_rules: false",
        f'slack: {{channel: "{CHANNEL}", api_url: "{slack.api_url}", timeout: 2s, also_direct: true}}',
    ]
    if alertmanager is not None:
        lines.append(f'alertmanager: {{members: ["{alertmanager.url}"], resend: 10s, timeout: 2s}}')
    lines.append("probes:")
    lines += [f'  - {{name: {part}, url: "{server}/{part}", interval: 500ms, timeout: 2s}}' for part in PARTS]
    lines.append("rules:")
    for part in PARTS:
        shared = f"match: {{probe: {part}}}, group: {part}"
        lines.append(f"  - {{name: {part}, metric: probe_up, below: 1, {shared}}}")
        lines.append(
            f"  - {{name: {part}-worse, metric: probe_status_code, above: 503.5, severity: critical, {shared}}}"
        )
    return "\n".join(lines) + "\n"


def play(folder: Path, kills: int, seed: int, *, sees: bool) -> Round:
    """Lives through so many kills. With `sees` Slack's history can be read, so that nothing need be said twice."""
    rng, began = random.Random(seed), SystemClock().monotonic()
    with contextlib.ExitStack() as stack:
        slack = stack.enter_context(BusySlack())
        slack.scopes = slack.scopes if sees else ["chat:write"]
        server, taken = stack.enter_context(watched(PARTS)), stack.enter_context(hook())
        real = shutil.which("prometheus-alertmanager")
        alertmanager = stack.enter_context(Alertmanager(folder / "alertmanager", taken.url)) if real else None
        text = config(slack, server.url, alertmanager)
        daemon = Daemon(folder, text, env={"SLACK_BOT_TOKEN": TOKEN}, by_command=True)
        book = Book(folder / "watchkeeper.db")
        faults = Faults(random.Random(seed + 1), slack, folder / "watchkeeper.db", alertmanager)
        parts = [Part(name, seed, server, book) for name in PARTS]
        daemon.launch()
        stack.callback(daemon.stop)
        for thread in (*parts, faults):
            thread.start()
        killed = [strike(daemon, slack, rng) for _ in range(kills)]
        faults.stop()
        wait_for(lambda: is_up(daemon), "the daemon is up", 120.0)
        for part in parts:
            part.stop()
        for part in parts:
            part.join(300)
        waiting = len(book.rows("SELECT 1 FROM outbox WHERE outcome IS NULL"))
        wait_for(lambda: is_up(daemon) and not owed(book), f"everything is told; {folder}", DRAIN + 2.0 * waiting)
        incidents = [(str(id), str(key)) for id, key in book.rows("SELECT id, key FROM incidents")]
        found = account(incidents, slack.said(), [*killed, *slack.unanswered])
        made = Round(found, kills, 0.0, 0, 0, faults.done)
        if alertmanager is not None:
            made.hanging = list(hanging(alertmanager, taken.told))
            made.pages = len(taken.told)
    made.seconds = SystemClock().monotonic() - began
    made.episodes, made.unnoticed = sum(part.episodes for part in parts), sum(part.unnoticed for part in parts)
    return made


def strike(daemon: Daemon, slack: BusySlack, rng: random.Random) -> float:
    """Kills the daemon somewhere in its life and starts it again; returns when (wall time).

    One kill of five comes within the start, two at a random time after it, and two just as Slack was asked, where what
    is sent is not recorded yet."""
    pause, kind = threading.Event(), rng.randrange(5)
    if kind == 0:
        pause.wait(rng.uniform(0.1, 3.0))
    else:
        wait_for(lambda: is_up(daemon), "the daemon is up", 120.0)
        pause.wait(rng.uniform(0.0, 4.0 if kind < 3 else 1.0))
    if kind >= 3:
        slack.asked.clear()
        slack.asked.wait(8.0)
        pause.wait(rng.choice([0.0, rng.uniform(0.0, 0.03)]))
    daemon.kill()
    at = SystemClock().time()
    daemon.launch()
    return at


def is_up(daemon: Daemon) -> bool:
    """Whether it answers. One that ended by itself, such as on a database that was locked as it started, is started
    again, as whatever supervises it would."""
    if daemon.process is not None and daemon.process.poll() is not None:
        daemon.process = None
        daemon.launch()
        return False
    try:
        return daemon.ready()
    except AssertionError:  # it has ended since
        return False


def owed(book: Book) -> bool:
    return bool(
        book.rows("SELECT 1 FROM outbox WHERE outcome IS NULL")
        or book.rows("SELECT 1 FROM incidents WHERE resolved_at IS NULL")
    )


def hanging(alertmanager: Alertmanager, told: list[tuple[str, str]]) -> Iterator[str]:
    """What Alertmanager has not heard the end of. Everything is over by now."""

    def over() -> bool:
        last = dict(told)
        return not alertmanager.alerts() and all(state == "resolved" for state in last.values())

    with contextlib.suppress(AssertionError):
        wait_for(over, "Alertmanager knows that all is over", 60.0)
        return
    yield from (f"{name} still fires in Alertmanager" for name in alertmanager.alerts())
    yield from (
        f"{name} is {state} to whom Alertmanager tells" for name, state in dict(told).items() if state != "resolved"
    )
