"""Which reports are due, and what is kept of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from alerts.evaluate import States, evaluate
from alerts.incident import Incident, ReportLink, with_report
from alerts.state import Status
from checks.base import Measurement, Window
from monitor.config import ConfigError, load
from monitor.reporting import Reporter
from monitor.settings import EvidentlySettings
from monitor.store import reports as kept
from monitor.store.tables import check_runs, progress, report_parts, reports
from monitor.work.closing import ModelOptions
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, World, world

HOUR = 3600.0


def reporter(it: World, **keys: Any) -> Reporter:
    settings = EvidentlySettings.model_validate({"type": "evidently", "preset": "DataDriftPreset", **keys})
    needed: dict[str, Any] = dict.fromkeys(("writer", "worker", "judge", "latest", "meters", "states", "health"))
    return Reporter(
        options=ModelOptions("delays", every=HOUR),
        checks={"weekly": settings},
        reference=Path("reference.csv"),
        url="",
        engine=it.engine,
        clock=it.clock,  # type: ignore[arg-type]
        **needed,
    )


def judged(it: World, end: float) -> None:
    values = {"model": "delays", "scanned_seq": 0, "compacted_seq": 0, "judged_window": end}
    with it.engine.begin() as connection:
        connection.execute(progress.delete())
        connection.execute(insert(progress).values(values))


def ran(it: World, end: float) -> None:
    values = {"model": "delays", "check_name": "weekly", "window_end": end, "started_at": 0, "seconds": 1}
    with it.engine.begin() as connection:
        connection.execute(insert(check_runs).values({**values, "outcome": "failed", "error": "x"}))


def due(made: Reporter) -> list[tuple[float, float]]:
    return [(window.start / HOUR, window.end / HOUR) for window in made._due("weekly")]


def test_a_check_begins_with_the_newest_window_and_goes_on_in_order(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        made = reporter(it, window="4h")
        assert due(made) == [], "nothing was judged"
        judged(it, 43 * HOUR)
        assert due(made) == [(36.0, 40.0)]
        ran(it, 40 * HOUR)
        assert due(made) == [], "also one that failed is not tried again"
        judged(it, 53 * HOUR)
        assert due(made) == [(40.0, 44.0), (44.0, 48.0), (48.0, 52.0)]


def test_windows_may_overlap(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        judged(it, 50 * HOUR)
        ran(it, 48 * HOUR)
        assert due(reporter(it, window="24h", every="1h")) == [(25.0, 49.0), (26.0, 50.0)]


def store(it: World, id: str, end: float) -> None:
    values = {"id": id, "model": "delays", "check_name": "weekly", "window_start": 0.0, "window_end": end}
    with it.engine.begin() as connection:
        connection.execute(
            insert(reports).values({**values, "created_at": end, "linked": 0, "codec": "html/gzip", "payload": b"x"})
        )


def test_the_newest_is_kept_and_those_that_incidents_link(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        for number, linked in enumerate([False, True, True, False, True, False]):
            store(it, str(number), float(number))
            with it.engine.begin() as connection:
                kept.keep(connection, "delays", "weekly", str(number), linked, 2)
        with it.engine.connect() as connection:
            assert sorted(connection.scalars(select(reports.c.id))) == ["2", "4", "5"]


def test_a_large_report_is_stored_and_removed_in_parts(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        page = gzip.compress(bytes(range(256)) * 40, mtime=0)
        for id_, end in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
            kept.add(it.engine, kept.Report(id_, "delays", "weekly", 0.0, end, 0.0), page, part=100)
        assert kept.html(it.engine, "a", packed=True) is None, "the same window's again"
        assert kept.html(it.engine, "b", packed=True) == page
        assert kept.html(it.engine, "b", packed=False) == bytes(range(256)) * 40
        with it.engine.begin() as connection:
            kept.keep(connection, "delays", "weekly", "c", False, 2)
            assert set(connection.scalars(select(report_parts.c.report))) == {"c"}
        assert kept.html(it.engine, "b", packed=True) is None


def test_an_incident_is_linked_to_reports_on_its_time_only(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        it.window(3.2, 2)
        incident = Incident.from_dict(it.store.incidents()[0])
        before = ReportLink("a", "weekly", incident.since - 8 * HOUR, incident.since)
        during = ReportLink("b", "weekly", incident.since - HOUR, incident.since + HOUR)
        assert with_report(incident, before) is None
        after = with_report(incident, during)
        assert after is not None
        assert (after.reports, after.version) == ((during,), incident.version + 1)
        assert with_report(after, during) is None
        assert Incident.from_dict(after.to_dict()) == after
        linked = it.writer.call(lambda connection: it.judge.attach(connection, "delays", during))
        assert linked
        assert it.store.incidents()[0]["reports"][0]["id"] == "b"
        it.deliver()
        it.window(0.0, 3)
        it.deliver(60)
        assert it.receivers["pager"].told[-1] == "resolved"  # type: ignore[attr-defined]
        assert it.store.incidents()[0]["reports"][0]["id"] == "b", "it stays linked"


def test_one_checks_numbers_leave_anothers_alerts_alone() -> None:
    judge_by = rule(metric="evidently_value", above=1.0)

    def row(check: str, value: float, end: float) -> Measurement:
        return Measurement("evidently_value", value, Window(end - HOUR, end), (("check", check),))

    states: States = {}
    states, _ = evaluate(judge_by, states, [row("a", 2.0, HOUR)], None, HOUR, within={"check": "a"})
    states, _ = evaluate(judge_by, states, [row("b", 0.0, 2 * HOUR)], None, 2 * HOUR, within={"check": "b"})
    states, _ = evaluate(judge_by, states, [], "it broke", 3 * HOUR, within={"check": "b"})
    assert states[("check", "a"),].status is Status.FIRING
    assert states[("check", "a"),].health.value == "value"
    assert states[("check", "b"),].health.value == "error"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("drfit: {bins: 3}", "unknown check 'drfit'"),
        ("weekly: {type: evidently}", "either a preset or metrics"),
        ("weekly: {type: evidently, preset: DataDriftPrest}", "did you mean DataDriftPreset?"),
        ("weekly: {type: evidently, preset: DataDriftPreset, window: 90m}", "multiple of windows.every, which is 1h"),
        ("weekly: {type: evidently, preset: DataDriftPreset, every: 30m}", "multiple of windows.every"),
        ('"a b": {type: evidently, preset: DataDriftPreset}', "choose another name"),
    ],
)
def test_says_what_is_wrong_with_a_check(tmp_path: Path, check: str, said: str) -> None:
    path = tmp_path / "watchkeeper.yaml"
    path.write_text(f"model: delays\nreference: reference.csv\nchecks:\n  {check}\n")
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    assert said in str(raised.value)


def test_a_report_needs_a_reference(tmp_path: Path) -> None:
    path = tmp_path / "watchkeeper.yaml"
    path.write_text("model: delays\nchecks:\n  weekly: {type: evidently, preset: DataDriftPreset}\n")
    with pytest.raises(ConfigError, match="give model delays one"):
        load(path, {})
