"""What the demo shows: progress, faults, messages as they come, and the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from monitor.demo.episodes import Episode
from monitor.demo.story import DAY
from monitor.demo.summary import ExpectedAlert, FaultResult, reasons
from monitor.demo.watch import Message


class Screen:
    """Prints above one progress bar. Without a terminal it prints a line a month in the bar's place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} days"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._month = ""

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def begin(self, days: float) -> None:
        self._task = self._progress.add_task("replaying", total=days)
        self._progress.start()

    def day(self, time: float, done: float) -> None:
        """Event time now, and how many days were replayed."""
        stamp = datetime.fromtimestamp(time, UTC)
        if self._task is not None:
            self._progress.update(self._task, completed=done, description=f"{stamp:%d %b %Y}")
        if not self._console.is_terminal and f"{stamp:%B %Y}" != self._month:
            self._month = f"{stamp:%B %Y}"
            self.say(f"… {self._month}")

    def end(self) -> None:
        self._progress.stop()

    def fault(self, text: str, time: float) -> None:
        self.say(f"[bold yellow]{_day(time)}  FAULT[/]  {escape(text)}")

    def message(self, message: Message, time: float) -> None:
        colour = "green" if message.resolved else "red"
        self.say(f"[{colour}]{_day(time)}  {escape(message.text)}[/]")

    def waiting(self, text: str) -> None:
        self.say(f"[dim]{escape(text)}[/]")

    def summary(
        self,
        verdicts: Sequence[FaultResult],
        alerts: Sequence[ExpectedAlert],
        messages: Sequence[Message],
        *,
        faults: bool,
    ) -> None:
        if verdicts:
            self._console.print(_faults(verdicts))
        elif not faults:
            self.say("No fault was injected.")
        if alerts:
            self._console.print(_alerts(alerts))
        else:
            self.say("No alert fired.")
        counts: Mapping[str, int] = reasons([{"reason": message.reason} for message in messages])
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1]))
        self.say(f"{len(messages)} messages were sent to the console{': ' + told if told else ''}.")


def _day(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%d %b}"


def _faults(verdicts: Sequence[FaultResult]) -> Table:
    table = Table(title="What was injected, and what Watchkeeper made of it", title_justify="left")
    for name in ("from", "until", "fault", "alert", "fired after", "resolved after"):
        table.add_column(name, overflow="fold", no_wrap=name in ("from", "until"))
    for verdict in verdicts:
        fault, episode = verdict.played.fault, verdict.episode
        alert = escape(episode.subject) if episode is not None else f"[red]no {escape(fault.rule)}[/]"
        fired, resolved = (_delay(value, verdict.unit) for value in (verdict.to_fire, verdict.to_resolve))
        table.add_row(_day(fault.begins), _day(fault.ends), escape(fault.title), alert, fired, resolved)
    return table


def _delay(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.0f} {unit if round(value) != 1 else unit.removesuffix('s')}"


def _alerts(alerts: Sequence[ExpectedAlert]) -> Table:
    table = Table(title="Every alert, and what really happened", title_justify="left")
    for name in ("fired", "resolved", "alert", "value", "because"):
        table.add_column(name, overflow="fold", no_wrap=name in ("fired", "resolved"))
    for alert in alerts:
        episode = alert.episode
        because = f"[yellow]fault:[/] {escape(alert.explanation)}" if alert.fault else escape(alert.explanation)
        table.add_row(*_when(episode), escape(episode.subject), _value(episode), because)
    return table


def _when(episode: Episode) -> tuple[str, str]:
    resolved = episode.resolved.at if episode.resolved is not None else None
    if episode.fired.at > episode.fired.recorded_at - 300 * DAY:
        stamps = [datetime.fromtimestamp(at, UTC) for at in (episode.fired.at, resolved) if at is not None]
        shown = [f"{stamp:%H:%M:%S}" for stamp in stamps]
        return shown[0], shown[1] if len(shown) > 1 else "still firing"
    return _day(episode.fired.at), _day(resolved) if resolved is not None else "still firing"


def _value(episode: Episode) -> str:
    value, level = episode.fired.value, episode.fired.level
    if value is None:
        return "–"
    return f"{value:.3g}" + (f" (limit {level:.3g})" if level is not None else "")
