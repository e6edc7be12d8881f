"""References out of the stream: learned, accepted, rolled, and taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from checks.base import Measurement, NotEnough, Window, labels
from checks.inputs import CheckOptions
from monitor.store.engine import writing
from monitor.store.references.activations import configure, read_activations
from monitor.store.references.active import reference_status
from monitor.store.references.plan import ReferencePlan
from monitor.store.tables import chunks, profiles, references, rollups
from monitor.worker.messages import ModelOptions, WindowResult
from monitor.worker.references.commands import Decision, accept, build, use
from monitor.worker.references.from_stream import NotLearned
from monitor.worker.stored.profiles import Profiles
from monitor.worker.stored.references import in_force
from monitor.worker.tasks import keep_profiles
from tests.monitor.worker.log import HOUR, START, Truth
from tests.monitor.worker.stream import Stream, drift, hour, is_over

OPTIONS = ModelOptions(
    "delays", every=HOUR, allowed_lateness=0.0, checks=CheckOptions(min_rows=60), maturity=3 * HOUR, coverage=0.8
)
LEARN = replace(OPTIONS, plan=ReferencePlan("first", first=10 * HOUR))
EVERYTHING = 1 << 40
DISTANCE = labels(feature="distance", method="psi")
ANN = Decision("ann", 1_800_000_000.0, "a new carrier")


def missing(verdict: WindowResult) -> Measurement:
    (row,) = [row for row in verdict.measurements if row.name == "drifted_features"]
    return row


def test_the_first_hours_become_normal_and_are_not_judged_after_all(tmp_path: Path) -> None:
    stream = Stream(tmp_path, LEARN)
    done = stream.send(*(hour(number) for number in range(13)))
    before, after = done[:10], done[10:]
    for _, verdict in before:
        assert (missing(verdict).reason, verdict.reference) == (NotEnough.NO_REFERENCE, None)
        assert missing(verdict).detail["why"] == "learning until 2023-11-15T08:00:00Z"
    assert len(after) == 2 and not any(is_over(drift(verdict)) for _, verdict in after)
    row = stream.log.rows(select(references))[0]
    assert (row.kind, row.n, row.window_start, row.window_end) == ("learned", 3000, START, START + 10 * HOUR)
    late = stream.send([replace(hour(3)[0], id="late")], hour(13))
    assert [row.reason for _, verdict in late for row in verdict.revisions if row.name == "drifted_features"] == [
        NotEnough.NO_REFERENCE
    ]
    assert is_over(drift(stream.send(hour(14, shift=3.0), hour(15))[-1][1]))


def test_learning_goes_on_until_there_are_enough_rows(tmp_path: Path) -> None:
    stream = Stream(tmp_path, replace(LEARN, plan=ReferencePlan("first", first=2 * HOUR)))
    done = stream.send(*(hour(number, rows=20) for number in range(6)))
    assert [verdict.reference for _, verdict in done] == [None, None, None, 1, 1]
    assert missing(done[2][1]).detail["why"] == "learning until there are enough rows"


def test_labels_that_have_come_give_the_performance_to_compare_with(tmp_path: Path) -> None:
    stream = Stream(tmp_path, LEARN)
    for number in range(11):
        rows = hour(number)
        stream.send(rows, [Truth(row.id, row.prediction, row.time) for row in rows[:280]])
    (_, verdict), *_ = stream.send(hour(11))
    found = {row.labels: row.value for row in verdict.measurements if row.name == "performance_reference"}
    assert found[("metric", "accuracy"),] == 1.0


def test_each_window_is_compared_with_those_before_it(tmp_path: Path) -> None:
    stream = Stream(tmp_path, replace(OPTIONS, plan=ReferencePlan("previous", first=2 * HOUR, of=2 * HOUR)))
    done = stream.send(*(hour(number, shift=3.0 * (number >= 6)) for number in range(10)))
    over = [None if verdict.reference is None else is_over(drift(verdict)) for _, verdict in done]
    assert over == [None, None, False, False, False, False, True, True, False]
    gap = stream.send(hour(14, shift=3.0), hour(15))
    assert missing(gap[-1][1]).detail["why"] == "the 2h before the window hold 0 rows, 60 are needed"


def test_what_is_accepted_holds_from_the_next_window_on_and_can_be_taken_back(tmp_path: Path) -> None:
    stream = Stream(tmp_path, LEARN)
    stream.send(*(hour(number) for number in range(11)))
    (_, before), *_ = stream.send(hour(11, shift=3.0), hour(12, shift=3.0), hour(13, shift=3.0))[1:]
    assert is_over(drift(before))
    made = accept(stream.log.engine, LEARN, "2h", ANN, lambda share: None)
    assert (made.id, made.rows, made.source) == (2, 600, "events 2023-11-15T09:00:00Z/2023-11-15T11:00:00Z")
    assert "fewer than 8 windows" in made.notes[0]
    assert not is_over(drift(stream.send(hour(14, shift=3.0))[0][1]))
    stored = stream.log.rows(select(references).order_by(references.c.id))
    assert [(row.kind, row.binning_id, row.created_by) for row in stored[1:]] == [("accepted", 1, "ann")]
    late = stream.send([replace(hour(11, shift=3.0)[0], id="late")], hour(15, shift=3.0))
    (revised,) = [row for _, verdict in late for row in verdict.revisions if row.labels == drift(before).labels]
    assert revised.value is not None and is_over(revised), "a window is revised by what judged it first"
    use(stream.log.engine, "delays", 1, ANN)
    assert is_over(drift(stream.send(hour(16, shift=3.0))[-1][1]))
    with stream.log.engine.connect() as connection:
        rows = read_activations(connection, "delays").rows
        assert [(row.action, row.reference_id, row.recorded_by) for row in rows] == [
            ("configured", None, "config"),
            ("learned", 1, "watchkeeper"),
            ("accepted", 2, "ann"),
            ("used", 1, "ann"),
        ]
        assert [one.id for one in reference_status(connection, "delays").in_force] == [1]


def test_longer_spans_do_not_look_back_behind_what_is_accepted(tmp_path: Path) -> None:
    options = replace(LEARN, lookback=(3 * HOUR,))
    stream = Stream(tmp_path, options)
    stream.send(*(hour(number, shift=3.0 * (number > 10)) for number in range(14)))
    accept(stream.log.engine, options, "1h", ANN, lambda share: None)
    done = stream.send(*(hour(number, shift=3.0) for number in range(14, 18)))
    over = [{row.name: row for row in verdict.measurements if ("over", "3h") in row.labels} for _, verdict in done]
    assert [rows["drifted_features"].reason for rows in over] == [NotEnough.SHORT_HISTORY, None, None, None]
    assert [rows["drifted_features"].value for rows in over] == [None, 0.0, 0.0, 0.0]


def test_of_many_accepted_windows_limits_are_learned_anew(tmp_path: Path) -> None:
    stream = Stream(tmp_path, LEARN)
    stream.send(*(hour(number, shift=3.0 * (number > 10)) for number in range(24)))
    made = accept(stream.log.engine, LEARN, "12h", ANN, lambda share: None)
    assert not any("former" in note for note in made.notes[:1]), made.notes
    assert not is_over(drift(stream.send(hour(24, shift=3.0))[0][1]))


def test_versions_are_judged_by_their_own(tmp_path: Path) -> None:
    plan = ReferencePlan("first", first=10 * HOUR, per_version=True)
    stream = Stream(tmp_path, replace(OPTIONS, plan=plan))
    first = stream.send(*(hour(number, version="3") for number in range(12)))
    assert [verdict.version for _, verdict in first] == ["3"] * 11
    assert not is_over(drift(first[-1][1]))
    # A canary of another nature: the window goes by the version that most rows are of.
    mixed = stream.send(
        *([*hour(12, version="3"), *hour(12, version="4", shift=3.0, rows=75)], hour(13, version="4", shift=3.0))
    )
    verdict = mixed[-1][1]
    assert (verdict.version, dict(verdict.versions)) == ("3", {"3": 300, "4": 75})
    assert not is_over(drift(verdict)) and drift(verdict).n == 300
    named = {row.name: row for row in verdict.measurements if not row.labels}
    assert named["window_rows"].value == 375
    assert named["unreferenced_rows_ratio"].value == 0.2
    learning = {row.name: row for _, verdict in first[:10] for row in verdict.measurements}["unreferenced_rows_ratio"]
    assert (learning.value, learning.reason) == (None, NotEnough.NO_REFERENCE), "the first to learn is no new version"
    later = stream.send(*(hour(number, version="4", shift=3.0) for number in range(14, 26)))
    assert missing(later[0][1]).detail["why"] == "version 4: learning until 2023-11-15T20:00:00Z"
    assert [verdict.reference for _, verdict in later] == [None] * 9 + [2] * 3
    assert not is_over(drift(later[-1][1]))
    back = stream.send(hour(26, version="3"), hour(27, version="3"))
    assert (back[-1][1].version, back[-1][1].reference) == ("3", 1)
    assert not is_over(drift(back[-1][1]))


def test_many_versions_in_one_chunk_are_told_apart_by_row(tmp_path: Path) -> None:
    stream = Stream(tmp_path, replace(OPTIONS, plan=ReferencePlan("first", first=2 * HOUR, per_version=True)))
    for number in range(5):
        rows = hour(number)
        odd = [replace(row, id=f"x{row.id}", version=f"v{place}") for place, row in enumerate(hour(number, rows=12))]
        found = stream.send([*(replace(row, version="main") for row in rows), *odd])
    (_, verdict) = found[-1]
    assert (verdict.version, verdict.versions["main"], verdict.versions["v11"]) == ("main", 300, 1)
    assert drift(verdict).n == 300
    assert {row.version for row in stream.log.rows(select(chunks.c.version))} == {None}


def test_a_reference_out_of_any_stored_range(tmp_path: Path) -> None:
    stream = Stream(tmp_path, OPTIONS)
    stream.send(*(hour(number) for number in range(12)))
    shares: list[float] = []
    made = build(stream.log.engine, OPTIONS, "events:2023-11-15T00:00/2023-11-15T06:00", ANN, shares.append)
    assert (made.rows, made.after) == (1800, START + 11 * HOUR)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    assert not is_over(drift(stream.send(hour(12))[0][1]))


@pytest.mark.parametrize(
    ("range_", "text"),
    [
        ("events:2023-01-01/2023-01-02", "there are no rows from 2023-01-01T00:00:00Z to 2023-01-02T00:00:00Z"),
        ("events:2023-11-14/2023-11-16", "ends after the last window that has closed"),
        ("events:2023-11-15/2023-11-14", "it ends before it begins"),
        ("events:yesterday", "is no range; write a length such as 7d"),
        ("events:", "is no range"),
        ("events:2023-11-15T03:00/2023-11-15T04:00", "there are 20 rows, and 60 are needed"),
    ],
)
def test_what_is_wrong_with_a_range_is_said(tmp_path: Path, range_: str, text: str) -> None:
    stream = Stream(tmp_path, OPTIONS)
    stream.send(*(hour(number, rows=20 if number == 5 else 300) for number in range(8)))
    with pytest.raises(NotLearned, match="no window of model"):
        build(stream.log.engine, replace(OPTIONS, model="other"), range_, ANN, lambda share: None)
    with pytest.raises(NotLearned) as caught:
        build(stream.log.engine, OPTIONS, range_, ANN, lambda share: None)
    assert text in str(caught.value)
    assert stream.log.rows(select(references)) == []


def test_rows_that_are_gone_are_missed(tmp_path: Path) -> None:
    stream = Stream(tmp_path, OPTIONS)
    stream.send(*(hour(number) for number in range(8)))
    stream.log.write(delete(chunks).where(chunks.c.window_start < START + 3 * HOUR))
    with pytest.raises(NotLearned, match=r"rows from before 2023-11-15T01:00:00Z are gone \(retention.events\)"):
        build(stream.log.engine, OPTIONS, "events:6h", ANN, lambda share: None)


def test_there_is_nothing_to_accept_under(tmp_path: Path) -> None:
    for name, options, text in (
        ("a", LEARN, "watchkeeper reference build --from events:1h"),
        (
            "b",
            replace(OPTIONS, plan=ReferencePlan("previous", first=HOUR, of=HOUR)),
            "a rolling reference accepts every window",
        ),
    ):
        (tmp_path / name).mkdir()
        stream = Stream(tmp_path / name, options)
        stream.send(*(hour(number) for number in range(4)))
        with pytest.raises(NotLearned, match=text):
            accept(stream.log.engine, options, "1h", ANN, lambda share: None)
    with pytest.raises(NotLearned, match="no reference 7"):
        use(stream.log.engine, "delays", 7, ANN)


def test_profiles_are_kept_up_for_all_versions_and_what_was_judged_by_old_bins_can_still_be_revised(
    tmp_path: Path,
) -> None:
    options = replace(OPTIONS, plan=ReferencePlan("first", first=2 * HOUR, per_version=True))
    stream = Stream(tmp_path, options)
    for number in range(7):
        stream.send([*hour(number, version="3"), *hour(number, version="4", shift=3.0, rows=100)])
    stream.log.write(delete(profiles))
    log = stream.log
    keep_profiles(log.url, log.model, 60.0, options)
    with log.engine.connect() as connection:
        found = in_force(connection, log.model)
    assert [(one.number, one.version) for one in found] == [(1, "3"), (2, "4")]
    for one, rows in zip(found, (300, 100), strict=True):
        of = Profiles(log.engine, log.model, HOUR, one).of(Window(START, START + 6 * HOUR), EVERYTHING)
        assert (of.n, list(of.missing)) == (6 * rows, [])
        assert log.rows(select(rollups.c.n).where(rollups.c.binning_id == one.id))
    # Other bins come into force; a late row then reaches a window that the old ones judged.
    build(log.engine, options, "events:4h", replace(ANN, version="3"), lambda share: None)
    stream.send(hour(7, version="3"))
    keep_profiles(log.url, log.model, 60.0, options)
    late = stream.send([replace(hour(4, version="3")[0], id="late")], hour(8, version="3"))
    (revised,) = [row for _, verdict in late for row in verdict.revisions if row.labels == DISTANCE]
    assert (revised.n, revised.reference_id) == (301, 1)
    assert [(verdict.reference, verdict.version) for _, verdict in late] == [(3, "3")]


def test_another_length_to_learn_from_begins_anew_for_every_version(tmp_path: Path) -> None:
    stream = Stream(tmp_path, replace(OPTIONS, plan=ReferencePlan("first", first=2 * HOUR, per_version=True)))
    assert [verdict.reference for _, verdict in stream.send(*(hour(n, version="3") for n in range(5)))][-1] == 1
    longer = ReferencePlan("first", first=3 * HOUR, per_version=True)
    with writing(stream.log.engine).begin() as connection:
        assert configure(connection, "delays", longer, 0.0)
        assert [one.version for one in reference_status(connection, "delays").learning] == ["3"]
    stream.options = replace(OPTIONS, plan=longer)
    done = stream.send(*(hour(number, version="3") for number in range(5, 10)))
    assert [verdict.reference for _, verdict in done] == [None, None, None, 2, 2]
