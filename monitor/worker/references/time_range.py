"""Which stored windows people mean by a range such as `7d` or `2026-11-01/2026-11-08`."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from alerts.duration import seconds
from checks.base import Window
from monitor.clock import iso
from monitor.store.references.activations import judged
from monitor.store.tables import chunks, windows
from monitor.worker.references.from_stream import NotLearned, StreamRange


def span_of(connection: Connection, model: str, text: str, every: float, version: str | None = None) -> StreamRange:
    """The range in whole windows, of what the last closing knew. `7d` are the newest 7 days of event time that have
    been judged; a part of a window is taken whole. Raises NotLearned."""
    last = judged(connection, model)
    if last is None:
        raise NotLearned(f"no window of model {model} has closed yet; send predictions, or give a file")
    window = _parsed(text, last, every)
    if window.end > last:
        raise NotLearned(f"{text} ends after the last window that has closed, which ends at {iso(last)}")
    _kept(connection, model, window)
    query = select(func.max(windows.c.close_seq)).where(windows.c.model == model, windows.c.end <= last)
    return StreamRange(window, connection.scalar(query) or 0, version)


def _parsed(text: str, last: float, every: float) -> Window:
    start, slash, end = text.partition("/")
    if not slash:
        try:
            length = seconds(text)
        except ValueError:
            raise NotLearned(_hint(text)) from None
        return Window(last - max(math.ceil(length / every - 1e-9), 1) * every, last)
    found = Window(
        math.floor(_moment(start, text) / every) * every, math.ceil(_moment(end, text) / every - 1e-9) * every
    )
    if found.start >= found.end:
        raise NotLearned(f"{text} is empty: it ends before it begins")
    return found


def _moment(part: str, text: str) -> float:
    try:
        stamp = datetime.fromisoformat(part.strip())
    except ValueError:
        raise NotLearned(_hint(text)) from None
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _hint(text: str) -> str:
    return f"{text!r} is no range; write a length such as 7d, or two times such as 2026-11-01/2026-11-08"


def _kept(connection: Connection, model: str, window: Window) -> None:
    """Raises NotLearned where rows of the window are gone, or never were."""
    oldest = connection.scalar(select(func.min(chunks.c.window_start)).where(chunks.c.model == model))
    first = connection.scalar(select(func.min(windows.c.start)).where(windows.c.model == model))
    if oldest is not None and first is not None and first < oldest and window.start < oldest:
        raise NotLearned(
            f"rows from before {iso(oldest)} are gone (retention.events); ask for a range that begins then or later"
        )
    inside = (chunks.c.model == model, chunks.c.window_start >= window.start, chunks.c.window_start < window.end)
    if connection.scalar(select(func.count()).select_from(chunks).where(*inside)) == 0:
        since = "there are none" if oldest is None else f"the oldest are of {iso(oldest)}"
        raise NotLearned(f"there are no rows from {iso(window.start)} to {iso(window.end)}; {since}")
