from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.demo.episodes import Episode, episodes
from monitor.demo.story import DAY, REPLAY, story
from monitor.demo.summary import Played, explained, plain, plain_alert, reasons, verdicts
from tests.monitor.demo.test_episodes import change

KILOMETRES, MISSING, SLOW = story(REPLAY[0])
WALL = 1_800_000_000.0
PLAYED = [
    Played(KILOMETRES, WALL + 30, WALL + 40),
    Played(MISSING, WALL + 75, WALL + 80),
    Played(SLOW, WALL + 130, WALL + 170),
]


def alert(rule: str, fired: float, resolved: float | None, **labels: str) -> Episode:
    changes = [change(rule, "pending", "firing", fired, **labels)]
    if resolved is not None:
        changes.append(change(rule, "firing", "inactive", resolved, **labels))
    return episodes(changes)[0]


def test_delays_are_counted_in_windows_of_event_time() -> None:
    drift = alert("feature-drift", KILOMETRES.begins + 2 * DAY, KILOMETRES.ends + DAY, feature="distance")
    verdict = verdicts(PLAYED[:1], [drift], DAY)[0]
    assert (verdict.to_fire, verdict.to_resolve, verdict.unit) == (2.0, 1.0, "windows")


def test_the_slow_server_is_counted_in_seconds_of_wall_time() -> None:
    verdict = verdicts(PLAYED[2:], [alert("latency-high", WALL + 141, WALL + 178)], DAY)[0]
    assert (verdict.to_fire, verdict.to_resolve, verdict.unit) == (11.0, 8.0, "seconds")


@pytest.mark.parametrize(
    "other",
    [
        alert("feature-drift", KILOMETRES.begins + 2 * DAY, None, feature="hour"),
        alert("feature-drift", KILOMETRES.begins, None, feature="distance"),
        alert("feature-drift", KILOMETRES.ends + 4 * DAY, None, feature="distance"),
        alert("missing-values", KILOMETRES.begins + 2 * DAY, None, feature="distance"),
    ],
    ids=["another feature", "before the fault", "long after it", "another rule"],
)
def test_only_the_right_alert_in_time_counts(other: Episode) -> None:
    verdict = verdicts(PLAYED[:1], [other], DAY)[0]
    assert (verdict.episode, verdict.to_fire, verdict.to_resolve) == (None, None, None)
    assert plain(verdict)["fired"] is False


def test_a_latency_alert_outside_the_slow_time_is_not_its() -> None:
    early, late = alert("latency-high", WALL + 129, None), alert("latency-high", WALL + 201, None)
    assert verdicts(PLAYED[2:], [early, late], DAY)[0].episode is None


def test_an_alert_that_still_fires_has_no_delay_to_resolution() -> None:
    verdict = verdicts(PLAYED[1:2], [alert("missing-values", MISSING.begins + DAY, None, feature="temp")], DAY)[0]
    assert (verdict.to_fire, verdict.to_resolve) == (1.0, None)


def test_alerts_are_explained_by_their_fault_or_by_the_rows() -> None:
    found = explained(
        [
            alert("out-of-range", KILOMETRES.begins + 2 * DAY, None, feature="distance"),
            alert("accuracy-low", KILOMETRES.begins + 2 * DAY, None, metric="accuracy"),
            alert("latency-high", WALL + 140, None),
        ],
        PLAYED,
        DAY,
        lambda episode: f"rows on {episode.rule}",
    )
    assert [(one.fault, one.explanation) for one in found] == [
        ("kilometres", KILOMETRES.title),
        ("", "rows on accuracy-low"),
        ("slow", SLOW.title),
    ]
    assert plain_alert(found[1])["fired_at"] == "2013-05-03T00:00:00Z"
    assert plain_alert(found[1])["resolved_at"] is None


def test_without_faults_nothing_is_blamed_on_them() -> None:
    drift = alert("feature-drift", KILOMETRES.begins + 2 * DAY, None, feature="distance")
    assert explained([drift], [], DAY, lambda _episode: "rows")[0].fault == ""


def test_a_fault_s_own_dates_are_told() -> None:
    told = plain(verdicts([replace(PLAYED[0])], [], DAY)[0])
    assert (told["begins"], told["ends"]) == ("2013-05-01T00:00:00Z", "2013-05-11T00:00:00Z")


def test_messages_are_counted_by_reason() -> None:
    assert reasons([{"reason": "first"}, {"reason": "resolved"}, {"reason": "first"}]) == {"first": 2, "resolved": 1}
