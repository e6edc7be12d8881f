"""Which reports are due, and what is kept of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from alerts.incidents.incident import REPORTS, Incident, ReportLink
from alerts.incidents.lifecycle import with_report
from alerts.state.evaluate import States, evaluate
from alerts.state.state import Status
from checks.base import Measurement, Window
from monitor.collectors.check_states import CheckStates
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.pipeline.evidently_reports import METRIC, EvidentlyReports
from monitor.settings.checks import EvidentlySettings
from monitor.store.results import reports as stored_reports
from monitor.store.tables import check_runs, progress, report_parts, reports, windows
from monitor.worker.evidently.messages import ReportOutcome
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import WorkerError
from tests.alerts.builders import START, rule
from tests.alerts.world import Receiver, World, world
from tests.monitor.pipeline.parts import parts_of

HOUR = 3600.0
BREAK = range(100, 2000)
"""Hours of a stream that was away for longer than empty windows are judged."""


def reporter(it: World, **keys: Any) -> EvidentlyReports:
    settings = EvidentlySettings.model_validate({"type": "evidently", "preset": "DataDriftPreset", **keys})
    return EvidentlyReports(
        options=ModelOptions("delays", every=HOUR),
        checks={"weekly": settings},
        reference=Path("reference.csv"),
        states=CheckStates(),
        parts=parts_of(it),
    )


def judged(it: World, end: float) -> None:
    values = {"model": "delays", "scanned_seq": 0, "compacted_seq": 0, "judged_window": end}
    with it.engine.begin() as connection:
        connection.execute(progress.delete())
        connection.execute(insert(progress).values(values))
        connection.execute(windows.delete())
        for hour in range(round(end / HOUR)):
            if hour not in BREAK:
                row = {"model": "delays", "start": hour * HOUR, "end": (hour + 1) * HOUR, "close_seq": hour + 1}
                connection.execute(insert(windows).values(row))


def ran(it: World, end: float) -> None:
    values = {"model": "delays", "check_name": "weekly", "window_end": end, "started_at": 0, "seconds": 1}
    with it.engine.begin() as connection:
        connection.execute(insert(check_runs).values({**values, "outcome": "failed", "error": "x"}))


def due(made: EvidentlyReports) -> list[tuple[float, float]]:
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


def test_a_break_of_the_stream_has_no_windows_to_report_on(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        ran(it, 92 * HOUR)
        judged(it, 2010 * HOUR)
        assert due(reporter(it, window="8h")) == [(88.0, 96.0), (2000.0, 2008.0)]


class Scripted:
    """A worker whose runs come to what the test says."""

    stopping = False

    def __init__(self, *outcomes: ReportOutcome | WorkerError) -> None:
        self.outcomes = list(outcomes)

    def run(self, *_: object, **__: object) -> ReportOutcome:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, WorkerError):
            raise outcome
        return outcome


def numbers(**values: float) -> ReportOutcome:
    window = Window(36 * HOUR, 40 * HOUR)
    rows = [
        Measurement(METRIC, value, window, (("check", "weekly"), ("column", name))) for name, value in values.items()
    ]
    return ReportOutcome(rows, 1.0, 400)


def running(it: World, *outcomes: ReportOutcome | WorkerError) -> EvidentlyReports:
    """One that is due once for each outcome."""
    made = reporter(it, window="4h")
    made.parts = parts_of(it, Scripted(*outcomes))
    return made


def series(made: EvidentlyReports) -> dict[str, float | None]:
    return {dict(row.labels)["column"]: row.value for _, row in made.parts.latest.snapshot()}


def test_a_failed_run_is_shown_told_and_leaves_no_old_numbers(tmp_path: Path) -> None:
    by = rule(metric=METRIC, match={"check": "weekly"}, above=5.0, error="alert")
    killed = WorkerError("memory", "used too much")
    with world(tmp_path, [by]) as it:
        judged(it, 40 * HOUR)
        made = running(it, numbers(a=1.0, b=2.0), killed, numbers(a=3.0))
        assert made.tick() == 1
        assert series(made) == {"a": 1.0, "b": 2.0}
        judged(it, 44 * HOUR)
        assert made.tick() == 1
        assert series(made) == {}
        assert made.parts.health.degraded() == {"check weekly of delays": "memory: used too much"}
        assert [row.value for row in made.states.collect(0.0, 0.0)] == [1.0]
        assert {alert["state"] for alert in it.store.alerts()} == {"firing"}
        again = running(it)
        assert again.tick() == 0, "not the same window again"
        assert again.parts.health.degraded() == made.parts.health.degraded(), "nor is it forgotten by a restart"
        judged(it, 48 * HOUR)
        assert made.tick() == 1
        assert (series(made), made.parts.health.degraded()) == ({"a": 3.0}, {})


def test_a_restart_shows_the_newest_numbers_again(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        judged(it, 40 * HOUR)
        running(it, numbers(a=1.0, b=2.0)).tick()
        judged(it, 43 * HOUR)
        again = running(it)
        assert again.tick() == 0
        assert series(again) == {"a": 1.0, "b": 2.0}


def test_a_run_that_the_stop_cut_short_is_due_again(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        judged(it, 40 * HOUR)
        made = running(it, WorkerError("crashed", "killed because the daemon stops"))
        worker: Any = made.parts.worker
        run = worker.run

        def stopped(*arguments: object, **keys: object) -> ReportOutcome:
            worker.stopping = True
            outcome: ReportOutcome = run(*arguments, **keys)
            return outcome

        worker.run = stopped
        assert made.tick() == 0
        assert due(reporter(it, window="4h")) == [(36.0, 40.0)]


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
                stored_reports.keep(connection, "delays", "weekly", str(number), linked, 2)
        with it.engine.connect() as connection:
            assert sorted(connection.scalars(select(reports.c.id))) == ["2", "4", "5"]


def test_a_large_report_is_stored_and_removed_in_parts(tmp_path: Path) -> None:
    with world(tmp_path, []) as it:
        page = gzip.compress(bytes(range(256)) * 40, mtime=0)
        for id_, end in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
            stored_reports.add(
                it.engine, stored_reports.StoredReport(id_, "delays", "weekly", 0.0, end, 0.0), page, part=100
            )
        assert stored_reports.html(it.engine, "a", packed=True) is None, "the same window's again"
        assert stored_reports.html(it.engine, "b", packed=True) == page
        assert stored_reports.html(it.engine, "b", packed=False) == bytes(range(256)) * 40
        with it.engine.begin() as connection:
            stored_reports.keep(connection, "delays", "weekly", "c", False, 2)
            assert set(connection.scalars(select(report_parts.c.report))) == {"c"}
        assert stored_reports.kept(it.engine, ["b", "c"]) == {"c"}
        assert stored_reports.html(it.engine, "b", packed=True) is None


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
        linked = it.writer.call(lambda connection: it.incidents.attach_report(connection, "delays", during))
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


def test_a_check_that_was_never_measured_stands_for_itself_alone() -> None:
    """Another check's good numbers do not end its alert."""
    judge_by = rule(metric="evidently_value", above=1.0, error="alert")
    states, _ = evaluate(judge_by, {}, [], "it broke", HOUR, within={"check": "a"})
    assert states[("check", "a"),].status is Status.FIRING
    fine = Measurement("evidently_value", 0.0, Window(0.0, 2 * HOUR), (("check", "b"), ("column", "x")))
    states, changes = evaluate(judge_by, states, [fine], None, 2 * HOUR, within={"check": "b"})
    assert (states[("check", "a"),].status, changes) == (Status.FIRING, [])
    fine = Measurement("evidently_value", 0.0, Window(0.0, 3 * HOUR), (("check", "a"), ("column", "x")))
    states, changes = evaluate(judge_by, states, [fine], None, 3 * HOUR, within={"check": "a"})
    assert [change.after for change in changes] == [Status.INACTIVE]


