"""The end of the demo: what Watchkeeper said of the replay, held against what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from checks.catalog import CATALOG
from monitor.config.rules_in_force import default_rules
from monitor.demo.episodes import Episode, episodes
from monitor.demo.facts import Facts
from monitor.demo.observe import Observer, Replayed
from monitor.demo.settings import WINDOW_SECONDS
from monitor.demo.summary import (
    ExpectedAlert,
    Explain,
    FaultResult,
    Played,
    explained,
    plain,
    plain_alert,
    reasons,
    verdicts,
)
from monitor.demo.watch import Message


@dataclass(frozen=True)
class DemoReport:
    """What Watchkeeper said of the replay, held against what happened."""

    verdicts: list[FaultResult]
    alerts: list[ExpectedAlert]
    messages: Sequence[Message]

    @classmethod
    def of(cls, rows: pa.Table, reference: pa.Table, played: Replayed, observer: Observer) -> DemoReport:
        injected = observer.played()
        if played.slowed:
            # The very moment of the request that slowed the server down, not the hour's beginning.
            (begun, _), (ended, _) = played.slowed[0], played.slowed[-1]
            injected = [Played(one.fault, begun, ended) if one.fault.delay else one for one in injected]
        found = episodes(observer.watch.transitions())
        explain = _explainer(Facts(rows, reference, played.predicted))
        return cls(
            verdicts(injected, found, WINDOW_SECONDS),
            explained(found, injected, WINDOW_SECONDS, explain),
            observer.watch.messages,
        )

    def plain(self, played: Replayed, seconds: float, page: str) -> dict[str, Any]:
        messages = [{"text": message.text, "reason": message.reason} for message in self.messages]
        return {
            "faults": [plain(verdict) for verdict in self.verdicts],
            "alerts": [plain_alert(alert) for alert in self.alerts],
            "messages": messages,
            "reasons": reasons(messages),
            "replay": {
                "seconds": seconds,
                "requests": played.wire.requests,
                "predictions": len(played.predicted),
                "labels": played.labels,
            },
            "url": page,
        }


def _explainer(facts: Facts) -> Explain:
    """Explains by the rows of the windows on which an alert fired: of the last one, or all that its rule averages."""
    rules = {rule.name: rule for rule in default_rules()}

    def explain(episode: Episode) -> str:
        rule = rules.get(episode.rule)
        if rule is None or CATALOG[rule.metric].clock == "wall":
            return "no fault: the machine's own state while the demo ran"
        end = episode.fired.window_end
        return facts.explain(rule.metric, episode.feature, end - rule.average * WINDOW_SECONDS, end)

    return explain
