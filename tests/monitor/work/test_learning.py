"""References out of the stream: learned, accepted, rolled, and taken back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from checks.base import Measurement, NotEnough
from monitor.store.engine import writing
from monitor.store.normal import normal
from monitor.store.tables import chunks, references, windows
from monitor.store.uses import configure, read_uses
from monitor.work.closing import Closing, ModelOptions, Verdict
from monitor.work.compact import compact
from monitor.work.decisions import Decision, accept, build, use
from monitor.work.learning import NotLearned
from monitor.work.measure import measure
from monitor.work.plan import Plan
from tests.monitor.work.log import HOUR, START, Log, Prediction, Truth

OPTIONS = ModelOptions("delays", every=HOUR, lateness=0.0, min_rows=60, maturity=3 * HOUR, coverage=0.8)
LEARN = replace(OPTIONS, plan=Plan("first", first=10 * HOUR))
ANN = Decision("ann", 1_800_000_000.0, "a new carrier")


def hour(
    number: int, *, shift: float = 0.0, version: str | None = None, rows: int = 300, carrier: str = ""
) -> list[Prediction]:
    """One hour of flights, the same at every call."""
    rng = random.Random(f"{number}{shift}{version}")
    return [
        Prediction(
            id=f"{number}-{version}-{row}",
            time=START + (number + row / rows) * HOUR,
            features={"distance": rng.gauss(2.0 + shift, 1.0), "carrier": carrier or rng.choice(["UA", "AA", "DL"])},
            prediction=rng.choice(["yes", "no"]),
            score=rng.random(),
            version=version,
        )
        for row in range(rows)
    ]


class Stream:
    """A log that is judged window by window."""

    def __init__(self, folder: Path, options: ModelOptions) -> None:
        self.log = Log(folder / "w.db", options)
        self.options = options
        with writing(self.log.engine).begin() as connection:
            configure(connection, options.model, options.plan, 0.0)

    def send(self, *batches: Sequence[Prediction] | Sequence[Truth]) -> list[tuple[Closing, Verdict]]:
        log = self.log
        for batch in batches:
            log.accept(batch)
        log.scan()
        found = []
        for closing in log.closings():
            compact(log.url, log.model, closing.close_seq, self.options)
            verdict = measure(log.url, log.model, closing, self.options)
            log.record(closing, [window for window, _ in verdict.matured], verdict.versions)
            log.write(
                update(windows)
                .where(windows.c.start == closing.window.start)
                .values(reference_id=verdict.reference, version=verdict.version)
            )
            found.append((closing, verdict))
        return found


def drift(verdict: Verdict, feature: str = "distance") -> Measurement:
    (row,) = [
        row
        for row in verdict.measurements
        if row.name == "feature_drift" and row.labels == (("feature", feature), ("method", "psi"))
    ]
    return row


def is_over(row: Measurement) -> bool:
    assert row.value is not None and row.limit_high is not None, row
    return row.value > max(row.limit_high, 0.1)


def missing(verdict: Verdict) -> Measurement:
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
    stream = Stream(tmp_path, replace(LEARN, plan=Plan("first", first=2 * HOUR)))
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
    stream = Stream(tmp_path, replace(OPTIONS, plan=Plan("previous", first=2 * HOUR, of=2 * HOUR)))
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
        rows = read_uses(connection, "delays").rows
        assert [(row.action, row.reference_id, row.recorded_by) for row in rows] == [
            ("configured", None, "config"),
            ("learned", 1, "watchkeeper"),
            ("accepted", 2, "ann"),
            ("used", 1, "ann"),
        ]
        assert [one.id for one in normal(connection, "delays").in_force] == [1]


def test_of_many_accepted_windows_limits_are_learned_anew(tmp_path: Path) -> None:
    stream = Stream(tmp_path, LEARN)
    stream.send(*(hour(number, shift=3.0 * (number > 10)) for number in range(24)))
    made = accept(stream.log.engine, LEARN, "12h", ANN, lambda share: None)
    assert not any("former" in note for note in made.notes[:1]), made.notes
    assert not is_over(drift(stream.send(hour(24, shift=3.0))[0][1]))


def test_versions_are_judged_by_their_own(tmp_path: Path) -> None:
    plan = Plan("first", first=10 * HOUR, per_version=True)
    stream = Stream(tmp_path, replace(OPTIONS, plan=plan))
    first = stream.send(*(hour(number, version="3") for number in range(12)))
    assert [verdict.version for _, verdict in first] == ["3"] * 11
    assert not is_over(drift(first[-1][1]))
    # A canary of another nature: the window goes by the version that most rows are of.
    mixed = stream.send(*([*hour(12, version="3"), *hour(12, version="4", shift=3.0, rows=75)], hour(13, version="4")))
    verdict = mixed[-1][1]
    assert (verdict.version, dict(verdict.versions)) == ("3", {"3": 300, "4": 75})
    assert not is_over(drift(verdict)) and drift(verdict).n == 300
    named = {row.name: row for row in verdict.measurements if not row.labels}
    assert named["window_rows"].value == 375
    assert named["unreferenced_rows_ratio"].value == 0.2
    later = stream.send(*(hour(number, version="4", shift=3.0) for number in range(14, 26)))
    assert missing(later[0][1]).detail["why"] == "version 4: learning until 2023-11-15T20:00:00Z"
    assert [verdict.reference for _, verdict in later] == [None] * 9 + [2] * 3
    assert not is_over(drift(later[-1][1]))
    back = stream.send(hour(26, version="3"), hour(27, version="3"))
    assert (back[-1][1].version, back[-1][1].reference) == ("3", 1)
    assert not is_over(drift(back[-1][1]))


def test_many_versions_in_one_chunk_are_told_apart_by_row(tmp_path: Path) -> None:
    stream = Stream(tmp_path, replace(OPTIONS, plan=Plan("first", first=2 * HOUR, per_version=True)))
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
        ("b", replace(OPTIONS, plan=Plan("previous", first=HOUR, of=HOUR)), "a rolling reference accepts every window"),
    ):
        (tmp_path / name).mkdir()
        stream = Stream(tmp_path / name, options)
        stream.send(*(hour(number) for number in range(4)))
        with pytest.raises(NotLearned, match=text):
            accept(stream.log.engine, options, "1h", ANN, lambda share: None)
    with pytest.raises(NotLearned, match="no reference 7"):
        use(stream.log.engine, "delays", 7, ANN)
