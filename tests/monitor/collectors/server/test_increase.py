from __future__ import annotations

import random
import re
from math import inf
from pathlib import Path

import pytest

from monitor.collectors.server.increase import MOST, Baseline, HistogramCounts
from monitor.collectors.server.parse import REQUEST, Totals, read
from monitor.collectors.server.preset import Counter, Histogram, Preset
from tests.monitor.collectors.server.test_parse import page, totals
from tests.servers.prometheus import promtool

BY_ROUTE = Preset(requests=[Counter(counter="n")], latency=Histogram(histogram="took", handler="route"))


def between(*pages: Totals, keep: float = 300.0) -> HistogramCounts:
    """What the last page adds."""
    baseline = Baseline(keep)
    for moment, one in enumerate(pages):
        counts = baseline.take(one, 15.0 * moment)
    return counts


def by_route(text: str, since: float = inf) -> Totals:
    return read(text.encode(), BY_ROUTE, [], since)


def test_what_was_counted() -> None:
    counts = between(totals(page(failed=0)), totals(page(ok=8, failed=2, scrapes=5, fast=10, slow=5)))
    assert (counts.requests, counts.errors, counts.excluded) == (10, 2, 5)
    assert counts.buckets == {0.1: 10, 1.0: 15, inf: 15}


def test_counters_that_fell_began_anew() -> None:
    counts = between(totals(page(ok=100, failed=3, fast=103)), totals(page(ok=7, failed=1, fast=8)))
    assert (counts.requests, counts.errors, counts.buckets[inf]) == (8, 1, 8)


def test_one_series_that_fell_says_nothing_of_the_others() -> None:
    counts = between(totals(page(ok=1_000_000, failed=200_000)), totals(page(ok=1_000_005, failed=1)))
    assert (counts.requests, counts.errors) == (6, 1)


def test_a_series_that_went_says_nothing_of_the_others() -> None:
    counts = between(totals(page(ok=100, failed=3, fast=103)), totals(page(ok=120, fast=120)))
    assert (counts.requests, counts.errors, counts.buckets[inf]) == (20, 0, 17)


def test_a_series_that_comes_back_goes_on_from_where_it_was() -> None:
    there, gone = totals(page(ok=10, failed=200_000)), totals(page(ok=11))
    assert between(there, gone, totals(page(ok=12, failed=200_004))).errors == 4
    assert between(there, gone, totals(page(ok=12, failed=3))).errors == 3
    # After longer than is looked back it is a new one.
    assert between(there, gone, gone, gone, totals(page(ok=12, failed=200_004)), keep=20.0).errors == 0


def test_a_series_that_went_is_remembered_within_a_bound() -> None:
    baseline, series = Baseline(300.0), [("n", (("x", str(number)),)) for number in range(MOST + 1)]
    for count in (1.0, 5.0):
        page = Totals(counters=dict.fromkeys(series, count), counted=dict.fromkeys(series, REQUEST))
        counts = baseline.take(page, count)
        baseline.take(Totals(), count)
    assert counts.requests == 4.0 * MOST


def test_a_new_series_gives_nothing_until_it_was_seen_twice() -> None:
    new = totals(page(ok=10, failed=4))
    counts = between(totals(page(ok=10)), new)
    assert (counts.requests, counts.errors) == (0, 0)
    counts = between(totals(page(ok=10)), new, totals(page(ok=10, failed=6)))
    assert (counts.requests, counts.errors) == (2, 2)


def test_a_series_seen_for_the_first_time_counts_from_zero_where_the_page_says_that_it_is_new() -> None:
    def created(at: float) -> Totals:
        text = page(ok=10, failed=4) + 'http_requests_created{handler="/predict",method="POST",status="5xx"} ' + str(at)
        return read(text.encode(), BY_ROUTE_FASTAPI, ["/metrics"], 1000.0)

    assert [between(totals(page(ok=10)), created(at)).errors for at in (999.0, 1001.0)] == [0, 4]


def test_all_series_of_a_process_that_began_since_count_from_zero() -> None:
    text = page(ok=10, failed=4) + "process_start_time_seconds 1001\n"
    counts = between(totals(page(ok=500)), read(text.encode(), BY_ROUTE_FASTAPI, [], 1000.0))
    assert (counts.requests, counts.errors) == (14, 4)


