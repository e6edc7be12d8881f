"""How fast an error budget burns, in PromQL: the same ratios over the same windows."""

from __future__ import annotations

from alerts.promql.terms import SIGNS, Inexpressible, number_of, span_of
from alerts.rules.rule import Rule
from alerts.rules.slo import Pair

WEIGHTED = "error_ratio"
"""The ratio whose requests are known as a series of their own."""


def burning(rule: Rule, own: str, pace: float | None, rate: str) -> str:
    """The expression for `own`, a selector; `pace`: seconds between two samples; `rate` selects the request rate. Its
    value is the long window's ratio. Raises Inexpressible."""
    assert rule.slo is not None
    if pace is None:
        raise Inexpressible("slo counts samples, and this metric is not sampled everywhere at the same interval")
    parts = []
    for pair in rule.slo.pairs:
        long, short = (_ratio(rule, own, length, pace, rate) for length in (pair.long, pair.short))
        limit = number_of(pair.threshold)
        part = f"({long} > {limit} and {short} > {limit}{_guard(rule, own, pair, pace, rate)})"
        parts.append(part)
    return " or ".join(parts)


def _ratio(rule: Rule, own: str, length: float, pace: float, rate: str) -> str:
    window = span_of(_within(length))
    step = span_of(pace)
    if rule.bounds:
        # Only one of two sides can be wrong at a time, so the sum is 1 or 0.
        tests = (f"({own} {SIGNS[bound.side]} bool {number_of(bound.level.value or 0.0)})" for bound in rule.bounds)
        bad = " + ".join(tests)
        return _mean(f"({bad})[{window}:{step}]")
    if rule.metric != WEIGHTED:
        return _mean(f"{own}[{window}]")
    bad = f"sum_over_time(({own} * {rate})[{window}:{step}])"
    every = f"sum_over_time(({rate} and {own})[{window}:{step}])"
    return f"{bad} / {every}"


def _guard(rule: Rule, own: str, pair: Pair, pace: float, rate: str) -> str:
    """So many requests, or samples where they carry none, must be in the long window."""
    if not rule.min_rows or rule.bounds:
        return ""
    window = span_of(_within(pair.long))
    if rule.metric != WEIGHTED:
        return f" and count_over_time({own}[{window}]) >= {rule.min_rows}"
    counted = f"sum_over_time(({rate} and {own})[{window}:{span_of(pace)}])"
    return f" and {counted} * {number_of(pace)} >= {rule.min_rows}"


def _mean(samples: str) -> str:
    """Exact where samples are 1 or 0; avg_over_time goes by steps, and may miss the level that it meets."""
    return f"sum_over_time({samples}) / count_over_time({samples})"


def _within(length: float) -> float:
    """A range that begins after the sample at its very start, which Prometheus 2 counts in and 3 does not."""
    return length - 0.001
