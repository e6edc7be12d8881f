from __future__ import annotations

from typing import Any

from monitor.demo.episodes import DemoTransition, episodes


def change(rule: str, before: str, after: str, at: float, **labels: str) -> DemoTransition:
    plain: dict[str, Any] = {
        "id": 1, "model": "delays", "rule": rule, "fingerprint": "f", "labels": labels, "before": before,
        "after": after, "reason": "held", "at": at, "recorded_at": at + 1, "value": 2.0, "level": 1.0,
        "window_end": at, "n": 9, "text": "",
    }  # fmt: skip
    return DemoTransition.of(plain)


def test_an_alert_lasts_from_firing_to_resolution() -> None:
    found = episodes(
        [
            change("drift", "inactive", "pending", 1, feature="a"),
            change("drift", "pending", "firing", 2, feature="a"),
            change("drift", "inactive", "firing", 3, feature="b"),
            change("drift", "firing", "inactive", 4, feature="a"),
            change("drift", "pending", "firing", 5, feature="a"),
        ]
    )
    spans = [(one.feature, one.fired.at, one.resolved and one.resolved.at) for one in found]
    assert spans == [("a", 2, 4), ("b", 3, None), ("a", 5, None)]
    assert found[0].subject == "drift a"


def test_what_was_only_pending_is_no_alert() -> None:
    assert episodes([change("r", "inactive", "pending", 1), change("r", "pending", "inactive", 2)]) == []
