from __future__ import annotations

from math import inf

import pytest

from monitor.collectors.server.parse import ERROR, EXCLUDED, REQUEST, Totals, read
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
    return read(text.encode(), FASTAPI, ["/metrics"])


def test_requests_errors_and_excluded_routes_are_told_apart() -> None:
    found = totals(page(ok=8, failed=2, scrapes=5, fast=10, slow=5))
    assert [found.total(kind) for kind in (REQUEST, ERROR, EXCLUDED)] == [10, 2, 5]
    assert found.histograms == {("http_request_duration_highr_seconds", ()): {0.1: 10, 1.0: 15, inf: 15}}


def test_the_status_may_be_ungrouped() -> None:
    text = (
        'http_requests_total{handler="/p",status="200"} 3\nhttp_requests_total{handler="/p",status="503"} 2\n'
        'http_requests_total{handler="/p",status="404"} 1\nhttp_requests_total{handler="/p",status="1503"} 1\n'
    )
    found = totals(text)
    assert (found.total(REQUEST), found.total(ERROR)) == (7, 2)


@pytest.mark.parametrize("name", ["served", "served_total"])
@pytest.mark.parametrize("typed", ["", "# TYPE served counter\n", "# TYPE served_total counter\n"])
@pytest.mark.parametrize("preset_name", ["served", "served_total"])
def test_counters_match_with_and_without_total(name: str, typed: str, preset_name: str) -> None:
    preset = Preset(requests=[Counter(counter=preset_name)])
    assert read(f"{typed}{name} 5\n".encode(), preset, []).total(REQUEST) == 5


def test_a_metric_that_only_begins_like_one_of_the_presets_is_another() -> None:
    preset = Preset(requests=[Counter(counter="served")])
    assert read(b"served_by_cache_total 5\nserved_created 7\n", preset, []).counters == {}


def test_a_histogram_by_route_leaves_excluded_routes_out() -> None:
    preset = Preset(requests=[Counter(counter="n")], latency=Histogram(histogram="took", handler="route"))
    text = b'took_bucket{route="/p",le="+Inf"} 2\ntook_bucket{route="/metrics",le="+Inf"} 40\n'
    assert read(text, preset, ["/metrics"]).histograms == {("took", (("route", "/p"),)): {inf: 2}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("NaN", "no finite number"),
        ("+Inf", "no finite number"),
        ("1e999", "no finite number"),
        ("1e308", "no finite number"),
        ("-1", "below 0"),
    ],
)
def test_a_counter_that_is_no_number_from_zero_on_is_left_out_and_named(value: str, said: str) -> None:
    found = totals(f'http_requests_total{{handler="/p\u2028",status="2xx"}} {value}\n' + page(ok=3))
    assert found.total(REQUEST) == 3
    assert said in found.refused_counter
    assert found.refused_counter.endswith("http_requests_total{handler='/p\\u2028', status='2xx'}")
    name = "http_request_duration_highr_seconds"
    bucket = totals(f'{name}_bucket{{le="0.5"}} {value}\n' + page(ok=3))
    assert (bucket.refused_counter, said in bucket.refused_bucket) == ("", True)


@pytest.mark.parametrize("label", ["", '{le=""}', '{le="abc"}', '{le="NaN"}', '{le="1_0"}', '{le="٣"}', '{le=" 1"}'])
def test_a_bucket_without_a_bound_costs_itself_alone(label: str) -> None:
    name = "http_request_duration_highr_seconds"
    found = totals(f"{name}_bucket{label} 3\n" + page(ok=3, fast=3))
    assert found.histograms == totals(page(ok=3, fast=3)).histograms
    assert found.skipped.startswith(f"a bucket of {name} has ")
    assert found.latency_problem(FASTAPI) == ""


def test_a_histogram_that_tells_no_latency_is_named() -> None:
    name, whole = "http_request_duration_highr_seconds", page(ok=3, fast=3)
    without = [line for line in whole.splitlines() if 'le="+Inf"' not in line]
    assert totals(whole).latency_problem(FASTAPI) == ""
    assert f'histogram {name} without its bucket le="+Inf"' in totals("\n".join(without)).latency_problem(FASTAPI)
    only = f'{name}_bucket{{le="+Inf"}} 3\n'
    assert "without any bucket but" in totals(only).latency_problem(FASTAPI)
    assert totals("").latency_problem(FASTAPI) == f"has no histogram {name}"
    assert totals(f"# TYPE {name} histogram\n").latency_problem(FASTAPI) == ""


def test_what_began_since_a_moment() -> None:
    text = (
        'http_requests_total{handler="/p",status="2xx"} 3\nhttp_requests_created{handler="/p",status="2xx"} 1700\n'
        "process_start_time_seconds 1500\n"
    )
    series = ("http_requests_total", (("handler", "/p"), ("status", "2xx")))
    old, new = (read(text.encode(), FASTAPI, [], since) for since in (1701.0, 1500.0))
    assert (series in old.born, series in new.born) == (False, True)
    assert (old.started, old.fresh, new.fresh) == (1500.0, False, True)


def test_of_a_series_that_stands_twice_the_first_counts() -> None:
    assert totals('http_requests_total{status="2xx"} 3\nhttp_requests_total{status="2xx"} 9\n').total(REQUEST) == 3


@pytest.mark.parametrize("line", ['http_requests_total{handler="/p" 3', "http_requests_total three"])
def test_a_line_that_is_no_sample(line: str) -> None:
    with pytest.raises(ScrapeError, match="not in Prometheus' text format"):
        totals(line + "\n")


def test_lines_of_other_metrics_are_not_even_parsed() -> None:
    assert totals("some garbage {{{\n" + page(ok=3)).total(REQUEST) == 3
