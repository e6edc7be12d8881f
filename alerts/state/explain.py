"""Why an alert fires, or why it does not: what its rule looks at, what was seen, and what it waits for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.duration import Hold, span
from alerts.rules.level import Level, Unjudged, describe_level
from alerts.rules.rule import Rule
from alerts.rules.slo import burnt
from alerts.state.condition import ConditionInputs, holds
from alerts.state.observation import Kind, Observation
from alerts.state.reading import Judged, judge, mean
from alerts.state.state import AlertState, Status
from alerts.wording import number, quantity, stamp
from checks.base import Measurement

SIGNS = {"above": ">", "below": "<"}
MISSING = {
    Unjudged.NO_LIMIT: "it has no calibrated limit: the reference says nothing of it",
    Unjudged.NO_REFERENCE: "the reference has no value of it",
    Unjudged.NO_BASELINE: "too little of its own past is known",
}
Fact = tuple[str, str]


def condition(rule: Rule) -> str:
    """A rule's condition as one line."""
    labels = ", ".join(f"{name}={value}" for name, value in rule.match.items())
    mean = f" (mean of {rule.average} windows)" if rule.average > 1 else ""
    held = f" for {rule.for_}" if rule.for_ != Hold() else ""
    own = f" ({len(rule.overrides)} overrides)" if rule.overrides else ""
    return f"{rule.metric}{{{labels}}}{mean}{_wrong(rule)}{held}{own}".replace("{}", "")


def explain(
    rule: Rule, state: AlertState | None, measurement: Measurement | None, company: ConditionInputs, now: float
) -> list[Fact]:
    """What there is to say, as (about what, sentence). `state` is None where the rule has met no such label set,
    `measurement` the newest one where it is known; `now` is on the rule's clock."""
    rule = rule if state is None else rule.of(state.labels)
    facts: list[Fact] = [("rule", condition(rule))]
    if state is None:
        return [*facts, ("state", "inactive: nothing with these labels has been judged by this rule yet")]
    facts.append(("state", _state(state)))
    if state.health is not Kind.VALUE:
        policy = rule.error if state.health is Kind.ERROR else rule.on_no_data
        words = "measuring fails" if state.health is Kind.ERROR else "there is no data"
        since = "" if state.health_since is None else f" since {stamp(state.health_since)}"
        facts.append(("data", f"{words}{since} ({state.health_text}); for this rule that means: {policy}"))
    facts += _seen(rule, state, measurement, now)
    facts += [("while", _condition(item.description, holds(item, company))) for item in rule.while_]
    if waiting := _waits(rule, state, now):
        facts.append(("waits for", waiting))
    return facts


def _wrong(rule: Rule) -> str:
    if rule.absent:
        return " is absent"
    sides = " or".join(f" {SIGNS[bound.side]} {_level(bound.level, rule.metric)}" for bound in rule.bounds)
    if rule.share is not None:
        return f"{sides} in more than {quantity('share_ratio', rule.share)} of its label sets"
    if rule.slo is None:
        return sides
    rates = ", ".join(f"{pair.rate:g} over {span(pair.long)} and {span(pair.short)}" for pair in rule.slo.pairs)
    return f"{sides} burns its budget of {1 - rule.slo.objective:.3g} at a rate of {rates}"


def _level(level: Level, metric: str) -> str:
    if level.value is not None:
        return quantity(metric, level.value)
    text = describe_level(level)
    for word, bound in (("at least", level.at_least), ("at most", level.at_most)):
        if bound is not None:
            text += f", {word} {quantity(metric, bound)}"
    return text


def _state(state: AlertState) -> str:
    if state.status is Status.INACTIVE:
        return "inactive"
    since = "" if state.since is None else f" since {stamp(state.since)}"
    fired = "" if state.fired_at is None else f", fired at {stamp(state.fired_at)}"
    cause = "" if state.cause is Kind.VALUE else f" for {state.cause}"
    return f"{state.status}{cause}{since}{fired}"


