"""Every metric is judged by a shipped rule, or there is a reason why nobody need hear of it."""

from __future__ import annotations

from checks.catalog import CATALOG, NOT_JUDGED
from monitor.config.rules_in_force import default_rules

JUDGED = {rule.metric for rule in default_rules()}


def test_rules_and_reasons_cover_the_catalogue_exactly() -> None:
    assert JUDGED | NOT_JUDGED.keys() == CATALOG.keys()
    assert not JUDGED & NOT_JUDGED.keys()


def test_a_reason_names_metrics_that_a_rule_judges() -> None:
    named = {word for reason in NOT_JUDGED.values() for word in reason.split("`")[1::2]}
    assert named <= JUDGED


def test_nothing_that_says_it_failed_is_left_to_a_reason() -> None:
    ends = ("_ratio", "_up", "_failing", "_age_seconds", "_recent")
    harmless = {"load1_ratio"}  # how busy, not how wrong
    assert {name for name in NOT_JUDGED if name.endswith(ends)} == harmless
