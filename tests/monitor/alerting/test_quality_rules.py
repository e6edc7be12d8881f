"""The shipped rules on data quality: a feature of infinities fires, and one of NaN is one message."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from checks.reference import Reference
from monitor.config.rules_in_force import default_rules
from tests.alerts.builders import HOUR, START
from tests.alerts.world import Receiver, world
from tests.checks.sample import measure, reference, table

RULES = [rule for rule in default_rules() if rule.name in ("missing-values", "not-finite")]
METRICS = {rule.metric for rule in RULES}


@pytest.fixture(scope="module")
def normal() -> Reference:
    return reference(4_000)


@pytest.mark.parametrize(
    ("odd", "share", "firing"),
    [
        (math.inf, 1.0, {"not-finite"}),
        (-math.inf, 0.2, {"not-finite"}),
        (math.nan, 0.5, {"missing-values", "not-finite"}),
        (math.nan, 0.03, set()),
    ],
)
def test_a_feature_of_infinities_alerts_and_nan_comes_in_one_message_with_missing(
    odd: float, share: float, firing: set[str], normal: Reference, tmp_path: Path
) -> None:
    amounts = [odd if n < 300 * share else 100.0 for n in range(300)]
    found = measure(normal, table(300, amount=amounts)).measurements
    phone = Receiver()
    with world(tmp_path, RULES, phone) as it:
        for hour in range(2):
            it.judged([row for row in found if row.name in METRICS], START + hour * HOUR, metrics=METRICS)
            it.deliver()
        assert {labels["rule"] for labels in it.store.firing()} == firing
        assert len(phone.sent) == (1 if firing else 0)
