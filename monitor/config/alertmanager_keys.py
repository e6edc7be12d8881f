"""Alertmanager's keys that mean nothing here, each with what to write instead."""

from __future__ import annotations

from monitor.config.yaml_document import Place

_TIMES = "write mute_times, a list, with days, times, months, days_of_month, years and time_zone of each"
_MATCHERS = "write matchers: [name=value], or [name=~regex]"
ADVICE = {
    "route": "write routes, a list: the first that matches decides, and one without matchers at its end is the default",
    "inhibit_rules": "write inhibitions, a list, each with source, target and equal",
    "time_intervals": _TIMES,
    "mute_time_intervals": _TIMES,
    "routes.routes": (
        "routes are one flat list: write the inner routes before this one, each with the matchers of both, and this "
        "one's receivers behind them"
    ),
    "routes.group_by": (
        "an incident is all that fires of one model and one group of rules: write group: <name> in the rules that "
        "belong into one message"
    ),
    "routes.group_wait": "Watchkeeper sends a message at once and changes it in place; leave this out",
    "routes.group_interval": "Watchkeeper sends a message at once and changes it in place; leave this out",
    "routes.repeat_interval": "write repeat",
    "routes.receiver": "write receivers, a list; the default receiver is that of a last route without matchers",
    "routes.match": _MATCHERS,
    "routes.match_re": _MATCHERS,
    "routes.mute_time_intervals": "write mute_times",
    "routes.active_time_intervals": "write mute_times with the times outside of these",
    "inhibitions.source_matchers": "write source",
    "inhibitions.target_matchers": "write target",
    "inhibitions.source_match": "write source: [name=value]",
    "inhibitions.source_match_re": "write source: [name=~regex]",
    "inhibitions.target_match": "write target: [name=value]",
    "inhibitions.target_match_re": "write target: [name=~regex]",
    "mute_times.time_intervals": "write their keys into the mute time itself, and one mute time for each",
    "mute_times.weekdays": "write days, such as [mon, tue]",
    "mute_times.location": "write time_zone",
}
"""By the key's place, without the numbers of a list."""


def advice(key: str, place: Place) -> str | None:
    """Return what to write instead of Alertmanager's `key` in the section at `place`; None for a key that is not
    Alertmanager's."""
    return ADVICE.get(".".join(str(part) for part in (*place, key) if not isinstance(part, int)))
