"""The account at the end of `make chaos` sees what it is there to see."""

from __future__ import annotations

from tests.chaos.account import account
from tests.chaos.slack import Said

ONE = [("one", "chaos/part-1")]


def post(at: float, over: bool = True, deleted: bool = False) -> Said:
    return Said("one", (), at, over, deleted)


def reply(at: float, why: str = "resolved", version: str = "3") -> Said:
    return Said("one", (why, version), at, False, False)


def test_an_incident_that_was_told_to_its_end_is_not_lost() -> None:
    found = account(ONE, [post(10.0), reply(11.0)], [])
    assert (found.lost, found.twice, found.outside) == ([], 0, 0)


def test_what_was_never_told_or_not_to_its_end_is_lost() -> None:
    assert account(ONE, [], []).lost == ["chaos/part-1 (one): never told"]
    assert account(ONE, [post(10.0, over=False), reply(11.0)], []).lost == ["chaos/part-1 (one): its end was not told"]


def test_a_second_message_is_excused_by_a_send_between_whose_end_nobody_knows() -> None:
    said = [post(10.0), post(20.0)]
    for unsure, outside in (([15.0], 0), ([], 1), ([21.0], 1), ([9.0], 1)):
        found = account(ONE, said, unsure)
        assert (found.twice, found.most, found.outside) == (1, 1, outside)


def test_replies_are_the_same_if_they_say_the_same_of_one_version() -> None:
    said = [post(10.0), reply(11.0), reply(12.0), reply(13.0, "severity_rose", "2"), reply(14.0, "severity_rose", "4")]
    assert account(ONE, said, []).outside == 1


def test_a_message_that_takes_the_place_of_a_deleted_one_is_no_duplicate() -> None:
    assert account(ONE, [post(10.0, deleted=True), post(20.0)], []).twice == 0
