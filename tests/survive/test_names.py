"""Every scenario that alerting must survive has its test, found by its name: most in this folder, the others where the
part is tested that they are about."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
SCENARIOS = {
    1: ["kill_9_at_every_point"],
    2: ["a_rate_limit"],
    3: ["errors_time_outs_and_resets"],
    4: ["slack_being_down_for_five_minutes"],
    5: ["firing_and_resolving_meanwhile"],
    6: ["a_revoked_token"],
    7: ["a_hundred_kilobytes_of_annotation"],
    8: ["a_deleted_message"],
    9: ["a_database_locked_by_another_process", "a_database_locked_for_too_long"],
    10: ["a_full_disk"],
    11: ["a_clock_that_is_set_by_an_hour", "a_schedule_whose_clock_is_set_by_an_hour"],
    12: ["a_second_daemon_beside_it", "runs_that_overlap"],
    13: ["ten_thousand_alerts_at_once", "a_storm_over_several_models"],
    14: ["a_bad_file_at_a_reload"],
    15: ["alertmanager_being_down_for_ten_minutes_and_a_member_that_hangs"],
    16: ["a_check_that_is_broken"],
    17: [
        "a_silence_that_ends_in_the_middle_of_an_incident",
        "getting_worse_after_an_acknowledgement",
        "a_double_click",
        "a_forged_user",
    ],
    18: ["a_restart_in_the_middle_of_for", "a_restart_between_all_windows"],
    19: ["sigterm_with_a_receiver_that_hangs", "sigterm_with_something_due"],
    20: ["showing_no_secret"],
}


def test_every_scenario_has_its_test() -> None:
    texts = (file.read_text() for file in TESTS.rglob("test_*.py"))
    found = {name for text in texts for name in re.findall(r"^def test_survives_(\w+)\(", text, re.MULTILINE)}
    assert {name for names in SCENARIOS.values() for name in names} <= found