def test_the_buckets_of_one_label_set_begin_anew_together() -> None:
    old = by_route(
        'took_bucket{route="/a",le="1"} 90\ntook_bucket{route="/a",le="+Inf"} 100\n'
        'took_bucket{route="/b",le="1"} 7\ntook_bucket{route="/b",le="+Inf"} 9\n'
    )
    new = by_route(
        'took_bucket{route="/a",le="1"} 3\ntook_bucket{route="/a",le="+Inf"} 120\n'
        'took_bucket{route="/b",le="1"} 8\ntook_bucket{route="/b",le="+Inf"} 10\n'
    )
    # Of /a one bucket fell, so its other one counts from zero, too; /b goes on.
    assert between(old, new).buckets == {1.0: 3 + 1, inf: 120 + 1}


def test_the_histograms_unit_is_the_presets() -> None:
    baseline = Baseline(300.0)
    for count in (0, 2):
        text = f'took_bucket{{le="50"}} {count / 2}\ntook_bucket{{le="+Inf"}} {count}\n'
        counts = baseline.take(by_route(text), count, 0.001)
    assert counts.buckets == {0.05: 1, inf: 2}


def test_a_histogram_of_several_without_inf_is_left_out() -> None:
    pages = [
        by_route(f'took_bucket{{route="/a",le="1"}} {n}\ntook_bucket{{le="1"}} {n}\ntook_bucket{{le="+Inf"}} {n}\n')
        for n in (1, 3)
    ]
    assert between(*pages).buckets == {1.0: 2, inf: 2}


BY_ROUTE_FASTAPI = Preset(
    requests=[Counter(counter="http_requests_total", handler="handler")],
    errors=[Counter(counter="http_requests_total", handler="handler", where={"status": "5.."})],
    latency=Histogram(histogram="http_request_duration_highr_seconds"),
)


def _series(seed: int, length: int) -> list[float | None]:
    """A counter that rises, falls, stands, vanishes and comes back."""
    draw, value, found = random.Random(seed), 0.0, []
    for _ in range(length):
        value = draw.choice([value, value + draw.randrange(50), value + 0.5, float(draw.randrange(20))])
        found.append(None if draw.random() < 0.2 else value)
    return found


@pytest.mark.parametrize("keep", [0.0, 300.0])
def test_random_counters_as_a_second_plain_model_counts_them(keep: float) -> None:
    for seed in range(60):
        series, baseline = [_series(seed * 10 + number, 12) for number in range(3)], Baseline(keep)
        for moment in range(12):
            rows = [row[: moment + 1] for row in series]
            text = "".join(f'n{{x="{x}"}} {row[-1]}\n' for x, row in enumerate(rows) if row[-1] is not None)
            expected = sum(_plainly(row[-2:] if keep == 0.0 else row) for row in rows)
            assert baseline.take(by_route(text), 15.0 * moment).requests == pytest.approx(expected), (seed, moment)


def _plainly(row: list[float | None]) -> float:
    """What the newest sample of a series adds to the one before it."""
    *before, now = row
    known = [value for value in before if value is not None]
    return now - (known[-1] if known[-1] <= now else 0.0) if known and now is not None else 0.0


def test_random_counters_as_prometheus_counts_them(tmp_path: Path) -> None:
    """`increase` over one interval with a sample at both ends needs no extrapolation: it is the plain difference."""
    series = [_series(seed, 40) for seed in range(25)]
    notation = [" ".join("_" if value is None else f"{value:g}" for value in row) for row in series]
    inputs = "".join(f"    - {{series: 'n{{x=\"{x}\"}}', values: '{row}'}}\n" for x, row in enumerate(notation))
    baseline, expected = Baseline(0.0), ""
    for moment, row in enumerate(zip(*series, strict=True)):
        text = "".join(f'n{{x="{x}"}} {value}\n' for x, value in enumerate(row) if value is not None)
        ours = baseline.take(by_route(text), 60.0 * moment).requests
        if moment:
            expected += (
                f"    - {{expr: 'sum(increase(n[1m]))', eval_time: {moment}m, "
                f"exp_samples: [{{labels: '{{}}', value: {ours!r}}}]}}\n"
            )
    (tmp_path / "rules.yml").write_text("groups: []\n")
    test = tmp_path / "test.yml"
    test.write_text(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n"
        f"  - interval: 1m\n    input_series:\n{inputs}    promql_expr_test:\n{expected}"
    )
    ran = promtool("test", "rules", str(test), together=True)
    assert ran.returncode == 0, ran.stdout[:3000]
    assert len(re.findall("eval_time", expected)) == 39
