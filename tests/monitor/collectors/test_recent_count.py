from __future__ import annotations

from monitor.collectors.recent_count import RecentCount


def test_what_happened_more_than_a_quarter_of_an_hour_ago_is_forgotten() -> None:
    recent = RecentCount()
    recent.add(0.0, 2)
    recent.add(600.0)
    recent.add(700.0, 0)
    assert [recent.count(moment) for moment in (600.0, 899.9, 900.0, 1499.9, 1500.0)] == [3, 3, 1, 1, 0]
