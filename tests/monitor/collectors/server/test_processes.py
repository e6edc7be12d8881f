"""One series that falls, a server that is restarted, and several processes that answer by turns."""

from __future__ import annotations

import pytest

from alerts.state.state import Status
from checks.base import NotEnough
from tests.monitor.collectors.server.test_collector import RATIOS, Page, collector, values
from tests.monitor.collectors.server.test_collector import served as served  # a fixture
from tests.monitor.collectors.server.test_parse import page
from tests.monitor.collectors.test_shipped_rules import Judged


def long_up(good: int, gone: bool, failed: int = 200_000) -> str:
    series = [
        ("/predict", "2xx", 1_000_000 + good),
        ("/predict", "5xx", failed),
        *([] if gone else [("/old", "2xx", 5)]),
    ]
    return "".join(f'http_requests_total{{handler="{at}",status="{how}"}} {count}.0\n' for at, how, count in series)


def test_one_series_that_goes_or_falls_or_comes_back_is_no_burst_and_alerts_nobody(served: Page) -> None:
    source, high = collector(served.url), Judged("errors-high")
    # /old goes and comes back, then the application clears its count of failures.
    failed = [200_000] * 12 + [0] * 6 + [1] * 6
    for moment, count in enumerate(failed):
        served.text = long_up(moment, 4 <= moment < 8, count)
        rows = source.collect(15.0 * moment, 15.0 * moment)
        found = values(rows)
        assert high.status([row for row in rows if row.name == "error_ratio"], 15.0 * moment) is Status.INACTIVE
        if moment:
            assert found["request_rate"] <= 2 / 15
            assert found["error_ratio"] == (0.0 if moment < 18 else pytest.approx(found["error_ratio"]))


def worker(number: int, scrape: int, start: bool = True) -> str:
    """The page of one of three workers that nobody asks anything."""
    ok, failed, slow = [(100_000, 9_000, 49_000), (300, 2, 0), (7_000, 70, 3)][number]
    text = page(ok=ok, failed=failed, scrapes=scrape, fast=ok + failed - slow, slow=slow)
    return text + (f"process_start_time_seconds {1.7e9 + number}\n" if start else "")


@pytest.mark.parametrize(
    ("turns", "start"),
    [([0, 1], True), ([1, 0], True), ([0, 2, 1, 1, 0, 2, 2, 1], True), ([2, 1, 0], True), ([0, 1], False)],
)
def test_workers_with_counters_of_their_own_are_named_and_give_no_data(
    served: Page, turns: list[int], start: bool, caplog: pytest.LogCaptureFixture
) -> None:
    source, seen = collector(served.url), []
    for scrape in range(24):
        served.text = worker(turns[scrape % len(turns)], scrape, start)
        rows = source.collect(1.7e9 + 3600.0 + 15.0 * scrape, 15.0 * scrape)
        seen.append(values(rows))
    assert not [found for found in seen if isinstance(found["request_rate"], float) and found["request_rate"] > 100]
    assert seen[-1] == {"server_up": 1.0, **dict.fromkeys(["request_rate", *RATIOS], NotEnough.ERROR)}
    assert "PROMETHEUS_MULTIPROC_DIR" in rows[1].detail["error"]
    assert caplog.text.count("several workers answer by turns") == 1


def test_a_restart_or_one_after_another_is_taken_for_none_of_it(served: Page) -> None:
    source, begun, count = collector(served.url), 1_700_000_000.0, 0
    for scrape in range(40):
        now = 1_700_000_000.0 + 15.0 * scrape
        if scrape % 4 == 3:  # a crash loop
            begun, count = now - 7.0, 0
        count += 30
        served.text = page(ok=count, failed=0, fast=count) + f"process_start_time_seconds {begun}\n"
        found = values(source.collect(now, 15.0 * scrape))
        if scrape:
            assert (found["request_rate"], found["error_ratio"]) == (2.0, 0.0)


def test_a_rolling_restart_is_taken_for_none_of_it(served: Page, caplog: pytest.LogCaptureFixture) -> None:
    """The new replica began two minutes before it is asked, and both are for a while."""
    source, old, new = collector(served.url), 50_000, 0
    for scrape, turn in enumerate("oooonononnnnnnnnnnnnnnnn"):
        old, new = old + 30, new + 30
        count, begun = (old, 1.6e9) if turn == "o" else (new, 1.7e9 - 60.0)
        served.text = page(ok=count, failed=0, fast=count) + f"process_start_time_seconds {begun}\n"
        found = values(source.collect(1.7e9 + 15.0 * scrape, 15.0 * scrape))
        assert found["request_rate"] in (2.0, NotEnough.FIRST_SAMPLE)
    assert found["request_rate"] == 2.0
    assert "several" not in caplog.text


def test_workers_that_share_their_counters_are_measured_whichever_answers(served: Page) -> None:
    source, found = collector(served.url), {}
    for scrape in range(20):
        served.text = page(ok=30 * scrape, failed=0, fast=30 * scrape) + f"process_start_time_seconds {scrape % 3}\n"
        found = values(source.collect(1.7e9 + 15.0 * scrape, 15.0 * scrape))
        if scrape > 3:
            assert found["request_rate"] == 2.0


def test_a_server_whose_workers_share_their_counters_again_is_measured_again(served: Page) -> None:
    source = collector(served.url)
    for scrape in range(40):
        both = scrape < 12
        served.text = worker(scrape % 2, scrape) if both else worker(0, scrape)
        found = values(source.collect(1.7e9 + 3600 + 15.0 * scrape, 15.0 * scrape))
        assert (found["request_rate"] is NotEnough.ERROR) or not 10 <= scrape < 12
    assert found["request_rate"] == 0.0
