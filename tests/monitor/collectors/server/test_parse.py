from __future__ import annotations

from math import inf

import pytest

from monitor.collectors.server.parse import Totals, between, read
from monitor.collectors.server.preset import Counter, Histogram, Preset, load_preset
from monitor.collectors.server.scrape import ScrapeError

FASTAPI = load_preset("fastapi")


def page(ok: float = 0, failed: float | None = None, scrapes: float = 0, fast: float = 0, slow: float = 0) -> str:
    lines = [
        "# HELP python_info x",
        "# TYPE python_info gauge",
        'python_info{version="3"} 1.0',
        "# TYPE http_requests_total counter",
        f'http_requests_total{{handler="/predict",method="POST",status="2xx"}} {ok}',
        f'http_requests_total{{handler="/metrics",method="GET",status="2xx"}} {scrapes}',
        "# TYPE http_request_duration_highr_seconds histogram",
        f'http_request_duration_highr_seconds_bucket{{le="0.1"}} {fast}',
        f'http_request_duration_highr_seconds_bucket{{le="1.0"}} {fast + slow}',
        f'http_request_duration_highr_seconds_bucket{{le="+Inf"}} {fast + slow}',
        f"http_request_duration_highr_seconds_count {fast + slow}",
    ]
    if failed is not None:
        lines.append(f'http_requests_total{{handler="/predict",method="POST",status="5xx"}} {failed}')
    return "\n".join(lines) + "\n"


def totals(text: str) -> Totals:
    return read(text, FASTAPI, ["/metrics"])


def test_requests_errors_and_excluded_routes_are_told_apart() -> None:
    counts = between(totals(page()), totals(page(ok=8, failed=2, scrapes=5, fast=10, slow=5)))
    assert (counts.requests, counts.errors, counts.excluded) == (10, 2, 5)
    assert counts.buckets == {0.1: 10, 1.0: 15, inf: 15}


def test_a_counter_that_fell_began_anew() -> None:
    counts = between(totals(page(ok=100, failed=3, fast=103)), totals(page(ok=7, failed=1, fast=8)))
    assert (counts.requests, counts.errors, counts.buckets[inf]) == (8, 1, 8)


def test_a_counter_that_went_away_tells_of_a_restart_too() -> None:
    # 5xx is gone, so the server is a new one, although more requests were answered than before.
    counts = between(totals(page(ok=100, failed=3, fast=103)), totals(page(ok=120, fast=120)))
    assert (counts.requests, counts.errors, counts.buckets[inf]) == (120, 0, 120)


def test_a_series_seen_for_the_first_time_counts_from_zero() -> None:
    counts = between(totals(page(ok=10)), totals(page(ok=10, failed=4)))
    assert (counts.requests, counts.errors) == (4, 4)


def test_the_status_may_be_ungrouped() -> None:
    text = (
        'http_requests_total{handler="/p",status="200"} 3\nhttp_requests_total{handler="/p",status="503"} 2\n'
        'http_requests_total{handler="/p",status="404"} 1\nhttp_requests_total{handler="/p",status="1503"} 1\n'
    )
    found = totals(text)
    assert sum(found.requests.values()) == 7
    assert sum(found.errors.values()) == 2


@pytest.mark.parametrize("name", ["served", "served_total"])
@pytest.mark.parametrize("typed", ["", "# TYPE served counter\n", "# TYPE served_total counter\n"])
@pytest.mark.parametrize("preset_name", ["served", "served_total"])
def test_counters_match_with_and_without_total(name: str, typed: str, preset_name: str) -> None:
    preset = Preset(requests=[Counter(counter=preset_name)])
    assert sum(read(f"{typed}{name} 5\n", preset, []).requests.values()) == 5


def test_a_metric_that_only_begins_like_one_of_the_presets_is_another() -> None:
    preset = Preset(requests=[Counter(counter="served")])
    assert read("served_by_cache_total 5\nserved_created 7\n", preset, []).requests == {}


def test_the_histograms_unit_is_the_presets() -> None:
    preset = Preset(requests=[Counter(counter="n")], latency=Histogram(histogram="took_ms", seconds=0.001))
    text = 'n 1\ntook_ms_bucket{le="50"} 1\ntook_ms_bucket{le="+Inf"} 2\n'
    assert between(Totals(), read(text, preset, []), 0.001).buckets == {0.05: 1, inf: 2}


def test_a_histogram_by_route_leaves_excluded_routes_out() -> None:
    preset = Preset(requests=[Counter(counter="n")], latency=Histogram(histogram="took", handler="route"))
    text = 'took_bucket{route="/p",le="+Inf"} 2\ntook_bucket{route="/metrics",le="+Inf"} 40\n'
    assert between(Totals(), read(text, preset, ["/metrics"])).buckets == {inf: 2}


def test_numbers_that_are_none_are_left_out() -> None:
    assert totals('http_requests_total{handler="/p",status="2xx"} NaN\n').requests == {}


@pytest.mark.parametrize("line", ['http_requests_total{handler="/p" 3', "http_requests_total three"])
def test_a_line_that_is_no_sample(line: str) -> None:
    with pytest.raises(ScrapeError, match="not in Prometheus' text format"):
        totals(line + "\n")


def test_lines_of_other_metrics_are_not_even_parsed() -> None:
    assert sum(totals("some garbage {{{\n" + page(ok=3)).requests.values()) == 3