def _seen(rule: Rule, state: AlertState, measurement: Measurement | None, now: float) -> Iterator[Fact]:
    unit = rule.unit or rule.metric
    if rule.slo is not None:
        yield from _burnt(rule, state, now)
        return
    if state.value is not None and state.level is not None:
        sign = "beyond" if not state.side else SIGNS[state.side]
        worst = "" if state.worst in (None, state.value) else f", at worst {quantity(unit, state.worst or 0.0)}"
        yield (
            "judged",
            f"{quantity(unit, state.value)} {sign} {quantity(unit, state.level)}{worst} {state.text}".rstrip(),
        )
    if measurement is None:
        return
    if measurement.value is None:
        yield "newest", f"no value ({measurement.reason}) at {stamp(measurement.window.end)}"
        return
    rests = f", from {measurement.n} rows" if measurement.n else ""
    shown = quantity(rule.metric, measurement.value)
    yield "newest", f"{shown} in the window to {stamp(measurement.window.end)}{rests}"
    if not rule.absent and rule.share is None:
        yield "level", _held_against(rule, state, measurement)


def _held_against(rule: Rule, state: AlertState, measurement: Measurement) -> str:
    assert measurement.value is not None
    value, n = mean(state.recent) if state.recent else (measurement.value, measurement.n)
    if n < rule.min_rows:
        return f"none: it rests on {n} rows, and min_rows is {rule.min_rows}"
    if any(level.previous for level in rule.levels):
        return f"made anew each time: {_level(rule.bounds[0].level, rule.metric)}"
    found = judge(rule, state, Observation.of(measurement), value)
    if not isinstance(found, Judged):
        return f"none: {MISSING[found]}"
    origin = next(bound.level for bound in rule.bounds if bound.side == found.side)
    made = "" if origin.value is not None else f" ({_level(origin, rule.metric)})"
    what = f"the mean of {len(state.recent)}, {quantity(rule.metric, value)}," if state.recent else "the value"
    verdict = f"{what} is {'' if found.breach else 'not '}beyond it"
    clear = f"; it ends at {quantity(rule.metric, found.clear)}" if found.clear != found.level else ""
    sign = SIGNS[found.side]
    return f"{sign} {quantity(rule.metric, found.level)}{made}: {verdict}{clear}"


def _burnt(rule: Rule, state: AlertState, now: float) -> Iterator[Fact]:
    assert rule.slo is not None
    least = float(rule.min_rows) if not rule.bounds else 0.0
    for slots, pair in zip(state.burn, rule.slo.pairs, strict=False):
        found = burnt(slots, pair, state.observed or now)
        long, short = (quantity("bad_ratio", ratio) if ratio is not None else "nothing" for ratio in found[1:3])
        verdict = "burns too fast" if found.burns(least) else "does not"
        few = f" (of {number(found.total)}, and min_rows is {rule.min_rows})" if found.total < least else ""
        allowed = quantity("bad_ratio", pair.threshold)
        yield (
            f"{span(pair.long)} and {span(pair.short)}",
            f"{long}{few} and {short}, where {allowed} is allowed: {verdict}",
        )


def _condition(words: str, held: bool | None) -> str:
    return f"{words}: {'nothing is known of it' if held is None else 'so' if held else 'not so'}"


def _waits(rule: Rule, state: AlertState, now: float) -> str:
    """What must still happen for it to fire, or to end."""
    if state.status is Status.PENDING and state.active_at is not None:
        hold = rule.for_
        if hold.of:
            return f"{hold.windows} breaches in {hold.of} windows; there are {state.marks.bit_count()}"
        parts = []
        if hold.windows > state.breaches:
            parts.append(f"{hold.windows - state.breaches} more windows that breach")
        left = hold.seconds - ((state.at or now) - state.active_at)
        if hold.seconds and left > 0:
            parts.append(f"{span(left)} more of breaching (for: {span(hold.seconds)})")
        return " and ".join(parts)
    if state.status is Status.FIRING and state.clear_at is not None:
        return f"the end of keep_firing_for ({rule.keep_firing_for}); it is well since {stamp(state.clear_at)}"
    return ""