def test_an_incident_opens_with_the_report_on_its_time(tmp_path: Path) -> None:
    with world(tmp_path, [rule()]) as it:
        store(it, "long-ago", START - HOUR)
        store(it, "now", START + 2 * HOUR)
        it.window(3.2, 2)
        (incident,) = it.store.incidents()
        assert [link["id"] for link in incident["reports"]] == ["now"]
        assert incident["version"] == 1
        with it.engine.connect() as connection:
            assert dict(connection.execute(select(reports.c.id, reports.c.linked)).all()) == {"long-ago": 0, "now": 1}


def test_the_first_report_and_the_newest_stay_linked(tmp_path: Path) -> None:
    with world(tmp_path, [rule()]) as it:
        it.window(3.2, 2)
        incident = Incident.from_dict(it.store.incidents()[0])
        for number in range(2 * REPORTS):
            link = ReportLink(str(number), "weekly", START, START + (3 + number) * HOUR)
            incident = with_report(incident, link) or incident
        assert [link.id for link in incident.reports] == ["0", "6", "7", "8", "9"]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("drfit: {bins: 3}", "unknown check 'drfit'; did you mean 'drift'?"),
        ("mine: true", "unknown check 'mine'; known are drift, quality, performance"),
        ("weekly: {type: evidently, presett: DataDriftPreset}", "did you mean 'preset'?"),
        ("weekly: {type: evidently, preset: DataDriftPreset, window: 30d}", "longer than events are kept"),
        ("weekly: {type: evidently, metrics: [{RowCount: {}, ColumnCount: {}}]}", "RowCount, ColumnCount is neither"),
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
