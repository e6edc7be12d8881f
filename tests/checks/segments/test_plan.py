from __future__ import annotations

import pytest

from checks.data.schema import SchemaOverrides
from checks.data.schema_inference import infer
from checks.inputs import CheckOptions
from checks.segments.measure import run_segment
from checks.segments.parts import DEFAULT, PARTS, SegmentCheck
from checks.segments.plan import SegmentPlan, WantedDimension, count, plan
from tests.checks.sample import reference, table
from tests.checks.segments.windows import window

SCHEMA = infer(table(400), SchemaOverrides())
METHODS = ("psi", "jensenshannon")


@pytest.mark.parametrize("check", list(PARTS))
def test_no_check_makes_more_measurements_than_are_counted(check: SegmentCheck) -> None:
    normal = reference(4_000)
    outcome = run_segment("city=Rome", window(normal, 500), normal, CheckOptions(methods=METHODS), (check,))
    assert 0 < len(outcome.measurements) <= count(check, SCHEMA, METHODS)
    assert {row.name for row in outcome.measurements} <= set(PARTS[check].metrics)


def test_all_is_kept_within_the_bound() -> None:
    found = plan(
        [WantedDimension("t:a", 4, DEFAULT), WantedDimension("f:city", 3, ("volume", "feature_drift"))],
        SCHEMA,
        METHODS,
        2_000,
    )
    assert found.cut == ()
    assert found.checks("t:a") == DEFAULT
    assert found.checks("f:city") == ("volume", "feature_drift")
    each = sum(count(check, SCHEMA, METHODS) for check in DEFAULT)
    assert found.measurements == 4 * each + 3 * (1 + 3 * 2)


def test_what_passes_the_bound_is_left_out_whole_and_what_fits_beside_it_is_not() -> None:
    wanted = [WantedDimension("t:a", 50, DEFAULT), WantedDimension("f:city", 4, DEFAULT)]
    found = plan(wanted, SCHEMA, METHODS, 54 + 54 * 13 + 4 * 3)
    assert [(share.column, share.check) for share in found.cut] == [
        ("t:a", "drift"),
        ("t:a", "missing"),
        ("f:city", "missing"),
    ]
    assert found.checks("f:city") == ("volume", "performance", "drift")
    assert found.left_out == 50 * 3 + 50 * 3 + 4 * 3


def test_the_same_config_always_leaves_the_same_out() -> None:
    wanted = [WantedDimension("t:a", 50, DEFAULT), WantedDimension("f:city", 4, DEFAULT)]
    plans: set[SegmentPlan] = {plan(wanted, SCHEMA, METHODS, most) for most in (500, 500)}
    assert len(plans) == 1
    assert all(plan(wanted, SCHEMA, METHODS, most).measurements <= most for most in range(1, 1_200, 7))


def test_without_drift_there_is_none_in_segments() -> None:
    assert count("drift", SCHEMA, ()) == count("feature_drift", SCHEMA, ()) == 0
    found = plan([WantedDimension("t:a", 4, ("drift",))], SCHEMA, (), 2_000)
    assert (found.kept, found.cut) == ((), ())
